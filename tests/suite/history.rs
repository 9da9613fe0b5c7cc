//! Work trees and pushes of goldens, each created once: a thousand goldens share a few of them.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use serde_json::Value;
use tests::World;
use tests::clients::{git, git_fed};
use tests::push::PUSH_TYPE;
use tests::wire;
use ureq::http::Request;

/// Maximum size of a cached pack in bytes; `git` pushes larger ones itself, in a chunked request.
const PACK_BYTES_MAX: usize = 1 << 19;

/// A commit and a pack of all its objects.
struct Tip {
    commit: String,
    pack: Vec<u8>,
}

/// The commits by the steps that create them.
static TIPS: LazyLock<Mutex<HashMap<String, Arc<Tip>>>> = LazyLock::new(Mutex::default);

/// The work tree of one golden. It is created on demand: cached pushes need none.
pub struct History<'w> {
    world: &'w World,
    steps: Vec<Value>,
    /// The number of steps that the work tree contains; `None` without a work tree.
    done: Option<usize>,
}

impl<'w> History<'w> {
    /// Starts with the example commit.
    pub fn new(world: &'w World) -> Self {
        Self { world, steps: Vec::new(), done: None }
    }

    /// Adds a step that changes the work tree: a commit of files or a Git command.
    pub fn note(&mut self, step: &Value) {
        self.steps.push(step.clone());
    }

    /// Runs a Git command that contacts the server.
    pub fn run(&mut self, words: &[&str]) {
        self.work();
        self.world.git("work", words).ok();
    }

    /// Pushes HEAD of the work tree to a branch of the repository at `url`, with force.
    pub fn push(&mut self, url: &str, branch: &str) {
        let tip = self.tip();
        let reference = format!("refs/heads/{branch}");
        if tip.pack.len() > PACK_BYTES_MAX {
            self.work();
            self.world.git("work", &["push", "--quiet", "--force", url, &format!("HEAD:{reference}")]).ok();
            return;
        }
        // The requests equal those of `git`, so that the clock advances by the same time.
        let request = Request::get(format!("{url}/info/refs?service=git-receive-pack"));
        let advertised = wire::send(request.body(Vec::new()).expect("the request is well formed")).text();
        let old = advertised.lines().find_map(|line| {
            let (line, name) = line.split('\0').next()?.rsplit_once(' ')?;
            (name == reference).then(|| line[line.len() - 40..].to_owned())
        });
        if old.as_ref() == Some(&tip.commit) {
            return;
        }
        let old = old.unwrap_or_else(|| "0".repeat(40));
        let command = format!("{old} {} {reference}\0report-status", tip.commit);
        let mut body = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
        body.extend_from_slice(&tip.pack);
        let request = Request::post(format!("{url}/git-receive-pack")).header(PUSH_TYPE.0, PUSH_TYPE.1).body(body);
        let request = request.expect("the request is well formed");
        let report = wire::send(request).text();
        assert!(report.contains(&format!("ok {reference}")), "{report}");
    }

    /// Returns HEAD after the steps so far.
    fn tip(&mut self) -> Arc<Tip> {
        let key = Value::from(self.steps.clone()).to_string();
        let known = || TIPS.lock().get(&key).cloned();
        if let Some(tip) = known() {
            return tip;
        }
        self.work();
        let work = self.world.folder().join("work");
        let commit = git(&work, &["rev-parse", "HEAD"]).ok();
        let pack = git_fed(&work, &["pack-objects", "--quiet", "--revs", "--stdout"], format!("{commit}\n").as_bytes());
        let tip = Arc::new(Tip { commit, pack });
        TIPS.lock().insert(key, Arc::clone(&tip));
        tip
    }

    /// Applies the missing steps to the work tree.
    fn work(&mut self) {
        let mut done = if let Some(done) = self.done {
            done
        } else {
            self.world.git_repository("work");
            0
        };
        while let Some(step) = self.steps.get(done) {
            if let Some(files) = step["commit"].as_object() {
                for (path, content) in files {
                    let text = content["letters"].as_u64().map(super::golden::letters);
                    let text = text.as_deref().or(content.as_str()).expect("a file is text");
                    self.world.git_commit("work", path, text);
                }
            } else {
                let words = step["git"].as_array().expect("a step calls, commits, pushes, or runs Git");
                let words: Vec<&str> =
                    words.iter().map(|word| word.as_str().expect("the member is a string")).collect();
                self.world.git("work", &words).ok();
            }
            done += 1;
        }
        self.done = Some(done);
    }
}

//! Work trees and pushes of goldens, each made once: a thousand goldens begin with the same few.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use serde_json::Value;
use tests::World;
use tests::clients::{git, git_fed};
use tests::push::PUSH_TYPE;
use tests::wire;
use ureq::http::Request;

/// Packs of more bytes are left to git, which sends them in its own way.
const PACK_BYTES_MAX: usize = 1 << 19;

/// A commit, and a pack of all that it leads to.
struct Tip {
    commit: String,
    pack: Vec<u8>,
}

/// What is pushed by the steps that lead to it.
static TIPS: LazyLock<Mutex<HashMap<String, Arc<Tip>>>> = LazyLock::new(Mutex::default);

/// The work tree of one golden. It is made when it is needed: pushes that others made before need none.
pub struct History<'w> {
    world: &'w World,
    steps: Vec<Value>,
    /// How many of the steps were done in the work tree; none while there is no work tree.
    done: Option<usize>,
}

impl<'w> History<'w> {
    /// Begins with the example commit.
    pub fn new(world: &'w World) -> Self {
        Self { world, steps: Vec::new(), done: None }
    }

    /// Notes a step that changes the work tree: a commit of files, or a Git command.
    pub fn note(&mut self, step: &Value) {
        self.steps.push(step.clone());
    }

    /// Runs a Git command now, as it talks to the server.
    pub fn run(&mut self, words: &[&str]) {
        self.work();
        self.world.git("work", words).ok();
    }

    /// Pushes the work tree's HEAD to a branch of the repository at `url`, with force.
    pub fn push(&mut self, url: &str, branch: &str) {
        let tip = self.tip();
        let reference = format!("refs/heads/{branch}");
        if tip.pack.len() > PACK_BYTES_MAX {
            self.work();
            self.world.git("work", &["push", "--quiet", "--force", url, &format!("HEAD:{reference}")]).ok();
            return;
        }
        // The requests are those that git would send, so that the clock goes on as far.
        let request = Request::get(format!("{url}/info/refs?service=git-receive-pack"));
        let advertised = wire::send(request.body(Vec::new()).expect("it is well formed")).text();
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
        let request = request.expect("it is well formed");
        let report = wire::send(request).text();
        assert!(report.contains(&format!("ok {reference}")), "{report}");
    }

    /// Gives what HEAD is after the steps so far.
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

    /// Brings the work tree to where it is by the steps so far.
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
                let words: Vec<&str> = words.iter().map(|word| word.as_str().expect("a word is text")).collect();
                self.world.git("work", &words).ok();
            }
            done += 1;
        }
        self.done = Some(done);
    }
}

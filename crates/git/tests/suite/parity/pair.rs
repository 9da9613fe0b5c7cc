//! The example and Git's own server, side by side.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use git::{Offers, Options};
use tempfile::TempDir;

use crate::{
    bench::{run, try_git},
    peer,
    serve::{
        repositories::{Policy, Repositories},
        service,
    },
};

/// Two servers with a repository `r.git` each, and beside each of them a repository `work`.
pub struct ServerPair {
    folder: TempDir,
    /// The addresses of both servers.
    pub urls: [String; 2],
}

const SIDES: [&str; 2] = ["ours", "theirs"];

impl ServerPair {
    /// Creates both servers; `settings` are lines `key=value` for the configuration of `r.git`.
    pub fn new(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let model = folder.path().join("ours");
        fill(&model);
        for setting in settings {
            let (key, value) = setting.split_once('=').expect("a key and a value");
            run(&model.join("root/r.git"), &["config", "--add", key, value]);
        }
        copy(&model, &folder.path().join("theirs"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let url = format!("http://{}/smart", listener.local_addr().expect("a bound port"));
        let options = Options { offers: Offers::FULL, ..Options::default() };
        let repositories = Repositories::new(&model.join("root"), Policy::Configured, &options);
        std::thread::spawn(move || service::run(&listener, repositories).expect("a listening socket"));
        let urls = [url, peer::serve(&folder.path().join("theirs/root"))];
        Self { folder, urls }
    }

    /// Gives a path of one side.
    pub fn path(&self, side: usize, name: &str) -> PathBuf {
        self.folder.path().join(SIDES[side]).join(name)
    }

    /// Runs git in `work` on both sides and compares the results; returns one. `URL` is replaced by that of the repository.
    pub fn same(&self, arguments: &[&str]) -> String {
        self.same_in("work", arguments)
    }

    /// Runs git on the served repositories themselves.
    pub fn served(&self, arguments: &[&str]) -> String {
        self.same_in("root/r.git", arguments)
    }

    /// Runs git in `folder` on both sides.
    pub fn same_in(&self, folder: &str, arguments: &[&str]) -> String {
        let [ours, theirs] = [0, 1].map(|side| {
            let url = format!("{}/r.git", self.urls[side]);
            let arguments: Vec<_> = arguments.iter().map(|argument| argument.replace("URL", &url)).collect();
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let output = try_git(&self.path(side, folder), &arguments, b"");
            let text = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes).replace(&self.urls[side], "URL");
                let text = text.replace(&format!("/{}/", SIDES[side]), "/SIDE/").replace("/./", "/");
                // Progress may differ.
                let is_compared = |line: &&str| !line.starts_with("remote: ") || !line.contains("objects: ");
                text.lines().filter(is_compared).collect::<Vec<_>>().join("\n")
            };
            format!("{:?}\n{}\n{}", output.status.code(), text(&output.stdout), text(&output.stderr))
        });
        assert_eq!(ours, theirs, "git {arguments:?}");
        ours
    }

    /// Compares the references, and checks both repositories.
    pub fn check(&self) {
        self.served(&["for-each-ref"]);
        self.served(&["fsck", "--full", "--connectivity-only"]);
    }
}

/// Creates a repository `work` with a history and tags, and a bare clone `root/r.git`.
fn fill(folder: &Path) {
    let work = folder.join("work");
    std::fs::create_dir_all(&work).expect("a writable folder");
    run(&work, &["init", "--quiet"]);
    for round in 0..5 {
        std::fs::write(work.join("file"), format!("{round}\n").repeat(20)).expect("a writable folder");
        std::fs::create_dir_all(work.join("deep/er")).expect("a writable folder");
        std::fs::write(work.join(format!("deep/er/{round}")), format!("{round}\n")).expect("a writable folder");
        run(&work, &["add", "--all"]);
        run(&work, &["commit", "--quiet", "--message", &format!("change {round}")]);
    }
    run(&work, &["tag", "--annotate", "--message", "t", "v1", "HEAD~2"]);
    run(&work, &["branch", "side", "HEAD~1"]);
    let served = folder.join("root/r.git");
    run(folder, &["clone", "--quiet", "--bare", "work", "root/r.git"]);
    run(&served, &["config", "http.receivepack", "true"]);
    run(&served, &["update-ref", "refs/hidden/old", "main~3"]);
    run(&work, &["commit", "--quiet", "--allow-empty", "--message", "not pushed yet"]);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a writable folder");
    for entry in std::fs::read_dir(from).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).expect("a readable file");
        }
    }
}

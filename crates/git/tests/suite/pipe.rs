//! The real git over a pipe: `serve stdio` beside `git upload-pack` and `git receive-pack`, on copies of one repository.
//!
//! The program is an example of the crate, which `cargo test -p git` builds.

mod fetches;
mod pushes;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::bench::{Work, feed, run, try_git_with};

/// The installed gits, by the value of `PATH` that finds them.
fn gits() -> Vec<Option<&'static str>> {
    let older = Path::new("/usr/bin/git").exists().then_some(Some("/usr/bin:/bin"));
    std::iter::once(None).chain(older).collect()
}

const VERSIONS: [&str; 3] = ["0", "1", "2"];

const SIDES: [&str; 2] = ["ours", "gits"];

/// Two copies of one repository `r.git`, each served over a pipe by another program.
struct Pipes {
    folder: TempDir,
    /// The `PATH` of the client.
    path: Option<&'static str>,
    version: &'static str,
}

/// The path of the `serve` example.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let target = test.parent().and_then(Path::parent).expect("the test is in target/PROFILE/deps");
    let program = target.join("examples").join(format!("serve{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is missing: run cargo build -p git --examples", program.display());
    program
}

impl Pipes {
    /// Copies the bare repository `model` for both sides.
    fn new(model: &Path, path: Option<&'static str>, version: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for side in SIDES {
            std::fs::create_dir(folder.path().join(side)).expect("a writable folder");
            let target = folder.path().join(side).join("r.git");
            run(model, &["clone", "--quiet", "--mirror", ".", target.to_str().expect("a plain path")]);
            run(&target, &["config", "--unset", "remote.origin.mirror"]);
        }
        Self { folder, path, version }
    }

    /// Sets `key` in the configuration of both repositories.
    fn configure(&self, key: &str, value: &str) {
        for side in [0, 1] {
            run(&self.served(side), &["config", key, value]);
        }
    }

    fn served(&self, side: usize) -> PathBuf {
        self.folder.path().join(SIDES[side]).join("r.git")
    }

    fn place(&self, side: usize, name: &str) -> Work {
        Work { path: self.folder.path().join(SIDES[side]).join(name) }
    }

    fn url(&self, side: usize) -> String {
        let served = self.served(side);
        match side {
            0 => format!("ext::{} stdio %s {}", program().display(), served.display()),
            _ => format!("ext::git %s {}", served.display()),
        }
    }

    /// Runs git in the folder `place` of both sides, where `URL` is the served repository; compares and returns the
    /// exit code with the output.
    fn same(&self, place: &str, arguments: &[&str]) -> String {
        let [ours, gits] = [0, 1].map(|side| self.outcome(side, place, arguments));
        assert_eq!(ours, gits, "git {arguments:?} of {:?} in version {}", self.path, self.version);
        ours
    }

    /// As [`Pipes::same`], for a fetch that the server refuses with `message`.
    ///
    /// The helper between git and the server can lose the message: it ends at once if it cannot write to a server that
    /// has refused the fetch and ended. It does so with `git upload-pack`, too; then the fetch is asked for again.
    fn refused(&self, place: &str, arguments: &[&str], message: &str) {
        let [ours, gits] = [0, 1].map(|side| {
            let mut outcomes = (0..20).map(|_| self.outcome(side, place, arguments));
            outcomes.find(|outcome| !outcome.ends_with("fatal: the remote end hung up unexpectedly"))
        });
        assert_eq!(ours, gits, "git {arguments:?} of {:?} in version {}", self.path, self.version);
        assert!(ours.as_ref().is_some_and(|outcome| outcome.contains(message)), "{ours:?}");
    }

    /// Runs git in the folder `place` of a side; returns the exit code with the output.
    fn outcome(&self, side: usize, place: &str, arguments: &[&str]) -> String {
        let url = self.url(side);
        let arguments: Vec<_> = arguments.iter().map(|argument| argument.replace("URL", &url)).collect();
        let version = format!("protocol.version={}", self.version);
        let mut all = vec!["-c", "protocol.ext.allow=always", "-c", &version];
        all.extend(arguments.iter().map(String::as_str));
        let protocol = format!("version={}", self.version);
        let mut variables = vec![("GIT_PROTOCOL", &protocol[..])];
        variables.extend(self.path.map(|path| ("PATH", path)));
        let output = try_git_with(&self.place(side, place).path, &all, b"", &variables);
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).replace(&url, "URL").replace(SIDES[side], "SIDE");
            // Progress, and the messages of the servers themselves, are not compared.
            let own = ["serve: ", "fatal: '", "fatal: git upload-pack: "];
            let is_compared = |line: &&str| {
                let is_progress = line.starts_with("remote: ") && line.contains("bjects");
                !is_progress && !own.iter().any(|start| line.starts_with(start))
            };
            text.lines().filter(is_compared).collect::<Vec<_>>().join("\n")
        };
        format!("{:?}\n{}\n{}", output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// As [`Pipes::same`], for a command that succeeds.
    fn succeeds(&self, place: &str, arguments: &[&str]) -> String {
        let outcome = self.same(place, arguments);
        assert!(outcome.starts_with("Some(0)"), "git {arguments:?}: {outcome}");
        outcome
    }

    /// Compares the references and objects of a repository on both sides, and checks both.
    fn check(&self, place: &str) {
        self.succeeds(place, &["for-each-ref"]);
        self.succeeds(place, &["rev-list", "--objects", "--no-object-names", "--all"]);
        self.succeeds(place, &["fsck", "--connectivity-only"]);
        assert_eq!(shallow(&self.place(0, place).path), shallow(&self.place(1, place).path));
    }
}

/// Reads the sorted shallow commits of a repository with or without files.
fn shallow(place: &Path) -> Vec<String> {
    let files = [place.join(".git/shallow"), place.join("shallow")];
    let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Creates a bare repository with the history of [`Work::fill`]; it is served until the folder is dropped.
fn model() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let work = Work { path: folder.path().join("work") };
    run(folder.path(), &["init", "--quiet", "work"]);
    crate::bench::advance_clock();
    work.fill();
    run(folder.path(), &["clone", "--quiet", "--mirror", "work", "r.git"]);
    let served = folder.path().join("r.git");
    (folder, served)
}

/// Creates `count` commits on branches of 5 each, which no other repository has.
fn diverge(place: &Path, count: u32) {
    let commits = (0..count).map(|number| {
        let (branch, seconds) = (number / 5, 1_800_000_000 + number);
        format!(
            "commit refs/heads/own{branch}\ncommitter A <a@b> {seconds} +0000\ndata 1\nx\nM 644 inline f\ndata \
             4\n{number:04}\n"
        )
    });
    feed(place, &["fast-import", "--quiet"], commits.collect::<Vec<_>>().concat().as_bytes());
}

/// Runs the program with an input that ends early; it must end without an error.
fn disconnect(service: &str, repository: &Path, protocol: &str, input: &[u8]) {
    let mut child = Command::new(program())
        .args(["stdio", service])
        .arg(repository)
        .env("GIT_PROTOCOL", protocol)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut stdin = child.stdin.take().expect("a piped input");
    // The program may end first.
    drop(std::io::Write::write_all(&mut stdin, input));
    drop(stdin);
    let output = child.wait_with_output().expect("a running child");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaint.is_empty(), "{service} {protocol}: {complaint}");
}

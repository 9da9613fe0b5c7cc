//! Sending the same pushes to Git and to this library.

use git::{Kind, ObjectId, Options, Repository, Severity};

use crate::{
    bench::{run, try_git},
    craft::{self, PackBuilder, PackEntry},
};

/// A repository of Git and one of this library that get the same pushes.
pub struct FsckPair {
    pub folder: tempfile::TempDir,
    repository: Repository,
    pub options: Options,
    pushes: usize,
}

/// The result of a push: the warnings, or the first error.
pub type Verdict = Result<Vec<String>, Option<String>>;

impl FsckPair {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        run(folder.path(), &["init", "--quiet", "--bare", "theirs"]);
        run(&folder.path().join("theirs"), &["config", "receive.fsckObjects", "true"]);
        let repository = Repository::open_or_create(&folder.path().join("ours")).expect("a new repository");
        Self { folder, repository, options: Options::default(), pushes: 0 }
    }

    pub fn set(&mut self, id: &str, severity: &str) {
        run(&self.folder.path().join("theirs"), &["config", &format!("receive.fsck.{id}"), severity]);
        let severity = match severity {
            "error" => Severity::Error,
            "warn" => Severity::Warn,
            _ => Severity::Ignore,
        };
        self.options.fsck.set(id, severity).expect("the fault exists");
    }

    /// Pushes objects together with a sound commit to both, and compares the results.
    pub fn push(&mut self, label: &str, objects: &[(PackEntry<'_>, &[u8])]) {
        self.pushes += 1;
        let file = format!("{label}\n").into_bytes();
        let tree = craft::tree(&craft::id(Kind::Blob, &file));
        let commit = craft::commit(&craft::id(Kind::Tree, &tree));
        let mut pack = PackBuilder::new();
        for (entry, data) in [(PackEntry::Commit, &commit), (PackEntry::Tree, &tree), (PackEntry::Blob, &file)] {
            pack.add(entry, data);
        }
        for (entry, data) in objects {
            pack.add(*entry, data);
        }
        let name = format!("refs/heads/{}", self.pushes);
        let tip = craft::id(Kind::Commit, &commit);
        let request = craft::push_request(&name, &tip, "report-status side-band-64k", &pack.finish());
        let theirs = self.theirs(&request);
        let ours = self.ours(&request);
        match (&theirs, &ours) {
            // For some objects, Git's parser fails before its checks can report the fault.
            (Err(None), Err(_)) => {}
            _ => assert_eq!(ours, theirs, "{label}"),
        }
    }

    fn theirs(&self, request: &[u8]) -> Verdict {
        let output = try_git(&self.folder.path().join("theirs"), &["receive-pack", "--stateless-rpc", "."], request);
        let text = text_of(&output.stdout);
        if text.contains("unpack ok") {
            return Ok(warnings(&text));
        }
        Err(text.lines().find_map(|line| line.split_once("error: object ")).map(|(_, rest)| format!("object {rest}")))
    }

    pub fn ours(&self, request: &[u8]) -> Verdict {
        let (answer, _) = craft::push(&self.repository, request, &self.options);
        let text = text_of(&answer);
        if text.contains("unpack ok") {
            return Ok(warnings(&text));
        }
        Err(text.lines().find_map(|line| line.split_once("unpack ")).map(|(_, rest)| rest.to_owned()))
    }

    pub fn tree(&mut self, label: &str, entries: &[(&str, &[u8], &str)]) {
        self.push(label, &[(PackEntry::Tree, &tree_of(entries))]);
    }

    /// Pushes a blob, and a tree with an entry for it.
    pub fn file(&mut self, label: &str, mode: &str, name: &[u8], content: &[u8]) {
        let tree = tree_of(&[(mode, name, &craft::id(Kind::Blob, content))]);
        self.push(label, &[(PackEntry::Tree, &tree), (PackEntry::Blob, content)]);
    }
}

/// Returns the text of an answer without its side bands.
fn text_of(answer: &[u8]) -> String {
    let mut rest = answer;
    let mut text = Vec::new();
    while let Some((digits, tail)) = rest.split_at_checked(4) {
        let digits = std::str::from_utf8(digits).expect("four digits");
        let bytes = usize::from_str_radix(digits, 16).expect("four digits").max(4) - 4;
        text.extend_from_slice(tail[..bytes].get(1..).unwrap_or_default());
        rest = &tail[bytes..];
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn warnings(text: &str) -> Vec<String> {
    let mut all: Vec<_> = text.lines().filter(|line| line.starts_with("warning: ")).map(str::to_owned).collect();
    all.sort();
    all
}

pub fn tree_of(entries: &[(&str, &[u8], &str)]) -> Vec<u8> {
    let mut data = Vec::new();
    for (mode, name, id) in entries {
        data.extend_from_slice(format!("{mode} ").as_bytes());
        data.extend_from_slice(name);
        data.push(0);
        data.extend_from_slice(ObjectId::from_hex(id.as_bytes()).expect("forty digits").as_slice());
    }
    data
}

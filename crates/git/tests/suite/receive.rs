//! Requests of the receive-pack protocol, compared with Git.

use git::{
    Kind, Offers, Options, References, Repository, Service, advertise,
    receive_pack::{self, Received},
};

use crate::{
    bench::{Bench, leftovers, run, try_git},
    craft::{self, PackBuilder, PackEntry},
};

const FULL: Offers = Offers::FULL;

/// A commit with one file: the ids of tree and commit, and their pack.
struct SoundPush {
    tree: String,
    tip: String,
    pack: Vec<u8>,
}

fn sound() -> SoundPush {
    let file = b"one line\n";
    let tree = craft::tree(&craft::id(Kind::Blob, file));
    let id = craft::id(Kind::Tree, &tree);
    let commit = craft::commit(&id);
    let mut pack = PackBuilder::new();
    pack.add(PackEntry::Commit, &commit);
    pack.add(PackEntry::Tree, &tree);
    pack.add(PackEntry::Blob, file);
    SoundPush { tree: id, tip: craft::id(Kind::Commit, &commit), pack: pack.finish() }
}

/// Creates a commit with one parent.
fn child(tree: &str, parent: &str, message: &str) -> Vec<u8> {
    let person = "A <a@b> 1 +0000";
    format!("tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\n\n{message}\n").into_bytes()
}

fn request(lines: &[String], tail: &[u8]) -> Vec<u8> {
    [craft::lines(lines), b"0000".to_vec(), tail.to_vec()].concat()
}

/// An empty repository of this library, and one of Git.
struct ReceivePair {
    folder: tempfile::TempDir,
    repository: Repository,
    options: Options,
}

impl ReceivePair {
    fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        run(folder.path(), &["init", "--quiet", "--bare", "theirs"]);
        let repository = Repository::open_or_create(&folder.path().join("ours")).expect("a new repository");
        Self { folder, repository, options }
    }

    fn full() -> Self {
        Self::new(Options { offers: FULL, ..Options::default() })
    }

    /// Serves a request on both sides and compares the answers; returns one.
    fn same(&self, request: &[u8]) -> String {
        let theirs = self.folder.path().join("theirs");
        let theirs = try_git(&theirs, &["receive-pack", "--stateless-rpc", "."], request).stdout;
        let ours = self.ours(request).expect("a sound request");
        assert_eq!(ours, String::from_utf8_lossy(&theirs));
        ours
    }

    fn ours(&self, request: &[u8]) -> Result<String, String> {
        let mut answer = Vec::new();
        let mut update_hook = |received: &Received<'_>| received.commands.iter().map(|_| Ok(())).collect();
        let served =
            receive_pack::serve(&self.repository, &mut &*request, &mut answer, &self.options, &mut update_hook);
        assert_eq!(leftovers(&self.folder.path().join("ours")), Vec::<String>::new());
        served.map(|()| String::from_utf8_lossy(&answer).into_owned()).map_err(|error| error.to_string())
    }

    fn has(&self, id: &str) -> bool {
        let id = git::ObjectId::from_hex(id.as_bytes()).expect("forty digits");
        self.repository.kind(&id).expect("a readable repository").is_some()
    }
}

#[test]
fn the_advertisement_is_that_of_git() {
    let options = Options { offers: Offers { session_id: false, ..FULL }, ..Options::default() };
    let ours = advertise(Service::ReceivePack, git::Version::V0, &References::default(), &options);
    let ours = String::from_utf8_lossy(&ours);
    let capabilities = |text: &str| text.split_once('\0').expect("capabilities").1.lines().next().map(str::to_owned);
    let pair = ReceivePair::full();
    let theirs = pair.folder.path().join("theirs");
    run(&theirs, &["config", "receive.advertisePushOptions", "true"]);
    let output = try_git(&theirs, &["receive-pack", "--stateless-rpc", "--http-backend-info-refs", "."], b"").stdout;
    let without_agent = |text: Option<String>| text.and_then(|text| Some(text.split_once("agent=")?.0.to_owned()));
    assert_eq!(without_agent(capabilities(&ours)), without_agent(capabilities(&String::from_utf8_lossy(&output))));
}

#[test]
fn reports_are_those_of_git() {
    let SoundPush { tip, pack, .. } = sound();
    let line = |capabilities: &str| [format!("{} {tip} refs/heads/x\0{capabilities}", craft::null())];
    for capabilities in ["report-status", "report-status-v2 agent=x session-id=y object-format=sha1", "", "quiet"] {
        ReceivePair::full().same(&request(&line(capabilities), &pack));
    }
    ReceivePair::full().same(&request(&line("report-status side-band-64k quiet"), &pack));
    ReceivePair::full().same(&request(&line("report-status"), b""));
    ReceivePair::full().same(&request(&line("report-status"), b"PUCK and more than twelve bytes"));
    for deletion in ["refs/heads/nothing", "refs/x"] {
        let line = format!("{} {} {deletion}\0report-status", craft::null(), craft::null());
        ReceivePair::full().same(&request(&[line], b""));
    }
}

#[test]
fn malformed_requests_are_refused() {
    let SoundPush { tip, pack, .. } = sound();
    let line = |capabilities: &str| format!("{} {tip} refs/heads/x\0{capabilities}", craft::null());
    for (lines, expected) in [
        (vec![line("object-format=sha256")], "error: unsupported object format 'sha256'"),
        (vec!["shallow xx".to_owned(), line("")], "protocol error: expected shallow sha, got 'xx'"),
        (vec!["hello".to_owned()], "protocol error: expected old/new/ref, got 'hello'"),
        (vec!["push-cert\0report-status\n".to_owned()], "signed pushes are not supported"),
    ] {
        let pair = ReceivePair::full();
        assert_eq!(pair.ours(&request(&lines, &pack)), Err(expected.to_owned()));
        assert!(!pair.has(&tip));
    }
    let lines = [format!("shallow {tip}")];
    assert_eq!(ReceivePair::full().same(&request(&lines, b"")), "");
    let options = request(&[line("push-options")], b"0005a");
    assert_eq!(ReceivePair::full().ours(&options), Err("protocol error: the push options have no end".to_owned()));
}

#[test]
fn push_options_reach_the_update_hook() {
    let SoundPush { tip, pack, .. } = sound();
    let line = format!("{} {tip} refs/heads/x\0report-status push-options", craft::null());
    let tail = [craft::lines(&["a=b\n".to_owned(), "c".to_owned(), String::new()]), pack].concat();
    let pair = ReceivePair::full();
    let mut options = Vec::new();
    let mut update_hook = |received: &Received<'_>| {
        options.extend(received.push_options.iter().map(ToString::to_string));
        received.commands.iter().map(|_| Ok(())).collect()
    };
    let bytes = request(&[line], &tail);
    let mut answer = Vec::new();
    receive_pack::serve(&pair.repository, &mut &*bytes, &mut answer, &pair.options, &mut update_hook)
        .expect("a sound push");
    assert_eq!(options, ["a=b", "c"]);
    assert_eq!(String::from_utf8_lossy(&answer), "000eunpack ok\n0014ok refs/heads/x\n0000");

    let bench = Bench::new(FULL);
    let work = bench.work("work");
    work.commit("file", "content");
    work.git(&["push", "--quiet", "--push-option", "a", "--push-option", "b c", bench.url(), "main"]);
    bench.check();
    let bench = Bench::new(Offers::AWS);
    assert!(work.refused(&["push", "-o", "a", bench.url(), "main"]).contains("does not support push options"));
}

#[test]
fn the_empty_tree_need_not_be_pushed() {
    let commit = craft::commit(&craft::id(Kind::Tree, b""));
    let tip = craft::id(Kind::Commit, &commit);
    let mut pack = PackBuilder::new();
    pack.add(PackEntry::Commit, &commit);
    let line = format!("{} {tip} refs/heads/x\0report-status", craft::null());
    let pair = ReceivePair::full();
    assert!(pair.same(&request(&[line], &pack.finish())).contains("ok refs/heads/x"));
    assert!(pair.has(&tip));
}

#[test]
fn references_with_all_objects_are_accepted_beside_others() {
    let SoundPush { tree, tip, pack } = sound();
    let pair = ReceivePair::full();
    let null = craft::null();
    pair.same(&request(&[format!("{null} {tip} refs/heads/x\0report-status")], &pack));
    let nowhere = child(&tree, &"2".repeat(40), "nowhere");
    let after = child(&tree, &craft::id(Kind::Commit, &nowhere), "after");
    let good = child(&tree, &tip, "good");
    let best = child(&tree, &craft::id(Kind::Commit, &good), "best");
    let mut pack = PackBuilder::new();
    for commit in [&nowhere, &after, &good] {
        pack.add(PackEntry::Commit, commit);
    }
    let id = |data: &[u8]| craft::id(Kind::Commit, data);
    // A delta whose base is not stored.
    let base = craft::commit(&"4".repeat(40));
    pack.add(PackEntry::Commit, &base);
    pack.add(PackEntry::Delta(&id(&base)), &craft::replace(&base, &best));
    let lines = [
        format!("{null} {} refs/heads/m\0report-status", id(&after)),
        format!("{null} {} refs/heads/n", id(&best)),
        format!("{null} {} refs/heads/o", "3".repeat(40)),
        format!("{null} {} refs/heads/p q", id(&good)),
    ];
    let pack = pack.finish();
    let answer = pair.same(&request(&lines, &pack));
    assert!(answer.contains("ok refs/heads/n") && answer.contains("ng refs/heads/m missing necessary objects"));
    assert!(pair.has(&id(&good)) && pair.has(&id(&best)));
    assert!(!pair.has(&id(&nowhere)) && !pair.has(&id(&after)) && !pair.has(&id(&base)));
    run(&pair.folder.path().join("ours"), &["fsck", "--full", "--strict"]);
    // An atomic push is refused as a whole.
    let pair = ReceivePair::full();
    let lines = [lines[0].replace("report-status", "report-status atomic"), lines[1].clone()];
    let answer = pair.ours(&request(&lines, &pack)).expect("a sound request");
    assert!(answer.contains("ng refs/heads/n"), "{answer}");
    assert!(!pair.has(&id(&good)));
}

#[test]
fn shallow_clones_can_push_to_a_server_with_the_full_history() {
    for offers in [Offers::AWS, FULL] {
        let bench = Bench::new(offers);
        let work = bench.work("work");
        work.fill();
        work.git(&["push", "--quiet", bench.url(), "main"]);
        let clone = bench.clone("clone", &["--depth", "1"]);
        clone.commit("new", "content");
        clone.git(&["push", "--quiet", bench.url(), "main"]);
        assert!(!bench.served().join("shallow").exists());
        bench.check();
        // A server without the part of the history that the clone lacks.
        let other = Bench::new(offers);
        let complaint = clone.refused(&["push", other.url(), "main"]);
        assert!(complaint.contains("shallow update not allowed"), "{complaint}");
        assert_eq!(clone.git(&["ls-remote", other.url()]), "");
        other.check();
    }
}

#[test]
fn shallow_pushes_update_the_shallow_file() {
    let bench = Bench::new(Offers { shallow_pushes: true, ..FULL });
    let source = Bench::new(FULL);
    let work = source.work("work");
    work.fill();
    work.git(&["push", "--quiet", source.url(), "main"]);
    let clone = source.clone("clone", &["--depth", "3"]);
    clone.git(&["push", "--quiet", bench.url(), "main"]);
    let sorted = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path).expect("a shallow file");
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(bench.served().join("shallow")), sorted(clone.path.join(".git/shallow")));
    run(&bench.served(), &["fsck", "--full", "--strict"]);
    assert!(!bench.served().join("shallow.lock").exists());
    // A push on top of it needs no further history.
    clone.commit("new", "content");
    clone.git(&["push", "--quiet", bench.url(), "main"]);
    run(&bench.served(), &["fsck", "--full", "--strict"]);
}

#[test]
fn a_shallow_repository_needs_no_parents_of_its_shallow_commits() {
    let tree = sound().tree;
    let pair = ReceivePair::full();
    let first = child(&tree, &"2".repeat(40), "the first");
    let id = craft::id(Kind::Commit, &first);
    std::fs::write(pair.folder.path().join("ours/shallow"), format!("{id}\n")).expect("a writable folder");
    let mut all = PackBuilder::new();
    all.add(PackEntry::Commit, &first);
    all.add(PackEntry::Tree, &craft::tree(&craft::id(Kind::Blob, b"one line\n")));
    all.add(PackEntry::Blob, b"one line\n");
    let line = format!("{} {id} refs/heads/x\0report-status", craft::null());
    let answer = pair.ours(&request(&[line], &all.finish())).expect("a sound request");
    assert!(answer.contains("ok refs/heads/x"), "{answer}");
}

#[test]
fn ancestors_are_those_of_git() {
    let bench = Bench::new(FULL);
    let work = bench.work("work");
    work.fill();
    work.git(&["push", "--quiet", bench.url(), "--all"]);
    let repository = Repository::open(&bench.served()).expect("the repository");
    let commits = work.git(&["rev-list", "--all"]);
    let commits: Vec<_> = commits.lines().step_by(3).collect();
    for old in &commits {
        for new in &commits {
            let expected = try_git(&work.path, &["merge-base", "--is-ancestor", old, new], b"").status.success();
            let id = |hex: &str| git::ObjectId::from_hex(hex.as_bytes()).expect("forty digits");
            assert_eq!(repository.is_ancestor(&id(old), &id(new)).expect("two commits"), expected, "{old} {new}");
        }
    }
    let tree = git::ObjectId::from_hex(work.git(&["rev-parse", "HEAD^{tree}"]).as_bytes()).expect("forty digits");
    assert!(repository.is_ancestor(&tree, &tree).is_err());
}

//! The receive-pack protocol, request by request, beside Git's own.

use git::{
    Kind, Offers, Options, References, Repository, Service, advertise,
    receive_pack::{self, Received},
};

use crate::{
    bench::{Bench, leftovers, run, try_git},
    craft::{self, Entry, Pack},
};

const FULL: Offers = Offers::FULL;

/// A commit with a tree and a file, and the pack of them.
struct Sound {
    tree: String,
    tip: String,
    pack: Vec<u8>,
}

fn sound() -> Sound {
    let file = b"one line\n";
    let tree = craft::tree(&craft::id(Kind::Blob, file));
    let id = craft::id(Kind::Tree, &tree);
    let commit = craft::commit(&id);
    let mut pack = Pack::new();
    pack.add(Entry::Commit, &commit);
    pack.add(Entry::Tree, &tree);
    pack.add(Entry::Blob, file);
    Sound { tree: id, tip: craft::id(Kind::Commit, &commit), pack: pack.finish() }
}

/// A commit of a known tree with one parent.
fn child(tree: &str, parent: &str, message: &str) -> Vec<u8> {
    let person = "A <a@b> 1 +0000";
    format!("tree {tree}\nparent {parent}\nauthor {person}\ncommitter {person}\n\n{message}\n").into_bytes()
}

fn request(lines: &[String], tail: &[u8]) -> Vec<u8> {
    [craft::lines(lines), b"0000".to_vec(), tail.to_vec()].concat()
}

/// An empty repository of ours, and one of Git's.
struct Pair {
    folder: tempfile::TempDir,
    repository: Repository,
    options: Options,
}

impl Pair {
    fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        run(folder.path(), &["init", "--quiet", "--bare", "theirs"]);
        let repository = Repository::open_or_create(&folder.path().join("ours")).expect("a new repository");
        Self { folder, repository, options }
    }

    fn full() -> Self {
        Self::new(Options { offers: FULL, ..Options::default() })
    }

    /// Serves a request on both sides and compares the answers; gives the answer.
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
    let pair = Pair::full();
    let theirs = pair.folder.path().join("theirs");
    run(&theirs, &["config", "receive.advertisePushOptions", "true"]);
    let output = try_git(&theirs, &["receive-pack", "--stateless-rpc", "--http-backend-info-refs", "."], b"").stdout;
    let without_agent = |text: Option<String>| text.and_then(|text| Some(text.split_once("agent=")?.0.to_owned()));
    assert_eq!(without_agent(capabilities(&ours)), without_agent(capabilities(&String::from_utf8_lossy(&output))));
}

#[test]
fn reports_are_those_of_git() {
    let Sound { tip, pack, .. } = sound();
    let line = |capabilities: &str| [format!("{} {tip} refs/heads/x\0{capabilities}", craft::null())];
    for capabilities in ["report-status", "report-status-v2 agent=x session-id=y object-format=sha1", "", "quiet"] {
        Pair::full().same(&request(&line(capabilities), &pack));
    }
    Pair::full().same(&request(&line("report-status side-band-64k quiet"), &pack));
    Pair::full().same(&request(&line("report-status"), b""));
    Pair::full().same(&request(&line("report-status"), b"PUCK and more than twelve bytes"));
    for deletion in ["refs/heads/nothing", "refs/x"] {
        let line = format!("{} {} {deletion}\0report-status", craft::null(), craft::null());
        Pair::full().same(&request(&[line], b""));
    }
}

#[test]
fn requests_that_are_none_are_refused() {
    let Sound { tip, pack, .. } = sound();
    let line = |capabilities: &str| format!("{} {tip} refs/heads/x\0{capabilities}", craft::null());
    for (lines, expected) in [
        (vec![line("object-format=sha256")], "error: unsupported object format 'sha256'"),
        (vec!["shallow xx".to_owned(), line("")], "protocol error: expected shallow sha, got 'xx'"),
        (vec!["hello".to_owned()], "protocol error: expected old/new/ref, got 'hello'"),
        (vec!["push-cert\0report-status\n".to_owned()], "signed pushes are not supported"),
    ] {
        let pair = Pair::full();
        assert_eq!(pair.ours(&request(&lines, &pack)), Err(expected.to_owned()));
        assert!(!pair.has(&tip));
    }
    let lines = [format!("shallow {tip}")];
    assert_eq!(Pair::full().same(&request(&lines, b"")), "");
    let options = request(&[line("push-options")], b"0005a");
    assert_eq!(Pair::full().ours(&options), Err("protocol error: the push options have no end".to_owned()));
}

#[test]
fn push_options_reach_the_update_hook() {
    let Sound { tip, pack, .. } = sound();
    let line = format!("{} {tip} refs/heads/x\0report-status push-options", craft::null());
    let tail = [craft::lines(&["a=b\n".to_owned(), "c".to_owned(), String::new()]), pack].concat();
    let pair = Pair::full();
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
fn the_empty_tree_may_be_left_out() {
    let commit = craft::commit(&craft::id(Kind::Tree, b""));
    let tip = craft::id(Kind::Commit, &commit);
    let mut pack = Pack::new();
    pack.add(Entry::Commit, &commit);
    let line = format!("{} {tip} refs/heads/x\0report-status", craft::null());
    let pair = Pair::full();
    assert!(pair.same(&request(&[line], &pack.finish())).contains("ok refs/heads/x"));
    assert!(pair.has(&tip));
}

#[test]
fn complete_references_pass_beside_incomplete_ones() {
    let Sound { tree, tip, pack } = sound();
    let pair = Pair::full();
    let null = craft::null();
    pair.same(&request(&[format!("{null} {tip} refs/heads/x\0report-status")], &pack));
    let nowhere = child(&tree, &"2".repeat(40), "nowhere");
    let after = child(&tree, &craft::id(Kind::Commit, &nowhere), "after");
    let good = child(&tree, &tip, "good");
    let best = child(&tree, &craft::id(Kind::Commit, &good), "best");
    let mut pack = Pack::new();
    for commit in [&nowhere, &after, &good] {
        pack.add(Entry::Commit, commit);
    }
    let id = |data: &[u8]| craft::id(Kind::Commit, data);
    // A delta whose base is among what is left out.
    let base = craft::commit(&"4".repeat(40));
    pack.add(Entry::Commit, &base);
    pack.add(Entry::Delta(&id(&base)), &craft::replace(&base, &best));
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
    // All or nothing is meant so.
    let pair = Pair::full();
    let lines = [lines[0].replace("report-status", "report-status atomic"), lines[1].clone()];
    let answer = pair.ours(&request(&lines, &pack)).expect("a sound request");
    assert!(answer.contains("ng refs/heads/n"), "{answer}");
    assert!(!pair.has(&id(&good)));
}

#[test]
fn shallow_clones_push_what_is_complete() {
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
        // A server that lacks what the clone lacks.
        let other = Bench::new(offers);
        let complaint = clone.refused(&["push", other.url(), "main"]);
        assert!(complaint.contains("shallow update not allowed"), "{complaint}");
        assert_eq!(clone.git(&["ls-remote", other.url()]), "");
        other.check();
    }
}

#[test]
fn shallow_pushes_move_the_end_of_history() {
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
    // What rests on it needs no more than what is there.
    clone.commit("new", "content");
    clone.git(&["push", "--quiet", bench.url(), "main"]);
    run(&bench.served(), &["fsck", "--full", "--strict"]);
}

#[test]
fn history_ends_where_the_repository_says() {
    let tree = sound().tree;
    let pair = Pair::full();
    let first = child(&tree, &"2".repeat(40), "the first");
    let id = craft::id(Kind::Commit, &first);
    std::fs::write(pair.folder.path().join("ours/shallow"), format!("{id}\n")).expect("a writable folder");
    let mut all = Pack::new();
    all.add(Entry::Commit, &first);
    all.add(Entry::Tree, &craft::tree(&craft::id(Kind::Blob, b"one line\n")));
    all.add(Entry::Blob, b"one line\n");
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

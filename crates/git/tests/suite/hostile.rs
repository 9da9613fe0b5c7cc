//! Packs that are broken or meant to do harm leave nothing behind.

use git::{Kind, Limits, Offers, Options, Repository};

use crate::{
    bench::{feed, leftovers, run},
    craft::{self, Entry, Pack},
};

struct Target {
    folder: tempfile::TempDir,
    repository: Repository,
}

impl Target {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        Self { folder, repository }
    }

    /// Pushes a pack; gives the report without its framing.
    fn push(&self, new: &str, pack: &[u8], offers: Offers) -> String {
        let options = Options {
            offers,
            limits: Limits { object_bytes: 1 << 20, ..Limits::default() },
            threads: 2,
            ..Options::default()
        };
        let request = craft::push_request("refs/heads/x", new, "report-status", pack);
        let (answer, asked) = craft::push(&self.repository, &request, &options);
        assert_eq!(asked, 1);
        assert_eq!(leftovers(self.folder.path()), Vec::<String>::new());
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(self.folder.path().join("objects/pack")).expect("a folder of packs").next().is_none()
    }
}

/// The objects of a commit with one file.
struct Objects {
    file: Vec<u8>,
    tree: Vec<u8>,
    commit: Vec<u8>,
    tip: String,
}

fn objects_of(file: &[u8]) -> Objects {
    let tree = craft::tree(&craft::id(Kind::Blob, file));
    let commit = craft::commit(&craft::id(Kind::Tree, &tree));
    let tip = craft::id(Kind::Commit, &commit);
    Objects { file: file.to_vec(), tree, commit, tip }
}

#[test]
fn deltas_may_come_before_their_bases() {
    let target = Target::new();
    let (one, two, three) = (b"one line\n".to_vec(), b"one line\ntwo\n".to_vec(), b"one line\ntwo\nthree\n".to_vec());
    let objects = objects_of(&three);
    let mut pack = Pack::new();
    pack.add(Entry::Delta(&craft::id(Kind::Blob, &two)), &craft::append(&two, b"three\n"));
    pack.add(Entry::Commit, &objects.commit);
    pack.add(Entry::Delta(&craft::id(Kind::Blob, &one)), &craft::append(&one, b"two\n"));
    pack.add(Entry::Blob, &one);
    pack.add(Entry::Tree, &objects.tree);
    let report = target.push(&objects.tip, &pack.finish(), Offers::AWS);
    assert!(report.contains("ok refs/heads/x"), "{report}");
    run(target.folder.path(), &["fsck", "--full"]);
    let id = craft::id(Kind::Blob, &three);
    let found = target.repository.find(&gix::ObjectId::from_hex(id.as_bytes()).expect("forty digits"));
    assert_eq!(found.expect("readable").expect("an object").data, objects.file);
}

#[test]
fn offset_deltas_are_for_the_full_profile() {
    let objects = objects_of(b"one line\ntwo\n");
    let mut pack = Pack::new();
    pack.add(Entry::Commit, &objects.commit);
    pack.add(Entry::Tree, &objects.tree);
    let base = pack.offset();
    pack.add(Entry::Blob, b"one line\n");
    let distance = u8::try_from(pack.offset() - base).expect("a short entry");
    pack.add(Entry::OffsetDelta(distance), &craft::append(b"one line\n", b"two\n"));
    let pack = pack.finish();
    let target = Target::new();
    let report = target.push(&objects.tip, &pack, Offers::AWS);
    assert!(report.contains("unpack protocol error (offset deltas are not supported)\n"), "{report}");
    assert!(report.contains("ng refs/heads/x unpacker error\n"), "{report}");
    assert!(target.is_empty());
    let report = target.push(&objects.tip, &pack, Offers::FULL);
    assert!(report.contains("ok refs/heads/x"), "{report}");
    run(target.folder.path(), &["fsck", "--full"]);
}

#[test]
fn unsound_packs_are_refused() {
    let objects = objects_of(b"one line\n");
    let whole = || {
        let mut pack = Pack::new();
        pack.add(Entry::Commit, &objects.commit);
        pack.add(Entry::Tree, &objects.tree);
        pack.add(Entry::Blob, &objects.file);
        pack
    };
    let id = |text: &[u8]| craft::id(Kind::Blob, text);
    let mut cases: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut case = |expected, change: &dyn Fn(&mut Pack)| {
        let mut pack = whole();
        change(&mut pack);
        cases.push((expected, pack.finish()));
    };
    case("twice", &|pack| pack.add(Entry::Blob, &objects.file));
    case("larger than it declares", &|pack| pack.add_declaring(Entry::Blob, 10, &vec![0; 1 << 20]));
    case("larger than it declares", &|pack| pack.add_declaring(Entry::Tree, 10, &vec![0; 1 << 20]));
    case("smaller than it declares", &|pack| pack.add_declaring(Entry::Blob, 10, b"short"));
    case("too large", &|pack| pack.add_declaring(Entry::Blob, 1 << 30, b"short"));
    case("too large", &|pack| pack.add(Entry::Delta(&id(b"one line\n")), &[9, 0x80, 0x80, 0x80, 0x80, 1, 0x90, 9]));
    case("unresolved deltas", &|pack| pack.add(Entry::Delta(&"5".repeat(40)), &craft::append(b"x", b"y")));
    case("another size", &|pack| pack.add(Entry::Delta(&id(b"one line\n")), &craft::append(b"x", b"y")));
    case("badTree", &|pack| pack.add(Entry::Tree, b"100644 file\0short"));
    case("unterminatedHeader", &|pack| pack.add(Entry::Commit, b"no commit"));
    case("unresolved deltas", &|pack| {
        // Each is the base of the other.
        pack.add(Entry::Delta(&id(b"abc")), &craft::append(b"abc", b"d"));
        pack.add(Entry::Delta(&id(b"abcd")), &[4, 3, 0x90, 3]);
    });
    cases.push(("pack signature mismatch", b"PUCK\0\0\0\x02\0\0\0\0".to_vec()));
    cases.push(("pack version unsupported", b"PACK\0\0\0\x09\0\0\0\0".to_vec()));
    cases.push(("eof before pack header", Vec::new()));
    for (expected, pack) in cases {
        let target = Target::new();
        let report = target.push(&objects.tip, &pack, Offers::AWS);
        assert!(report.contains(expected) && report.contains("unpacker error"), "{expected}: {report}");
        assert!(target.is_empty());
    }
}

#[test]
fn missing_objects_are_noticed() {
    let objects = objects_of(b"one line\n");
    for left_out in 0..3 {
        let mut pack = Pack::new();
        let entries = [(Entry::Commit, &objects.commit), (Entry::Tree, &objects.tree), (Entry::Blob, &objects.file)];
        for (rank, (entry, data)) in entries.into_iter().enumerate() {
            if rank != left_out {
                pack.add(entry, data);
            }
        }
        let target = Target::new();
        let report = target.push(&objects.tip, &pack.finish(), Offers::AWS);
        assert!(report.contains("unpack ok\n"), "{report}");
        assert!(report.contains("ng refs/heads/x missing necessary objects\n"), "{report}");
        assert!(target.is_empty());
    }
}

#[test]
fn a_pack_may_be_empty() {
    let target = Target::new();
    let objects = objects_of(b"one line\n");
    let report = target.push(&objects.tip, &Pack::new().finish(), Offers::AWS);
    assert!(report.contains("ng refs/heads/x missing necessary objects\n"), "{report}");
    assert!(target.is_empty());
}

/// A pack of a real history, with its tip.
fn real_pack() -> (Vec<u8>, String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path();
    run(path, &["init", "--quiet"]);
    for round in 0..6 {
        let text = (0..40)
            .map(|line| format!("line {line} {}\n", if line == round { round } else { 9 }))
            .collect::<Vec<_>>()
            .concat();
        std::fs::write(path.join("file"), text).expect("a writable folder");
        run(path, &["add", "file"]);
        run(path, &["commit", "--quiet", "--message", "a change"]);
    }
    let pack = feed(path, &["pack-objects", "--stdout", "--revs", "-q"], b"HEAD\n");
    (pack, run(path, &["rev-parse", "HEAD"]))
}

#[test]
fn truncated_packs_are_refused() {
    let (pack, tip) = real_pack();
    let target = Target::new();
    for bytes in (0..pack.len()).step_by(7) {
        let report = target.push(&tip, &pack[..bytes], Offers::AWS);
        let expected = if bytes < 12 { "eof before pack header was fully read" } else { "the pack is truncated" };
        assert!(report.contains(&format!("unpack {expected}\n")), "{bytes}: {report}");
        let cut = craft::seal(pack[..bytes].to_vec());
        let report = target.push(&tip, &cut, Offers::AWS);
        assert!(report.contains("unpacker error"), "{bytes}: {report}");
        assert!(target.is_empty());
    }
    assert!(target.push(&tip, &pack, Offers::AWS).contains("ok refs/heads/x"));
    run(target.folder.path(), &["fsck", "--full", "--strict"]);
}

#[test]
fn corrupt_packs_are_refused() {
    let (pack, tip) = real_pack();
    for offers in [Offers::AWS, Offers::FULL] {
        let target = Target::new();
        for position in (0..pack.len()).step_by(3) {
            let mut bytes = pack.clone();
            bytes[position] ^= 1 << (position % 8);
            let report = target.push(&tip, &bytes, offers);
            assert!(report.contains("unpacker error"), "{position}: {report}");
            // With a checksum that fits, it is still no sound pack with that tip, except for bits of no meaning.
            bytes.truncate(pack.len() - 20);
            let report = target.push(&tip, &craft::seal(bytes), offers);
            if report.contains("ok refs/heads/x") {
                run(target.folder.path(), &["fsck", "--full"]);
            }
        }
    }
}

/// A push of a commit whose only file is that many folders deep.
fn deep(folders: usize) -> (String, Vec<u8>) {
    let mut pack = Pack::new();
    pack.add(Entry::Blob, b"one line\n");
    let mut tree = craft::tree(&craft::id(Kind::Blob, b"one line\n"));
    for _ in 0..folders {
        pack.add(Entry::Tree, &tree);
        let id = gix::ObjectId::from_hex(craft::id(Kind::Tree, &tree).as_bytes()).expect("forty digits");
        tree = [b"40000 d\0", id.as_slice()].concat();
    }
    pack.add(Entry::Tree, &tree);
    let commit = craft::commit(&craft::id(Kind::Tree, &tree));
    pack.add(Entry::Commit, &commit);
    (craft::id(Kind::Commit, &commit), pack.finish())
}

#[test]
fn trees_that_are_nested_too_deeply_are_refused() {
    for (folders, is_taken) in [(2_048, true), (2_049, false)] {
        let target = Target::new();
        let (tip, pack) = deep(folders);
        let report = target.push(&tip, &pack, Offers::AWS);
        let refusal = "ng refs/heads/x trees are nested deeper than the 2048 folders that Git allows\n";
        assert_eq!(report.contains("ok refs/heads/x\n"), is_taken, "{report}");
        assert_eq!(report.contains(refusal), !is_taken, "{report}");
        assert_eq!(target.is_empty(), !is_taken);
    }
}

#[test]
fn names_of_references_are_not_longer_than_they_can_be() {
    let target = Target::new();
    let request = craft::push_request(&format!("refs/heads/{}", "x".repeat(4086)), &"1".repeat(40), "", b"");
    let mut update_hook = |_: &git::receive_pack::Received<'_>| panic!("nothing is asked for");
    let (mut answer, options) = (Vec::new(), Options::default());
    let served = git::receive_pack::serve(&target.repository, &mut &*request, &mut answer, &options, &mut update_hook);
    let error = served.expect_err("it is too long").to_string();
    assert_eq!(error, "funny refname: a name of 4097 bytes is too long; the most is 4096");
}

#[test]
fn submodules_have_no_endless_names() {
    let target = Target::new();
    let modules = format!("[submodule \"{}\"]\n{}", "x".repeat(5_000), "a = b\n".repeat(1_000));
    let id = gix::ObjectId::from_hex(craft::id(Kind::Blob, modules.as_bytes()).as_bytes()).expect("forty digits");
    let tree = [b"100644 .gitmodules\0", id.as_slice()].concat();
    let commit = craft::commit(&craft::id(Kind::Tree, &tree));
    let mut pack = Pack::new();
    pack.add(Entry::Blob, modules.as_bytes());
    pack.add(Entry::Tree, &tree);
    pack.add(Entry::Commit, &commit);
    let report = target.push(&craft::id(Kind::Commit, &commit), &pack.finish(), Offers::AWS);
    assert!(report.contains("gitmodulesName: disallowed submodule name: xxx"), "{report}");
}

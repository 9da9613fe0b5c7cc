//! Broken and malicious packs are refused, and leave no files.

use git::{Kind, Limits, Offers, Options, Repository};

use crate::{
    bench::{feed, leftovers, run},
    craft::{self, PackBuilder, PackEntry},
};

struct PushTarget {
    folder: tempfile::TempDir,
    repository: Repository,
}

impl PushTarget {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        Self { folder, repository }
    }

    /// Pushes a pack; returns the report.
    fn push(&self, new: &str, pack: &[u8], offers: Offers) -> String {
        let options = Options {
            offers,
            limits: Limits { object_bytes: 1 << 20, ..Limits::default() },
            threads: 2,
            ..Options::default()
        };
        let request = craft::push_request("refs/heads/x", new, "report-status", pack);
        let (answer, calls) = craft::push(&self.repository, &request, &options);
        assert_eq!(calls, 1);
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
    let target = PushTarget::new();
    let (one, two, three) = (b"one line\n".to_vec(), b"one line\ntwo\n".to_vec(), b"one line\ntwo\nthree\n".to_vec());
    let objects = objects_of(&three);
    let mut pack = PackBuilder::new();
    pack.add(PackEntry::Delta(&craft::id(Kind::Blob, &two)), &craft::append(&two, b"three\n"));
    pack.add(PackEntry::Commit, &objects.commit);
    pack.add(PackEntry::Delta(&craft::id(Kind::Blob, &one)), &craft::append(&one, b"two\n"));
    pack.add(PackEntry::Blob, &one);
    pack.add(PackEntry::Tree, &objects.tree);
    let report = target.push(&objects.tip, &pack.finish(), Offers::AWS);
    assert!(report.contains("ok refs/heads/x"), "{report}");
    run(target.folder.path(), &["fsck", "--full"]);
    let id = craft::id(Kind::Blob, &three);
    let found = target.repository.find(&gix::ObjectId::from_hex(id.as_bytes()).expect("forty digits"));
    assert_eq!(found.expect("readable").expect("an object").data, objects.file);
}

#[test]
fn offset_deltas_are_accepted_only_in_the_full_profile() {
    let objects = objects_of(b"one line\ntwo\n");
    let mut pack = PackBuilder::new();
    pack.add(PackEntry::Commit, &objects.commit);
    pack.add(PackEntry::Tree, &objects.tree);
    let base = pack.offset();
    pack.add(PackEntry::Blob, b"one line\n");
    let distance = u8::try_from(pack.offset() - base).expect("a short entry");
    pack.add(PackEntry::OffsetDelta(distance), &craft::append(b"one line\n", b"two\n"));
    let pack = pack.finish();
    let target = PushTarget::new();
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
        let mut pack = PackBuilder::new();
        pack.add(PackEntry::Commit, &objects.commit);
        pack.add(PackEntry::Tree, &objects.tree);
        pack.add(PackEntry::Blob, &objects.file);
        pack
    };
    let id = |text: &[u8]| craft::id(Kind::Blob, text);
    let mut cases: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut case = |expected, change: &dyn Fn(&mut PackBuilder)| {
        let mut pack = whole();
        change(&mut pack);
        cases.push((expected, pack.finish()));
    };
    case("twice", &|pack| pack.add(PackEntry::Blob, &objects.file));
    case("larger than it declares", &|pack| pack.add_declaring(PackEntry::Blob, 10, &vec![0; 1 << 20]));
    case("larger than it declares", &|pack| pack.add_declaring(PackEntry::Tree, 10, &vec![0; 1 << 20]));
    case("smaller than it declares", &|pack| pack.add_declaring(PackEntry::Blob, 10, b"short"));
    case("too large", &|pack| pack.add_declaring(PackEntry::Blob, 1 << 30, b"short"));
    case("too large", &|pack| pack.add(PackEntry::Delta(&id(b"one line\n")), &[9, 0x80, 0x80, 0x80, 0x80, 1, 0x90, 9]));
    case("unresolved deltas", &|pack| pack.add(PackEntry::Delta(&"5".repeat(40)), &craft::append(b"x", b"y")));
    case("another size", &|pack| pack.add(PackEntry::Delta(&id(b"one line\n")), &craft::append(b"x", b"y")));
    case("badTree", &|pack| pack.add(PackEntry::Tree, b"100644 file\0short"));
    case("unterminatedHeader", &|pack| pack.add(PackEntry::Commit, b"no commit"));
    case("unresolved deltas", &|pack| {
        // Each delta is the base of the other.
        pack.add(PackEntry::Delta(&id(b"abc")), &craft::append(b"abc", b"d"));
        pack.add(PackEntry::Delta(&id(b"abcd")), &[4, 3, 0x90, 3]);
    });
    cases.push(("pack signature mismatch", b"PUCK\0\0\0\x02\0\0\0\0".to_vec()));
    cases.push(("pack version unsupported", b"PACK\0\0\0\x09\0\0\0\0".to_vec()));
    cases.push(("eof before pack header", Vec::new()));
    for (expected, pack) in cases {
        let target = PushTarget::new();
        let report = target.push(&objects.tip, &pack, Offers::AWS);
        assert!(report.contains(expected) && report.contains("unpacker error"), "{expected}: {report}");
        assert!(target.is_empty());
    }
}

#[test]
fn a_push_with_missing_objects_is_refused() {
    let objects = objects_of(b"one line\n");
    for left_out in 0..3 {
        let mut pack = PackBuilder::new();
        let entries =
            [(PackEntry::Commit, &objects.commit), (PackEntry::Tree, &objects.tree), (PackEntry::Blob, &objects.file)];
        for (rank, (entry, data)) in entries.into_iter().enumerate() {
            if rank != left_out {
                pack.add(entry, data);
            }
        }
        let target = PushTarget::new();
        let report = target.push(&objects.tip, &pack.finish(), Offers::AWS);
        assert!(report.contains("unpack ok\n"), "{report}");
        assert!(report.contains("ng refs/heads/x missing necessary objects\n"), "{report}");
        assert!(target.is_empty());
    }
}

#[test]
fn an_empty_pack_is_accepted_but_its_tip_is_missing() {
    let target = PushTarget::new();
    let objects = objects_of(b"one line\n");
    let report = target.push(&objects.tip, &PackBuilder::new().finish(), Offers::AWS);
    assert!(report.contains("ng refs/heads/x missing necessary objects\n"), "{report}");
    assert!(target.is_empty());
}

/// Creates a pack of a real history; returns it with its tip.
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
    let target = PushTarget::new();
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
        let target = PushTarget::new();
        for position in (0..pack.len()).step_by(3) {
            let mut bytes = pack.clone();
            bytes[position] ^= 1 << (position % 8);
            let report = target.push(&tip, &bytes, offers);
            assert!(report.contains("unpacker error"), "{position}: {report}");
            // Even with a correct checksum, the pack is accepted only if the changed bit has no meaning.
            bytes.truncate(pack.len() - 20);
            let report = target.push(&tip, &craft::seal(bytes), offers);
            if report.contains("ok refs/heads/x") {
                run(target.folder.path(), &["fsck", "--full"]);
            }
        }
    }
}

/// Creates a pack of a commit with one file, nested in that many folders; returns the tip and the pack.
fn deep(folders: usize) -> (String, Vec<u8>) {
    let mut pack = PackBuilder::new();
    pack.add(PackEntry::Blob, b"one line\n");
    let mut tree = craft::tree(&craft::id(Kind::Blob, b"one line\n"));
    for _ in 0..folders {
        pack.add(PackEntry::Tree, &tree);
        let id = gix::ObjectId::from_hex(craft::id(Kind::Tree, &tree).as_bytes()).expect("forty digits");
        tree = [b"40000 d\0", id.as_slice()].concat();
    }
    pack.add(PackEntry::Tree, &tree);
    let commit = craft::commit(&craft::id(Kind::Tree, &tree));
    pack.add(PackEntry::Commit, &commit);
    (craft::id(Kind::Commit, &commit), pack.finish())
}

#[test]
fn trees_that_are_nested_too_deeply_are_refused() {
    for (folders, is_accepted) in [(2_048, true), (2_049, false)] {
        let target = PushTarget::new();
        let (tip, pack) = deep(folders);
        let report = target.push(&tip, &pack, Offers::AWS);
        let refusal = "ng refs/heads/x trees are nested deeper than the 2048 folders that Git allows\n";
        assert_eq!(report.contains("ok refs/heads/x\n"), is_accepted, "{report}");
        assert_eq!(report.contains(refusal), !is_accepted, "{report}");
        assert_eq!(target.is_empty(), !is_accepted);
    }
}

#[test]
fn a_reference_name_that_is_too_long_is_refused() {
    let target = PushTarget::new();
    let request = craft::push_request(&format!("refs/heads/{}", "x".repeat(4086)), &"1".repeat(40), "", b"");
    let mut update_hook = |_: &git::receive_pack::Received<'_>| panic!("the hook must not be called");
    let (mut answer, options) = (Vec::new(), Options::default());
    let served = git::receive_pack::serve(&target.repository, &mut &*request, &mut answer, &options, &mut update_hook);
    let error = served.expect_err("the name is too long").to_string();
    assert_eq!(error, "funny refname: a name of 4097 bytes is too long; the most is 4096");
}

#[test]
fn a_submodule_name_that_is_too_long_is_refused() {
    let target = PushTarget::new();
    let modules = format!("[submodule \"{}\"]\n{}", "x".repeat(5_000), "a = b\n".repeat(1_000));
    let id = gix::ObjectId::from_hex(craft::id(Kind::Blob, modules.as_bytes()).as_bytes()).expect("forty digits");
    let tree = [b"100644 .gitmodules\0", id.as_slice()].concat();
    let commit = craft::commit(&craft::id(Kind::Tree, &tree));
    let mut pack = PackBuilder::new();
    pack.add(PackEntry::Blob, modules.as_bytes());
    pack.add(PackEntry::Tree, &tree);
    pack.add(PackEntry::Commit, &commit);
    let report = target.push(&craft::id(Kind::Commit, &commit), &pack.finish(), Offers::AWS);
    assert!(report.contains("gitmodulesName: disallowed submodule name: xxx"), "{report}");
}

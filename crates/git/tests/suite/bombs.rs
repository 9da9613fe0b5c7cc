//! Packs that need too much memory, time or space are refused, and leave no files.

use std::io::{self, Read};

use git::{
    Kind, Limits, Offers, Options, Repository,
    receive_pack::{self, Received},
};

use crate::{
    bench::leftovers,
    craft::{self, PackBuilder, PackEntry, size},
};

/// Adds a commit with one file; its id is the tip of every push here.
fn sound(pack: &mut PackBuilder) -> String {
    let file = b"one line\n";
    let tree = craft::tree(&craft::id(Kind::Blob, file));
    let commit = craft::commit(&craft::id(Kind::Tree, &tree));
    pack.add(PackEntry::Commit, &commit);
    pack.add(PackEntry::Tree, &tree);
    pack.add(PackEntry::Blob, file);
    craft::id(Kind::Commit, &commit)
}

/// Pushes a sound pack with the entries that `fill` adds, followed by `tail`; returns the report.
fn push_with(limits: Limits, tail: &[u8], fill: &dyn Fn(&mut PackBuilder)) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let repository = Repository::open_or_create(folder.path()).expect("a new repository");
    let mut pack = PackBuilder::new();
    let tip = sound(&mut pack);
    fill(&mut pack);
    let pack = [&pack.finish(), tail].concat();
    let request = craft::push_request("refs/heads/x", &tip, "report-status", &pack);
    let options = Options { limits, offers: Offers::FULL, threads: 2, ..Options::default() };
    let (answer, _) = craft::push(&repository, &request, &options);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
    String::from_utf8_lossy(&answer).into_owned()
}

fn push(limits: Limits, fill: &dyn Fn(&mut PackBuilder)) -> String {
    push_with(limits, b"", fill)
}

/// Creates a delta that repeats the first 64 KiB of its base, and ends with `mark`.
fn repeat(base_bytes: usize, times: usize, mark: usize) -> Vec<u8> {
    let mut delta = size(base_bytes);
    delta.extend(size(times * 0x10000 + 8));
    delta.extend(std::iter::repeat_n(0x80, times));
    delta.push(8);
    delta.extend(mark.to_le_bytes());
    delta
}

static BASE: [u8; 0x10000] = [7; 0x10000];

#[test]
fn objects_larger_than_declared_or_allowed_are_refused() {
    let report = push(Limits::default(), &|pack| pack.add_declaring(PackEntry::Blob, 10, &vec![0; 1 << 25]));
    assert!(report.contains("larger than it declares"), "{report}");
    let limits = Limits { object_bytes: 1 << 20, ..Limits::default() };
    let report = push(limits, &|pack| pack.add(PackEntry::Blob, &vec![0; (1 << 20) + 1]));
    assert!(report.contains("an object of 1048577 bytes is too large"), "{report}");
    let report = push(limits, &|pack| pack.add(PackEntry::Blob, &vec![0; 1 << 20]));
    assert!(report.contains("ok refs/heads/x"), "{report}");
    let limits = Limits { structure_bytes: 1 << 20, ..Limits::default() };
    let report = push(limits, &|pack| pack.add(PackEntry::Tree, &vec![0; (1 << 20) + 1]));
    assert!(report.contains("a tree of 1048577 bytes is too large"), "{report}");
}

#[test]
fn a_pack_that_expands_to_too_much_is_refused() {
    let limits = Limits { expansion_bytes: 32 << 20, expansion_factor: 10, ..Limits::default() };
    let id = craft::id(Kind::Blob, &BASE);
    let fan = |count: usize| {
        let id = id.clone();
        move |pack: &mut PackBuilder| {
            pack.add(PackEntry::Blob, &BASE);
            for mark in 0..count {
                pack.add(PackEntry::Delta(&id), &repeat(BASE.len(), 8, mark));
            }
        }
    };
    assert!(push(limits, &fan(40)).contains("ok refs/heads/x"));
    let report = push(limits, &fan(400));
    assert!(report.contains("unpack the pack expands to too much\n"), "{report}");
    // The size of inflated streams counts too.
    let report = push(limits, &|pack| {
        for fill in 0..9 {
            pack.add(PackEntry::Blob, &vec![fill; 4 << 20]);
        }
    });
    assert!(report.contains("unpack the pack expands to too much\n"), "{report}");
}

#[test]
fn deltas_that_double_their_base_again_and_again_are_refused() {
    let limits = Limits { delta_bytes: 4 << 20, ..Limits::default() };
    let report = push(limits, &|pack| {
        let mut data = BASE.to_vec();
        pack.add(PackEntry::Blob, &data);
        for round in 0..8 {
            let mut delta = size(data.len());
            delta.extend(size(data.len() * 2));
            let bytes = u32::try_from(data.len()).expect("small").to_le_bytes();
            for _ in 0..2 {
                delta.extend([0xf0, bytes[0], bytes[1], bytes[2]]);
            }
            pack.add(PackEntry::Delta(&craft::id(Kind::Blob, &data)), &delta);
            data = data.repeat(2);
            assert_eq!(data.len(), BASE.len() << (round + 1));
        }
    });
    assert!(report.contains("an object of 8388608 bytes is too large"), "{report}");
}

#[test]
fn chains_are_not_endless() {
    let chain = |pack: &mut PackBuilder| {
        let mut data = vec![0; 50];
        pack.add(PackEntry::Blob, &data);
        for mark in 0..20 {
            pack.add(PackEntry::Delta(&craft::id(Kind::Blob, &data)), &craft::append(&data, &[mark]));
            data.push(mark);
        }
    };
    assert!(push(Limits { delta_chain: 20, ..Limits::default() }, &chain).contains("ok refs/heads/x"));
    let report = push(Limits { delta_chain: 10, ..Limits::default() }, &chain);
    assert!(report.contains("a chain of deltas is too long"), "{report}");
}

#[test]
fn the_size_of_a_pack_and_its_number_of_objects_are_limited() {
    let filler = |pack: &mut PackBuilder| pack.add(PackEntry::Blob, &(0..=u8::MAX).collect::<Vec<_>>());
    let report = push(Limits { pack_bytes: 200, ..Limits::default() }, &filler);
    assert!(report.contains("unpack pack exceeds maximum allowed size\n"), "{report}");
    let report = push(Limits { pack_objects: 3, ..Limits::default() }, &filler);
    assert!(report.contains("unpack a pack of 4 objects is too large\n"), "{report}");
    assert!(push(Limits { pack_objects: 4, ..Limits::default() }, &filler).contains("ok refs/heads/x"));
}

#[test]
fn malformed_entry_headers_are_refused() {
    for (expected, bytes) in [
        ("endless size", &[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1][..]),
        ("too large", &[0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ("no entry is of type 0", &[0x01]),
        ("no entry is of type 5", &[0x51]),
        ("without its base", &[0x61, 0]),
        ("without its base", &[0x61, 1]),
        ("without its base", &[0x61, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
        ("cannot be inflated", &[0x31, 1, 2, 3, 4, 5, 6, 7, 8]),
    ] {
        let report = push(Limits::default(), &|pack| pack.add_bytes(bytes));
        assert!(report.contains(expected) && report.contains("unpacker error"), "{expected}: {report}");
    }
}

#[test]
fn a_pack_with_one_object_twice_is_refused() {
    let report = push(Limits::default(), &|pack| pack.add(PackEntry::Blob, b"one line\n"));
    assert!(report.contains("twice") && report.contains("unpacker error"), "{report}");
}

#[test]
fn bytes_after_a_pack_are_ignored() {
    let report = push_with(Limits::default(), b"more", &|_| {});
    assert!(report.contains("ok refs/heads/x"), "{report}");
}

/// A connection that is reset after the given bytes.
struct ResetConnection<'a>(&'a [u8]);

impl Read for ResetConnection<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            Ok(0) => Err(io::ErrorKind::ConnectionReset.into()),
            other => other,
        }
    }
}

#[test]
fn a_reset_connection_leaves_no_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let repository = Repository::open_or_create(folder.path()).expect("a new repository");
    let mut pack = PackBuilder::new();
    let tip = sound(&mut pack);
    let request = craft::push_request("refs/heads/x", &tip, "report-status", &pack.finish());
    for bytes in 0..request.len() {
        let mut update_hook = |received: &Received<'_>| {
            assert!(received.unpack.is_err());
            received.commands.iter().map(|_| Err("the pack is incomplete".to_owned())).collect()
        };
        let mut input = ResetConnection(&request[..bytes]);
        let options = Options { threads: 1, ..Options::default() };
        let mut answer = Vec::new();
        let served = receive_pack::serve(&repository, &mut input, &mut answer, &options, &mut update_hook);
        assert!(served.is_err() || String::from_utf8_lossy(&answer).contains("unpacker error"), "{bytes}");
        assert_eq!(leftovers(folder.path()), Vec::<String>::new());
        let packs = std::fs::read_dir(folder.path().join("objects/pack")).expect("a folder of packs");
        assert_eq!(packs.count(), 0);
    }
}

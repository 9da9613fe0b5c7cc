//! Where the fuzzer comes in: the same functions that the test suite calls with the corpus that was kept.
//!
//! **Invariant:** none of them panics, whatever it is given, and none leaves anything behind that is no whole push.

use std::{
    cell::RefCell,
    io::Write,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::ZlibEncoder};
use git::{
    Kind, Limits, ObjectId, Offers, Options, Reference, References, Repository, Version,
    receive_pack::{self, Received},
    upload_pack::{self, Request},
};

/// A push of a small history with branches, a merge, and tags of all kinds of objects, as a client sent it.
const HISTORY: &[u8] = include_bytes!("history.push");

/// A repository with that history.
struct Served {
    folder: tempfile::TempDir,
    repository: Repository,
    references: References,
}

thread_local! {
    static SERVED: RefCell<Option<Served>> = const { RefCell::new(None) };
}

/// Reads pkt-lines.
pub fn pkt_line(data: &[u8]) {
    git::fuzz::read_lines(&mut &*data, 1 << 16);
}

/// Answers a fetch. The first byte chooses what is offered, and the version of the protocol.
pub fn upload_request(data: &[u8]) {
    let Some((first, request)) = data.split_first() else { return };
    let options = options(*first);
    serve(|served| {
        let version = [Version::V0, Version::V2][usize::from(first >> 3 & 1)];
        let Ok(Some(request)) = Request::read(&mut &*request, version, &options) else { return };
        let Ok(answer) = upload_pack::answer(&served.repository, &served.references, request, &options) else { return };
        answer.write(&mut std::io::sink()).expect("a sink takes all, and the repository is sound");
    });
}

/// Takes a push. The first byte chooses what is offered.
pub fn receive_request(data: &[u8]) {
    let Some((first, request)) = data.split_first() else { return };
    push(*first, request);
}

/// Takes a push of a pack. The first byte chooses what is offered and how the rest becomes a pack: as its entries, to
/// which a hash that fits is added, or as a recipe for sound entries of any content, see [`cook`].
pub fn pack_input(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let (pack, new) =
        if first & 4 == 0 { (rest.to_vec(), ObjectId::from_bytes_or_panic(&[1; 20])) } else { cook(rest) };
    let command = format!("{} {new} refs/heads/fuzz\0report-status", "0".repeat(40));
    let mut request = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    request.extend_from_slice(&sealed(pack));
    push(*first, &request);
}

/// Makes the entries of a pack. Each is a kind, two bytes of length, for a delta the rank of its base, and a content.
/// The reference is to point at the last object that is no delta.
fn cook(mut recipe: &[u8]) -> (Vec<u8>, ObjectId) {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let (mut ids, mut offsets) = (Vec::new(), Vec::new());
    while let [kind, low, high, rank, rest @ ..] = recipe {
        let length = usize::from(u16::from_le_bytes([*low, *high & 0x0f]));
        let (content, rest) = rest.split_at(length.min(rest.len()));
        recipe = rest;
        let whole = [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag][usize::from(kind & 3)];
        let (number, base) = match (kind >> 2) & 3 {
            2 if !offsets.is_empty() => (6, Some(usize::from(*rank) % offsets.len())),
            3 if !ids.is_empty() => (7, Some(usize::from(*rank) % ids.len())),
            _ => ([1, 2, 3, 4][usize::from(kind & 3)], None),
        };
        let start = pack.len();
        // A bit makes the entry lie about its size.
        header(&mut pack, number, content.len() ^ usize::from(kind >> 7));
        match (number, base) {
            (6, Some(base)) => distance(&mut pack, start - offsets[base]),
            (7, Some(base)) => {
                let id: &ObjectId = &ids[base];
                pack.extend_from_slice(id.as_slice());
            }
            _ => ids.push(gix::objs::compute_hash(gix::hash::Kind::Sha1, whole, content).expect("no collision")),
        }
        offsets.push(start);
        let mut encoder = ZlibEncoder::new(&mut pack, Compression::fast());
        encoder.write_all(content).expect("a vector takes all");
        encoder.finish().expect("a vector takes all");
    }
    let count = u32::try_from(offsets.len()).expect("an input is short");
    pack[8..12].copy_from_slice(&count.to_be_bytes());
    (pack, ids.last().copied().unwrap_or(ObjectId::from_bytes_or_panic(&[1; 20])))
}

/// The head of an entry: its kind and size.
fn header(pack: &mut Vec<u8>, number: u8, size: usize) {
    let byte = |value: usize| u8::try_from(value).expect("a byte");
    let mut rest = size >> 4;
    pack.push(number << 4 | byte(size & 15) | if rest > 0 { 0x80 } else { 0 });
    while rest > 0 {
        pack.push(byte(rest & 0x7f) | if rest > 0x7f { 0x80 } else { 0 });
        rest >>= 7;
    }
}

/// How far before an entry its base is.
fn distance(pack: &mut Vec<u8>, distance: usize) {
    let mut bytes = vec![distance & 0x7f];
    let mut rest = distance >> 7;
    while rest > 0 {
        rest -= 1;
        bytes.push(0x80 | rest & 0x7f);
        rest >>= 7;
    }
    pack.extend(bytes.into_iter().rev().map(|byte| u8::try_from(byte).expect("a byte")));
}

/// A pack with the hash that ends it.
fn sealed(mut pack: Vec<u8>) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&pack);
    pack.extend_from_slice(hasher.try_finalize().expect("no collision").as_slice());
    pack
}

fn options(choice: u8) -> Options {
    Options {
        offers: if choice & 1 == 0 { Offers::AWS } else { Offers::FULL },
        limits: Limits {
            request_bytes: 1 << 20,
            pack_bytes: 1 << 20,
            object_bytes: 1 << 20,
            structure_bytes: 1 << 20,
            ..Limits::default()
        },
        threads: if choice & 2 == 0 { 1 } else { 2 },
        ..Options::default()
    }
}

/// Serves a push, and looks at what it left.
fn push(choice: u8, request: &[u8]) {
    let options = options(choice);
    let taken = serve(|served| {
        let before = names(&served.objects());
        let mut door = |received: &Received<'_>| received.commands.iter().map(|_| Ok(())).collect();
        let mut answer = Vec::new();
        // Whether it is refused does not matter here.
        drop(receive_pack::serve(&served.repository, &mut &*request, &mut answer, &options, &mut door));
        let after = names(&served.objects());
        let odd = after.iter().find(|path| {
            let known = ["pack", "idx", "graph"].iter().any(|end| path.extension().is_some_and(|found| found == *end));
            // That a reference let go of something is noted.
            !known && !path.ends_with("info/let-go") && !before.contains(path)
        });
        assert_eq!(odd, None, "a push left something behind");
        after != before
    });
    if taken {
        // The next one finds the repository as this one did.
        SERVED.take();
    }
}

/// Lends the repository of this thread.
fn serve<T>(work: impl FnOnce(&Served) -> T) -> T {
    SERVED.with_borrow_mut(|served| work(served.get_or_insert_with(Served::new)))
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let mut references = Vec::new();
        let mut door = |received: &Received<'_>| {
            for command in received.commands {
                let peeled = repository.peel(&command.new).expect("it was taken");
                let peeled = (peeled != command.new).then_some(peeled);
                references.push(Reference { name: command.name.clone(), target: command.new, peeled });
            }
            received.commands.iter().map(|_| Ok(())).collect()
        };
        receive_pack::serve(&repository, &mut &*HISTORY, &mut std::io::sink(), &options(1), &mut door)
            .expect("a client sent it");
        references.sort_by(|one, other| one.name.cmp(&other.name));
        assert!(!references.is_empty(), "the history was taken");
        Self {
            folder,
            repository,
            references: References { head: Some("refs/heads/main".into()), references, ..References::default() },
        }
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }
}

/// Lists the files below a folder, sorted.
fn names(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() { found.extend(names(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

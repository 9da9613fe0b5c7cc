//! The entry points of the fuzzers; the test suite calls them with the stored corpus.
//!
//! **Invariant:** no input makes them panic, and no input leaves files of an incomplete push.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use flate2::{Compression, write::ZlibEncoder};
use git::{
    BString, Difference, Differences, Kind, Limits, MergeLimits, MergeOptions, Mode, Object, ObjectId, Offers, Options,
    Reader, Reference, References, Repository, SshCommand, TreeWalk, Version,
    fuzz::imagine,
    receive_pack::{self, Received},
    upload_pack::{self, Dialogue, Request},
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

/// Parses a command of SSH. A parsed path, quoted again, is parsed to the same command.
pub fn ssh_command(data: &[u8]) {
    let Some(command) = SshCommand::parse(data) else { return };
    let path = command.path.replace('\'', r"'\''");
    let quoted = format!("{} '{path}'", command.service.name());
    // Quotes add to the length, which is limited.
    assert!(quoted.len() > data.len() || SshCommand::parse(quoted.as_bytes()) == Some(command));
}

/// Serves a fetch. The first byte chooses the offers and the version of the protocol.
pub fn upload_request(data: &[u8]) {
    let Some((first, request)) = data.split_first() else { return };
    let options = options(*first);
    serve(|served| {
        let version = [Version::V0, Version::V2][usize::from(first >> 3 & 1)];
        let Ok(Some(request)) = Request::read(&mut &*request, version, &options) else { return };
        let Ok(answer) = upload_pack::respond(&served.repository, &served.references, request, &options) else {
            return;
        };
        answer.write(&mut std::io::sink()).expect("a sink never fails, and the repository is sound");
    });
}

/// Serves a client over a pair of streams. The first byte chooses the offers and the version of the protocol.
pub fn dialogue(data: &[u8]) {
    let Some((first, mut input)) = data.split_first() else { return };
    let options = options(*first);
    serve(|served| {
        let version = [Version::V0, Version::V2][usize::from(first >> 3 & 1)];
        let (repository, references) = (&served.repository, &served.references);
        let dialogue = Dialogue { repository, references, version, options: &options };
        let advertisement = git::advertise(git::Service::UploadPack, version, references, &options);
        let mut sink = std::io::sink();
        // A refused request is not a failure here.
        drop(dialogue.serve(&advertisement, &mut input, &mut git::CopyOutput(&mut sink), &mut |_| Ok(())));
    });
}

/// Serves a push. The first byte chooses the offers.
pub fn receive_request(data: &[u8]) {
    let Some((first, request)) = data.split_first() else { return };
    push(*first, request);
}

/// Serves a push of a pack. The first byte chooses the offers and the form of the rest: raw entries of a pack, completed with
/// its checksum, or a recipe for well-formed entries with any content, see [`build_pack`].
pub fn pack_input(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let (pack, new) =
        if first & 4 == 0 { (rest.to_vec(), ObjectId::from_bytes_or_panic(&[1; 20])) } else { build_pack(rest) };
    let command = format!("{} {new} refs/heads/fuzz\0report-status", "0".repeat(40));
    let mut request = format!("{:04x}{command}0000", command.len() + 4).into_bytes();
    request.extend_from_slice(&sealed(pack));
    push(*first, &request);
}

/// Compares two trees and walks through them. The bytes describe the trees, see [`build_trees`]; or they are raw trees, if the
/// first byte says so.
pub fn trees(data: &[u8]) {
    let Some((first, recipe)) = data.split_first() else { return };
    serve(|served| {
        let mut reader = served.repository.reader();
        let (before, after) = if first & 1 == 0 {
            let trees = build_trees(&mut reader, recipe);
            (trees[trees.len() / 2], trees[trees.len() - 1])
        } else {
            let (one, other) = recipe.split_at(recipe.len() / 2);
            let mut raw = |data: &[u8]| imagine(&mut reader, Object { kind: Kind::Tree, data: data.to_vec() });
            (raw(one), raw(other))
        };
        let files = [before, after].map(|tree| files(&mut reader, tree));
        let Ok(mut differences) = Differences::new(&mut reader, Some(before), Some(after), "".into()) else { return };
        let mut found = BTreeMap::new();
        while let Ok(Some(Difference { path, before, after })) = differences.next(&mut reader) {
            found.insert(path, [before, after]);
            if found.len() > STEPS_MAX {
                return;
            }
        }
        if let [Some(before), Some(after)] = files
            && first & 1 == 0
        {
            let mut expected = BTreeMap::new();
            for path in before.keys().chain(after.keys()) {
                let sides = [before.get(path).copied(), after.get(path).copied()];
                if sides[0] != sides[1] {
                    expected.insert(path.clone(), sides);
                }
            }
            assert_eq!(found, expected, "the trees differ in other files");
        }
    });
}

/// Merges two commits. The bytes describe their trees and that of their ancestor, see [`build_trees`].
pub fn merge(data: &[u8]) {
    let Some((first, recipe)) = data.split_first() else { return };
    serve(|served| {
        let mut reader = served.repository.reader();
        let trees = build_trees(&mut reader, recipe);
        let pick = |shift: u8| trees[trees.len() - 1 - usize::from(first >> shift & 3).min(trees.len() - 1)];
        let [base, ours, theirs] = [pick(0), pick(2), pick(4)];
        let mut commit = |tree: ObjectId, parent: Option<ObjectId>, seconds: u32| {
            let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
            let by = format!("x <x> {seconds} +0000");
            let data = format!("tree {tree}\n{parent}author {by}\ncommitter {by}\n\n").into_bytes();
            imagine(&mut reader, Object { kind: Kind::Commit, data })
        };
        let root = commit(base, None, 1);
        let [one, two] = [commit(ours, Some(root), 2), commit(theirs, Some(root), 3)];
        let limits = MergeLimits { time: Duration::from_secs(2), content_bytes_max: 1 << 20, items_max: STEPS_MAX };
        let options = MergeOptions { by_line: first & 0x40 == 0, limits, ..MergeOptions::default() };
        if let Ok(merged) = reader.merge(&one, &two, &options)
            && (base == ours || base == theirs)
        {
            assert_eq!(merged.tree, if base == ours { theirs } else { ours }, "one side changed nothing");
        }
    });
}

/// The maximum number of entries of a walk; few objects can have any number of paths.
const STEPS_MAX: usize = 2_000;

/// Creates files and trees; returns the trees, at least one. Each object is described by one byte with two numbers, the number
/// of entries and the content of a file, and by two bytes for each entry: its name and the number of an earlier object.
fn build_trees(reader: &mut Reader, mut recipe: &[u8]) -> Vec<ObjectId> {
    let mut objects = vec![(imagine(reader, Object { kind: Kind::Blob, data: b"0\n".to_vec() }), false)];
    let mut trees = vec![imagine(reader, Object { kind: Kind::Tree, data: Vec::new() })];
    while let Some((head, rest)) = recipe.split_first() {
        let (entries, rest) = rest.split_at(usize::from(head & 7).min(rest.len() / 2) * 2);
        recipe = rest;
        if entries.is_empty() {
            let data = (0..head >> 3).map(|line| format!("{}\n", line ^ head)).collect::<Vec<_>>().concat();
            objects.push((imagine(reader, Object { kind: Kind::Blob, data: data.into_bytes() }), false));
            continue;
        }
        let mut named = BTreeMap::new();
        for pair in entries.chunks_exact(2) {
            let (id, is_tree) = objects[usize::from(pair[1]) % objects.len()];
            let name = [b'a' + (pair[0] & 7)];
            let key = if is_tree { [&name[..], b"/"].concat() } else { name.to_vec() };
            named.retain(|other: &Vec<u8>, _| other[0] != name[0]);
            named.insert(key, (name, id, is_tree));
        }
        let mut data = Vec::new();
        for (name, id, is_tree) in named.values() {
            data.extend_from_slice(if *is_tree { b"40000 " } else { b"100644 " });
            data.extend_from_slice(name);
            data.push(0);
            data.extend_from_slice(id.as_slice());
        }
        let tree = imagine(reader, Object { kind: Kind::Tree, data });
        objects.push((tree, true));
        trees.push(tree);
    }
    trees
}

/// Lists the files of a tree; `None` if there are too many, or if the tree is malformed.
fn files(reader: &mut Reader, tree: ObjectId) -> Option<BTreeMap<BString, (Mode, ObjectId)>> {
    let mut files = BTreeMap::new();
    let mut walk = TreeWalk::new(reader, &tree, true).ok()?;
    for _ in 0..STEPS_MAX {
        let Some(entry) = walk.advance(reader).ok()? else { return Some(files) };
        if entry.mode != Mode::Tree {
            files.insert(walk.path().to_owned(), (entry.mode, entry.id));
        }
    }
    None
}

/// Creates the entries of a pack, and returns them with the id of the last object that is not a delta. Each entry is described
/// by its kind, two bytes of length, the rank of its base if it is a delta, and its content.
fn build_pack(mut recipe: &[u8]) -> (Vec<u8>, ObjectId) {
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
        // One bit makes the declared size wrong.
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
        encoder.write_all(content).expect("writing to a vector never fails");
        encoder.finish().expect("writing to a vector never fails");
    }
    let count = u32::try_from(offsets.len()).expect("inputs are short");
    pack[8..12].copy_from_slice(&count.to_be_bytes());
    (pack, ids.last().copied().unwrap_or(ObjectId::from_bytes_or_panic(&[1; 20])))
}

/// Writes the header of an entry: its kind and size.
fn header(pack: &mut Vec<u8>, number: u8, size: usize) {
    let byte = |value: usize| u8::try_from(value).expect("a byte");
    let mut rest = size >> 4;
    pack.push(number << 4 | byte(size & 15) | if rest > 0 { 0x80 } else { 0 });
    while rest > 0 {
        pack.push(byte(rest & 0x7f) | if rest > 0x7f { 0x80 } else { 0 });
        rest >>= 7;
    }
}

/// Writes the distance of an entry from its base.
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

/// Appends the checksum of a pack.
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

/// Serves a push, and checks that it leaves no unexpected files.
fn push(choice: u8, request: &[u8]) {
    let options = options(choice);
    let is_changed = serve(|served| {
        let before = names(&served.objects());
        let mut update_hook = |received: &Received<'_>| received.commands.iter().map(|_| Ok(())).collect();
        let mut answer = Vec::new();
        // A refused push is not a failure here.
        drop(receive_pack::serve(&served.repository, &mut &*request, &mut answer, &options, &mut update_hook));
        let after = names(&served.objects());
        let odd = after.iter().find(|path| {
            let known = ["pack", "idx", "graph"].iter().any(|end| path.extension().is_some_and(|found| found == *end));
            // The mark of objects that references no longer reach is allowed.
            !known && !path.ends_with("info/let-go") && !before.contains(path)
        });
        assert_eq!(odd, None, "a push left a file");
        after != before
    });
    if is_changed {
        // The next input gets a new repository.
        SERVED.take();
    }
}

/// Runs a closure with the repository of this thread.
fn serve<T>(work: impl FnOnce(&Served) -> T) -> T {
    SERVED.with_borrow_mut(|served| work(served.get_or_insert_with(Served::new)))
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let mut references = Vec::new();
        let mut update_hook = |received: &Received<'_>| {
            for command in received.commands {
                let peeled = repository.peel(&command.new).expect("a stored object");
                let peeled = (peeled != command.new).then_some(peeled);
                references.push(Reference { name: command.name.clone(), target: command.new, peeled });
            }
            received.commands.iter().map(|_| Ok(())).collect()
        };
        receive_pack::serve(&repository, &mut &*HISTORY, &mut std::io::sink(), &options(1), &mut update_hook)
            .expect("a recorded push");
        references.sort_by(|one, other| one.name.cmp(&other.name));
        assert!(!references.is_empty(), "the push has references");
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

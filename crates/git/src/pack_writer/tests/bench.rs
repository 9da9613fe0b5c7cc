//! Repositories for the tests, and what Git says of a pack.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use gix::{ObjectId, hashtable::HashMap};
use tempfile::TempDir;

use crate::{
    Kind, Repository,
    bits::Bits,
    pack::Pack,
    pack_writer::{
        self, Style, head,
        output::{Compressor, Output},
    },
    selection::{ReusedEntries, SelectedObject, Selection},
    stored_entry,
};

/// A folder for bare repositories.
pub(super) struct Bench(TempDir);

impl Bench {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Makes an empty repository.
    pub(super) fn repository(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        git(self.0.path(), &["init", "--quiet", "--bare", path.to_str().expect("a plain path")], b"");
        path
    }
}

/// Runs git, which has to succeed; returns its output.
pub(super) fn git(path: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("git")
        .args(arguments)
        .current_dir(path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut stdin = child.stdin.take().expect("a piped input");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("a running child")
    });
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs git and reads ids, one at the start of each line.
pub(super) fn ids(path: &Path, arguments: &[&str], input: &[u8]) -> Vec<ObjectId> {
    let output = git(path, arguments, input);
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| ObjectId::from_hex(&line[..40]).expect("an id")).collect()
}

/// Lists the objects that revisions lead to, sorted.
pub(super) fn closure(path: &Path, revisions: &[&str]) -> Vec<ObjectId> {
    let arguments = [&["rev-list", "--objects", "--no-object-names"], revisions].concat();
    let mut all = ids(path, &arguments, b"");
    all.sort();
    all
}

/// Writes a pack as `style` says; returns its bytes.
pub(super) fn pack(repository: &Path, selection: &Selection, style: Style) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut reader = Repository::open(repository).expect("a repository").reader();
    let written = pack_writer::write(&mut reader, selection, style, &mut bytes).expect("a sound repository");
    assert_eq!(bytes[bytes.len() - 20..], *written.checksum.as_slice());
    if style.index {
        let mut index = Vec::new();
        crate::pack_index::write(&mut index, &written.objects, &written.checksum).expect("a vector takes all");
        let path = repository.join("kept.pack");
        std::fs::write(&path, &bytes).expect("a writable folder");
        git(repository, &["index-pack", "-o", "kept.idx", "kept.pack"], b"");
        assert_eq!(index, std::fs::read(repository.join("kept.idx")).expect("an index"));
        std::fs::remove_file(repository.join("kept.idx")).expect("a writable folder");
    }
    bytes
}

/// Lets a client take a pack as a fetch would.
pub(super) fn take(client: &Path, pack: &[u8]) {
    git(client, &["index-pack", "--stdin", "--fix-thin", "--strict"], pack);
}

/// Selects objects in the given order.
pub(super) fn selection(objects: &[(ObjectId, Kind)], known: &[ObjectId]) -> Selection {
    let objects: Vec<_> = objects.iter().map(|(id, kind)| SelectedObject { id: *id, kind: *kind, name: 0 }).collect();
    let sent = (0..).zip(&objects).map(|(place, object)| (object.id, place));
    let places: HashMap<_, _> = known.iter().map(|id| (*id, Selection::KNOWN)).chain(sent).collect();
    let bases = known.iter().map(|id| SelectedObject { id: *id, kind: Kind::Blob, name: 0 }).collect();
    Selection { objects, places, bases, reused: None }
}

/// Chooses entries of a pack by their ids.
pub(super) fn reused(pack: &Arc<Pack>, chosen: impl Fn(&ObjectId) -> bool) -> ReusedEntries {
    let entry_order = pack.entry_order();
    let all = &entry_order.by_offset;
    let id = |position: u32| pack.index.oid_at_index(position).to_owned();
    let ranks: HashMap<_, _> = (0..).zip(all).map(|(rank, (_, position))| (id(*position), rank)).collect();
    let mut bits = Bits::new(all.len());
    let mut bases = Vec::new();
    for (rank, (offset, position)) in (0..).zip(all) {
        let entry = pack.entry(*offset).expect("a sound pack");
        let base = stored_entry::base_of(pack, &entry).expect("a sound pack");
        bases.push(base.map_or(ReusedEntries::WHOLE, |base| ranks[&base]));
        if chosen(&id(*position)) {
            bits.set(rank);
        }
    }
    ReusedEntries { pack: Arc::clone(pack), bases: bases.into(), chosen: bits }
}

/// An entry of a pack that is made by hand.
pub(super) enum Entry<'a> {
    Whole(Kind),
    /// A delta on that object.
    Ref(&'a [u8]),
    /// A delta on that object, at that place of the pack.
    Offset(&'a [u8], usize),
}

/// Puts a pack of blobs made by hand, and its index, into a repository.
pub(super) fn store(repository: &Path, name: &str, entries: &[(&[u8], Entry<'_>)]) {
    let mut bytes = Vec::new();
    let mut output = Output::begin(&mut bytes, entries.len(), true).expect("a vector takes all");
    let mut compressor = Compressor::new();
    let mut starts = Vec::new();
    for (data, entry) in entries {
        starts.push(output.offset());
        output.entry(blob(data));
        let (head, data) = match entry {
            Entry::Whole(kind) => (head::entry_head(*kind, data.len() as u64), data.to_vec()),
            Entry::Ref(base) => {
                let delta = delta(base, data);
                (head::ref_delta_head(&blob(base), delta.len() as u64), delta)
            }
            Entry::Offset(base, place) => {
                let delta = delta(base, data);
                (head::offset_delta_head(output.offset() - starts[*place], delta.len() as u64), delta)
            }
        };
        output.put(&head).expect("a vector takes all");
        output.put(&compressor.run(&data).expect("memory takes all")).expect("a vector takes all");
    }
    let written = output.finish().expect("a vector takes all");
    let mut index = Vec::new();
    crate::pack_index::write(&mut index, &written.objects, &written.checksum).expect("a vector takes all");
    let folder = repository.join("objects/pack");
    std::fs::write(folder.join(format!("pack-{name}.pack")), bytes).expect("a writable folder");
    std::fs::write(folder.join(format!("pack-{name}.idx")), index).expect("a writable folder");
}

fn delta(base: &[u8], data: &[u8]) -> Vec<u8> {
    crate::delta::Index::new(base).encode(base, data, usize::MAX).expect("there is no limit")
}

/// The id of a blob.
pub(super) fn blob(data: &[u8]) -> ObjectId {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, data).expect("no collision")
}

//! Receives a pack, as `git index-pack` does: from the bytes of a push to a checked pack with its index, in a staging
//! folder.
//!
//! One pass over the input stores it, finds the entries, and hashes the objects that are not deltas. Then deltas are
//! resolved, missing bases of a thin pack are added, and all objects that the pack refers to are looked up.
//!
//! **Invariant:** no object of the pack is visible to readers before [`Staged::install`].

mod complete;
mod connectivity;
mod content;
mod excerpt;
mod inflate;
mod nesting;
mod parse;
mod resolve;
mod rules;
mod source;
mod stored;

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
};

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use crate::{
    Error, Kind, ObjectsInUse, Options, Repository,
    fsck::{FILE_BYTES_MAX, Findings},
    pack_index::{self, Indexed},
    reader::Reader,
    staging::Staging,
};
use connectivity::LinkedObjects;
pub(crate) use content::Content;
use rules::Rules;

/// The reason why a pack is rejected; the message is for the client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct PackError(pub(crate) String);

impl PackError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<String> for PackError {
    fn from(message: String) -> Self {
        Self(message)
    }
}

impl From<io::Error> for PackError {
    fn from(error: io::Error) -> Self {
        Self(format!("unable to store the pack: {error}"))
    }
}

impl From<Error> for PackError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// An entry of the pack that is being received.
#[derive(Debug, Clone, Copy)]
struct PackEntry {
    offset: u64,
    /// The inflated size in bytes: of the object, or of the delta.
    size: u64,
    id: ObjectId,
    crc: u32,
    head_bytes: u8,
    /// The kind of the object; `None` for an unresolved delta.
    kind: Option<Kind>,
}

/// A checked pack that is not visible to readers yet.
pub(crate) struct Staged {
    staging: Staging,
    checksum: ObjectId,
    received: u32,
    /// The objects, including added bases, sorted by their ids.
    objects: Vec<(Indexed, Kind)>,
    connected: bool,
    too_deep: bool,
    warnings: Vec<String>,
    /// Keeps the objects that the pack refers to in place.
    _in_use: ObjectsInUse,
}

/// Receives a pack from `input` and checks it against the repository, which has no parents of the `shallow` commits.
pub(crate) fn receive(
    repository: &Repository,
    input: &mut dyn Read,
    options: &Options,
    shallow: &HashSet<ObjectId>,
) -> Result<Staged, PackError> {
    let rules = Rules::new(options, shallow);
    let staging = Staging::create(repository.objects())?;
    let path = staging.path().join("pack");
    let mut parsed = parse::parse(File::create_new(&path)?, input, &rules)?;
    let received = u32::try_from(parsed.entries.len()).expect("a pack counts its objects in 32 bits");
    // From here on, no object that is found is removed: neither bases nor linked objects.
    let in_use = repository.use_objects();
    let mut reader = repository.reader();
    let mut checksum = parsed.checksum;
    if !parsed.deltas.is_empty() {
        let bases = resolve::resolve(&path, &mut parsed, &mut reader, &rules)?;
        if !bases.is_empty() {
            checksum = complete::complete(&path, &mut parsed.entries, &bases, &mut reader)?;
        }
    }
    let objects = sorted(&parsed.entries)?;
    drop(parsed.entries);
    let connected = connectivity::is_fully_connected(&parsed.links.objects, &objects, &mut reader)?;
    let too_deep = parsed.links.nesting.is_deeper_than(options.limits.tree_depth);
    let warnings = Vec::new();
    let mut staged = Staged { staging, checksum, received, objects, connected, too_deep, warnings, _in_use: in_use };
    staged.check_files(parsed.links.findings, &mut reader, options)?;
    Ok(staged)
}

/// Sorts the objects by their ids, for the index.
fn sorted(entries: &[PackEntry]) -> Result<Vec<(Indexed, Kind)>, PackError> {
    let mut objects: Vec<_> = entries
        .iter()
        .map(|entry| {
            let kind = entry.kind.expect("packs with unresolved deltas were rejected");
            (Indexed { id: entry.id, crc: entry.crc, offset: entry.offset }, kind)
        })
        .collect();
    objects.sort_unstable_by_key(|(object, _)| object.id);
    match objects.windows(2).find(|pair| pair[0].0.id == pair[1].0.id) {
        Some(pair) => Err(PackError::new(format!("the pack holds {} twice", pair[0].0.id))),
        None => Ok(objects),
    }
}

impl Staged {
    /// Returns the number of objects that the client sent.
    pub(crate) fn received(&self) -> u32 {
        self.received
    }

    /// Returns whether every object that the pack refers to is in the pack or in the repository.
    pub(crate) fn is_fully_connected(&self) -> bool {
        self.connected
    }

    /// Returns whether trees are nested deeper than [`Limits::tree_depth`](crate::Limits::tree_depth) allows.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.too_deep
    }

    /// Returns the kind of an object of the pack.
    pub(crate) fn kind(&self, id: &oid) -> Option<Kind> {
        self.find(id).map(|(_, kind)| *kind)
    }

    /// Returns the warnings for the client.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Opens the pack to read its objects.
    pub(crate) fn content(&self) -> Result<Content<'_>, Error> {
        Content::open(self)
    }

    /// Returns the number of objects, including added bases.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    fn find(&self, id: &oid) -> Option<&(Indexed, Kind)> {
        let position = self.objects.binary_search_by(|(object, _)| object.id.as_ref().cmp(id)).ok()?;
        Some(&self.objects[position])
    }

    /// Checks the files that trees refer to, which may be in the pack or in the repository.
    fn check_files(&mut self, mut findings: Findings, reader: &mut Reader, options: &Options) -> Result<(), PackError> {
        let mut content = None;
        findings.check_files(&options.fsck, &mut |id| {
            let mut data = Vec::new();
            if self.find(id).is_none() {
                let header = reader.header(id)?;
                if matches!(header, Some((Kind::Blob, size)) if size <= FILE_BYTES_MAX) {
                    reader.expect(id, Kind::Blob, &mut data)?;
                    return Ok(Some((Kind::Blob, Some(data))));
                }
                return Ok::<_, PackError>(header.map(|(kind, _)| (kind, None)));
            }
            let content = match &mut content {
                Some(content) => content,
                unopened => unopened.insert(Content::open(self)?),
            };
            let header = content.header(id)?;
            if matches!(header, Some((Kind::Blob, size)) if size <= FILE_BYTES_MAX) {
                content.read(id, &mut data)?;
                return Ok(Some((Kind::Blob, Some(data))));
            }
            Ok(header.map(|(kind, _)| (kind, None)))
        })?;
        drop(content);
        self.warnings = findings.warnings;
        Ok(())
    }

    /// Moves the pack into the repository, visible to readers; with `sync` it survives a power failure.
    pub(crate) fn install(self, repository: &Repository, sync: bool) -> io::Result<()> {
        if self.objects.is_empty() {
            return Ok(());
        }
        self.write_index()?;
        repository.install(&self.staging, &self.checksum, sync)
    }

    fn write_index(&self) -> io::Result<()> {
        let mut file = BufWriter::new(File::create_new(self.staging.path().join("idx"))?);
        let objects: Vec<_> = self.objects.iter().map(|(object, _)| *object).collect();
        pack_index::write(&mut file, &objects, &self.checksum)?;
        file.flush()
    }
}

//! Finding the objects that a client lacks.
//!
//! The trees of missing commits are compared with those of their parents, from the oldest commit on, so that only
//! what changed is read.
//!
//! **Invariant:** an object that is left out is known to the client; one that is sent twice costs only bytes.

mod commits;
pub(crate) mod filtered;
mod reuse;
mod walk;

use std::sync::Arc;

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use crate::{Error, Kind, bits::Bits, history::History, pack::Pack, reader::Reader};
use commits::missing_commits;
use walk::Walk;

/// What a client asks for, and what it has.
#[derive(Default)]
pub(crate) struct Demand {
    /// The objects asked for.
    pub(crate) wants: Vec<ObjectId>,
    /// Objects that the client has with all that they name, as far as commits are not cut.
    pub(crate) haves: Vec<ObjectId>,
    /// Annotated tags, and what they finally name: a tag is sent along when what it names is sent.
    pub(crate) tags: Vec<(ObjectId, ObjectId)>,
}

/// The objects to send.
pub(crate) struct Selection {
    /// The objects, mostly those that were added to the history last first.
    pub(crate) objects: Vec<Chosen>,
    /// The place of each object in the list; [`Selection::KNOWN`] for objects that the client has.
    pub(crate) places: HashMap<ObjectId, u32>,
    /// Objects that the client has in places where others are sent: good bases for deltas.
    pub(crate) bases: Vec<Chosen>,
    /// Further objects, that all lie in one pack. They are neither in the list nor have they places.
    pub(crate) reused: Option<Reused>,
}

/// Objects to send that all lie in one pack.
pub(crate) struct Reused {
    pub(crate) pack: Arc<Pack>,
    /// For each rank the rank of the base that the entry is a delta on; [`Reused::WHOLE`] if it is none.
    ///
    /// A base that is not chosen can be used still, if the client has it and the selection's places say so.
    pub(crate) bases: Arc<[u32]>,
    /// The ranks of the objects: the places of their entries in the order of offsets.
    pub(crate) chosen: Bits,
}

impl Reused {
    /// The base of entries that are no deltas.
    pub(crate) const WHOLE: u32 = u32::MAX;
}

/// An object to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen {
    pub(crate) id: ObjectId,
    pub(crate) kind: Kind,
    /// A hash of the name by which the object was found, that is alike for like names; 0 if it has none.
    pub(crate) name: u32,
}

impl Chosen {
    pub(crate) fn new(id: &oid, kind: Kind, name: &[u8]) -> Self {
        Self::within(0, id, kind, name)
    }

    /// Makes an object that was found in the folder whose name has the hash `folder`.
    pub(crate) fn within(folder: u32, id: &oid, kind: Kind, name: &[u8]) -> Self {
        Self { id: id.to_owned(), kind, name: name_hash(folder, name) }
    }
}

/// Hashes the path of a name in a folder so that paths with the same end get hashes that lie close together.
///
/// The folder counts, too: else all files of a common name would come between a file and its older versions.
pub(crate) fn name_hash(folder: u32, name: &[u8]) -> u32 {
    let slash = if folder == 0 { &b""[..] } else { b"/" };
    let bytes = slash.iter().chain(name).filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(folder, |hash, byte| (hash >> 2).wrapping_add(u32::from(*byte) << 24))
}

impl Selection {
    /// The place of objects that the client has.
    pub(crate) const KNOWN: u32 = u32::MAX;

    /// Counts the objects to send.
    pub(crate) fn count(&self) -> usize {
        self.objects.len() + self.reused.as_ref().map_or(0, |reused| reused.chosen.count())
    }

    /// Lists the objects to send.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ObjectId> {
        let reused = self.reused.iter().flat_map(|reused| reused.chosen.iter().map(|rank| reused.pack.id_at(rank)));
        self.objects.iter().map(|object| object.id).chain(reused)
    }

    /// Tells whether the objects are just those of one pack.
    pub(crate) fn is_whole_pack(&self) -> bool {
        let whole = |reused: &Reused| reused.chosen.count() == reused.pack.index.num_objects() as usize;
        self.objects.is_empty() && self.reused.as_ref().is_some_and(whole)
    }
}

/// From this many missing commits on they are looked for in a graph, if the client has others.
const MANY: usize = 1000;

/// Selects the objects to send.
pub(crate) fn select(reader: &mut Reader, history: &mut History, demand: &Demand) -> Result<Selection, Error> {
    let mut walk = Walk::new(reader);
    let (commits, others) = walk.wants(history, &demand.wants)?;
    let haves = walk.haves(history, &demand.haves)?;
    let limit = match (history.has_cuts(), haves.is_empty()) {
        (true, _) => usize::MAX,
        (false, true) => 0,
        (false, false) => MANY,
    };
    let missing = match missing_commits(walk.reader, history, &commits, &haves, limit)? {
        None if walk.reuse(history, &commits, &haves)? => None,
        None => missing_commits(walk.reader, history, &commits, &haves, usize::MAX)?,
        few => few,
    };
    if let Some(missing) = missing {
        walk.missing(history, &missing)?;
    }
    walk.others(&others)?;
    walk.tags(&demand.tags)?;
    Ok(walk.finish())
}

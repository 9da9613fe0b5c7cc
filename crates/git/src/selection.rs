//! The objects that are sent to a client, or written to a pack.

use std::sync::Arc;

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use crate::{Kind, bits::Bits, pack::Pack};

/// The objects to send.
pub(crate) struct Selection {
    /// The objects, mostly the newest first.
    pub(crate) objects: Vec<SelectedObject>,
    /// The position of each object in the list; [`Selection::KNOWN`] for objects that the client has.
    pub(crate) places: HashMap<ObjectId, u32>,
    /// Objects of the client at paths where other objects are sent: good bases for deltas.
    pub(crate) bases: Vec<SelectedObject>,
    /// Further objects, all in one pack. They are not in the list and have no positions.
    pub(crate) reused: Option<ReusedEntries>,
}

/// Objects to send from one pack, whose entries can be copied.
pub(crate) struct ReusedEntries {
    pub(crate) pack: Arc<Pack>,
    /// For each rank the rank of the entry's delta base; [`ReusedEntries::WHOLE`] for entries without a base.
    ///
    /// A base that is not sent is usable if the positions of the selection say that the client has it.
    pub(crate) bases: Arc<[u32]>,
    /// The ranks of the objects to send. The rank of an entry is its position in the order of offsets.
    pub(crate) chosen: Bits,
}

impl ReusedEntries {
    /// In place of a base: the entry is not a delta.
    pub(crate) const WHOLE: u32 = u32::MAX;
}

/// An object to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SelectedObject {
    pub(crate) id: ObjectId,
    pub(crate) kind: Kind,
    /// The [`name_hash`] of the name under which the object was found; 0 if it has none.
    pub(crate) name: u32,
}

impl SelectedObject {
    pub(crate) fn new(id: &oid, kind: Kind, name: &[u8]) -> Self {
        Self::within(0, id, kind, name)
    }

    /// Creates an object found in the folder whose name has the hash `folder`.
    pub(crate) fn within(folder: u32, id: &oid, kind: Kind, name: &[u8]) -> Self {
        Self { id: id.to_owned(), kind, name: name_hash(folder, name) }
    }
}

/// Hashes a name in a folder so that paths with the same end have hashes close to each other.
///
/// The folder counts too, so that other files of the same name do not come between a file and its older versions.
pub(crate) fn name_hash(folder: u32, name: &[u8]) -> u32 {
    let slash = if folder == 0 { &b""[..] } else { b"/" };
    let bytes = slash.iter().chain(name).filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(folder, |hash, byte| (hash >> 2).wrapping_add(u32::from(*byte) << 24))
}

impl Selection {
    /// In place of a position: the client has the object.
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

    /// Returns whether the objects are just those of one pack.
    pub(crate) fn is_whole_pack(&self) -> bool {
        let whole = |reused: &ReusedEntries| reused.chosen.count() == reused.pack.index.num_objects() as usize;
        self.objects.is_empty() && self.reused.as_ref().is_some_and(whole)
    }
}

//! The quick connectivity check: whether every object that the pack refers to exists.

use gix::{
    ObjectId,
    hashtable::{HashMap, hash_map::Entry},
};

use super::PackError;
use crate::{Kind, pack_index::Indexed, reader::Reader};

/// The objects that the pack refers to, with their expected kinds.
#[derive(Default)]
pub(crate) struct LinkedObjects(HashMap<ObjectId, Kind>);

impl LinkedObjects {
    /// Adds another collection.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), PackError> {
        let (mut large, small) =
            if self.0.len() < other.0.len() { (other, std::mem::take(self)) } else { (std::mem::take(self), other) };
        for (id, kind) in small.0 {
            if !large.insert(id, kind) {
                return Err(PackError::new(format!("object {id} is named as of two kinds")));
            }
        }
        *self = large;
        Ok(())
    }

    /// Returns the number of objects.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds an object; returns `false` if it was added with another kind before.
    pub(super) fn insert(&mut self, id: ObjectId, kind: Kind) -> bool {
        match self.0.entry(id) {
            Entry::Occupied(known) => *known.get() == kind,
            Entry::Vacant(vacant) => {
                vacant.insert(kind);
                true
            }
        }
    }
}

/// Returns whether all linked objects are among `objects`, which are sorted, or in the repository.
pub(super) fn is_fully_connected(
    links: &LinkedObjects,
    objects: &[(Indexed, Kind)],
    reader: &mut Reader,
) -> Result<bool, PackError> {
    for (id, kind) in &links.0 {
        let found = match objects.binary_search_by(|(object, _)| object.id.cmp(id)) {
            Ok(position) => Some(objects[position].1),
            Err(_) => reader.kind(id)?,
        };
        if found != Some(*kind) {
            return Ok(false);
        }
    }
    Ok(true)
}

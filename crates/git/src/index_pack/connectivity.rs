//! Whether everything that incoming objects name is there.

use gix::{
    ObjectId,
    hashtable::{HashMap, hash_map::Entry},
};

use super::Refusal;
use crate::{Kind, pack_index::Indexed, reader::Reader};

/// The objects that incoming objects name, with the kinds that they have to be of.
#[derive(Default)]
pub(crate) struct Named(HashMap<ObjectId, Kind>);

impl Named {
    /// Adds what another collection holds.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), Refusal> {
        let (mut large, small) =
            if self.0.len() < other.0.len() { (other, std::mem::take(self)) } else { (std::mem::take(self), other) };
        for (id, kind) in small.0 {
            if !large.insert(id, kind) {
                return Err(Refusal::new(format!("object {id} is named as of two kinds")));
            }
        }
        *self = large;
        Ok(())
    }

    /// Gives the number of objects that are named.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds one object; tells whether it was not named as of another kind before.
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

/// Tells whether all of `named` is among `objects`, which are sorted, or in the repository.
pub(super) fn is_fully_connected(
    named: &Named,
    objects: &[(Indexed, Kind)],
    reader: &mut Reader,
) -> Result<bool, Refusal> {
    for (id, kind) in &named.0 {
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

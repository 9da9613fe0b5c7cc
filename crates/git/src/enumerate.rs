//! Finding the objects that a client lacks.
//!
//! The trees of missing commits are compared with those of their parents, from the oldest commit on, so that only
//! what changed is read.
//!
//! **Invariant:** an object that is left out is known to the client; one that is sent twice costs only bytes.

mod commits;
mod walk;

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use crate::{Error, Kind, history::History, reader::Reader};
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
    /// The objects, those that were added to the history last first.
    pub(crate) objects: Vec<Chosen>,
    /// The place of each object in the list; [`Selection::KNOWN`] for objects that the client has.
    pub(crate) places: HashMap<ObjectId, u32>,
    /// Objects that the client has in places where others are sent: good bases for deltas.
    #[expect(dead_code, reason = "the search for deltas begins with them")]
    pub(crate) bases: Vec<Chosen>,
}

/// An object to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen {
    pub(crate) id: ObjectId,
    pub(crate) kind: Kind,
    /// A hash of the name by which the object was found, that is alike for like names; 0 if it has none.
    #[expect(dead_code, reason = "the search for deltas sorts by it")]
    pub(crate) name: u32,
}

impl Chosen {
    pub(crate) fn new(id: &oid, kind: Kind, name: &[u8]) -> Self {
        Self { id: id.to_owned(), kind, name: name_hash(name) }
    }
}

/// Hashes a name so that names with the same end get hashes that lie close together.
pub(crate) fn name_hash(name: &[u8]) -> u32 {
    let bytes = name.iter().filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(0, |hash: u32, byte| (hash >> 2).wrapping_add(u32::from(*byte) << 24))
}

impl Selection {
    /// The place of objects that the client has.
    pub(crate) const KNOWN: u32 = u32::MAX;
}

/// Selects the objects to send.
pub(crate) fn select(reader: &mut Reader, history: &mut History, demand: &Demand) -> Result<Selection, Error> {
    let mut walk = Walk::new(reader);
    let (commits, others) = walk.wants(history, &demand.wants)?;
    let haves = walk.haves(history, &demand.haves)?;
    let found = missing_commits(walk.reader, history, &commits, &haves, usize::MAX)?.expect("there is no limit");
    walk.missing(history, &found)?;
    walk.others(&others)?;
    walk.tags(&demand.tags)?;
    Ok(walk.finish())
}

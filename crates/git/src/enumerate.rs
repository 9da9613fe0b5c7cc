//! Selecting the objects that a client lacks.
//!
//! The trees of missing commits are compared with those of their parents, from the oldest commit on, so that only the the
//! changes are read.
//!
//! **Invariant:** the client has every object that is left out; an object sent twice costs only bytes.

mod commits;
pub(crate) mod filtered;
mod reuse;
mod walk;

use gix::ObjectId;

use crate::{Error, history::History, reader::Reader, selection::Selection};
use commits::missing_commits;
use walk::Walk;

/// The wants and haves of a client.
#[derive(Default)]
pub(crate) struct Demand {
    /// The requested objects.
    pub(crate) wants: Vec<ObjectId>,
    /// Objects that the client has together with everything reachable from them, as far as the history is not cut.
    pub(crate) haves: Vec<ObjectId>,
    /// Annotated tags, and what they finally name: a tag is sent along when what it names is sent.
    pub(crate) tags: Vec<(ObjectId, ObjectId)>,
}

/// From this many missing commits on a graph is used, if the client has other commits.
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

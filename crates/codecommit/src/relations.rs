//! How commits of a repository are related, remembered for as long as one call takes.
//!
//! A call asks before its transaction what it will have to know inside, where there is no time to read histories; inside, it
//! gets the answers from here. What nobody foresaw is still answered, only more slowly.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use git::ObjectId;
use parking_lot::Mutex;

use crate::Exception;

type Pair = (ObjectId, ObjectId);

/// Answers about the commits of one repository.
pub(crate) struct Relations {
    objects: Arc<git::Repository>,
    ancestors: Mutex<HashMap<Pair, bool>>,
    merge_bases: Mutex<HashMap<Pair, Option<ObjectId>>>,
}

impl Relations {
    pub(crate) fn new(objects: Arc<git::Repository>) -> Self {
        Self { objects, ancestors: Mutex::default(), merge_bases: Mutex::default() }
    }

    /// Tells whether a commit is another one or comes before it.
    pub(crate) fn is_ancestor(&self, old: ObjectId, new: ObjectId) -> Result<bool, Exception> {
        remembered(&self.ancestors, (old, new), || Ok(self.objects.is_ancestor(&old, &new)?))
    }

    /// Returns the objects that it is about.
    pub(crate) fn objects(&self) -> &Arc<git::Repository> {
        &self.objects
    }

    /// Gives the newest of the best common ancestors of two commits.
    pub(crate) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, Exception> {
        let look = || Ok(self.objects.reader().merge_bases(&one, &other)?.into_iter().next());
        remembered(&self.merge_bases, (one, other), look)
    }
}

fn remembered<K: Hash + Eq + Copy, V: Copy>(
    known: &Mutex<HashMap<K, V>>,
    key: K,
    look: impl FnOnce() -> Result<V, Exception>,
) -> Result<V, Exception> {
    let held = || known.lock();
    if let Some(value) = held().get(&key) {
        return Ok(*value);
    }
    let value = look()?;
    held().insert(key, value);
    Ok(value)
}

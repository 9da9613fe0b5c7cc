//! Cache of ancestry questions about the commits of one repository, for the duration of one call.
//!
//! A call asks the questions before its transaction, where there is time to walk histories; inside, the answers come from the
//! cache. A question that was not asked before is still answered inside, at the cost of a longer transaction.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use git::ObjectId;
use parking_lot::Mutex;

use crate::Exception;

type Pair = (ObjectId, ObjectId);

/// Answers about the commits of one repository.
pub(crate) struct AncestryCache {
    objects: Arc<git::Repository>,
    ancestors: Mutex<HashMap<Pair, bool>>,
    merge_bases: Mutex<HashMap<Pair, Option<ObjectId>>>,
}

impl AncestryCache {
    pub(crate) fn new(objects: Arc<git::Repository>) -> Self {
        Self { objects, ancestors: Mutex::default(), merge_bases: Mutex::default() }
    }

    /// Returns whether `old` is `new` or one of its ancestors.
    pub(crate) fn is_ancestor(&self, old: ObjectId, new: ObjectId) -> Result<bool, Exception> {
        get_or_compute(&self.ancestors, (old, new), || Ok(self.objects.is_ancestor(&old, &new)?))
    }

    /// Returns the repository.
    pub(crate) fn objects(&self) -> &Arc<git::Repository> {
        &self.objects
    }

    /// Returns the newest of the best common ancestors of two commits.
    pub(crate) fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>, Exception> {
        let compute = || Ok(self.objects.reader().merge_bases(&one, &other)?.into_iter().next());
        get_or_compute(&self.merge_bases, (one, other), compute)
    }
}

fn get_or_compute<K: Hash + Eq + Copy, V: Copy>(
    cache: &Mutex<HashMap<K, V>>,
    key: K,
    compute: impl FnOnce() -> Result<V, Exception>,
) -> Result<V, Exception> {
    let lock = || cache.lock();
    if let Some(value) = lock().get(&key) {
        return Ok(*value);
    }
    let value = compute()?;
    lock().insert(key, value);
    Ok(value)
}

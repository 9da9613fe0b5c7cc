//! Cache of file histories, so that a listing does not walk the whole history for each of its pages.

use std::sync::Arc;

use git::{CacheMemory, Cached, ObjectId, Revision, Weigh};

use crate::Exception;
use crate::slots::Slots;

/// Id of a repository, commit where the history ends, and path of the file there. Its history never changes.
type Key = (String, ObjectId, String);

/// Versions of one file.
pub(crate) struct FileHistory(pub(crate) Vec<Revision>);

impl Weigh for FileHistory {
    fn bytes(&self) -> usize {
        let bytes = |revision: &Revision| {
            size_of::<Revision>() + revision.path.len() + revision.newer.len() * size_of::<ObjectId>()
        };
        self.0.iter().map(bytes).sum()
    }
}

/// Histories that were requested last.
pub(crate) struct FileHistoryCache(Slots<Key, FileHistory>);

impl FileHistoryCache {
    pub(crate) fn new(memory: &CacheMemory) -> Self {
        Self(Slots::new(memory))
    }

    /// Returns a history; `walk` computes it if it is not cached.
    pub(crate) fn get(
        &self,
        key: Key,
        walk: impl FnOnce() -> Result<Vec<Revision>, Exception>,
    ) -> Result<Arc<Cached<FileHistory>>, Exception> {
        let slot = self.0.slot(key);
        slot.get().map_or_else(|| Ok(slot.set(FileHistory(walk()?))), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_computed_again_only_after_its_eviction() {
        let commit = ObjectId::from_hex(&[b'1'; 40]).expect("an id has forty digits");
        let version = Revision { commit, path: "file".into(), blob: commit, newer: Vec::new() };
        let bytes = FileHistory(vec![version.clone()]).bytes();
        let file_histories = FileHistoryCache::new(&CacheMemory::new(10 * bytes));
        let is_computed = |path: usize, length: usize| {
            let mut computed = false;
            let walk = || {
                computed = true;
                Ok(vec![version.clone(); length])
            };
            let history = file_histories
                .get(("repository".to_owned(), commit, path.to_string()), walk)
                .expect("the walk succeeds");
            assert_eq!(history.0.len(), length);
            computed
        };
        assert!((0..=10).all(|path| is_computed(path, 1)));
        assert!(!is_computed(10, 1) && is_computed(0, 1));
        // A long history evicts all others.
        assert!(is_computed(11, 10) && !is_computed(11, 10) && is_computed(10, 1));
    }
}

//! Histories of files that are kept in memory, so that a listing does not find the whole history for each of its pages.

use std::sync::Arc;

use git::{CacheMemory, Cached, ObjectId, Revision, Weigh};

use crate::Exception;
use crate::slots::Slots;

/// A repository's id, the commit where the history ends, and the file's path there: it never changes.
type Key = (String, ObjectId, String);

/// The versions of one file.
pub(crate) struct History(pub(crate) Vec<Revision>);

impl Weigh for History {
    fn bytes(&self) -> usize {
        let bytes = |it: &Revision| size_of::<Revision>() + it.path.len() + it.newer.len() * size_of::<ObjectId>();
        self.0.iter().map(bytes).sum()
    }
}

/// The histories that were asked for last.
pub(crate) struct Histories(Slots<Key, History>);

impl Histories {
    pub(crate) fn new(memory: &CacheMemory) -> Self {
        Self(Slots::new(memory))
    }

    /// Gives a history; `find` finds it if it is not kept.
    pub(crate) fn get(
        &self,
        key: Key,
        find: impl FnOnce() -> Result<Vec<Revision>, Exception>,
    ) -> Result<Arc<Cached<History>>, Exception> {
        let slot = self.0.slot(key);
        slot.get().map_or_else(|| Ok(slot.set(History(find()?))), Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_found_again_only_when_it_had_to_go() {
        let commit = ObjectId::from_hex(&[b'1'; 40]).expect("forty digits");
        let version = Revision { commit, path: "file".into(), blob: commit, newer: Vec::new() };
        let bytes = History(vec![version.clone()]).bytes();
        let histories = Histories::new(&CacheMemory::new(10 * bytes));
        let is_found_again = |path: usize, length: usize| {
            let mut found = false;
            let find = || {
                found = true;
                Ok(vec![version.clone(); length])
            };
            let history =
                histories.get(("repository".to_owned(), commit, path.to_string()), find).expect("it is found");
            assert_eq!(history.0.len(), length);
            found
        };
        assert!((0..=10).all(|path| is_found_again(path, 1)));
        assert!(!is_found_again(10, 1) && is_found_again(0, 1));
        // A long one takes the place of all others.
        assert!(is_found_again(11, 10) && !is_found_again(11, 10) && is_found_again(10, 1));
    }
}

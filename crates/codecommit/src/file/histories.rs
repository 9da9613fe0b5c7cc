//! Histories of files that are kept in memory, so that a listing does not find the whole history for each of its pages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use git::{ObjectId, Revision};

use crate::Exception;

/// How many histories are kept.
const HISTORIES_MAX: usize = 64;

/// How many versions are kept, of all histories together; about two hundred bytes each.
const VERSIONS_MAX: usize = 100_000;

/// A repository's id, the commit where the history ends, and the file's path there: it never changes.
type Key = (String, ObjectId, String);

/// The histories that were asked for last, the last one at the end.
#[derive(Default)]
pub(crate) struct Histories(Mutex<VecDeque<(Key, Arc<[Revision]>)>>);

impl Histories {
    /// Gives a history; `find` finds it if it is not kept.
    pub(crate) fn get(
        &self,
        key: Key,
        find: impl FnOnce() -> Result<Vec<Revision>, Exception>,
    ) -> Result<Arc<[Revision]>, Exception> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().iter().find(|(other, _)| *other == key).map(|(_, history)| Arc::clone(history));
        if let Some(known) = known {
            return Ok(known);
        }
        let history: Arc<[Revision]> = find()?.into();
        let mut kept = lock();
        kept.push_back((key, Arc::clone(&history)));
        let mut count: usize = kept.iter().map(|(_, history)| history.len()).sum();
        // The new one is kept however long it is: its next page will be asked for.
        while kept.len() > 1
            && (kept.len() > HISTORIES_MAX || count > VERSIONS_MAX)
            && let Some((_, oldest)) = kept.pop_front()
        {
            count -= oldest.len();
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histories_that_were_asked_for_last_are_kept() {
        let commit = ObjectId::from_hex(&[b'1'; 40]).expect("forty digits");
        let version = Revision { commit, path: "file".into(), blob: commit, newer: Vec::new() };
        let histories = Histories::default();
        let is_found_again = |path: usize, length: usize| {
            let mut found = false;
            let find = || {
                found = true;
                Ok(vec![version.clone(); length])
            };
            let history =
                histories.get(("repository".to_owned(), commit, path.to_string()), find).expect("it is found");
            assert_eq!(history.len(), length);
            found
        };
        assert!((0..=HISTORIES_MAX).all(|path| is_found_again(path, 1)));
        assert!(!is_found_again(HISTORIES_MAX, 1) && is_found_again(0, 1));
        // One that is too long stays alone.
        assert!(is_found_again(1_000, VERSIONS_MAX + 1));
        assert!(!is_found_again(1_000, VERSIONS_MAX + 1) && is_found_again(0, 1));
    }
}

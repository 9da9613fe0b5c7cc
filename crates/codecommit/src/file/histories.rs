//! Histories of files that are kept in memory, so that a listing does not find the whole history for each of its pages.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use git::{ObjectId, Revision};

use crate::Exception;

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
        let lock = || self.0.lock().expect("no holder of this lock panics");
        let known = lock().iter().find(|(other, _)| *other == key).map(|(_, history)| Arc::clone(history));
        if let Some(known) = known {
            return Ok(known);
        }
        let history: Arc<[Revision]> = find()?.into();
        let mut kept = lock();
        kept.push_back((key, Arc::clone(&history)));
        let mut count: usize = kept.iter().map(|(_, history)| history.len() + 1).sum();
        while count > VERSIONS_MAX
            && kept.len() > 1
            && let Some((_, oldest)) = kept.pop_front()
        {
            count -= oldest.len() + 1;
        }
        Ok(history)
    }
}

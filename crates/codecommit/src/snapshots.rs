//! Snapshots of references that are kept in memory, so that a hundred thousand of them are not read for each request.
//!
//! **Invariant:** a snapshot is used only for a repository that was found with the snapshot's version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use git::References;

use crate::Exception;
use crate::repository::Repository;

/// How many references are kept, of all repositories together; about a hundred bytes each.
const REFERENCES_MAX: usize = 400_000;

/// The references of a repository at one moment.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) version: i64,
    pub(crate) references: Arc<References>,
}

/// The last snapshots, by the ids of their repositories.
#[derive(Default)]
pub(crate) struct Snapshots(Mutex<HashMap<String, Snapshot>>);

impl Snapshots {
    /// Gives the references of a repository; `read` reads them if those that are kept are not of its version.
    pub(crate) fn get(
        &self,
        repository: &Repository,
        read: impl FnOnce() -> Result<Snapshot, Exception>,
    ) -> Result<Arc<References>, Exception> {
        let known = self.lock().get(&repository.id).cloned();
        if let Some(known) = known.filter(|known| known.version == repository.refs_version) {
            return Ok(known.references);
        }
        let fresh = read()?;
        let references = Arc::clone(&fresh.references);
        let mut kept = self.lock();
        // A repository without references takes its room, too.
        let room = |references: &References| references.references.len() + 1;
        let taken: usize = kept.values().map(|snapshot| room(&snapshot.references)).sum();
        if taken + room(&references) > REFERENCES_MAX {
            kept.clear();
        }
        kept.insert(repository.id.clone(), fresh);
        Ok(references)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Snapshot>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

//! Snapshots of references that are kept in memory, so that a hundred thousand of them are neither read nor written down for
//! each request.
//!
//! **Invariant:** a snapshot is used only for a repository that was found with the snapshot's version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use git::{Options, References, Service, Version};

use crate::Exception;
use crate::repository::Repository;

/// How many references are kept, of all repositories together; about two hundred bytes each.
const REFERENCES_MAX: usize = 400_000;

/// The references of a repository at one moment.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) version: i64,
    pub(crate) references: Arc<References>,
    advertised: Arc<Mutex<Advertised>>,
}

/// What clients of a service and a protocol version are told.
type Advertised = HashMap<(Service, Version), Arc<Vec<u8>>>;

impl Snapshot {
    pub(crate) fn new(version: i64, references: References) -> Self {
        Self { version, references: Arc::new(references), advertised: Arc::default() }
    }

    /// Writes down what a client is told, unless that was done already. `options` are always the same.
    pub(crate) fn advertise(&self, service: Service, version: Version, options: &Options) -> Arc<Vec<u8>> {
        let write = || Arc::new(git::advertise(service, version, &self.references, options));
        if options.offers.session_id {
            // Each client's is its own.
            return write();
        }
        let mut advertised = self.advertised.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(advertised.entry((service, version)).or_insert_with(write))
    }
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
    ) -> Result<Snapshot, Exception> {
        let known = self.lock().get(&repository.id).cloned();
        if let Some(known) = known.filter(|known| known.version == repository.refs_version) {
            return Ok(known);
        }
        let fresh = read()?;
        let mut kept = self.lock();
        // A repository without references takes its room, too.
        let room = |references: &References| references.references.len() + 1;
        let taken: usize = kept.values().map(|snapshot| room(&snapshot.references)).sum();
        if taken + room(&fresh.references) > REFERENCES_MAX {
            kept.clear();
        }
        kept.insert(repository.id.clone(), fresh.clone());
        Ok(fresh)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Snapshot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

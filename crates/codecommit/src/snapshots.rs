//! Snapshots of references that are kept in memory, so that a hundred thousand of them are neither read nor written down for
//! each request.
//!
//! **Invariant:** a snapshot is used only for a repository that was found with the snapshot's version.

use std::collections::HashMap;
use std::sync::Arc;

use git::{CacheMemory, Cached, Options, Reference, References, Service, Slot, Version, Weigh};
use parking_lot::Mutex;

use crate::Exception;
use crate::repository::Repository;
use crate::slots::Slots;

/// What the allocator takes for a name besides its bytes.
const ALLOCATION_BYTES: usize = 16;

/// The references of a repository at one moment.
pub(crate) struct Snapshot {
    pub(crate) version: i64,
    pub(crate) references: Arc<References>,
    advertised: Mutex<HashMap<(Service, Version), Arc<Slot<Advertisement>>>>,
}

/// What clients of a service and a protocol version are told.
struct Advertisement(Arc<Vec<u8>>);

impl Weigh for Advertisement {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl Weigh for Snapshot {
    fn bytes(&self) -> usize {
        let names: usize = self.references.references.iter().map(|it| it.name.len() + ALLOCATION_BYTES).sum();
        size_of::<Self>() + names + self.references.references.len() * size_of::<Reference>()
    }
}

impl Snapshot {
    pub(crate) fn new(version: i64, references: References) -> Self {
        Self { version, references: Arc::new(references), advertised: Mutex::default() }
    }
}

/// The last snapshots, by the ids of their repositories.
pub(crate) struct Snapshots {
    slots: Slots<String, Snapshot>,
    memory: CacheMemory,
    /// What clients are offered.
    options: Options,
}

impl Snapshots {
    pub(crate) fn new(memory: &CacheMemory, options: Options) -> Self {
        Self { slots: Slots::new(memory), memory: memory.clone(), options }
    }

    /// Gives the references of a repository; `read` reads them if those that are kept are not of its version.
    pub(crate) fn get(
        &self,
        repository: &Repository,
        read: impl FnOnce() -> Result<Snapshot, Exception>,
    ) -> Result<Arc<Cached<Snapshot>>, Exception> {
        let slot = self.slots.slot(repository.id.clone());
        let known = slot.get().filter(|known| known.version == repository.refs_version);
        known.map_or_else(|| Ok(slot.set(read()?)), Ok)
    }

    /// Writes down what a client is told, unless that was done already.
    pub(crate) fn advertise(&self, snapshot: &Snapshot, service: Service, version: Version) -> Arc<Vec<u8>> {
        let write = || Arc::new(git::advertise(service, version, &snapshot.references, &self.options));
        if self.options.offers.session_id {
            // Each client's is its own.
            return write();
        }
        let slot = {
            let mut advertised = snapshot.advertised.lock();
            Arc::clone(advertised.entry((service, version)).or_insert_with(|| Arc::new(Slot::new(&self.memory))))
        };
        let known = slot.get_or_make(|| Some(Advertisement(write()))).expect("it can always be written");
        Arc::clone(&known.0)
    }
}

//! Cache of the references of repositories and of their advertisements, so that a request neither reads nor encodes a hundred
//! thousand references again.
//!
//! **Invariant:** a snapshot is used only if its version is the `refs_version` of the repository's row.

use std::collections::HashMap;
use std::sync::Arc;

use git::{CacheMemory, Cached, Options, Reference, References, Service, Slot, Version, Weigh};
use parking_lot::Mutex;

use crate::Exception;
use crate::repository::Repository;
use crate::slots::Slots;

/// Memory that the allocator takes for a name besides its bytes.
const ALLOCATION_BYTES: usize = 16;

/// References of a repository at one moment.
pub(crate) struct RefSnapshot {
    pub(crate) version: i64,
    pub(crate) references: Arc<References>,
    advertisements: Mutex<HashMap<(Service, Version), Arc<Slot<Advertisement>>>>,
}

/// Encoded advertisement for one service and protocol version.
struct Advertisement(Arc<Vec<u8>>);

impl Weigh for Advertisement {
    fn bytes(&self) -> usize {
        self.0.len()
    }
}

impl Weigh for RefSnapshot {
    fn bytes(&self) -> usize {
        let references = &self.references.references;
        let names: usize = references.iter().map(|reference| reference.name.len() + ALLOCATION_BYTES).sum();
        size_of::<Self>() + names + references.len() * size_of::<Reference>()
    }
}

impl RefSnapshot {
    pub(crate) fn new(version: i64, references: References) -> Self {
        Self { version, references: Arc::new(references), advertisements: Mutex::default() }
    }
}

/// Latest snapshots, by the ids of their repositories.
pub(crate) struct RefCache {
    slots: Slots<String, RefSnapshot>,
    memory: CacheMemory,
    /// Capabilities to advertise, which are the same for all repositories.
    options: Options,
}

impl RefCache {
    pub(crate) fn new(memory: &CacheMemory, options: Options) -> Self {
        Self { slots: Slots::new(memory), memory: memory.clone(), options }
    }

    /// Returns the references of a repository; `read` reads them if the cached ones are outdated.
    pub(crate) fn get(
        &self,
        repository: &Repository,
        read: impl FnOnce() -> Result<RefSnapshot, Exception>,
    ) -> Result<Arc<Cached<RefSnapshot>>, Exception> {
        let slot = self.slots.slot(repository.id.clone());
        let current = slot.get().filter(|snapshot| snapshot.version == repository.refs_version);
        current.map_or_else(|| Ok(slot.set(read()?)), Ok)
    }

    /// Returns the advertisement of a snapshot, encoded once for each service and version.
    pub(crate) fn advertise(&self, snapshot: &RefSnapshot, service: Service, version: Version) -> Arc<Vec<u8>> {
        let encode = || Arc::new(git::advertise(service, version, &snapshot.references, &self.options));
        if self.options.offers.session_id {
            // Every advertisement has a session id of its own.
            return encode();
        }
        let slot = {
            let mut advertisements = snapshot.advertisements.lock();
            Arc::clone(advertisements.entry((service, version)).or_insert_with(|| Arc::new(Slot::new(&self.memory))))
        };
        let cached = slot.get_or_make(|| Some(Advertisement(encode()))).expect("encoding never fails");
        Arc::clone(&cached.0)
    }
}

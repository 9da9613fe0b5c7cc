//! The service AWS CloudTrail: what its operations work on.

use std::sync::Arc;

use aws::{Call, Operation, TaggedResource};
use bucket::Buckets;
use store::{Error, Store, Transaction};

use crate::history::{History, LookupSettings, Throttle};
use crate::trails::tag;
use crate::{KeyRing, Notifier, Trail, operations};

/// AWS CloudTrail over the events that [`crate::Trail`] records.
pub struct CloudTrail {
    pub(crate) store: Arc<Store>,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) history: Arc<History>,
    pub(crate) lookup: LookupSettings,
    pub(crate) throttle: Throttle,
    pub(crate) keys: Arc<KeyRing>,
    /// How many trails a region can have.
    pub(crate) trails_max: usize,
}

impl CloudTrail {
    /// Makes the service over what a trail keeps.
    pub fn new(trail: &Trail, notifier: Arc<dyn Notifier>, lookup: LookupSettings, trails_max: usize) -> Self {
        let (store, buckets, keys) = (Arc::clone(&trail.store), Arc::clone(&trail.buckets), Arc::clone(&trail.keys));
        let history = trail.history();
        let throttle = Throttle::default();
        Self { store, buckets, notifier, history, lookup, throttle, keys, trails_max }
    }

    /// Lists the trails whose home is the call's region and that have tags or once had some.
    pub fn tagged(&self, call: &Call) -> Result<Vec<TaggedResource>, Error> {
        self.store.read(|transaction| tag::tagged_trails(transaction, call))
    }

    /// Finds an operation by its name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::find(name)
    }
}

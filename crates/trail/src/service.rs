//! The service AWS CloudTrail, over a [`Trail`].

use std::sync::Arc;

use bucket::Buckets;
use store::Store;

use crate::history::{History, LookupSettings, Throttle};
use crate::{KeyStore, Notifier, Trail};

/// AWS CloudTrail over the events that [`crate::Trail`] records.
pub struct CloudTrail {
    pub(crate) store: Arc<Store>,
    pub(crate) buckets: Arc<Buckets>,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) history: Arc<History>,
    pub(crate) lookup: LookupSettings,
    pub(crate) throttle: Throttle,
    pub(crate) keys: Arc<KeyStore>,
    /// Maximum number of trails of a region.
    pub(crate) trails_max: usize,
}

impl CloudTrail {
    /// Creates the service over a trail.
    pub fn new(trail: &Trail, notifier: Arc<dyn Notifier>, lookup: LookupSettings, trails_max: usize) -> Self {
        let (store, buckets, keys) = (Arc::clone(&trail.store), Arc::clone(&trail.buckets), Arc::clone(&trail.keys));
        let history = trail.history();
        let throttle = Throttle::default();
        Self { store, buckets, notifier, history, lookup, throttle, keys, trails_max }
    }
}

//! The service AWS CloudTrail, over a [`Trail`].

use std::sync::Arc;

use store::Store;

use crate::destination::Destinations;
use crate::history::{History, LookupSettings, Throttle};
use crate::{KeyStore, Notifier, Trail};

/// Tells whether a topic exists, by its ARN.
pub type TopicCheck = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// AWS CloudTrail over the events that [`crate::Trail`] records.
pub struct CloudTrail {
    pub(crate) store: Arc<Store>,
    pub(crate) destinations: Destinations,
    pub(crate) notifier: Arc<dyn Notifier>,
    pub(crate) history: Arc<History>,
    pub(crate) lookup: LookupSettings,
    pub(crate) throttle: Throttle,
    pub(crate) keys: Arc<KeyStore>,
    /// Maximum number of trails of a region.
    pub(crate) trails_max: usize,
    /// Tells which topics exist; without it, all do.
    pub(crate) topics: Option<TopicCheck>,
}

impl CloudTrail {
    /// Creates the service over a trail.
    pub fn new(trail: &Trail, notifier: Arc<dyn Notifier>, lookup: LookupSettings, trails_max: usize) -> Self {
        let (store, keys) = (Arc::clone(&trail.store), Arc::clone(&trail.keys));
        let destinations = trail.destinations.clone();
        let history = trail.history();
        let throttle = Throttle::default();
        Self { store, destinations, notifier, history, lookup, throttle, keys, trails_max, topics: None }
    }

    /// Refuses topics that do not exist.
    #[must_use]
    pub fn with_topics(self, exists: TopicCheck) -> Self {
        Self { topics: Some(exists), ..self }
    }
}

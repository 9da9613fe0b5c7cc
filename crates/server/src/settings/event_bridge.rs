//! Destinations of events for Amazon EventBridge.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::{Pattern, Region};
use bucket::Secret;
use trail::bus_event::BusSelection;

/// Delivery of events.
#[derive(Clone, Debug)]
pub struct EventBridge {
    /// Destinations by name, besides the file `eventbridge.ndjson` in the data folder. The name keeps the position of a destination.
    pub destinations: BTreeMap<String, BusDestination>,
    /// Whether changes emit events.
    pub changes: bool,
    /// Records of calls that are events, too.
    pub records: BusSelection,
    /// Attempts to send an event before it is given up; 185 as EventBridge's.
    pub attempts: u32,
    /// Age from which an event is not tried again; a day as EventBridge's `MaximumEventAgeInSeconds`.
    pub age_max: Duration,
    /// Time before the second attempt; it doubles with each failure.
    pub first_retry: Duration,
}

/// A destination of events.
#[derive(Clone, Debug)]
pub struct BusDestination {
    /// Where the events go.
    pub target: BusTarget,
    /// The events that it gets.
    pub filter: BusFilter,
}

/// Where events go.
#[derive(Clone, Debug)]
pub enum BusTarget {
    /// URL that gets each event by POST.
    Url(String),
    /// Endpoint that speaks `PutEvents`.
    PutEvents(PutEventsTarget),
}

/// An endpoint that speaks `PutEvents` of Amazon EventBridge.
#[derive(Clone, Debug)]
pub struct PutEventsTarget {
    /// The URL of the endpoint.
    pub url: String,
    /// The name or ARN of the event bus; `None` is the default bus.
    pub bus: Option<String>,
    /// The region of the signature; `None` is that of the events.
    pub region: Option<Region>,
    /// The id and secret of the access key that signs requests; without one, the signature only names the account of the events.
    pub access_key: Option<(String, Secret)>,
    /// The source that replaces `aws.codecommit` and others, as AWS itself refuses sources that begin with `aws.`.
    pub source: Option<String>,
}

/// The events that a destination gets; an empty list stands for all.
#[derive(Clone, Debug, Default)]
pub struct BusFilter {
    /// Patterns of detail types.
    pub detail_types: Vec<Pattern>,
    /// Patterns of events, such as `referenceUpdated`, and of the names of recorded calls.
    pub events: Vec<Pattern>,
    /// Patterns of the names of repositories.
    pub repositories: Vec<Pattern>,
}

impl BusDestination {
    /// Returns the URL that events are sent to.
    pub fn url(&self) -> &str {
        match &self.target {
            BusTarget::Url(url) => url,
            BusTarget::PutEvents(target) => &target.url,
        }
    }
}

impl Default for EventBridge {
    fn default() -> Self {
        Self {
            destinations: BTreeMap::new(),
            changes: true,
            records: BusSelection::default(),
            attempts: 185,
            age_max: Duration::from_hours(24),
            first_retry: Duration::from_secs(1),
        }
    }
}

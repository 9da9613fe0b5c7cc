//! Events of Amazon EventBridge: their form, and the interface to what takes those of a call.

use std::fmt::Debug;

use serde::Serialize;

use crate::Timestamp;

/// An event with its members in AWS's order: the envelope, and the detail that depends on the type.
///
/// The form is that of "Monitoring CodeCommit events" in the CodeCommit user guide.
#[derive(Debug, Serialize)]
pub struct BusEvent<'e, D> {
    version: &'static str,
    /// The id, a UUID.
    pub id: String,
    /// The type of the detail, such as `CodeCommit Repository State Change`.
    #[serde(rename = "detail-type")]
    pub detail_type: &'e str,
    /// The service, such as `aws.codecommit`.
    pub source: &'e str,
    /// The account that the event is for.
    pub account: &'e str,
    time: String,
    /// The region.
    pub region: &'e str,
    /// The ARNs of the resources that the event concerns.
    pub resources: Vec<String>,
    /// The detail.
    pub detail: D,
}

impl<'e, D: Serialize> BusEvent<'e, D> {
    /// Creates an event without resources.
    pub fn new(
        id: String,
        (source, detail_type): (&'e str, &'e str),
        (account, region): (&'e str, &'e str),
        time: Timestamp,
        detail: D,
    ) -> Self {
        Self { version: "0", id, detail_type, source, account, time: time.iso(), region, resources: Vec::new(), detail }
    }

    /// Returns the event as JSON, in one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("the members of events always encode as JSON")
    }
}

/// An event that was committed together with the change that it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedEvent {
    /// Its position in the sequence of all events.
    pub number: i64,
    /// The event as JSON, in one line.
    pub json: String,
}

/// Takes committed events.
pub trait EventSink: Debug + Send + Sync {
    /// Takes events in the order of their numbers, after their commit and before the reply of their call.
    fn take(&self, events: &[CommittedEvent]);
}

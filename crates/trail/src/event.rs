//! What one call leaves to be recorded.

use aws::Failure;
use serde_json::Value;

use crate::NOTHING;

/// The part of a record that the call itself does not know.
#[derive(Clone, Debug)]
pub struct Event {
    /// `eventName`.
    pub name: String,
    /// `eventSource`.
    pub source: &'static str,
    /// `apiVersion`; Git events have none.
    pub api_version: Option<&'static str>,
    /// `readOnly`.
    pub read_only: bool,
    /// `requestParameters`.
    pub request_parameters: Value,
    /// `responseElements`.
    pub response_elements: Value,
    /// `additionalEventData`; left out where it is `null`.
    pub additional_event_data: Value,
    /// `errorCode` and `errorMessage`.
    pub failure: Option<Failure>,
}

impl Event {
    /// Makes an event of a call that only read, took no parameters and succeeded.
    pub fn new(name: impl Into<String>, source: &'static str) -> Self {
        Self {
            name: name.into(),
            source,
            api_version: None,
            read_only: true,
            request_parameters: NOTHING,
            response_elements: NOTHING,
            additional_event_data: NOTHING,
            failure: None,
        }
    }
}

//! Destinations of trigger messages.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

/// Destination of messages for an ARN.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Destination {
    /// URL of an endpoint with AWS's API: topics get `Publish`, functions `Invoke`.
    Endpoint(String),
    /// URL that gets the message itself by POST.
    Url(String),
}

/// Delivery of trigger messages.
#[derive(Clone, Debug)]
pub struct Triggers {
    /// Destinations by the beginnings of ARNs.
    pub destinations: BTreeMap<String, Destination>,
    /// Attempts to send a message before it is given up.
    pub attempts: u32,
    /// Time before the second attempt; it doubles with each failure.
    pub first_retry: Duration,
}

impl Destination {
    /// Returns the URL, for the delivery log.
    pub fn url(&self) -> &str {
        let (Self::Endpoint(url) | Self::Url(url)) = self;
        url
    }
}

impl Triggers {
    /// Finds the destination with the longest beginning of an ARN.
    pub fn destination(&self, arn: &str) -> Option<&Destination> {
        let listed = self.destinations.iter().filter(|(beginning, _)| arn.starts_with(beginning.as_str()));
        listed.max_by_key(|(beginning, _)| beginning.len()).map(|(_, destination)| destination)
    }
}

impl Default for Triggers {
    fn default() -> Self {
        Self { destinations: BTreeMap::new(), attempts: 10, first_retry: Duration::from_secs(1) }
    }
}

//! Git sessions, whatever transport carries them: finds the repository, serves the fetch or push, and records it.
//!
//! A request that fetches, pushes or lists leaves one event: the advertisement without data, a pack with data. Rounds of the
//! negotiation, and empty requests, leave none. A connection of SSH leaves the events that the same command leaves over HTTP.

pub(crate) mod event;
pub(crate) mod fetch;
pub(crate) mod push;
mod session;

use std::sync::Arc;
use std::time::Duration;

use aws::Failure;

use crate::body;
pub(crate) use crate::git_serving::session::Session;

/// The reply of a transport to one request; it is sent once.
pub(crate) trait Reply {
    /// Sends an advertisement.
    fn send_advertisement(&mut self, advertisement: Arc<Vec<u8>>);

    /// Sends a complete reply of the service.
    fn send(&mut self, bytes: Vec<u8>);

    /// Starts a reply of the service; dropping the output ends it.
    fn start(&mut self) -> body::Writer;

    /// Delays what is sent or started after this.
    fn delay(&mut self, delay: Duration);

    /// Refuses the request.
    fn refuse(&mut self, refusal: Refusal);
}

/// The reason why a request is not served.
pub(crate) enum Refusal {
    /// There is no repository of this name in the account and region of the call.
    NoSuchRepository,
    /// The request failed, and this is recorded.
    Failed(Failure),
    /// The request was not served because it could not be recorded.
    NotRecorded(Failure),
    /// The connection is cut on demand.
    Cut,
}

impl Refusal {
    /// Returns the message for clients that need no advice.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::NoSuchRepository => "The repository does not exist.",
            Self::Failed(failure) | Self::NotRecorded(failure) => &failure.message,
            Self::Cut => "The connection is cut.",
        }
    }
}

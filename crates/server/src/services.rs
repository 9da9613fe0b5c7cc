//! The services that speak AWS JSON: targets, operations and the form of failures. Nothing else lists them.

use std::sync::Arc;

use aws::operation::{Reply, Work};
use aws::{Call, Failure};
use codecommit::CodeCommit;
use tagging::Tagging;
use trail::{CloudTrail, Recording};

use crate::state::State;

const CODECOMMIT: trail::Source =
    trail::Source { event_source: codecommit::EVENT_SOURCE, api_version: Some(codecommit::API_VERSION) };

/// A service that speaks AWS JSON.
pub(crate) struct Service {
    /// The part of `X-Amz-Target` before the operation's name.
    target_prefixes: &'static [&'static str],
    /// The service's names in the scope of signatures.
    pub(crate) signing_names: &'static [&'static str],
    /// The member of a failure's body that holds the message.
    pub(crate) message_member: &'static str,
    /// What the operation of a name works on.
    work: fn(&str) -> Option<Work>,
    begin: Begin,
}

/// Begins the operation of a name and its record; `None` if the service has no such operation.
type Begin = fn(&State, &str, &Arc<Call>, Result<&[u8], Failure>) -> Option<Recording<Result<Reply, Failure>>>;

static SERVICES: [Service; 3] = [
    Service {
        target_prefixes: &[codecommit::TARGET_PREFIX],
        signing_names: &["codecommit"],
        message_member: "message",
        work: |name| CodeCommit::operation(name).map(|operation| operation.work),
        begin: codecommit,
    },
    Service {
        target_prefixes: &trail::TARGET_PREFIXES,
        signing_names: &["cloudtrail"],
        message_member: "Message",
        work: |name| CloudTrail::operation(name).map(|operation| operation.work),
        begin: cloudtrail,
    },
    Service {
        target_prefixes: &[tagging::TARGET_PREFIX],
        signing_names: &["tagging"],
        message_member: "Message",
        work: |name| Tagging::operation(name).map(|operation| operation.work),
        begin: tagging,
    },
];

impl Service {
    /// Finds the service and the operation's name of a target such as `CodeCommit_20150413.GetBranch`.
    pub(crate) fn of_target(target: &str) -> Option<(&'static Self, &str)> {
        let (prefix, name) = target.rsplit_once('.')?;
        let service = SERVICES.iter().find(|service| service.target_prefixes.contains(&prefix))?;
        Some((service, name))
    }

    /// Returns the names of all services in the scope of signatures, for a request that names none of them.
    pub(crate) const fn all_signing_names() -> &'static [&'static str] {
        &["codecommit", "cloudtrail", "tagging"]
    }

    /// Returns what the operation of a target works on.
    pub(crate) fn work(target: &str) -> Option<Work> {
        let (service, name) = Self::of_target(target)?;
        (service.work)(name)
    }

    /// Begins an operation and its record; `None` if there is no operation of that name.
    pub(crate) fn begin(
        &self,
        state: &State,
        name: &str,
        call: &Arc<Call>,
        body: Result<&[u8], Failure>,
    ) -> Option<Recording<Result<Reply, Failure>>> {
        (self.begin)(state, name, call, body)
    }
}

fn codecommit(
    state: &State,
    name: &str,
    call: &Arc<Call>,
    body: Result<&[u8], Failure>,
) -> Option<Recording<Result<Reply, Failure>>> {
    let operation = CodeCommit::operation(name)?;
    Some(state.trail.begin(CODECOMMIT, operation, &state.codecommit, call, body))
}

fn cloudtrail(
    state: &State,
    name: &str,
    call: &Arc<Call>,
    body: Result<&[u8], Failure>,
) -> Option<Recording<Result<Reply, Failure>>> {
    let operation = CloudTrail::operation(name)?;
    Some(state.trail.begin(trail::SOURCE, operation, &state.cloudtrail, call, body))
}

fn tagging(
    state: &State,
    name: &str,
    call: &Arc<Call>,
    body: Result<&[u8], Failure>,
) -> Option<Recording<Result<Reply, Failure>>> {
    let operation = Tagging::operation(name)?;
    Some(state.trail.begin(tagging::SOURCE, operation, &state.tagging, call, body))
}

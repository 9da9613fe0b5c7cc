//! The services that speak AWS JSON: targets, operations and the form of failures. Nothing else lists them.

use std::sync::Arc;

use aws::operation::Reply;
use aws::{Call, Failure};
use codecommit::CodeCommit;
use tagging::Tagging;
use trail::CloudTrail;

use crate::state::State;

const CODECOMMIT: trail::Source =
    trail::Source { event_source: codecommit::EVENT_SOURCE, api_version: Some(codecommit::API_VERSION) };

/// A service that speaks AWS JSON.
pub(crate) struct Service {
    /// The part of `X-Amz-Target` before the operation's name.
    target_prefixes: &'static [&'static str],
    /// The member of a failure's body that holds the message.
    pub(crate) message_member: &'static str,
    /// Returns whether an operation can take long.
    takes_long: fn(&str) -> bool,
    run: Run,
}

/// Runs and records an operation; `None` if the service has no operation of that name.
type Run = fn(&State, &str, &Arc<Call>, Result<&[u8], Failure>) -> Option<Result<Reply, Failure>>;

static SERVICES: [Service; 3] = [
    Service { target_prefixes: &[codecommit::TARGET_PREFIX], message_member: "message", takes_long, run: codecommit },
    Service {
        target_prefixes: &trail::TARGET_PREFIXES,
        message_member: "Message",
        takes_long: |_| false,
        run: cloudtrail,
    },
    Service {
        target_prefixes: &[tagging::TARGET_PREFIX],
        message_member: "Message",
        takes_long: |_| false,
        run: tagging,
    },
];

impl Service {
    /// Finds the service and the operation's name of a target such as `CodeCommit_20150413.GetBranch`.
    pub(crate) fn of_target(target: &str) -> Option<(&'static Self, &str)> {
        let (prefix, name) = target.rsplit_once('.')?;
        let service = SERVICES.iter().find(|service| service.target_prefixes.contains(&prefix))?;
        Some((service, name))
    }

    /// Returns whether the operation of a target can take long.
    pub(crate) fn takes_long(target: &str) -> bool {
        Self::of_target(target).is_some_and(|(service, name)| (service.takes_long)(name))
    }

    /// Runs and records an operation; `None` if there is no operation of that name.
    pub(crate) fn run(
        &self,
        state: &State,
        name: &str,
        call: &Arc<Call>,
        body: Result<&[u8], Failure>,
    ) -> Option<Result<Reply, Failure>> {
        (self.run)(state, name, call, body)
    }
}

fn takes_long(name: &str) -> bool {
    CodeCommit::operation(name).is_some_and(|operation| operation.takes_long)
}

fn codecommit(
    state: &State,
    name: &str,
    call: &Arc<Call>,
    body: Result<&[u8], Failure>,
) -> Option<Result<Reply, Failure>> {
    let operation = CodeCommit::operation(name)?;
    Some(state.trail.call(CODECOMMIT, operation, &state.codecommit, call, body))
}

fn cloudtrail(
    state: &State,
    name: &str,
    call: &Arc<Call>,
    body: Result<&[u8], Failure>,
) -> Option<Result<Reply, Failure>> {
    let operation = CloudTrail::operation(name)?;
    Some(state.trail.call(trail::SOURCE, operation, &state.cloudtrail, call, body))
}

fn tagging(
    state: &State,
    name: &str,
    call: &Arc<Call>,
    body: Result<&[u8], Failure>,
) -> Option<Result<Reply, Failure>> {
    let operation = Tagging::operation(name)?;
    Some(state.trail.call(tagging::SOURCE, operation, &state.tagging, call, body))
}

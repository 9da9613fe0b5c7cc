//! The decision about one call.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::{Call, Failure, Fault, FaultInjector};
use serde_json::Value;

use super::rule::{Connection, CountedRule};
use super::subject::Subject;

/// The rules, and what they decide about one call.
#[derive(Debug)]
pub(crate) struct CallFaults {
    rules: Arc<[CountedRule]>,
    begun: OnceLock<Begun>,
    decided: OnceLock<Option<Effect>>,
}

/// An operation that has begun.
#[derive(Debug)]
struct Begun {
    operation: String,
    user: String,
    request_id: String,
    /// The positions of the rules that match the call.
    matching: Vec<usize>,
}

/// What becomes of a call that a rule affects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effect {
    pub(crate) failure: Option<Failure>,
    /// Time by which the reply is late.
    pub(crate) delay: Option<Duration>,
    pub(crate) connection: Option<Connection>,
}

impl CallFaults {
    pub(super) const fn new(rules: Arc<[CountedRule]>) -> Self {
        Self { rules, begun: OnceLock::new(), decided: OnceLock::new() }
    }

    /// Notes a fetch, a push or a change of locks.
    pub(crate) fn begin_git(
        &self,
        call: &Call,
        operation: &str,
        repository: &str,
        references: impl IntoIterator<Item = String>,
    ) {
        self.begin_with(call, operation, &Subject::of_git(repository, references));
    }

    /// Returns what was decided; `None` before that, and for calls that nothing happens to.
    pub(crate) fn effect(&self) -> Option<&Effect> {
        self.decided.get().and_then(Option::as_ref)
    }

    fn begin_with(&self, call: &Call, operation: &str, subject: &Subject) {
        self.begun.get_or_init(|| {
            let user = trail::view::name_of(call.bearer().unwrap_or(&call.caller));
            let is_match = |(_, rule): &(usize, &CountedRule)| rule.matches(operation, &user, subject);
            let matching = self.rules.iter().enumerate().filter(is_match).map(|(position, _)| position).collect();
            Begun { operation: operation.to_owned(), user, request_id: call.request_id().to_owned(), matching }
        });
    }

    /// Counts the call in all rules that match it; the first rule that affects it decides.
    fn count(&self, begun: &Begun) -> Option<Effect> {
        let Begun { operation, user, request_id, matching } = begun;
        let mut effect = None;
        for rule in matching.iter().map(|position| &self.rules[*position]) {
            if rule.count() && effect.is_none() {
                let failure = rule.error(operation).map(|(exception, message)| exception.failure(message));
                effect = Some(Effect { failure, delay: rule.delay(), connection: rule.connection() });
            }
        }
        if let Some(Effect { failure, delay, connection }) = &effect {
            let error = failure.as_ref().map(|failure| failure.name.as_str());
            tracing::info!(operation, user, request_id, error, ?delay, ?connection, "simulate a failure");
        }
        effect
    }
}

impl FaultInjector for CallFaults {
    fn begin(&self, call: &Call, operation: &str, request_parameters: &Value) {
        self.begin_with(call, operation, &Subject::of_input(request_parameters));
    }

    fn decide(&self) -> Option<Fault> {
        let begun = self.begun.get()?;
        let Effect { failure, connection, .. } = self.decided.get_or_init(|| self.count(begun)).as_ref()?;
        match (failure, connection) {
            (Some(failure), _) => Some(Fault::Failure(failure.clone())),
            (None, Some(Connection::CutBefore)) => Some(Fault::NeverArrived),
            (None, _) => None,
        }
    }
}

//! Failures on demand: the rules that make calls fail, late or without a reply, to test clients.
//!
//! **Invariant:** each call that a rule matches is counted once, whether the call comes over the API, from Git or from Git LFS.

mod call_faults;
mod exceptions;
mod rule;
mod subject;

use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::Value;

pub(crate) use call_faults::{CallFaults, Effect};
use rule::CountedRule;
pub use rule::{Connection, FailureOptions, FailureRule};

/// The rules of a server; clients can replace them while it runs.
pub(crate) struct Failures {
    /// The rules of the settings, which a reset sets again.
    initial: Vec<FailureRule>,
    /// `None` without rules, so that calls cost nothing then.
    rules: RwLock<Option<Arc<[CountedRule]>>>,
}

impl Failures {
    pub(crate) fn new(initial: Vec<FailureRule>) -> Self {
        let failures = Self { initial, rules: RwLock::default() };
        failures.reset();
        failures
    }

    /// Returns the decision about a new call; `None` without rules.
    pub(crate) fn of_call(&self) -> Option<Arc<CallFaults>> {
        self.rules.read().clone().map(|rules| Arc::new(CallFaults::new(rules)))
    }

    /// Replaces the rules; their counts start at zero. Calls that have begun are decided by the former rules.
    pub(crate) fn replace(&self, rules: Vec<FailureRule>) {
        let rules: Option<Arc<[CountedRule]>> =
            (!rules.is_empty()).then(|| rules.into_iter().map(CountedRule::new).collect());
        *self.rules.write() = rules;
    }

    /// Sets the rules of the settings again.
    pub(crate) fn reset(&self) {
        self.replace(self.initial.clone());
    }

    /// Lists the rules as JSON, each with the number of calls that it has matched.
    pub(crate) fn list(&self) -> Value {
        let rules = self.rules.read().clone();
        rules.iter().flat_map(|rules| rules.iter()).map(CountedRule::to_json).collect()
    }
}

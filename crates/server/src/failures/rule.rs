//! One rule: which calls it matches, which of them it concerns, and its effects.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::exceptions::{self, Exception};
use super::subject::Subject;
use crate::settings::units;

/// Names of exceptions that an error message lists; a rule for many operations has more.
const NAMES_MAX: usize = 60;

/// A rule that makes calls fail, late or without a reply, checked: its error is one of its operations.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "FailureOptions")]
pub struct FailureRule {
    options: FailureOptions,
    delay: Option<Duration>,
}

/// A rule as the settings file and `PUT /_local/failures` have it. Without a selector, all calls match.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailureOptions {
    /// Pattern of the operation's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// Pattern of the caller's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// Pattern of the name of a repository in the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// Pattern of the name of a reference in the input, in full or without `refs/heads/` or `refs/tags/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Number of first matches that are left alone.
    #[serde(skip_serializing_if = "is_zero")]
    after: u64,
    /// Number of matches that follow and are affected; `None` is all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    /// Name of the exception that the call fails with.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Message of the exception; `None` is that of AWS or a standard one.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// Time by which the reply is late.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<String>,
    /// What becomes of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<Connection>,
}

/// When the connection of a call is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connection {
    /// Before the call has changed anything; it is not recorded.
    CutBefore,
    /// After the call is committed and recorded, before the client has the reply.
    CutAfter,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TryFrom<FailureOptions> for FailureRule {
    type Error = String;

    fn try_from(options: FailureOptions) -> Result<Self, String> {
        let FailureOptions { error, message, delay, connection, .. } = &options;
        if error.is_none() && delay.is_none() && connection.is_none() {
            return Err("the failure has no effect; write error, delay or connection".to_owned());
        }
        if error.is_some() && connection.is_some() {
            return Err("error and connection exclude each other; write one of them".to_owned());
        }
        if error.is_none() && message.is_some() {
            return Err("message: there is no error to have it; write error, too".to_owned());
        }
        if options.times == Some(0) {
            return Err("times is 0; write 1 or more, or leave it out for all matching calls".to_owned());
        }
        let operations = options.operations();
        if operations.is_empty() {
            let name = options.operation.as_deref().unwrap_or_default();
            let examples = "PutFile, GitPush, or a pattern such as Get*";
            return Err(format!("operation: '{name}' matches no operation; write a name such as {examples}"));
        }
        if let Some(error) = error
            && !operations.iter().any(|operation| exceptions::find(operation, error).is_some())
        {
            return Err(unknown_error(error, &operations));
        }
        let delay = delay.as_deref().map(units::duration).transpose().map_err(|error| format!("delay: {error}"))?;
        Ok(Self { options, delay })
    }
}

/// Describes an error that none of the operations has.
fn unknown_error(error: &str, operations: &[&str]) -> String {
    let subject = match operations {
        [operation] => format!("{operation} has no {error}"),
        _ => format!("none of the operations has {error}"),
    };
    let names = exceptions::names_of(operations);
    if names.len() > NAMES_MAX {
        return format!(
            "error: {subject}; write an exception of AWS's API reference, ThrottlingException or InternalFailure"
        );
    }
    format!("error: {subject}; write one of {}", names.join(", "))
}

impl FailureOptions {
    /// Lists the operations that the rule can match.
    fn operations(&self) -> Vec<&'static str> {
        exceptions::operations().filter(|name| matches(self.operation.as_deref(), name)).collect()
    }
}

/// Returns whether a text matches a pattern; without a pattern, every text does.
fn matches(pattern: Option<&str>, text: &str) -> bool {
    pattern.is_none_or(|pattern| Pattern::new(pattern).matches(text))
}

/// A rule in use, and the number of calls that it has matched.
#[derive(Debug)]
pub(crate) struct CountedRule {
    rule: FailureRule,
    matches: AtomicU64,
}

impl CountedRule {
    pub(super) const fn new(rule: FailureRule) -> Self {
        Self { rule, matches: AtomicU64::new(0) }
    }

    /// Returns whether the rule matches a call. A rule with an error matches only operations that have it.
    pub(super) fn matches(&self, operation: &str, user: &str, subject: &Subject) -> bool {
        let FailureOptions { operation: pattern, user: user_pattern, repository, reference, error, .. } =
            &self.rule.options;
        let any = |pattern: &Option<String>, names: &[String]| {
            pattern.is_none() || names.iter().any(|name| matches(pattern.as_deref(), name))
        };
        matches(pattern.as_deref(), operation)
            && matches(user_pattern.as_deref(), user)
            && any(repository, &subject.repositories)
            && any(reference, &subject.references)
            && error.as_ref().is_none_or(|error| exceptions::find(operation, error).is_some())
    }

    /// Counts a call that the rule matches; returns whether it is one that the rule affects.
    pub(super) fn count(&self) -> bool {
        let FailureOptions { after, times, .. } = &self.rule.options;
        let earlier = self.matches.fetch_add(1, Ordering::Relaxed);
        earlier >= *after && times.is_none_or(|times| earlier - after < times)
    }

    /// Returns the exception of an operation, and the message if it is not that of the exception.
    pub(super) fn error(&self, operation: &str) -> Option<(Exception, Option<&str>)> {
        let FailureOptions { error, message, .. } = &self.rule.options;
        Some((exceptions::find(operation, error.as_deref()?)?, message.as_deref()))
    }

    pub(super) const fn delay(&self) -> Option<Duration> {
        self.rule.delay
    }

    pub(super) const fn connection(&self) -> Option<Connection> {
        self.rule.options.connection
    }

    /// Returns the rule as JSON, with the number of matches.
    pub(super) fn to_json(&self) -> Value {
        let mut rule = json!(self.rule.options);
        rule["matches"] = self.matches.load(Ordering::Relaxed).into();
        rule
    }
}

#[cfg(test)]
mod tests;

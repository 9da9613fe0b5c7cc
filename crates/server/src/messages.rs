//! Messages to topics and functions: what triggers tell, and what trails tell of their log files.

mod outcomes;
mod request;

use std::time::Duration;

use ureq::Agent;

pub(crate) use self::outcomes::Outcomes;
use crate::outbox::RETRY_MAX;
use crate::settings::{Destination, Triggers};

/// How long one attempt may take; a server that stops waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a refusal is told, in characters.
const REFUSAL_MAX: usize = 200;

/// A message for an ARN.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) destination: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) text: &'a str,
}

/// Carries messages to where ARNs lead.
pub(crate) struct Messenger {
    settings: Triggers,
    agent: Agent,
}

impl Messenger {
    pub(crate) fn new(settings: Triggers) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .user_agent("codecommit-local")
            .build();
        Self { settings, agent: agent.into() }
    }

    /// Tries to deliver a message, once; one that leads nowhere is there already.
    pub(crate) fn attempt(&self, message: Message<'_>) -> Result<(), String> {
        let Some(destination) = self.settings.destination(message.destination) else { return Ok(()) };
        let request = request::of(&message, destination)?;
        let url = destination.url();
        let mut reply = self.agent.run(request).map_err(|error| format!("{url} cannot be reached: {error}"))?;
        if reply.status().is_success() {
            return Ok(());
        }
        // A reason that cannot be read is none.
        let reason = reply.body_mut().with_config().limit(1 << 20).read_to_string().unwrap_or_default();
        let reason: String = reason.chars().take(REFUSAL_MAX).collect();
        Err(format!("{url} answered {}: {}", reply.status(), reason.trim()))
    }

    /// Returns how long it is until the next attempt after so many failures; `None` if the message is given up.
    pub(crate) fn retry_wait(&self, failures: u32) -> Option<Duration> {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        (failures < self.settings.attempts).then(|| self.settings.first_retry.saturating_mul(doubled).min(RETRY_MAX))
    }

    /// The URL that an ARN leads to, if it leads anywhere.
    pub(crate) fn url(&self, arn: &str) -> Option<&str> {
        self.settings.destination(arn).map(Destination::url)
    }

    /// What has become of a message, in words.
    pub(crate) fn outcome(&self, arn: &str, outcome: &Result<(), String>) -> &'static str {
        match (outcome, self.url(arn)) {
            (Err(_), _) => "given up",
            (Ok(()), Some(_)) => "delivered",
            (Ok(()), None) => "leads nowhere",
        }
    }
}

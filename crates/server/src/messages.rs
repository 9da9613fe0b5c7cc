//! Messages to topics and functions: those of triggers, and the notifications of trails.

mod delivery_log;
mod request;

use std::time::Duration;

use ureq::Agent;
use ureq::http::Request;
use ureq::tls::TlsConfig;

pub(crate) use self::delivery_log::DeliveryLog;
use crate::outbox;
use crate::settings::{Destination, Triggers};

/// Timeout of one attempt; a server that stops waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Limit of a reply, in bytes.
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// Characters of an error reply that are logged.
const ERROR_CHARACTERS_MAX: usize = 200;

/// A message for an ARN.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    pub(crate) destination: &'a str,
    pub(crate) subject: Option<&'a str>,
    pub(crate) text: &'a str,
}

/// Creates the client for messages to other servers.
pub(crate) fn agent(tls: TlsConfig) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .tls_config(tls)
        .timeout_global(Some(TIMEOUT))
        .user_agent("codecommit-local");
    config.build().into()
}

/// Why a request did not succeed.
#[derive(Debug)]
pub(crate) struct ExchangeError {
    /// The status of the reply; `None` if there was none.
    pub(crate) status: Option<u16>,
    pub(crate) reason: String,
}

/// Sends a request and returns the text of a successful reply; reading it lets the connection be used again.
pub(crate) fn exchange(agent: &Agent, url: &str, request: Request<Vec<u8>>) -> Result<String, ExchangeError> {
    let unreachable = |error| ExchangeError { status: None, reason: format!("{url} cannot be reached: {error}") };
    let mut reply = agent.run(request).map_err(unreachable)?;
    // The status says enough if the body cannot be read.
    let text = reply.body_mut().with_config().limit(REPLY_BYTES_MAX).read_to_string().unwrap_or_default();
    if reply.status().is_success() {
        return Ok(text);
    }
    let reason: String = text.chars().take(ERROR_CHARACTERS_MAX).collect();
    let status = Some(reply.status().as_u16());
    Err(ExchangeError { status, reason: format!("{url} answered {}: {}", reply.status(), reason.trim()) })
}

/// Sends messages to the URLs that the settings name for their ARNs.
pub(crate) struct HttpSender {
    settings: Triggers,
    agent: Agent,
}

impl HttpSender {
    pub(crate) fn new(settings: Triggers, tls: TlsConfig) -> Self {
        Self { settings, agent: agent(tls) }
    }

    /// Tries once to send a message; a message to an ARN without a destination succeeds.
    pub(crate) fn send(&self, message: Message<'_>) -> Result<(), String> {
        let Some(destination) = self.settings.destination(message.destination) else { return Ok(()) };
        let request = request::of(&message, destination)?;
        exchange(&self.agent, destination.url(), request).map(drop).map_err(|error| error.reason)
    }

    /// Returns the time until the next attempt after a number of failures; `None` if the message is given up.
    pub(crate) fn retry_delay(&self, failures: u32) -> Option<Duration> {
        (failures < self.settings.attempts).then(|| outbox::backoff(self.settings.first_retry, failures))
    }

    /// Returns the URL that the settings name for an ARN.
    pub(crate) fn url(&self, arn: &str) -> Option<&str> {
        self.settings.destination(arn).map(Destination::url)
    }

    /// Describes the outcome of a message.
    pub(crate) fn outcome(&self, arn: &str, outcome: &Result<(), String>) -> &'static str {
        match (outcome, self.url(arn)) {
            (Err(_), _) => "given up",
            (Ok(()), Some(_)) => "delivered",
            (Ok(()), None) => "leads nowhere",
        }
    }
}

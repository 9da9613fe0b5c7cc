//! Carries one message to where its ARN leads, and writes down in `triggers.ndjson` what became of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use codecommit::trigger::delivery::{self, Delivery};
use serde_json::{Value, json};
use ureq::Agent;

use super::request;
use crate::settings::{Destination, Triggers};

/// How long one attempt may take; a server that stops waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a refusal is told, in characters.
const REFUSAL_MAX: usize = 200;

pub(crate) struct Courier {
    settings: Triggers,
    agent: Agent,
    lines: PathBuf,
    wake: SyncSender<()>,
}

impl Courier {
    /// Makes the courier, and the end at which it is heard that messages wait.
    pub(crate) fn new(lines: PathBuf, settings: Triggers) -> (Self, Receiver<()>) {
        // One call to wake is enough for all that waits.
        let (wake, woken) = sync_channel(1);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .user_agent("codecommit-local")
            .build();
        (Self { settings, agent: agent.into(), lines, wake }, woken)
    }

    pub(super) fn settings(&self) -> &Triggers {
        &self.settings
    }

    /// Tries to deliver a message, once; one that leads nowhere is there already.
    pub(super) fn attempt(&self, delivery: &Delivery) -> Result<(), String> {
        let Some(destination) = self.settings.destination(&delivery.destination) else { return Ok(()) };
        let request = request::of(delivery, destination)?;
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

    /// Writes down what became of a message.
    pub(super) fn note(&self, delivery: &Delivery, outcome: &Result<(), String>) {
        let destination = self.settings.destination(&delivery.destination);
        let message: Value = serde_json::from_str(&delivery.message).unwrap_or_default();
        let line = json!({
            "repository": delivery.repository,
            "trigger": delivery.trigger,
            "destinationArn": delivery.destination,
            "destination": destination.map(Destination::url),
            "outcome": match (outcome, destination) {
                (Err(_), _) => "given up",
                (Ok(()), Some(_)) => "delivered",
                (Ok(()), None) => "leads nowhere",
            },
            "attempts": delivery.attempts,
            "reason": outcome.as_ref().err(),
            "subject": delivery.subject,
            "message": message,
        });
        if let Err(error) = self.append(&format!("{line}\n")) {
            tracing::error!(%error, trigger = delivery.trigger, "triggers.ndjson cannot be written");
        }
    }

    /// Forgets the lines that were written.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match File::options().write(true).open(&self.lines) {
            Ok(file) => file.set_len(0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn append(&self, line: &str) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(&self.lines)?.write_all(line.as_bytes())
    }
}

impl delivery::Courier for Courier {
    fn deliver(&self, delivery: &Delivery) -> Result<(), String> {
        let outcome = self.attempt(delivery);
        self.note(&Delivery { attempts: 1, ..delivery.clone() }, &outcome);
        outcome
    }

    fn wake(&self) {
        // A full channel has been told already, and without the thread nothing is delivered.
        let _ = self.wake.try_send(());
    }
}

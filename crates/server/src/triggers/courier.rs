//! Carries one message to where its ARN leads, and writes down in `triggers.ndjson` what became of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use codecommit::trigger::delivery::{self, Delivery};
use serde_json::{Value, json};

use crate::messages::{Message, Messenger};

pub(crate) struct Courier {
    messenger: Arc<Messenger>,
    lines: PathBuf,
    wake: SyncSender<()>,
}

impl Courier {
    /// Makes the courier, and the end at which it is heard that messages wait.
    pub(crate) fn new(lines: PathBuf, messenger: Arc<Messenger>) -> (Self, Receiver<()>) {
        // One call to wake is enough for all that waits.
        let (wake, woken) = sync_channel(1);
        (Self { messenger, lines, wake }, woken)
    }

    pub(super) fn messenger(&self) -> &Messenger {
        &self.messenger
    }

    /// Tries to deliver a message, once; one that leads nowhere is there already.
    pub(super) fn attempt(&self, delivery: &Delivery) -> Result<(), String> {
        let Delivery { destination, subject, message, .. } = delivery;
        self.messenger.attempt(Message { destination, subject: Some(subject), text: message })
    }

    /// Writes down what became of a message.
    pub(super) fn note(&self, delivery: &Delivery, outcome: &Result<(), String>) {
        let message: Value = serde_json::from_str(&delivery.message).unwrap_or_default();
        let line = json!({
            "repository": delivery.repository,
            "trigger": delivery.trigger,
            "destinationArn": delivery.destination,
            "destination": self.messenger.url(&delivery.destination),
            "outcome": self.messenger.outcome(&delivery.destination, outcome),
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

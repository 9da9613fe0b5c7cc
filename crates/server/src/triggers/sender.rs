//! Sends the message of a trigger, and logs its outcome in `triggers.ndjson`.

use std::io;
use std::sync::Arc;

use codecommit::trigger::delivery::{self, Delivery};
use serde_json::{Value, json};
use worker::Waker;

use crate::messages::{DeliveryLog, HttpSender, Message};

/// Sends the messages of triggers, and wakes the outbox when messages wait in the store.
pub(crate) struct TriggerSender {
    log: DeliveryLog,
    http_sender: Arc<HttpSender>,
    waker: Waker,
}

impl TriggerSender {
    /// Creates the sender; `log` gets the outcome of each message.
    pub(crate) fn new(log: DeliveryLog, http_sender: Arc<HttpSender>) -> Self {
        Self { log, http_sender, waker: Waker::default() }
    }

    pub(super) fn http_sender(&self) -> &HttpSender {
        &self.http_sender
    }

    pub(super) const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Tries once to send a message; a message without a destination succeeds.
    pub(super) fn send(&self, delivery: &Delivery) -> Result<(), String> {
        let Delivery { destination, subject, message, .. } = delivery;
        self.http_sender.send(Message { destination, subject: Some(subject), text: message })
    }

    /// Logs the outcome of a message.
    pub(super) fn log(&self, delivery: &Delivery, outcome: &Result<(), String>) {
        let message: Value = serde_json::from_str(&delivery.message).unwrap_or_default();
        self.log.append(&json!({
            "repository": delivery.repository,
            "trigger": delivery.trigger,
            "destinationArn": delivery.destination,
            "destination": self.http_sender.url(&delivery.destination),
            "outcome": self.http_sender.outcome(&delivery.destination, outcome),
            "attempts": delivery.attempts,
            "reason": outcome.as_ref().err(),
            "subject": delivery.subject,
            "message": message,
        }));
    }

    /// Empties the log.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.log.clear()
    }
}

impl delivery::TriggerSender for TriggerSender {
    fn deliver(&self, delivery: &Delivery) -> Result<(), String> {
        let outcome = self.send(delivery);
        self.log(&Delivery { attempts: 1, ..delivery.clone() }, &outcome);
        outcome
    }
}

impl codecommit::Wake for TriggerSender {
    fn wake(&self) {
        self.waker.wake();
    }
}

//! Carries one message to where its ARN leads, and writes down in `triggers.ndjson` what became of it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use codecommit::trigger::delivery::{self, Delivery};
use serde_json::{Value, json};
use worker::Waker;

use crate::messages::{Message, Messenger, Outcomes};

pub(crate) struct Courier {
    messenger: Arc<Messenger>,
    outcomes: Outcomes,
    waker: Waker,
}

impl Courier {
    /// Makes the courier, who wakes the outbox when messages wait; `outcomes` is the path of the file that tells what became of each.
    pub(crate) const fn new(outcomes: PathBuf, messenger: Arc<Messenger>, waker: Waker) -> Self {
        Self { messenger, outcomes: Outcomes::new(outcomes), waker }
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
        self.outcomes.note(&json!({
            "repository": delivery.repository,
            "trigger": delivery.trigger,
            "destinationArn": delivery.destination,
            "destination": self.messenger.url(&delivery.destination),
            "outcome": self.messenger.outcome(&delivery.destination, outcome),
            "attempts": delivery.attempts,
            "reason": outcome.as_ref().err(),
            "subject": delivery.subject,
            "message": message,
        }));
    }

    /// Forgets what became of messages.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.outcomes.clear()
    }
}

impl delivery::Courier for Courier {
    fn deliver(&self, delivery: &Delivery) -> Result<(), String> {
        let outcome = self.attempt(delivery);
        self.note(&Delivery { attempts: 1, ..delivery.clone() }, &outcome);
        outcome
    }

    fn wake(&self) {
        self.waker.wake();
    }
}

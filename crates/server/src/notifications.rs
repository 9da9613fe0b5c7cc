//! What trails tell topics of their log files.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;

use aws::{Clock, Timestamp};
use serde_json::{Value, json};
use trail::{Notification, Notified, Notifier};

use crate::messages::{Message, Messenger, Outcomes};
use crate::outbox::{Bell, Outbox, Waiting};

/// Lets the trail ring when notifications wait.
pub(crate) struct Ringing(pub(crate) Bell);

/// The outbox of notifications, and what became of them.
pub(crate) struct Notifications {
    outcomes: Outcomes,
    _outbox: Outbox,
}

struct Run {
    waiting: trail::Notifications,
    messenger: Arc<Messenger>,
    clock: Arc<dyn Clock>,
    outcomes: Outcomes,
}

impl Notifier for Ringing {
    fn wake(&self) {
        self.0.ring();
    }
}

impl Notifications {
    /// Starts the outbox; `outcomes` is the path of the file that tells what became of each.
    pub(crate) fn start(
        waiting: trail::Notifications,
        messenger: Arc<Messenger>,
        clock: Arc<dyn Clock>,
        outcomes: PathBuf,
        bell: (Bell, Receiver<()>),
    ) -> io::Result<Self> {
        let outcomes = Outcomes::new(outcomes);
        let run = Run { waiting, messenger, clock, outcomes: outcomes.clone() };
        Ok(Self { outcomes, _outbox: Outbox::start("notifications", run, bell)? })
    }

    /// Forgets what became of them.
    pub(crate) fn clear(&self) -> io::Result<()> {
        self.outcomes.clear()
    }
}

impl Waiting for Run {
    type Error = store::Error;

    fn send_next(&self, _stop: &AtomicBool) -> Result<bool, store::Error> {
        let Some(notification) = self.waiting.due(Timestamp::now())? else { return Ok(false) };
        let notified = self.one(&notification);
        self.waiting.settle(notification.id, notified, self.clock.now())?;
        Ok(true)
    }

    fn next(&self) -> Result<Option<Timestamp>, store::Error> {
        self.waiting.next()
    }
}

impl Run {
    fn one(&self, notification: &Notification) -> Notified {
        let Notification { topic, message, attempts, .. } = notification;
        let attempts = attempts + 1;
        let outcome = self.messenger.attempt(Message { destination: topic, subject: None, text: message });
        if let Err(reason) = &outcome {
            if let Some(time) = self.messenger.again(attempts) {
                tracing::debug!(topic, attempts, reason, "a notification of a trail is tried again later");
                return Notified::Again(reason.clone(), time);
            }
            tracing::warn!(topic, attempts, reason, "a notification of a trail is given up");
        }
        self.outcomes.note(&json!({
            "topicArn": topic,
            "destination": self.messenger.url(topic),
            "outcome": self.messenger.outcome(topic, &outcome),
            "attempts": attempts,
            "reason": outcome.as_ref().err(),
            "message": serde_json::from_str(message).unwrap_or_else(|_| Value::from(message.as_str())),
        }));
        outcome.map_or_else(Notified::GivenUp, |()| Notified::Done)
    }
}

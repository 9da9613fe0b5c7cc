//! What trails tell topics of their log files.

use std::io;
use std::sync::Arc;

use aws::{Clock, Timestamp};
use serde_json::{Value, json};
use trail::{Notification, Notified, Notifier};
use worker::{Stop, Waker, Worker};

use crate::messages::{Message, Messenger, Outcomes};
use crate::outbox::{self, Waiting};

/// Lets the trail wake the outbox when notifications wait.
pub(crate) struct NotifierHandle(pub(crate) Waker);

impl Notifier for NotifierHandle {
    fn wake(&self) {
        self.0.wake();
    }
}

/// Starts the outbox of notifications; `outcomes` tells what became of each.
pub(crate) fn start(
    waiting: trail::Notifications,
    messenger: Arc<Messenger>,
    outcomes: Outcomes,
    clock: Arc<dyn Clock>,
    waker: Waker,
) -> io::Result<Worker> {
    let notifications = Notifications { waiting, messenger, outcomes, clock: Arc::clone(&clock) };
    outbox::start("notifications", waker, clock, notifications)
}

struct Notifications {
    waiting: trail::Notifications,
    messenger: Arc<Messenger>,
    outcomes: Outcomes,
    clock: Arc<dyn Clock>,
}

impl Waiting for Notifications {
    type Error = store::Error;

    fn due(&self) -> Result<Option<Timestamp>, store::Error> {
        self.waiting.next()
    }

    fn send(&self, due: Timestamp, _stop: &Stop) -> Result<(), store::Error> {
        let Some(notification) = self.waiting.due(due)? else { return Ok(()) };
        let notified = self.one(&notification);
        self.waiting.settle(notification.id, notified, self.clock.now())
    }
}

impl Notifications {
    fn one(&self, notification: &Notification) -> Notified {
        let Notification { topic, message, attempts, .. } = notification;
        let attempts = attempts + 1;
        let outcome = self.messenger.attempt(Message { destination: topic, subject: None, text: message });
        if let Err(reason) = &outcome {
            if let Some(wait) = self.messenger.retry_wait(attempts) {
                tracing::debug!(topic, attempts, reason, "a notification of a trail is tried again later");
                return Notified::Again(reason.clone(), outbox::after(&*self.clock, wait));
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

//! The outbox of trails' notifications of their log files.

use std::io;
use std::sync::Arc;

use aws::{Clock, Timestamp};
use cluster::Role;
use serde_json::{Value, json};
use trail::{Notification, Notified, Notifier};
use worker::{Stop, Waker, Worker};

use crate::messages::{DeliveryLog, HttpSender, Message};
use crate::outbox::{self, DeliveryQueue};

/// Lets the trail wake the outbox when notifications wait in the store.
pub(crate) struct NotifierHandle(pub(crate) Waker);

impl Notifier for NotifierHandle {
    fn wake(&self) {
        self.0.wake();
    }
}

/// Starts the outbox; `log` gets the outcome of each notification.
pub(crate) fn start(
    queue: trail::Notifications,
    http_sender: Arc<HttpSender>,
    log: DeliveryLog,
    clock: Arc<dyn Clock>,
    waker: Waker,
    role: &Role,
) -> io::Result<Worker> {
    let notifications = Notifications { queue, http_sender, log, clock: Arc::clone(&clock) };
    outbox::start("notifications", waker, clock, role, notifications)
}

/// The notifications in the store.
struct Notifications {
    queue: trail::Notifications,
    http_sender: Arc<HttpSender>,
    log: DeliveryLog,
    clock: Arc<dyn Clock>,
}

impl DeliveryQueue for Notifications {
    type Error = store::Error;

    fn next_due(&self) -> Result<Option<Timestamp>, store::Error> {
        self.queue.next()
    }

    fn send(&self, due: Timestamp, _stop: &Stop) -> Result<(), store::Error> {
        let Some(notification) = self.queue.due(due)? else { return Ok(()) };
        let notified = self.attempt(&notification);
        self.queue.settle(notification.id, notified, self.clock.machine_time())
    }
}

impl Notifications {
    /// Tries once to send a notification, and decides whether it is tried again.
    fn attempt(&self, notification: &Notification) -> Notified {
        let Notification { topic, message, attempts, .. } = notification;
        let attempts = attempts + 1;
        let outcome = self.http_sender.send(Message { destination: topic, subject: None, text: message });
        if let Err(error) = &outcome {
            if let Some(delay) = self.http_sender.retry_delay(attempts) {
                tracing::debug!(topic, attempts, error, "cannot send a trail's notification; will retry");
                return Notified::Again(error.clone(), outbox::after(&*self.clock, delay));
            }
            tracing::warn!(topic, attempts, error, "gave up a trail's notification");
        }
        self.log.append(&json!({
            "topicArn": topic,
            "destination": self.http_sender.url(topic),
            "outcome": self.http_sender.outcome(topic, &outcome),
            "attempts": attempts,
            "reason": outcome.as_ref().err(),
            "message": serde_json::from_str(message).unwrap_or_else(|_| Value::from(message.as_str())),
        }));
        outcome.map_or_else(Notified::GivenUp, |()| Notified::Done)
    }
}

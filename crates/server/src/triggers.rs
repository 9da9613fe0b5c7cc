//! The outbox of trigger messages: new messages go before those that failed.

mod sender;

use std::io;
use std::sync::Arc;

use aws::{Clock, Timestamp};
use cluster::Role;
use codecommit::trigger::delivery::{Delivery, DeliveryOutcome};
use codecommit::{CodeCommit, Exception};
use worker::{Stop, Worker};

pub(crate) use sender::TriggerSender;

use crate::outbox::{self, DeliveryQueue};

/// Starts the outbox.
pub(crate) fn start(
    codecommit: Arc<CodeCommit>,
    sender: Arc<TriggerSender>,
    clock: Arc<dyn Clock>,
    role: &Role,
) -> io::Result<Worker> {
    let waker = sender.waker().clone();
    let messages = TriggerMessages { codecommit, sender, clock: Arc::clone(&clock) };
    outbox::start("triggers", waker, clock, role, messages)
}

/// The trigger messages in the store.
struct TriggerMessages {
    codecommit: Arc<CodeCommit>,
    sender: Arc<TriggerSender>,
    clock: Arc<dyn Clock>,
}

impl DeliveryQueue for TriggerMessages {
    type Error = Exception;

    fn next_due(&self) -> Result<Option<Timestamp>, Exception> {
        self.codecommit.next_delivery()
    }

    fn send(&self, due: Timestamp, _stop: &Stop) -> Result<(), Exception> {
        let Some(delivery) = self.codecommit.due_delivery(due)? else { return Ok(()) };
        self.codecommit.settle_delivery(delivery.id, self.attempt(delivery))
    }
}

impl TriggerMessages {
    /// Tries once to send a message, and decides whether it is tried again.
    fn attempt(&self, mut delivery: Delivery) -> DeliveryOutcome {
        let outcome = self.sender.send(&delivery);
        delivery.attempts += 1;
        if let Err(error) = &outcome {
            let Delivery { repository, trigger, attempts, .. } = &delivery;
            if let Some(delay) = self.sender.http_sender().retry_delay(*attempts) {
                tracing::debug!(repository, trigger, attempts, error, "cannot send a trigger's message; will retry");
                return DeliveryOutcome::RetryAt(outbox::after(&*self.clock, delay));
            }
            tracing::warn!(repository, trigger, attempts, error, "gave up a trigger's message");
        }
        self.sender.log(&delivery, &outcome);
        DeliveryOutcome::Done
    }
}

//! The delivery of what triggers tell: new messages before those that failed.

mod courier;

use std::io;
use std::sync::Arc;

use aws::{Clock, Timestamp};
use codecommit::trigger::delivery::{Delivery, Settled};
use codecommit::{CodeCommit, Exception};
use worker::{Stop, Waker, Worker};

pub(crate) use courier::Courier;

use crate::outbox::{self, Waiting};

/// Starts the outbox of messages, which the courier carries.
pub(crate) fn start(
    codecommit: Arc<CodeCommit>,
    courier: Arc<Courier>,
    clock: Arc<dyn Clock>,
    waker: Waker,
) -> io::Result<Worker> {
    let messages = Messages { codecommit, courier, clock: Arc::clone(&clock) };
    outbox::start("triggers", waker, clock, messages)
}

struct Messages {
    codecommit: Arc<CodeCommit>,
    courier: Arc<Courier>,
    clock: Arc<dyn Clock>,
}

impl Waiting for Messages {
    type Error = Exception;

    fn due(&self) -> Result<Option<Timestamp>, Exception> {
        self.codecommit.next_delivery()
    }

    fn send(&self, due: Timestamp, _stop: &Stop) -> Result<(), Exception> {
        let Some(delivery) = self.codecommit.due_delivery(due)? else { return Ok(()) };
        self.codecommit.settle_delivery(delivery.id, self.one(delivery))
    }
}

impl Messages {
    fn one(&self, mut delivery: Delivery) -> Settled {
        let outcome = self.courier.attempt(&delivery);
        delivery.attempts += 1;
        if let Err(reason) = &outcome {
            let Delivery { repository, trigger, attempts, .. } = &delivery;
            if let Some(wait) = self.courier.messenger().retry_wait(*attempts) {
                tracing::debug!(repository, trigger, attempts, reason, "a message of a trigger is tried again later");
                return Settled::Again(outbox::after(&*self.clock, wait));
            }
            tracing::warn!(repository, trigger, attempts, reason, "a message of a trigger is given up");
        }
        self.courier.note(&delivery, &outcome);
        Settled::Done
    }
}

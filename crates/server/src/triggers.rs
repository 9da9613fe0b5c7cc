//! The delivery of what triggers tell: new messages before those that failed.

mod courier;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Receiver;

use aws::Timestamp;
use codecommit::trigger::delivery::{Delivery, Settled};
use codecommit::{CodeCommit, Exception};

pub(crate) use courier::Courier;

use crate::outbox::{Bell, Outbox, Waiting};

/// The outbox of messages, and who carries them.
pub(crate) struct Triggers {
    pub(crate) courier: Arc<Courier>,
    _outbox: Outbox,
}

impl Triggers {
    /// Starts the outbox.
    pub(crate) fn start(
        codecommit: Arc<CodeCommit>,
        courier: Arc<Courier>,
        bell: (Bell, Receiver<()>),
    ) -> io::Result<Self> {
        let run = Run { codecommit, courier: Arc::clone(&courier) };
        Ok(Self { courier, _outbox: Outbox::start("triggers", run, bell)? })
    }
}

struct Run {
    codecommit: Arc<CodeCommit>,
    courier: Arc<Courier>,
}

impl Waiting for Run {
    type Error = Exception;

    fn send_next(&self, _stop: &AtomicBool) -> Result<bool, Exception> {
        let Some(delivery) = self.codecommit.due_delivery(Timestamp::now())? else { return Ok(false) };
        self.codecommit.settle_delivery(delivery.id, self.one(delivery))?;
        Ok(true)
    }

    fn next(&self) -> Result<Option<Timestamp>, Exception> {
        self.codecommit.next_delivery()
    }
}

impl Run {
    fn one(&self, mut delivery: Delivery) -> Settled {
        let outcome = self.courier.attempt(&delivery);
        delivery.attempts += 1;
        if let Err(reason) = &outcome {
            let Delivery { repository, trigger, attempts, .. } = &delivery;
            if let Some(time) = self.courier.messenger().again(*attempts) {
                tracing::debug!(repository, trigger, attempts, reason, "a message of a trigger is tried again later");
                return Settled::Again(time);
            }
            tracing::warn!(repository, trigger, attempts, reason, "a message of a trigger is given up");
        }
        self.courier.note(&delivery, &outcome);
        Settled::Done
    }
}

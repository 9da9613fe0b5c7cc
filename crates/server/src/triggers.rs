//! The delivery of what triggers tell, in the background and never in a push's way.
//!
//! **Invariant:** one thread delivers, new messages before those that failed, and it ends before the store is closed; what it has
//! not delivered by then waits in the store.

mod courier;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use aws::Timestamp;
use codecommit::CodeCommit;
use codecommit::trigger::delivery::{Courier as _, Delivery, Settled};

pub(crate) use courier::Courier;

use crate::messages::{WAIT_MAX, until};

/// The thread that delivers; ended by drop.
pub(crate) struct Triggers {
    pub(crate) courier: Arc<Courier>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Triggers {
    /// Starts the thread, which begins with what an earlier run has left.
    pub(crate) fn start(codecommit: Arc<CodeCommit>, courier: Arc<Courier>, woken: Receiver<()>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let run = Run { codecommit, courier: Arc::clone(&courier), stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new().name("triggers".to_owned()).spawn(move || run.all(&woken))?;
        Ok(Self { courier, stop, thread: Some(thread) })
    }
}

impl Drop for Triggers {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.courier.wake();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Run {
    codecommit: Arc<CodeCommit>,
    courier: Arc<Courier>,
    stop: Arc<AtomicBool>,
}

impl Run {
    fn all(&self, woken: &Receiver<()>) {
        while !self.is_stopped() {
            let wait = self.due().unwrap_or_else(|exception| {
                tracing::error!(%exception, "messages of triggers cannot be read or settled; they wait");
                Some(WAIT_MAX)
            });
            let ended = match wait {
                None => woken.recv().is_err(),
                Some(wait) => woken.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected),
            };
            if ended {
                return;
            }
        }
    }

    /// Delivers all that is due, and tells how long it is until the next message is.
    fn due(&self) -> Result<Option<Duration>, codecommit::Exception> {
        while let Some(delivery) = self.codecommit.due_delivery(Timestamp::now())? {
            if self.is_stopped() {
                return Ok(None);
            }
            self.codecommit.settle_delivery(delivery.id, self.one(delivery))?;
        }
        Ok(self.codecommit.next_delivery()?.map(until))
    }

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

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

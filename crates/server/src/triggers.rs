//! The delivery of what triggers tell, in the background and never in a push's way.
//!
//! **Invariant:** one thread delivers, new messages before those that failed, and it ends before the store is closed; what it has
//! not delivered by then waits in the store.

mod courier;
mod request;

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

/// The longest time between two attempts, and until the store is asked again where it failed.
const WAIT_MAX: Duration = Duration::from_mins(5);

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
        let wait = |next: Timestamp| u64::try_from(next.millis() - Timestamp::now().millis()).unwrap_or(0);
        Ok(self.codecommit.next_delivery()?.map(|next| Duration::from_millis(wait(next))))
    }

    fn one(&self, mut delivery: Delivery) -> Settled {
        let outcome = self.courier.attempt(&delivery);
        let settings = self.courier.settings();
        delivery.attempts += 1;
        if let Err(reason) = &outcome {
            let Delivery { repository, trigger, attempts, .. } = &delivery;
            if *attempts < settings.attempts {
                tracing::debug!(repository, trigger, attempts, reason, "a message of a trigger is tried again later");
                return Settled::Again(after(settings.first_retry, *attempts));
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

/// When a message is tried again after so many failures.
fn after(first: Duration, failures: u32) -> Timestamp {
    let wait = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(WAIT_MAX);
    let wait = i64::try_from(wait.as_millis()).expect("the longest wait fits");
    Timestamp::from_millis(Timestamp::now().millis() + wait)
}

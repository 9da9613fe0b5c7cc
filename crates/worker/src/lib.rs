//! A supervised background worker: a thread that runs rounds of work when it is woken and when the work is due.
//!
//! **Invariant:** the thread ends only when its worker is stopped; a round that fails or panics is logged, and another one follows.

#![warn(unreachable_pub)]

#[doc(hidden)]
pub mod faults;
mod signal;
mod supervise;

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

pub use crate::signal::{Stop, Waker};

/// Why a round failed.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Work that is done in rounds.
pub trait Work: Send + 'static {
    /// Does what is due, and returns how long it is until more is due; `None` waits until somebody wakes the worker.
    ///
    /// A round that may take long looks at `stop` from time to time and returns early once it is set.
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error>;

    /// Does what must be done at the end, once, after the last round.
    fn finish(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A running worker; dropping it stops it.
pub struct Worker {
    waker: Waker,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    /// Starts a worker, whose first round runs at once; its thread and its log lines have the name.
    pub fn start(name: &'static str, waker: Waker, work: impl Work) -> io::Result<Self> {
        let work = faults::Faulty::new(work);
        let (thread, of_thread) = (std::thread::Builder::new().name(name.to_owned()), waker.clone());
        let thread = thread.spawn(move || supervise::run(name, &of_thread, work, supervise::FIRST_PAUSE))?;
        Ok(Self { waker, thread: Mutex::new(Some(thread)) })
    }

    /// Returns what wakes the worker.
    pub const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Stops the worker and waits until it has ended; a second stop does nothing.
    pub fn stop(&self) {
        self.waker.stop();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // Panics of the work are caught in the thread, so there is nothing to hear of here.
            drop(thread.join());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

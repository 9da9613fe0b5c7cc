//! Supervised background workers: threads that run rounds of work when they are woken and when work is due.
//!
//! **Invariant:** the thread ends only when its worker is stopped; a round that fails or panics is logged and followed by another.

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

/// The cause of a failed round.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Work in rounds.
pub trait Work: Send + 'static {
    /// Does the work that is due and returns the time until more is due; `None` waits for a wake.
    ///
    /// A long round checks `stop` regularly and returns early once it is set.
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, Error>;

    /// Runs once after the last round.
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
    /// Starts a worker; its first round runs at once. `name` names the thread and is in its log lines.
    pub fn start(name: &'static str, waker: Waker, work: impl Work) -> io::Result<Self> {
        let work = faults::Faulty::new(work);
        let thread_waker = waker.clone();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || supervise::run(name, &thread_waker, work, supervise::FIRST_PAUSE))?;
        Ok(Self { waker, thread: Mutex::new(Some(thread)) })
    }

    /// Returns the waker of the worker.
    pub const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Stops the worker and waits for the end of its thread; a second call does nothing.
    pub fn stop(&self) {
        self.waker.stop();
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // The thread catches the panics of its work, so it never ends with one.
            drop(thread.join());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

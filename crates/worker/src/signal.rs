//! Signals that wake and stop a worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Wakes and stops a worker; clones belong to the same worker.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Signal>);

/// The stop flag of a worker; clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

#[derive(Debug, Default)]
struct Signal {
    is_woken: Mutex<bool>,
    changed: Condvar,
    stop: Stop,
}

impl Stop {
    /// Returns whether the worker must stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the flag, for libraries that take one.
    pub const fn flag(&self) -> &Arc<AtomicBool> {
        &self.0
    }
}

impl Waker {
    /// Requests a round: at once, or after the running one.
    pub fn wake(&self) {
        *self.is_woken() = true;
        self.0.changed.notify_all();
    }

    /// Returns the stop flag.
    pub fn stop_flag(&self) -> &Stop {
        &self.0.stop
    }

    pub(crate) fn stop(&self) {
        // The flag is set under the lock, so that a worker that begins to wait sees it.
        let is_woken = self.is_woken();
        self.0.stop.0.store(true, Ordering::Relaxed);
        self.0.changed.notify_all();
        drop(is_woken);
    }

    /// Waits for a wake, for a stop or for the end of the time.
    pub(crate) fn wait(&self, time: Option<Duration>) {
        self.wait_for(time, |is_woken| is_woken);
        *self.is_woken() = false;
    }

    /// Waits for a stop or for the end of the time; wakes take effect afterwards.
    pub(crate) fn pause(&self, time: Duration) {
        self.wait_for(Some(time), |_is_woken| false);
    }

    fn wait_for(&self, time: Option<Duration>, is_enough: impl Fn(bool) -> bool) {
        // A time beyond the range of the clock never ends.
        let end = time.and_then(|time| Instant::now().checked_add(time));
        let mut is_woken = self.is_woken();
        while !self.0.stop.is_set() && !is_enough(*is_woken) {
            match end {
                None => self.0.changed.wait(&mut is_woken),
                Some(end) if self.0.changed.wait_until(&mut is_woken, end).timed_out() => return,
                Some(_) => {}
            }
        }
    }

    fn is_woken(&self) -> MutexGuard<'_, bool> {
        self.0.is_woken.lock()
    }
}

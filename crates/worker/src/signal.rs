//! How a worker is woken and stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

/// Wakes and stops one worker; clones wake the same one.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<Signal>);

/// Tells whether a worker is to stop; clones tell of the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

#[derive(Debug, Default)]
struct Signal {
    is_woken: Mutex<bool>,
    changed: Condvar,
    stop: Stop,
}

impl Stop {
    /// Tells whether the worker is to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns the flag itself, for libraries that look at one.
    pub const fn flag(&self) -> &Arc<AtomicBool> {
        &self.0
    }
}

impl Waker {
    /// Has the worker run a round: at once, or after the one that runs.
    pub fn wake(&self) {
        *self.is_woken() = true;
        self.0.changed.notify_all();
    }

    /// Returns the flag that a stop sets.
    pub fn stop_flag(&self) -> &Stop {
        &self.0.stop
    }

    pub(crate) fn stop(&self) {
        // Under the lock, so that a worker that is about to wait sees it.
        let is_woken = self.is_woken();
        self.0.stop.0.store(true, Ordering::Relaxed);
        self.0.changed.notify_all();
        drop(is_woken);
    }

    /// Waits until the worker is woken or stopped, or the time is over.
    pub(crate) fn wait(&self, time: Option<Duration>) {
        self.wait_for(time, |is_woken| is_woken);
        *self.is_woken() = false;
    }

    /// Waits until the worker is stopped or the time is over; a wake counts afterwards.
    pub(crate) fn pause(&self, time: Duration) {
        self.wait_for(Some(time), |_is_woken| false);
    }

    fn wait_for(&self, time: Option<Duration>, is_enough: impl Fn(bool) -> bool) {
        // A time that no clock can tell is for ever.
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

//! Outboxes: queues in the store whose entries are sent in the background, so that no request waits for them.
//!
//! **Invariant:** an outbox has one worker in all nodes, by a role, which ends before the store is closed; unsent entries stay in the store.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws::{Clock, Timestamp};
use cluster::Role;
use worker::{Stop, Waker, Work, Worker};

/// Longest time until a failed attempt is repeated.
pub(crate) const RETRY_MAX: Duration = Duration::from_mins(5);

/// A queue of entries to be sent.
pub(crate) trait DeliveryQueue: Send + 'static {
    /// Why the queue cannot be read or updated.
    type Error: Into<worker::Error>;

    /// Returns the time at which the first entry is due; an entry that was never tried is due at time zero.
    fn next_due(&self) -> Result<Option<Timestamp>, Self::Error>;

    /// Sends the first entry that is due at a time; returns early, and keeps the entry, once `stop` is set.
    fn send(&self, due: Timestamp, stop: &Stop) -> Result<(), Self::Error>;
}

/// Starts the worker of an outbox, which begins with the entries that an earlier run or another node left; `name` is the worker's.
pub(crate) fn start(
    name: &'static str,
    waker: Waker,
    clock: Arc<dyn Clock>,
    role: &Role,
    queue: impl DeliveryQueue,
) -> io::Result<Worker> {
    let work = role.work(&waker, Outbox { clock, queue });
    Worker::start(name, waker, work)
}

/// Returns the time after a delay.
pub(crate) fn after(clock: &dyn Clock, delay: Duration) -> Timestamp {
    let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(clock.machine_time().millis().saturating_add(delay))
}

/// Returns the time until the next attempt after a number of failures; it doubles with each.
pub(crate) fn backoff(first_retry: Duration, failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
    first_retry.saturating_mul(factor).min(RETRY_MAX)
}

struct Outbox<Q> {
    clock: Arc<dyn Clock>,
    queue: Q,
}

impl<Q: DeliveryQueue> Work for Outbox<Q> {
    /// Sends all entries that are due.
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        while !stop.is_set() {
            let Some(due) = self.queue.next_due().map_err(Into::into)? else { return Ok(None) };
            let delay = self.delay(due);
            if !delay.is_zero() {
                return Ok(Some(delay));
            }
            self.queue.send(due, stop).map_err(Into::into)?;
        }
        Ok(None)
    }
}

impl<Q> Outbox<Q> {
    /// Returns the time until an entry is due: zero if it is further away than retries are, which only a clock that was set back
    /// can cause.
    fn delay(&self, due: Timestamp) -> Duration {
        // The clock is read only if there is a time to compare, so that new entries are sent whatever the clock shows.
        if due.millis() <= 0 {
            return Duration::ZERO;
        }
        let delay =
            Duration::from_millis(u64::try_from(due.millis() - self.clock.machine_time().millis()).unwrap_or(0));
        if delay > RETRY_MAX { Duration::ZERO } else { delay }
    }
}

#[cfg(test)]
mod tests;

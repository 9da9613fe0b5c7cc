//! Outboxes: what waits in the store is sent in the background, and never in a request's way.
//!
//! **Invariant:** an outbox has one worker, which ends before the store is closed; what it has not sent by then waits in the store.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws::{Clock, Timestamp};
use worker::{Stop, Waker, Work, Worker};

/// The longest time until a failed attempt is repeated.
pub(crate) const RETRY_MAX: Duration = Duration::from_mins(5);

/// What waits to be sent.
pub(crate) trait Waiting: Send + 'static {
    /// Why it cannot be read or settled.
    type Error: Into<worker::Error>;

    /// Returns when the first thing is due; what was never tried is due at time zero.
    fn due(&self) -> Result<Option<Timestamp>, Self::Error>;

    /// Sends the first thing that is due at a time, or gives it up for now once `stop` is set.
    fn send(&self, due: Timestamp, stop: &Stop) -> Result<(), Self::Error>;
}

/// Starts the worker of an outbox, which begins with what an earlier run has left; its name says what it sends.
pub(crate) fn start(
    name: &'static str,
    waker: Waker,
    clock: Arc<dyn Clock>,
    waiting: impl Waiting,
) -> io::Result<Worker> {
    Worker::start(name, waker, Outbox { clock, waiting })
}

/// Returns the time that is so long after now.
pub(crate) fn after(clock: &dyn Clock, wait: Duration) -> Timestamp {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(clock.now().millis().saturating_add(wait))
}

struct Outbox<W> {
    clock: Arc<dyn Clock>,
    waiting: W,
}

impl<W: Waiting> Work for Outbox<W> {
    /// Sends all that is due.
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        while !stop.is_set() {
            let Some(due) = self.waiting.due().map_err(Into::into)? else { return Ok(None) };
            let wait = self.wait(due);
            if !wait.is_zero() {
                return Ok(Some(wait));
            }
            self.waiting.send(due, stop).map_err(Into::into)?;
        }
        Ok(None)
    }
}

impl<W> Outbox<W> {
    /// Returns how long it is until a time; none if a clock that has gone back since set it further away than retries are.
    fn wait(&self, due: Timestamp) -> Duration {
        // The clock is read only if there is a time to compare, so that new things are sent whatever it says.
        if due.millis() <= 0 {
            return Duration::ZERO;
        }
        let wait = Duration::from_millis(u64::try_from(due.millis() - self.clock.now().millis()).unwrap_or(0));
        if wait > RETRY_MAX { Duration::ZERO } else { wait }
    }
}

#[cfg(test)]
mod tests;

//! The loop of a worker: runs rounds and survives their failures and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::{Error, Waker, Work};

/// Pause after the first failure; it doubles with each further failure in a row.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Runs rounds until the worker is stopped, and then finishes.
pub(crate) fn run(name: &str, waker: &Waker, mut work: impl Work, first_pause: Duration) {
    let stop = waker.stop_flag();
    let mut failures = 0;
    while !stop.is_set() {
        match guarded(|| work.round(stop)) {
            Ok(wait) => {
                failures = 0;
                waker.wait(wait);
            }
            Err(error) => {
                tracing::error!(worker = name, %error, "background work failed; will retry");
                waker.pause(pause(first_pause, failures));
                failures += 1;
            }
        }
    }
    if let Err(error) = guarded(|| work.finish()) {
        tracing::error!(worker = name, %error, "cannot finish background work at the stop");
    }
}

/// Turns a panic into a failure; the panic hook has reported its location.
fn guarded<R>(part: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|panic| {
        let reason =
            panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(format!("panic: {}", reason.unwrap_or("no message")).into())
    })
}

/// Returns the pause after a failure that follows `failures` others in a row.
fn pause(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures)).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests;

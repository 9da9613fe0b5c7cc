//! The source of time and of random numbers.
//!
//! **Invariant:** a call reads both once, at its beginning, and everything else takes them from the call. Nothing else reads the
//! system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{ClockPosition, Timestamp};

/// A source of time and of random numbers; tests fix both.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Returns 128 random bits, different each time.
    fn seed(&self) -> u128;

    /// Returns the time and the seed of a call that begins now.
    fn begin_call(&self) -> (Timestamp, u128) {
        (self.now(), self.seed())
    }

    /// Returns the time of the machine, for comparison with times that come from elsewhere, such as the date of a signature.
    fn machine_time(&self) -> Timestamp {
        self.now()
    }

    /// Returns 128 random bits for what is no call, such as the name of a log file.
    ///
    /// Background work takes them at any time, so they have no influence on the seeds of calls.
    fn background_seed(&self) -> u128 {
        self.seed()
    }

    /// Returns the position of a clock whose times or ids repeat; other clocks have none.
    fn position(&self) -> Option<ClockPosition> {
        None
    }

    /// Sets the position, so that the times and ids after it are given again.
    fn set_position(&self, _position: ClockPosition) {}

    /// Creates a UUID (version 4) for what is no call.
    fn id(&self) -> String {
        uuid::Builder::from_random_bytes(self.background_seed().to_be_bytes()).into_uuid().to_string()
    }
}

/// The machine's clock and its source of random numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }

    fn seed(&self) -> u128 {
        uuid::Uuid::new_v4().as_u128()
    }
}

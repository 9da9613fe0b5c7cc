//! The source of time and of random numbers.
//!
//! **Invariant:** a call reads both once, at its beginning, and everything else takes them from the call. Nothing else reads the
//! system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::Timestamp;

/// A source of time and of random numbers; tests fix both.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Returns 128 random bits, different each time.
    fn seed(&self) -> u128;

    /// Creates a UUID (version 4).
    fn id(&self) -> String {
        uuid::Builder::from_random_bytes(self.seed().to_be_bytes()).into_uuid().to_string()
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

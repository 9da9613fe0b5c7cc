//! A clock that tests can foresee.

use std::sync::atomic::{AtomicI64, Ordering};

use aws::{Clock, Timestamp};

/// Starts at 2016-12-14T18:19:14.262Z, and each reading is a second later; ids follow from how many were made.
#[derive(Debug, Default)]
pub struct SteppingClock {
    readings: AtomicI64,
    seeds: AtomicI64,
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_481_739_554_262 + 1_000 * self.readings.fetch_add(1, Ordering::Relaxed))
    }

    fn seed(&self) -> u128 {
        u128::try_from(self.seeds.fetch_add(1, Ordering::Relaxed)).expect("it counts up")
    }
}

//! A clock that tests can foresee.

use std::sync::atomic::{AtomicI64, Ordering};

use aws::{Clock, Timestamp};

/// Starts at 2016-12-14T18:19:14.262Z, and each reading is a second later; ids follow from how many were made.
///
/// The maintenance of repositories reads it whenever it runs, and does not move it: the times of calls can be foreseen.
#[derive(Debug, Default)]
pub struct SteppingClock {
    readings: AtomicI64,
    seeds: AtomicI64,
}

impl SteppingClock {
    /// Sets the clock ahead by so many seconds, or back by so many less than none.
    pub fn advance(&self, seconds: i64) {
        self.readings.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        let step = i64::from(std::thread::current().name() != Some("maintenance"));
        Timestamp::from_millis(1_481_739_554_262 + 1_000 * self.readings.fetch_add(step, Ordering::Relaxed))
    }

    fn seed(&self) -> u128 {
        u128::try_from(self.seeds.fetch_add(1, Ordering::Relaxed)).expect("it counts up")
    }
}

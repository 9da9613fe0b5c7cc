//! A predictable clock.

use std::sync::atomic::{AtomicI64, Ordering};

use aws::{Clock, Timestamp};

/// A clock that starts at 2016-12-14T18:19:14.262Z and advances by a second with each reading; seeds count up.
///
/// Maintenance of repositories runs at any time; its readings do not move the clock, so that the times of calls are predictable.
#[derive(Debug, Default)]
pub struct SteppingClock {
    readings: AtomicI64,
    seeds: AtomicI64,
}

impl SteppingClock {
    /// Moves the clock by a number of seconds; a negative number moves it back.
    pub fn advance(&self, seconds: i64) {
        self.readings.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Returns the numbers of readings and of seeds.
    pub fn position(&self) -> (i64, i64) {
        (self.readings.load(Ordering::Relaxed), self.seeds.load(Ordering::Relaxed))
    }

    /// Sets the numbers of readings and of seeds, so that what follows repeats.
    pub fn set_position(&self, (readings, seeds): (i64, i64)) {
        self.readings.store(readings, Ordering::Relaxed);
        self.seeds.store(seeds, Ordering::Relaxed);
    }
}

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        let step = i64::from(std::thread::current().name() != Some("maintenance"));
        Timestamp::from_millis(1_481_739_554_262 + 1_000 * self.readings.fetch_add(step, Ordering::Relaxed))
    }

    fn seed(&self) -> u128 {
        u128::try_from(self.seeds.fetch_add(1, Ordering::Relaxed)).expect("the count is not negative")
    }
}

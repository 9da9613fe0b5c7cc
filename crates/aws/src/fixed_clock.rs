//! A clock whose times, or ids, or both are the same in each run.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::stable_hash::{fnv1a_128, spread};
use crate::{Clock, SystemClock, Timestamp};

/// What of a clock is fixed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixedClockSettings {
    /// The time of the first call; `None` takes the machine's time for each call.
    pub start: Option<Timestamp>,
    /// The time from one call to the next, if the start is fixed.
    pub step: Duration,
    /// The text that all ids are derived from; `None` takes random ones.
    pub id_seed: Option<String>,
}

/// A clock that starts at a fixed time and advances with each call, and ids that are derived from a text.
///
/// Background work reads the time of the last call, and takes its ids from a sequence of its own.
#[derive(Debug)]
pub struct FixedClock {
    settings: FixedClockSettings,
    calls: AtomicU64,
    seeds: AtomicU64,
    background_seeds: AtomicU64,
}

/// Numbers of calls and of seeds that a [`FixedClock`] has given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ClockPosition {
    calls: u64,
    seeds: u64,
}

impl FixedClock {
    /// Creates a clock before its first call.
    pub const fn new(settings: FixedClockSettings) -> Self {
        let [calls, seeds, background_seeds] = [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
        Self { settings, calls, seeds, background_seeds }
    }

    /// Returns the time of the call with this number; the first is 0.
    fn time(&self, start: Timestamp, call: u64) -> Timestamp {
        let step = u64::try_from(self.settings.step.as_millis()).unwrap_or(u64::MAX);
        start.saturating_add(Duration::from_millis(step.saturating_mul(call)))
    }

    /// Returns a seed of a sequence.
    fn derived(&self, sequence: &str, count: &AtomicU64) -> u128 {
        let number = count.fetch_add(1, Ordering::Relaxed);
        match &self.settings.id_seed {
            Some(text) => spread(fnv1a_128(&format!("{sequence}/{text}")), number),
            None => SystemClock.seed(),
        }
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        let last = self.calls.load(Ordering::Relaxed).saturating_sub(1);
        self.settings.start.map_or_else(|| SystemClock.now(), |start| self.time(start, last))
    }

    fn seed(&self) -> u128 {
        self.derived("call", &self.seeds)
    }

    fn begin_call(&self) -> (Timestamp, u128) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let time = self.settings.start.map_or_else(|| SystemClock.now(), |start| self.time(start, call));
        (time, self.seed())
    }

    fn machine_time(&self) -> Timestamp {
        SystemClock.now()
    }

    fn background_seed(&self) -> u128 {
        self.derived("background", &self.background_seeds)
    }

    fn position(&self) -> Option<ClockPosition> {
        let (calls, seeds) = (self.calls.load(Ordering::Relaxed), self.seeds.load(Ordering::Relaxed));
        Some(ClockPosition { calls, seeds })
    }

    fn set_position(&self, position: ClockPosition) {
        self.calls.store(position.calls, Ordering::Relaxed);
        self.seeds.store(position.seeds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(start: Option<i64>, id_seed: Option<&str>) -> FixedClock {
        FixedClock::new(FixedClockSettings {
            start: start.map(Timestamp::from_millis),
            step: Duration::from_secs(2),
            id_seed: id_seed.map(str::to_owned),
        })
    }

    #[test]
    fn each_call_is_a_step_later_and_nothing_else_moves_the_clock() {
        let clock = clock(Some(500), None);
        assert_eq!(clock.now().millis(), 500);
        assert_eq!(clock.begin_call().0.millis(), 500);
        assert_eq!(clock.begin_call().0.millis(), 2_500);
        assert_eq!((clock.now().millis(), clock.now().millis()), (2_500, 2_500));
        assert!(clock.machine_time().millis() > 1_700_000_000_000);
    }

    #[test]
    fn seeds_repeat_with_the_same_text_whatever_background_work_takes() {
        let (first, second) = (clock(None, Some("lab")), clock(None, Some("lab")));
        let background: Vec<_> = (0..3).map(|_| second.background_seed()).collect();
        let seeds: Vec<_> = (0..3).map(|_| first.begin_call().1).collect();
        assert_eq!(seeds, (0..3).map(|_| second.begin_call().1).collect::<Vec<_>>());
        assert!(background.iter().all(|seed| !seeds.contains(seed)));
        assert_ne!(clock(None, Some("other")).seed(), seeds[0]);
        assert_ne!(clock(None, None).seed(), clock(None, None).seed());
    }

    #[test]
    fn a_position_lets_times_and_seeds_repeat() {
        let clock = clock(Some(0), Some("lab"));
        clock.begin_call();
        let position = clock.position().expect("a fixed clock has a position");
        let call = clock.begin_call();
        clock.seed();
        clock.set_position(position);
        assert_eq!(clock.begin_call(), call);
    }
}

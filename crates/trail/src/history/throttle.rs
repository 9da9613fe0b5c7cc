//! The rate limit of lookups in each account and region.

use std::collections::BTreeMap;

use aws::{Call, Timestamp};
use parking_lot::Mutex;

/// The number of calls in the current second, by account and region.
#[derive(Default)]
pub(crate) struct Throttle(Mutex<BTreeMap<(String, String), Window>>);

struct Window {
    begin: Timestamp,
    calls: u32,
}

impl Throttle {
    /// Counts a call and tells whether it is within the limit; a second begins with the first call after the end of the previous one.
    pub(super) fn admits(&self, call: &Call, per_second: u32) -> bool {
        self.admits_at(call.account.as_str(), call.region.as_str(), call.time, per_second)
    }

    fn admits_at(&self, account: &str, region: &str, time: Timestamp, per_second: u32) -> bool {
        let mut windows = self.0.lock();
        let window = windows.entry((account.to_owned(), region.to_owned())).or_insert(Window { begin: time, calls: 0 });
        if time.millis() >= window.begin.millis() + 1_000 {
            *window = Window { begin: time, calls: 0 };
        }
        window.calls = window.calls.saturating_add(1);
        window.calls <= per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_own_limit_each_second() {
        let throttle = Throttle::default();
        let admitted =
            |region: &str, millis| throttle.admits_at("111122223333", region, Timestamp::from_millis(millis), 2);
        let times = [0, 10, 20, 999, 1_000, 1_001, 1_002, 5_000];
        assert_eq!(times.map(|time| admitted("us-east-1", time)), [true, true, false, false, true, true, false, true]);
        assert!(admitted("us-east-2", 20));
    }
}

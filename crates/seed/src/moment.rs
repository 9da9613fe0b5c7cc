//! Time and ids of the calls of a seed.
//!
//! **Invariant:** both depend on the entry of the seed only, so the same entry gives the same ids each time.

use aws::{Clock, Timestamp, stable_hash};

/// The clock of one call.
pub(crate) struct Moment {
    time: Timestamp,
    seed: u128,
}

impl Moment {
    /// Creates the clock of the call with a key that no other call of the seed has.
    pub(crate) fn new(time: Timestamp, key: &str) -> Self {
        Self { time, seed: stable_hash::fnv1a_128(key) }
    }
}

impl Clock for Moment {
    fn now(&self) -> Timestamp {
        self.time
    }

    fn seed(&self) -> u128 {
        self.seed
    }
}

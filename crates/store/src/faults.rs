//! Failures injected by tests, to check the effects of a failure of each statement of a call.

use std::sync::atomic::{AtomicU64, Ordering};

/// The injected failure: the number of statements until the one that fails, or 0 for none.
#[derive(Default)]
pub(crate) struct Faults(AtomicU64);

impl Faults {
    /// Injects a failure into the statement with this number from now on, or none for 0. Returns the count that was left before.
    pub(crate) fn inject(&self, number: u64) -> u64 {
        self.0.swap(number, Ordering::SeqCst)
    }

    /// Counts a statement; returns whether it must fail.
    pub(crate) fn is_due(&self) -> bool {
        // Without an injected failure, a statement costs one relaxed load.
        if self.0.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let counted = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        counted == Ok(1)
    }
}

//! Failures that tests order, so that each statement of a call can be seen to fail.

use std::sync::atomic::{AtomicU64, Ordering};

/// The failure that is ordered: the number of the statement from now on, or 0 for none.
#[derive(Default)]
pub(crate) struct Faults(AtomicU64);

impl Faults {
    /// Orders that the statement of this number fails; 0 takes the order back. Returns what was left of the last order.
    pub(crate) fn order(&self, number: u64) -> u64 {
        self.0.swap(number, Ordering::SeqCst)
    }

    /// Counts a statement; returns whether it is the one that is to fail.
    pub(crate) fn is_due(&self) -> bool {
        // What nobody orders costs no more than this.
        if self.0.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let counted = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        counted == Ok(1)
    }
}

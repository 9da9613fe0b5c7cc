//! How much a merge may cost.

use std::time::{Duration, Instant};

use super::MergeError;

/// How much a merge may cost before it is given up.
#[derive(Debug, Clone, Copy)]
pub struct MergeLimits {
    /// How long it may take.
    pub time: Duration,
    /// How many bytes of files it may read.
    pub content_bytes_max: u64,
    /// How many entries of trees it may compare.
    pub items_max: usize,
}

impl Default for MergeLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), content_bytes_max: 1 << 30, items_max: 1_000_000 }
    }
}

/// What is left of the limits.
pub(super) struct Budget {
    until: Option<Instant>,
    bytes: u64,
    items: usize,
}

impl Budget {
    pub(super) fn new(limits: &MergeLimits) -> Self {
        // A time that no clock reaches is no limit.
        let until = Instant::now().checked_add(limits.time);
        Self { until, bytes: limits.content_bytes_max, items: limits.items_max }
    }

    pub(super) fn time(&self) -> Result<(), MergeError> {
        if self.until.is_some_and(|until| Instant::now() >= until) { Err(MergeError::Time) } else { Ok(()) }
    }

    pub(super) fn item(&mut self) -> Result<(), MergeError> {
        self.items = self.items.checked_sub(1).ok_or(MergeError::Items)?;
        self.time()
    }

    pub(super) fn content(&mut self, bytes: u64) -> Result<(), MergeError> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(MergeError::Content)?;
        self.time()
    }
}

//! How much a merge may cost.

use std::time::Duration;

use super::MergeError;
use crate::Interrupt;

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
        Self { time: Duration::from_secs(30), content_bytes_max: 1 << 30, items_max: 250_000 }
    }
}

/// The length of the paths of so many items as may be compared, in bytes for each of them on the average.
const PATH_BYTES_MAX: usize = 256;

/// What is left of the limits.
pub(super) struct Budget {
    /// Ends the merge when its time is up.
    interrupt: Interrupt,
    bytes: u64,
    items: usize,
    path_bytes: usize,
}

impl Budget {
    pub(super) fn new(limits: &MergeLimits, interrupt: Interrupt) -> Self {
        let path_bytes = limits.items_max.saturating_mul(PATH_BYTES_MAX);
        Self { interrupt, bytes: limits.content_bytes_max, items: limits.items_max, path_bytes }
    }

    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    pub(super) fn time(&self) -> Result<(), MergeError> {
        Ok(self.interrupt.check()?)
    }

    /// Counts an entry whose path is that long.
    pub(super) fn item(&mut self, path_bytes: usize) -> Result<(), MergeError> {
        self.items = self.items.checked_sub(1).ok_or(MergeError::Items)?;
        self.path_bytes = self.path_bytes.checked_sub(path_bytes).ok_or(MergeError::Items)?;
        self.time()
    }

    pub(super) fn content(&mut self, bytes: u64) -> Result<(), MergeError> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(MergeError::Content)?;
        self.time()
    }
}

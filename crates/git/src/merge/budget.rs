//! The limits of a merge.

use std::time::Duration;

use super::MergeError;
use crate::Interrupt;

/// The limits beyond which a merge fails.
#[derive(Debug, Clone, Copy)]
pub struct MergeLimits {
    /// The maximum duration.
    pub time: Duration,
    /// The maximum size of the files to read, in bytes.
    pub content_bytes_max: u64,
    /// The maximum number of tree entries to compare.
    pub items_max: usize,
}

impl Default for MergeLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(30), content_bytes_max: 1 << 30, items_max: 250_000 }
    }
}

/// The maximum average length of the paths of entries, in bytes.
const PATH_BYTES_MAX: usize = 256;

/// The remaining part of the limits.
pub(super) struct Budget {
    /// Ends the merge at its time limit.
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

    /// Fails if the time limit is exceeded or the merge is interrupted.
    pub(super) fn time(&self) -> Result<(), MergeError> {
        Ok(self.interrupt.check()?)
    }

    /// Counts an entry with a path of that length.
    pub(super) fn item(&mut self, path_bytes: usize) -> Result<(), MergeError> {
        self.items = self.items.checked_sub(1).ok_or(MergeError::Items)?;
        self.path_bytes = self.path_bytes.checked_sub(path_bytes).ok_or(MergeError::Items)?;
        self.time()
    }

    /// Counts the bytes of a file.
    pub(super) fn content(&mut self, bytes: u64) -> Result<(), MergeError> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(MergeError::Content)?;
        self.time()
    }
}

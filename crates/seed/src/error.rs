//! Faults of a seed: the file, line or entry, the reason, and what to do.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Why a seed cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of the seed has a fault.
    #[error("cannot use the seed: '{}': {reason}", path.display())]
    Path {
        /// The file or folder.
        path: PathBuf,
        /// The reason, and what to do.
        reason: String,
    },
    /// A line of `seed.toml` has a fault.
    #[error("cannot use the seed: '{}' line {line}: {reason}", path.display())]
    Line {
        /// The path of the file.
        path: PathBuf,
        /// The line; the first is 1.
        line: usize,
        /// The reason, and what to do.
        reason: String,
    },
    /// An earlier start ended while it applied a seed, and this start has none.
    #[error(
        "the data folder holds a part of a seed, because an earlier start ended while it applied the seed; start again with the same \
         --seed, which begins anew, or remove the data folder"
    )]
    Unfinished,
    /// The objects of repositories that a reset removed are still in use.
    #[error("requests still use repositories that the reset removed; reset again when they have ended")]
    InUse,
    /// The database failed.
    #[error("cannot apply the seed: {0}")]
    Store(#[from] store::Error),
    /// The state from before the seed could not be restored after another fault.
    #[error("{fault}; and what was already applied cannot be removed: {reason}; remove the data folder")]
    NotRemoved {
        /// The fault of the seed.
        fault: Box<Self>,
        /// Why the removal failed.
        reason: String,
    },
}

impl Error {
    /// Creates the fault of a file or folder.
    pub(crate) fn path(path: &Path, reason: impl Display) -> Self {
        Self::Path { path: path.to_owned(), reason: reason.to_string() }
    }
}

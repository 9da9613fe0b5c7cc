//! What can go wrong with the database: which file, why, and what to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// A failure of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused a statement or the file.
    #[error("the database {} failed: {reason}{}", file.display(), cause.advice())]
    Database {
        /// The database file.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
        /// What kind of failure it is.
        cause: Cause,
    },
    /// The transaction's closure panicked; nothing of it was kept.
    #[error("a transaction panicked and was rolled back")]
    Panicked,
    /// The transaction that this change was a part of failed, so nothing of it was kept.
    #[error("the transaction was not committed: {0}")]
    NotCommitted(Arc<Error>),
    /// The file, or the write-ahead log beside it, is not at its path any more, so what is written to it would be lost.
    #[error(
        "the database file {} was removed or replaced while it was in use; stop the server, put the file back, and start it again",
        .0.display()
    )]
    Gone(PathBuf),
    /// A value in the database is not what only we write there.
    #[error("the database holds a value that makes no sense: {0}")]
    Damaged(&'static str),
    /// The file was written by a newer version of the program.
    #[error("{} was written by a newer version of this program; use that version, or another data folder", .0.display())]
    TooNew(PathBuf),
}

/// Kinds of failures of a database, for each of which there is something else to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The disk is full.
    DiskFull,
    /// Another process holds the write lock.
    Locked,
    /// The file is not a database, or damaged.
    Damaged,
    /// The file cannot be opened or written.
    NoAccess,
    /// Anything else.
    Other,
}

impl Cause {
    fn of(error: &rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => Self::NoAccess,
            _ => Self::Other,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::DiskFull => "; free some space on its disk",
            Self::Locked => "; another process holds its write lock: end that process, or have it commit",
            Self::Damaged => {
                "; the file is damaged: restore it from a copy, or move it and the files beside it away to begin anew"
            }
            Self::NoAccess => "; check that its folder exists and that this user may write to the folder and the file",
            Self::Other => "",
        }
    }
}

impl Error {
    /// Says what happened without paths and SQL, which are no business of clients.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Database { cause: Cause::DiskFull, .. } => "the disk of the database is full",
            Self::Database { cause: Cause::Locked, .. } => "another process has locked the database",
            Self::Database { cause: Cause::Damaged, .. } | Self::Damaged(_) => "the database is damaged",
            Self::Database { cause: Cause::NoAccess, .. } => "the database file cannot be opened or written",
            Self::Gone(_) => "the database file was removed or replaced while the server was using it",
            Self::NotCommitted(error) => error.summary(),
            _ => "the database failed",
        }
    }

    pub(crate) fn database(file: &Path, error: &rusqlite::Error) -> Self {
        Self::Database { file: file.to_owned(), reason: error.to_string(), cause: Cause::of(error) }
    }
}

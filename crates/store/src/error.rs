//! Errors of the database: the file, the cause and the remedy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// A failure of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused a statement or the file.
    #[error("the database '{}' failed: {reason}{}", file.display(), cause.advice())]
    Database {
        /// The database file.
        file: PathBuf,
        /// The message of SQLite.
        reason: String,
        /// The kind of failure.
        cause: Cause,
    },
    /// The closure of the transaction panicked; the transaction was rolled back.
    #[error("a transaction panicked and was rolled back")]
    Panicked,
    /// The transaction of this change failed and was rolled back.
    #[error("the transaction was not committed: {0}")]
    NotCommitted(Arc<Error>),
    /// The file or its write-ahead log was removed or replaced, so that writes to it would be lost.
    #[error(
        "the database file '{}' was removed or replaced while it was in use; stop the server, put the file back, and start it again",
        .0.display()
    )]
    Gone(PathBuf),
    /// The database holds a value that this program never writes.
    #[error("the database holds an invalid value: {0}; restore the file from a copy")]
    Damaged(&'static str),
    /// The program refused to commit a change of its own.
    #[error("the change was not committed: {0}")]
    Refused(&'static str),
    /// The file was written by a newer version of the program.
    #[error("the database '{}' was written by a newer version of this program; use that version, or choose another folder with --data-dir", .0.display())]
    TooNew(PathBuf),
}

/// Kinds of database failures with different remedies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The disk is full.
    DiskFull,
    /// Another process holds the write lock.
    Locked,
    /// The file is damaged or not a database.
    Damaged,
    /// The file cannot be opened or written.
    NoAccess,
    /// Any other failure.
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
            Self::DiskFull => "; free space on its disk",
            Self::Locked => "; another process holds its write lock: stop that process",
            Self::Damaged => {
                "; the file is damaged: restore it from a copy, or move it and the files beside it away to start with an empty database"
            }
            Self::NoAccess => "; check that its folder exists and that this user can write to the folder and the file",
            Self::Other => "",
        }
    }
}

impl Error {
    /// Returns a description for clients, without paths and SQL.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Database { cause: Cause::DiskFull, .. } => "the disk of the database is full",
            Self::Database { cause: Cause::Locked, .. } => "another process has locked the database",
            Self::Database { cause: Cause::Damaged, .. } | Self::Damaged(_) => "the database is damaged",
            Self::Database { cause: Cause::NoAccess, .. } => "the database file cannot be opened or written",
            Self::Gone(_) => "the database file was removed or replaced while the server was using it",
            Self::NotCommitted(error) => error.summary(),
            Self::Refused(reason) => reason,
            _ => "the database failed",
        }
    }

    pub(crate) fn database(file: &Path, error: &rusqlite::Error) -> Self {
        Self::Database { file: file.to_owned(), reason: error.to_string(), cause: Cause::of(error) }
    }
}

//! Errors of the database: the file, the cause and the remedy.

use std::path::PathBuf;
use std::sync::Arc;

/// A failure of the store.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The database refused a statement, or cannot be used.
    #[error("the database '{database}' failed: {reason}{}", cause.advice())]
    Database {
        /// The database file, or the URL of the server without a password.
        database: String,
        /// The message of the database.
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
    /// The database was written by a newer version of the program.
    #[error(
        "the database '{database}' was written by a newer version of this program; use that version, or choose another {setting}"
    )]
    TooNew {
        /// The database file, or the URL of the server without a password.
        database: String,
        /// What chooses another database.
        setting: &'static str,
    },
    /// Servers run that cannot use the database after a step of a migration.
    #[error(
        "the servers {servers} on the same database have an older version, which cannot use it after this one; stop them first"
    )]
    OlderServers {
        /// Their names.
        servers: String,
    },
    /// The connection was lost before the database committed.
    #[error("the connection to the database was lost before the commit")]
    Lost,
    /// The connection was lost during a commit, and the database could not be asked for its result.
    #[error(
        "the connection to the database was lost during a commit, and the result is unknown: {0}; look at the records of the calls before you repeat them"
    )]
    Unknown(Arc<Error>),
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
    /// The server cannot be reached, or ended the connection.
    Unreachable,
    /// The server refuses this user, or has no such database or schema.
    Refused,
    /// The server ended a statement because of its time, or because others held a lock for too long.
    TimedOut,
    /// Any other failure.
    Other,
}

impl Cause {
    const fn advice(self) -> &'static str {
        match self {
            Self::DiskFull => "; free space on its disk",
            Self::Locked => "; another process holds its write lock: stop that process",
            Self::Damaged => {
                "; the file is damaged: restore it from a copy, or move it and the files beside it away to start with an empty database"
            }
            Self::NoAccess => "; check that its folder exists and that this user can write to the folder and the file",
            Self::Unreachable => {
                "; check that the server runs and that --database names it; the next call connects again"
            }
            Self::Refused => {
                "; check the user, the password, the database, the schema and the certificate that --database names"
            }
            Self::TimedOut => "; look for what keeps the server busy or holds locks",
            Self::Other => "",
        }
    }
}

impl Error {
    /// Returns whether it is unknown whether a change was committed.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::NotCommitted(error) => error.is_unknown(),
            _ => false,
        }
    }

    /// Returns a description for clients, without paths and SQL.
    pub fn summary(&self) -> &'static str {
        match self {
            Self::Database { cause: Cause::DiskFull, .. } => "the disk of the database is full",
            Self::Database { cause: Cause::Locked, .. } => "another process has locked the database",
            Self::Database { cause: Cause::Damaged, .. } | Self::Damaged(_) => "the database is damaged",
            Self::Database { cause: Cause::NoAccess, .. } => "the database file cannot be opened or written",
            Self::Gone(_) => "the database file was removed or replaced while the server was using it",
            Self::Database { cause: Cause::Unreachable, .. } | Self::Lost => "the database cannot be reached",
            Self::Database { cause: Cause::Refused, .. } => "the database refuses the server",
            Self::Database { cause: Cause::TimedOut, .. } => "the database took too long",
            Self::Unknown(_) => "the connection to the database was lost during the commit",
            Self::NotCommitted(error) => error.summary(),
            Self::Refused(reason) => reason,
            _ => "the database failed",
        }
    }
}

//! The engine on a server: PostgreSQL, with a schema as the database.
//!
//! How it differs from SQLite, and why:
//! - Statements wait for the network. Whoever needs an answer sends and receives on the connection itself (`driver.rs`, `socket.rs`): a
//!   change of threads takes longer than a short statement. There is no runtime in it, so a statement can run on any thread, even on one of
//!   a runtime, whose own `block_on` would panic there. The servers' end of an idle connection is noticed before its next use.
//! - A thread commits (`writer/committer.rs`), because a commit takes some round trips that no task may wait for. Those who read wait on
//!   their own threads; at most `READERS_MAX` connections read, as each is a process of the server.
//! - One transaction writes at a time, in all processes that use the schema: each begins with an advisory lock whose key is made of the
//!   schema's name. It is let go after the commit is visible. So all that a change reads is still true when it commits, as with SQLite, and
//!   numbers are without gaps in the order of commits ([`crate::NumberedTable`]). Writers are READ COMMITTED: with a snapshot that is taken
//!   while waiting for the lock, they would work on the past. Readers are REPEATABLE READ READ ONLY.
//! - Statements without an interesting answer are sent without waiting for it: BEGIN with the lock, savepoints, [`crate::Transaction::note`],
//!   ROLLBACK. A savepoint is sent with the first statement in it, so a change that only leaves a record sends none.
//! - The rows of a [`crate::NumberedTable`] wait until the commit, and are inserted with one statement. They are inserted earlier when a
//!   statement names their table, and before a savepoint, which could otherwise roll back rows of earlier changes.
//! - After a failed statement the server ignores all others until the savepoint is rolled back. So a change with a failed statement fails,
//!   even if it returned `Ok`; further statements of it get the first error and are not sent.
//! - A commit whose answer was lost is looked up (`receipt.rs`): a number that the transaction itself has written. `pg_xact_status` is no
//!   help, as numbers of transactions that a crash lost are given again.
//! - The schema's statements are translated by words (`dialect.rs`), and parameters have the types of their values: `?1` is `$1`.
//! - No statement may begin or end a transaction, and nothing else ends one but an error or the loss of the connection.

mod connection;
mod connector;
mod dialect;
mod driver;
mod error;
mod numbered_rows;
mod receipt;
mod settings;
mod socket;
mod statements;
mod statistics;
#[cfg(test)]
pub(crate) mod tests;
mod tls;
mod values;

pub(crate) use self::connection::Connection;
pub(crate) use self::connector::Connector;
pub(crate) use self::error::failure;
pub(crate) use self::receipt::{FIND_RECEIPT, Receipt};
pub use self::settings::{ServerSettings, SettingsError};
pub(crate) use self::statistics::analyze_new_tables;
pub(crate) use self::values::{FromColumn, owned};

/// An expression of the server's time, in milliseconds since 1970; it goes on during a transaction.
pub const SERVER_TIME: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Maximum number of connections that read at the same time; each is a process of the server, whose default limit is 100.
pub(crate) const READERS_MAX: usize = 16;

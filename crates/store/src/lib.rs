//! What is remembered: transactions over SQL.
//!
//! One connection writes, many transactions to a commit; readers see the last commit and never wait for it.
//! **Invariant:** nothing here knows what is stored.

mod reader;
pub mod transaction;
pub mod value;
mod writer;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::reader::Readers;
pub use crate::transaction::Transaction;
pub use crate::value::{Row, Value};
use crate::writer::Writer;

/// A failure of the store: the disk is full, the file is damaged, a statement is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused.
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The transaction's closure panicked; nothing of it was kept.
    #[error("a transaction panicked")]
    Panicked,
    /// The commit failed, so nothing was kept.
    #[error("the commit failed; the log says why")]
    NotCommitted,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// A value in the database is not what only we write there.
    #[error("the database holds a value that makes no sense: {0}")]
    Damaged(&'static str),
    /// The file was written by a newer version of the program.
    #[error("{0} was written by a newer version of this program; use that version, or another data folder")]
    TooNew(PathBuf),
}

/// How much of what was acknowledged survives what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It survives the death of the process.
    Normal,
    /// It survives the loss of power too.
    Full,
}

/// A database in one file, shared by all threads.
pub struct Store {
    writer: Writer,
    readers: Readers,
}

impl Store {
    /// Opens the database, making the file if it is not there.
    ///
    /// What is in it is nobody else's: only its owner can read the file.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, Error> {
        // Where this fails the file is there already, or opening it tells why.
        drop(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
        let connection = Connection::open(path)?;
        if durability == Durability::Normal {
            // An empty database need not survive the loss of power, and syncing it is most of a first start.
            connection.pragma_update(None, "synchronous", "OFF")?;
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let synchronous = match durability {
            Durability::Normal => "NORMAL",
            Durability::Full => "FULL",
        };
        connection.pragma_update(None, "synchronous", synchronous)?;
        prepare(&connection)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let path = path.to_owned();
        let readers = Readers::new(move || {
            let connection = Connection::open_with_flags(&path, flags)?;
            prepare(&connection)?;
            Ok(connection)
        });
        Ok(Self { writer: Writer::new(connection), readers })
    }

    /// Brings a crate's tables up to date: step N of `steps` runs once in a database's life, in order.
    pub fn migrate(&self, owner: &'static str, steps: &'static [&'static str]) -> Result<(), Error> {
        self.write(move |transaction| {
            transaction.execute(
                "CREATE TABLE IF NOT EXISTS migrations (owner TEXT PRIMARY KEY, steps INTEGER NOT NULL)",
                &[],
            )?;
            let done = transaction
                .query("SELECT steps FROM migrations WHERE owner = ?1", &[owner.into()], |row| row.integer(0))?
                .pop()
                .unwrap_or(0);
            let done = usize::try_from(done).unwrap_or(0);
            if done > steps.len() {
                return Err(Error::TooNew(transaction.path()));
            }
            for step in &steps[done..] {
                transaction.execute_all(step)?;
            }
            let steps = i64::try_from(steps.len()).expect("a crate has few steps");
            transaction.execute(
                "INSERT INTO migrations (owner, steps) VALUES (?1, ?2) ON CONFLICT (owner) DO UPDATE SET steps = ?2",
                &[owner.into(), steps.into()],
            )?;
            Ok(())
        })?
    }

    /// Runs a closure in a transaction of its own and returns once it is committed.
    ///
    /// What the closure changed is kept whatever it returns: it says itself what must not be, by
    /// [`Transaction::savepoint`]. If it panics, nothing is kept. Others wait while it runs, and it may run on another
    /// thread, so it must be short: everything slow belongs before it.
    pub fn write<R: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> R + Send + 'static,
    ) -> Result<R, Error> {
        self.writer.run(change)
    }

    /// Runs a closure that only reads, on a snapshot of the last commit.
    pub fn read<R, E: From<Error>>(&self, query: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        self.readers.run(query)
    }
}

/// Settings that every connection needs.
fn prepare(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

#[cfg(test)]
mod tests;

//! What is remembered: transactions over SQL.
//!
//! One connection writes, many transactions to a commit; readers see the last commit and never wait for it.
//! **Invariant:** nothing here knows what is stored.

#![warn(unreachable_pub)]

mod error;
mod faults;
mod presence;
mod reader;
pub mod transaction;
pub mod value;
mod writer;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use crate::error::{Cause, Error};
use crate::faults::Faults;
use crate::reader::Readers;
pub use crate::transaction::Transaction;
pub use crate::value::{Row, Value};
use crate::writer::Writer;

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
    faults: Arc<Faults>,
}

impl Store {
    /// Opens the database, making the file if it is not there.
    ///
    /// What is in it is nobody else's: only its owner can read the file.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, Error> {
        // Where this fails the file is there already, or opening it tells why.
        drop(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
        let (file, faults): (Arc<Path>, _) = (path.into(), Arc::<Faults>::default());
        let open_writer = {
            let (file, faults) = (Arc::clone(&file), Arc::clone(&faults));
            move || {
                let connection = open_to_write(&file, durability).map_err(|error| Error::database(&file, &error))?;
                Ok(Transaction::over(connection, Arc::clone(&file), Arc::clone(&faults)))
            }
        };
        let readers_faults = Arc::clone(&faults);
        let open_reader = move || {
            let connection = open_to_read(&file).map_err(|error| Error::database(&file, &error))?;
            Ok(Transaction::over(connection, Arc::clone(&file), Arc::clone(&readers_faults)))
        };
        Ok(Self { writer: Writer::open(open_writer)?, readers: Readers::new(open_reader), faults })
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
                return Err(Error::TooNew(transaction.file().to_path_buf()));
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
        })
    }

    /// Runs a closure in a transaction of its own and returns once it is committed.
    ///
    /// If the closure returns an error or panics, all that it did is rolled back, and what it noted by
    /// [`Transaction::after_commit`] is not done. Others wait while it runs, and it may run on another thread, so it must be
    /// short: everything slow belongs before it.
    pub fn write<R: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        self.writer.run(change)
    }

    /// Runs a closure that only reads, on a snapshot of the last commit.
    pub fn read<R, E: From<Error>>(&self, query: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        self.readers.run(query)
    }

    /// Has the statement of this number from now on fail, for tests; 0 takes the order back.
    ///
    /// Returns 0 if the failure that was ordered before has happened, or none was ordered.
    #[doc(hidden)]
    pub fn fail_statement(&self, number: u64) -> u64 {
        self.faults.order(number)
    }
}

fn open_to_write(path: &Path, durability: Durability) -> Result<Connection, rusqlite::Error> {
    // The file is there; one that was removed is not made again, as what was in it is lost.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
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
    Ok(connection)
}

fn open_to_read(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Settings that every connection needs.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

#[cfg(test)]
mod tests;

//! Transactions over an SQL database.
//!
//! One connection writes and groups many changes into a commit; readers see the last commit and never wait for a writer.
//! **Invariant:** nothing here knows the tables.

#![warn(unreachable_pub)]

mod checkpoint;
mod copy;
mod error;
mod faults;
mod presence;
mod random_key;
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

use crate::checkpoint::Checkpoints;
pub use crate::copy::{copy_in_use, copy_unused};
pub use crate::error::{Cause, Error};
use crate::faults::Faults;
use crate::reader::Readers;
pub use crate::transaction::{LineSink, Transaction};
pub use crate::value::{Row, Value};
pub use crate::writer::Commit;
use crate::writer::Writer;

/// Durability of acknowledged writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// They survive the end of the process.
    Normal,
    /// They also survive a loss of power.
    Full,
}

/// A database in one file, shared by all threads.
pub struct Store {
    writer: Arc<Writer>,
    readers: Readers,
    faults: Arc<Faults>,
    checkpoints: Arc<Checkpoints>,
}

impl Store {
    /// Opens the database; creates the file if it does not exist.
    ///
    /// Only the owner of the file can read it.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, Error> {
        // If this fails, the file exists already, or opening it reports the cause.
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
        let checkpoints = Arc::<Checkpoints>::default();
        let writer = Arc::new(Writer::open(open_writer, Arc::clone(&checkpoints))?);
        Ok(Self { writer, readers: Readers::new(open_reader), faults, checkpoints })
    }

    /// Migrates the tables of a crate: each of `steps` runs once in the life of a database, in their order.
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
            let steps = i64::try_from(steps.len()).expect("the number of steps fits");
            transaction.execute(
                "INSERT INTO migrations (owner, steps) VALUES (?1, ?2) ON CONFLICT (owner) DO UPDATE SET steps = ?2",
                &[owner.into(), steps.into()],
            )?;
            Ok(())
        })
    }

    /// Runs a closure in a transaction of its own and returns once it is committed.
    ///
    /// If the closure returns an error or panics, its changes are rolled back and its [`Transaction::after_commit`] actions are
    /// dropped. Other writers wait while it runs, and it may run on another thread, so it must be short: do slow work before.
    pub fn write<R: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E> {
        self.submit(change).wait()
    }

    /// Does the same as [`Store::write`] for a task, which awaits the commit.
    pub fn submit<R: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction) -> Result<R, E> + Send + 'static,
    ) -> Commit<R, E> {
        self.writer.submit(change)
    }

    /// Runs a read-only closure on a snapshot of the last commit.
    pub fn read<R, E: From<Error>>(&self, query: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        self.readers.run(query)
    }

    /// Injects a failure into the statement with this number from now on, for tests; 0 removes an injected failure.
    ///
    /// Returns 0 if no injected failure was pending.
    #[doc(hidden)]
    pub fn fail_statement(&self, number: u64) -> u64 {
        self.faults.inject(number)
    }
}

fn open_to_write(path: &Path, durability: Durability) -> Result<Connection, rusqlite::Error> {
    // The file exists. One that was removed must not be created again, as its content is lost.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    if durability == Durability::Normal {
        // An empty database need not survive a loss of power, and syncing it is most of the time of a first start.
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

/// Applies the settings of every connection.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

#[cfg(test)]
mod tests;

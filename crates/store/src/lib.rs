//! Transactions over an SQL database.
//!
//! One connection writes and groups many changes into a commit; readers see the last commit and never wait for a writer. The database is
//! a file of SQLite, or a schema on a server with PostgreSQL; the statements are the same.
//! **Invariant:** nothing here knows the tables.

#![warn(unreachable_pub)]

mod connection;
mod copy;
mod error;
mod faults;
mod maintenance;
mod migrations;
mod mode;
mod numbered;
pub mod postgres;
mod presence;
mod random_key;
mod reader;
mod sqlite;
mod tables;
pub mod transaction;
pub mod value;
mod writer;

use std::path::Path;
use std::sync::Arc;

use crate::connection::Connection;
pub use crate::copy::{copy_in_use, copy_unused};
pub use crate::error::{Cause, Error};
use crate::faults::Faults;
use crate::maintenance::Maintenance;
use crate::migrations::Migrations;
pub use crate::migrations::{Contract, FindOlder};
use crate::mode::Mode;
pub use crate::numbered::{ColumnType, NumberedTable};
use crate::postgres::{Connector, ServerSettings};
use crate::presence::Presence;
use crate::reader::Readers;
pub use crate::tables::copy_tables;
pub use crate::transaction::{LineSink, Transaction};
pub use crate::value::{Row, Value};
pub use crate::writer::Commit;
use crate::writer::{Committer, Writer};

/// Durability of acknowledged writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// They survive the end of the process.
    Normal,
    /// They also survive a loss of power.
    Full,
}

/// A database, shared by all threads.
pub struct Store {
    /// Before the writer, so that its connection is the last one that is closed: SQLite then merges its log into the file, which a
    /// connection that only reads cannot do.
    readers: Readers,
    writer: Arc<Writer>,
    faults: Arc<Faults>,
    maintenance: Arc<Maintenance>,
    migrations: Migrations,
    /// The thread that commits to a server for tasks.
    committer: Option<Committer>,
}

impl Store {
    /// Opens a database file; creates it if it does not exist.
    ///
    /// Only the owner of the file can read it.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, Error> {
        sqlite::create_file(path);
        let (file, faults): (Arc<Path>, _) = (path.into(), Arc::<Faults>::default());
        let open_writer = {
            let (file, faults) = (Arc::clone(&file), Arc::clone(&faults));
            move || {
                let connection = sqlite::Connection::open_to_write(&file, durability)?;
                Ok(Transaction::over(Connection::Sqlite(connection), Arc::clone(&faults)))
            }
        };
        let (readers_file, readers_faults) = (Arc::clone(&file), Arc::clone(&faults));
        let open_reader = move || {
            let connection = sqlite::Connection::open_to_read(&readers_file)?;
            Ok(Transaction::over(Connection::Sqlite(connection), Arc::clone(&readers_faults)))
        };
        let maintenance = Arc::<Maintenance>::default();
        let writer = Writer::open(open_writer, || Some(Presence::of(file)), Arc::clone(&maintenance))?;
        let readers = Readers::new(open_reader, None);
        let writer = Arc::new(writer);
        Ok(Self { readers, writer, faults, maintenance, migrations: Migrations::default(), committer: None })
    }

    /// Connects to a database on a server with PostgreSQL; one that starts or cannot be reached yet is waited for.
    ///
    /// A statement waits for the server, so a task must not read, and a task that writes must await [`Store::submit`], which has its changes
    /// committed by a thread of the store; both are safe everywhere, but would keep the thread of the task from other tasks.
    pub fn connect(settings: ServerSettings, durability: Durability) -> Result<Self, Error> {
        let faults = Arc::<Faults>::default();
        let connector = Arc::new(Connector::start(settings, durability)?);
        let open = |connector: Arc<Connector>, mode| {
            let faults = Arc::clone(&faults);
            move || Ok(Transaction::over(Connection::Postgres(Box::new(connector.connect(mode)?)), Arc::clone(&faults)))
        };
        let maintenance = Arc::<Maintenance>::default();
        let writer = Writer::open(open(Arc::clone(&connector), Mode::Write), || None, Arc::clone(&maintenance))?;
        let readers = Readers::new(open(connector, Mode::Read), Some(postgres::READERS_MAX));
        let (writer, committer) = Committer::start(writer)?;
        let committer = Some(committer);
        Ok(Self { readers, writer, faults, maintenance, migrations: Migrations::default(), committer })
    }

    /// Returns whether the database is on a server, so that statements wait for the network.
    pub fn is_remote(&self) -> bool {
        self.committer.is_some()
    }

    /// Checks that the database can be read.
    pub fn check(&self) -> Result<(), Error> {
        self.read_once(|transaction| transaction.query("SELECT 1", &[], |_row| Ok(())).map(drop))
    }

    /// Runs a closure in a transaction of its own and returns once it is committed.
    ///
    /// If the closure returns an error or panics, its changes are rolled back and its [`Transaction::after_commit`] actions are
    /// dropped. Other writers wait while it runs, and it may run on another thread, so it must be short: do slow work before.
    /// Those of other servers wait from its first statement on: what else it compares with the database, it must look at after that.
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
        self.readers.run(Mode::Read, query)
    }

    /// Does the same as [`Store::read`] for a closure with one statement, which takes a server less time; a second one fails.
    pub fn read_once<R, E: From<Error>>(&self, query: impl FnOnce(&Transaction) -> Result<R, E>) -> Result<R, E> {
        self.readers.run(Mode::ReadOnce, query)
    }

    /// Injects a failure into the statement with this number from now on, for tests; 0 removes an injected failure.
    ///
    /// Returns 0 if no injected failure was pending.
    #[doc(hidden)]
    pub fn fail_statement(&self, number: u64) -> u64 {
        self.faults.inject(number)
    }
}

#[cfg(test)]
mod test_database;
#[cfg(test)]
mod tests;

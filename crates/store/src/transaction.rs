//! Operations inside a transaction: statements, queries, savepoints, and actions after the commit.
//!
//! **Invariant:** after the database rolled the transaction back, or the rollback of a savepoint failed, no further statement of the
//! transaction reaches the database. None could otherwise begin another transaction unnoticed.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::connection::Connection;
use crate::faults::Faults;
use crate::mode::Mode;
use crate::numbered::NumberedTable;
use crate::postgres::Receipt;
use crate::{Cause, Error, Row, Value};

/// What happens after the commit of a transaction.
pub(crate) enum Action {
    Run(Box<dyn FnOnce() + Send>),
    Append(Arc<dyn LineSink>, String),
}

/// A receiver of lines that changes add to it, once they are committed.
pub trait LineSink: Send + Sync {
    /// Takes the lines of one or more changes that were committed together, in the order of the changes.
    ///
    /// `last_number` is that of the last row that the commit inserted into a [`NumberedTable`], if it is known; lines of the same commit may
    /// follow in another call.
    fn append(&self, lines: &[String], last_number: Option<i64>);
}

/// A running transaction. Statements use the SQL that SQLite and PostgreSQL share.
pub struct Transaction {
    connection: Connection,
    faults: Arc<Faults>,
    mode: Cell<Mode>,
    /// Whether a statement of the transaction was attempted.
    has_begun: Cell<bool>,
    depth: Cell<usize>,
    after_commit: RefCell<Vec<Action>>,
    /// The failure because of which the transaction can no longer be committed.
    lost: RefCell<Option<Arc<Error>>>,
    /// Whether any statement failed on this connection.
    has_failed: Cell<bool>,
}

impl Transaction {
    pub(crate) fn over(connection: Connection, faults: Arc<Faults>) -> Self {
        Self {
            connection,
            faults,
            mode: Cell::new(Mode::Read),
            has_begun: Cell::new(false),
            depth: Cell::new(0),
            after_commit: RefCell::default(),
            lost: RefCell::default(),
            has_failed: Cell::new(false),
        }
    }

    /// Runs a statement and returns the number of changed rows.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        self.attempt(|connection| connection.execute(sql, values))
    }

    /// Runs a statement whose number of changed rows is of no interest, so that nothing waits for a server's answer.
    ///
    /// If it fails, the savepoint or the transaction that it is in fails, although this may have returned `Ok`.
    pub fn note(&self, sql: &str, values: &[Value<'_>]) -> Result<(), Error> {
        self.attempt(|connection| connection.note(sql, values))
    }

    /// Inserts a row with the next number of its table; the values are in the order of the table's columns.
    ///
    /// Later statements of the transaction see the row. As with [`Transaction::note`], a failure may become known later.
    pub fn insert_numbered(&self, table: &'static NumberedTable, values: &[Value<'_>]) -> Result<(), Error> {
        self.attempt(|connection| connection.insert_numbered(table, values))
    }

    /// Runs several statements without parameters.
    pub fn execute_all(&self, sql: &str) -> Result<(), Error> {
        self.attempt(|connection| connection.execute_all(sql))
    }

    /// Runs a query and returns the result of `read` for each row.
    pub fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.attempt(|connection| connection.query(sql, values, read))?
    }

    /// Runs a query and returns the result of `read` for its first row.
    pub fn query_one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.query(sql, values, read)?.into_iter().next())
    }

    /// Runs a part of the transaction; if the part fails, its changes are rolled back and the transaction continues.
    pub fn savepoint<R, E: From<Error>>(&self, part: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        let actions = self.after_commit.borrow().len();
        let depth = self.depth.get();
        self.attempt(|connection| connection.begin_part(depth))?;
        self.depth.set(depth + 1);
        let result = part();
        self.depth.set(depth);
        let result = result.and_then(|value| {
            let finished = self.connection.finish_part();
            finished.map(|()| value).map_err(|error| self.record_failure(error).into())
        });
        let ended = match &result {
            Ok(_) => Ok(()),
            Err(_) => self.attempt(|connection| connection.roll_back_part(depth)),
        };
        let ended = ended.and_then(|()| self.attempt(|connection| connection.release_part(depth)));
        if result.is_err() || ended.is_err() {
            self.after_commit.borrow_mut().truncate(actions);
        }
        match ended {
            Ok(()) => result,
            Err(error) => {
                // The changes of the part may still be in the transaction.
                self.lose(&error);
                result.and(Err(error.into()))
            }
        }
    }

    /// Adds an action that runs after the commit, before the write returns.
    pub fn after_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.after_commit.borrow_mut().push(Action::Run(Box::new(action)));
    }

    /// Adds a line for a sink, which takes it after the commit, before the write returns, and in order with the actions.
    ///
    /// All that follow one another in a commit are one call of the sink.
    pub fn append_after_commit(&self, sink: Arc<dyn LineSink>, line: String) {
        self.after_commit.borrow_mut().push(Action::Append(sink, line));
    }

    /// Returns whether the database is on a server.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Returns the name of the database, for errors.
    pub(crate) fn database(&self) -> String {
        self.connection.name()
    }

    /// Returns the setting that chooses another database, for errors.
    pub(crate) fn setting(&self) -> &'static str {
        match &self.connection {
            Connection::Sqlite(_) => "folder with --data-dir",
            Connection::Postgres(_) => "database with --database",
        }
    }

    /// Begins a transaction.
    pub(crate) fn begin(&self, mode: Mode) -> Result<(), Error> {
        self.mode.set(mode);
        self.has_begun.set(false);
        self.depth.set(0);
        self.lost.take();
        self.after_commit.take();
        self.inject_fault()?;
        self.connection.begin(mode).map_err(|error| self.record_failure(error))
    }

    /// Commits the transaction; afterwards its actions can be taken.
    pub(crate) fn commit(&self) -> Result<(), Error> {
        self.attempt(Connection::commit)
    }

    /// Takes the actions of a transaction that was committed.
    pub(crate) fn take_actions(&self) -> Vec<Action> {
        self.after_commit.take()
    }

    /// Returns the number of the last row that the commit inserted into a numbered table, if it is known.
    pub(crate) fn last_number(&self) -> Option<i64> {
        self.connection.last_number()
    }

    /// Returns how the commit can be recognized if its answer was lost.
    pub(crate) fn receipt(&self) -> Option<Arc<Receipt>> {
        self.connection.receipt()
    }

    /// Copies committed pages from the log into the database, outside a transaction; returns the number of pages in the log.
    pub(crate) fn checkpoint(&self) -> Result<i64, Error> {
        self.inject_fault()?;
        self.connection.checkpoint().map_err(|error| self.record_failure(error))
    }

    /// Lets commits make a checkpoint only once the log has this many pages.
    pub(crate) fn keep_log_until(&self, pages: i64) -> Result<(), Error> {
        self.connection.keep_log_until(pages).map_err(|error| self.record_failure(error))
    }

    /// Rolls the transaction back; returns whether the connection can be used again.
    pub(crate) fn roll_back(&self) -> bool {
        self.after_commit.take();
        self.connection.roll_back()
    }

    /// Returns whether the connection can begin a transaction.
    pub(crate) fn is_alive(&self) -> bool {
        self.connection.is_alive()
    }

    /// Returns whether the transaction can no longer be committed.
    pub(crate) fn is_lost(&self) -> bool {
        self.check().is_err()
    }

    /// Returns whether a statement failed on this connection.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    fn attempt<R>(&self, statement: impl FnOnce(&Connection) -> Result<R, Error>) -> Result<R, Error> {
        self.check()?;
        if self.has_begun.replace(true) && self.mode.get() == Mode::ReadOnce {
            return Err(Error::Refused("a read of one statement has a second one"));
        }
        self.inject_fault()?;
        statement(&self.connection).map_err(|error| self.record_failure(error))
    }

    /// Fails the statement into which a test injected a failure.
    fn inject_fault(&self) -> Result<(), Error> {
        if !self.faults.is_due() {
            return Ok(());
        }
        self.has_failed.set(true);
        Err(Error::Database {
            database: self.connection.name(),
            reason: "a test injected this failure".to_owned(),
            cause: Cause::Other,
        })
    }

    /// Fails if the transaction is no longer open.
    fn check(&self) -> Result<(), Error> {
        if let Some(error) = &*self.lost.borrow() {
            return Err(Error::NotCommitted(Arc::clone(error)));
        }
        if !self.connection.is_open() {
            return Err(Error::NotCommitted(Arc::new(Error::Damaged(
                "a transaction was ended by one of its own statements",
            ))));
        }
        Ok(())
    }

    /// Records the failure of a statement; the database may have rolled the whole transaction back because of it.
    fn record_failure(&self, error: Error) -> Error {
        self.has_failed.set(true);
        if !self.connection.is_open() {
            self.lose(&error);
        }
        error
    }

    fn lose(&self, error: &Error) {
        self.lost.borrow_mut().get_or_insert_with(|| match error {
            Error::NotCommitted(first) => Arc::clone(first),
            _ => Arc::new(error.clone()),
        });
    }
}

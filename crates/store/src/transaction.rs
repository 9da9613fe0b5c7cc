//! Operations inside a transaction: statements, queries, savepoints, and actions after the commit.
//!
//! **Invariant:** after SQLite rolled the transaction back, or the rollback of a savepoint failed, no further statement of the
//! transaction reaches the database. None could otherwise begin another transaction unnoticed.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params_from_iter};

use crate::faults::Faults;
use crate::{Cause, Error, Row, Value};

/// What happens after the commit of a transaction.
pub(crate) enum Action {
    Run(Box<dyn FnOnce() + Send>),
    Append(Arc<dyn LineSink>, String),
}

/// A receiver of lines that changes add to it, once they are committed.
pub trait LineSink: Send + Sync {
    /// Takes the lines of one or more changes that were committed together, in the order of the changes.
    fn append(&self, lines: &[String]);
}

/// A running transaction. Statements use the SQL that SQLite and PostgreSQL share.
pub struct Transaction {
    connection: Connection,
    file: Arc<Path>,
    faults: Arc<Faults>,
    depth: Cell<usize>,
    after_commit: RefCell<Vec<Action>>,
    /// The failure because of which the transaction can no longer be committed.
    lost: RefCell<Option<Arc<Error>>>,
    /// Whether any statement failed on this connection.
    has_failed: Cell<bool>,
}

impl Transaction {
    pub(crate) fn over(connection: Connection, file: Arc<Path>, faults: Arc<Faults>) -> Self {
        Self {
            connection,
            file,
            faults,
            depth: Cell::new(0),
            after_commit: RefCell::default(),
            lost: RefCell::default(),
            has_failed: Cell::new(false),
        }
    }

    /// Runs a statement and returns the number of changed rows.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        self.attempt(|connection| connection.prepare_cached(sql)?.execute(params_from_iter(values)))
    }

    /// Runs several statements without parameters.
    pub fn execute_all(&self, sql: &str) -> Result<(), Error> {
        self.attempt(|connection| connection.execute_batch(sql))
    }

    /// Runs a query and returns the result of `read` for each row.
    pub fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.check()?;
        self.inject_fault()?;
        let failed = |error| self.record_failure(&error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
        let mut results = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            results.push(read(&Row { row, file: &self.file })?);
        }
        Ok(results)
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
        self.statement(&format!("SAVEPOINT part{depth}"))?;
        self.depth.set(depth + 1);
        let result = part();
        self.depth.set(depth);
        let ended = match &result {
            Ok(_) => Ok(()),
            Err(_) => self.statement(&format!("ROLLBACK TO part{depth}")),
        };
        let ended = ended.and_then(|()| self.statement(&format!("RELEASE part{depth}")));
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

    pub(crate) fn file(&self) -> Arc<Path> {
        Arc::clone(&self.file)
    }

    /// Begins a transaction, `IMMEDIATE` or not.
    pub(crate) fn begin(&self, sql: &'static str) -> Result<(), Error> {
        self.depth.set(0);
        self.lost.take();
        self.after_commit.take();
        self.inject_fault()?;
        self.run(sql)
    }

    /// Commits the transaction and returns its actions.
    pub(crate) fn commit(&self) -> Result<Vec<Action>, Error> {
        self.statement("COMMIT")?;
        Ok(self.after_commit.take())
    }

    /// Copies committed pages from the log into the database, outside a transaction; returns the number of pages in the log.
    pub(crate) fn checkpoint(&self) -> Result<i64, Error> {
        self.inject_fault()?;
        let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection.query_row(checkpoint, [], |row| row.get(1)).map_err(|error| self.record_failure(&error))
    }

    /// Lets commits make a checkpoint only once the log has this many pages.
    pub(crate) fn keep_log_until(&self, pages: i64) -> Result<(), Error> {
        self.connection.pragma_update(None, "wal_autocheckpoint", pages).map_err(|error| self.record_failure(&error))
    }

    /// Rolls the transaction back; returns whether the connection can be used again.
    pub(crate) fn roll_back(&self) -> bool {
        self.after_commit.take();
        // SQLite may have rolled the transaction back already.
        self.connection.is_autocommit() || self.run("ROLLBACK").is_ok()
    }

    /// Returns whether the transaction can no longer be committed.
    pub(crate) fn is_lost(&self) -> bool {
        self.check().is_err()
    }

    /// Returns whether a statement failed on this connection.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    fn statement(&self, sql: &str) -> Result<(), Error> {
        self.check()?;
        self.inject_fault()?;
        self.run(sql)
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.record_failure(&error))?;
        statement.execute([]).map_err(|error| self.record_failure(&error))?;
        Ok(())
    }

    fn attempt<R>(&self, statement: impl FnOnce(&Connection) -> Result<R, rusqlite::Error>) -> Result<R, Error> {
        self.check()?;
        self.inject_fault()?;
        statement(&self.connection).map_err(|error| self.record_failure(&error))
    }

    /// Fails the statement into which a test injected a failure.
    fn inject_fault(&self) -> Result<(), Error> {
        if !self.faults.is_due() {
            return Ok(());
        }
        self.has_failed.set(true);
        Err(Error::Database {
            file: self.file.to_path_buf(),
            reason: "a test injected this failure".to_owned(),
            cause: Cause::Other,
        })
    }

    /// Fails if the transaction is no longer open.
    fn check(&self) -> Result<(), Error> {
        if let Some(error) = &*self.lost.borrow() {
            return Err(Error::NotCommitted(Arc::clone(error)));
        }
        if self.connection.is_autocommit() {
            return Err(Error::NotCommitted(Arc::new(Error::Damaged(
                "a transaction was ended by one of its own statements",
            ))));
        }
        Ok(())
    }

    /// Records the failure of a statement; SQLite may have rolled the whole transaction back because of it.
    fn record_failure(&self, error: &rusqlite::Error) -> Error {
        self.has_failed.set(true);
        let error = Error::database(&self.file, error);
        if self.connection.is_autocommit() {
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

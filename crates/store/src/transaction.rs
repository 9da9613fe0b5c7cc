//! What can be done inside a transaction: execute, query, take back a part, act once it is committed.
//!
//! **Invariant:** once SQLite has rolled the transaction back, or it is unknown what a failed rollback of a part left, no further
//! statement of it reaches the database, so none can begin another transaction unseen.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params_from_iter};

use crate::faults::Faults;
use crate::{Cause, Error, Row, Value};

/// What is done once a transaction is committed.
pub(crate) type Action = Box<dyn FnOnce() + Send>;

/// A running transaction; statements stay in the SQL that SQLite and PostgreSQL share.
pub struct Transaction {
    connection: Connection,
    file: Arc<Path>,
    faults: Arc<Faults>,
    depth: Cell<usize>,
    after_commit: RefCell<Vec<Action>>,
    /// The failure after which the transaction is lost, whatever follows.
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

    /// Runs a statement and returns how many rows it changed.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        self.attempt(|connection| connection.prepare_cached(sql)?.execute(params_from_iter(values)))
    }

    /// Runs several statements that take no values.
    pub fn execute_all(&self, sql: &str) -> Result<(), Error> {
        self.attempt(|connection| connection.execute_batch(sql))
    }

    /// Runs a query and returns what `read` makes of each row.
    pub fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.check()?;
        self.meet_fault()?;
        let failed = |error| self.failed(&error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
        let mut results = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            results.push(read(&Row { row, file: &self.file })?);
        }
        Ok(results)
    }

    /// Runs a query of which one row at most is wanted.
    pub fn query_one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        Ok(self.query(sql, values, read)?.into_iter().next())
    }

    /// Runs a part of the transaction; if it fails, all that it changed is rolled back and the rest goes on.
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
                // What the part left in the transaction is unknown.
                self.lose(&error);
                result.and(Err(error.into()))
            }
        }
    }

    /// Has something done once the transaction is committed, before whoever waits for it goes on.
    pub fn after_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.after_commit.borrow_mut().push(Box::new(action));
    }

    pub(crate) fn file(&self) -> Arc<Path> {
        Arc::clone(&self.file)
    }

    /// Begins a transaction, `IMMEDIATE` or not.
    pub(crate) fn begin(&self, sql: &'static str) -> Result<(), Error> {
        self.depth.set(0);
        self.lost.take();
        self.after_commit.take();
        self.meet_fault()?;
        self.run(sql)
    }

    /// Commits what was done since the transaction began, and returns what is to be done now.
    pub(crate) fn commit(&self) -> Result<Vec<Action>, Error> {
        self.statement("COMMIT")?;
        Ok(self.after_commit.take())
    }

    /// Rolls back what was done since the transaction began; returns whether the connection can be used again.
    pub(crate) fn roll_back(&self) -> bool {
        self.after_commit.take();
        // Where SQLite has rolled back by itself there is nothing to roll back.
        self.connection.is_autocommit() || self.run("ROLLBACK").is_ok()
    }

    /// Tells whether the transaction cannot be committed any more.
    pub(crate) fn is_lost(&self) -> bool {
        self.check().is_err()
    }

    /// Tells whether any statement ever failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    fn statement(&self, sql: &str) -> Result<(), Error> {
        self.check()?;
        self.meet_fault()?;
        self.run(sql)
    }

    fn run(&self, sql: &str) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| self.failed(&error))?;
        statement.execute([]).map_err(|error| self.failed(&error))?;
        Ok(())
    }

    fn attempt<R>(&self, statement: impl FnOnce(&Connection) -> Result<R, rusqlite::Error>) -> Result<R, Error> {
        self.check()?;
        self.meet_fault()?;
        statement(&self.connection).map_err(|error| self.failed(&error))
    }

    /// Fails the statement that a test ordered to fail.
    fn meet_fault(&self) -> Result<(), Error> {
        if !self.faults.is_due() {
            return Ok(());
        }
        self.has_failed.set(true);
        Err(Error::Database {
            file: self.file.to_path_buf(),
            reason: "a test ordered this statement to fail".to_owned(),
            cause: Cause::Other,
        })
    }

    /// Refuses a statement if the transaction that was begun is not open any more.
    fn check(&self) -> Result<(), Error> {
        if let Some(error) = &*self.lost.borrow() {
            return Err(Error::NotCommitted(Arc::clone(error)));
        }
        if self.connection.is_autocommit() {
            return Err(Error::NotCommitted(Arc::new(Error::Damaged("a transaction ended before its end"))));
        }
        Ok(())
    }

    /// Notes a failure; SQLite may have answered it by rolling the whole transaction back.
    fn failed(&self, error: &rusqlite::Error) -> Error {
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

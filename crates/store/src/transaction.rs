//! What can be done inside a transaction: execute, query, take back a part, act once it is committed.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use rusqlite::{Connection, params_from_iter};

use crate::{Error, Row, Value};

/// A running transaction; statements stay in the SQL that SQLite and PostgreSQL share.
pub struct Transaction {
    connection: Connection,
    depth: Cell<usize>,
    after_commit: RefCell<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Transaction {
    pub(crate) fn over(connection: Connection) -> Self {
        Self { connection, depth: Cell::new(0), after_commit: RefCell::default() }
    }

    /// Runs a statement and returns how many rows it changed.
    pub fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        Ok(self.connection.prepare_cached(sql)?.execute(params_from_iter(values))?)
    }

    /// Runs several statements that take no values.
    pub fn execute_all(&self, sql: &str) -> Result<(), Error> {
        Ok(self.connection.execute_batch(sql)?)
    }

    /// Runs a query and returns what `read` makes of each row.
    pub fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut results = Vec::new();
        while let Some(row) = rows.next()? {
            results.push(read(&Row(row))?);
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

    /// Runs a part of the transaction; if it fails, all that it changed is taken back and the rest goes on.
    pub fn savepoint<R, E: From<Error>>(&self, part: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        let hooks = self.after_commit.borrow().len();
        let depth = self.depth.replace(self.depth.get() + 1);
        let result = self.statement(&format!("SAVEPOINT part{depth}")).map_err(E::from).and_then(|()| part());
        self.depth.set(depth);
        if result.is_err() {
            self.statement(&format!("ROLLBACK TO part{depth}"))?;
            self.after_commit.borrow_mut().truncate(hooks);
        }
        self.statement(&format!("RELEASE part{depth}"))?;
        result
    }

    /// Has something done once the transaction is committed, before whoever waits for it goes on.
    pub fn after_commit(&self, action: impl FnOnce() + Send + 'static) {
        self.after_commit.borrow_mut().push(Box::new(action));
    }

    pub(crate) fn into_connection(self) -> Connection {
        self.connection
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.connection.path().unwrap_or_default().into()
    }

    pub(crate) fn statement(&self, sql: &str) -> Result<(), Error> {
        self.connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    pub(crate) fn take_after_commit(&self) -> Vec<Box<dyn FnOnce() + Send>> {
        self.after_commit.take()
    }

    /// Forgets what a panic left half-open; the caller rolls back.
    pub(crate) fn forget_since(&self, hooks: usize) {
        self.depth.set(0);
        self.after_commit.borrow_mut().truncate(hooks);
    }

    pub(crate) fn hooks(&self) -> usize {
        self.after_commit.borrow().len()
    }
}

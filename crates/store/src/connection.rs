//! A connection of either engine, with one interface.

use std::sync::Arc;

use crate::mode::Mode;
use crate::numbered::NumberedTable;
use crate::{Error, Row, Value, postgres, sqlite};

/// A connection of either engine.
pub(crate) enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(Box<postgres::Connection>),
}

/// Evaluates an expression for the connection of either engine.
macro_rules! either {
    ($connection:expr, $name:ident => $call:expr) => {
        match $connection {
            Connection::Sqlite($name) => $call,
            Connection::Postgres($name) => $call,
        }
    };
}

impl Connection {
    /// Returns the name of the database, for errors.
    pub(crate) fn name(&self) -> String {
        either!(self, connection => connection.name())
    }

    /// Returns whether a transaction is open; the database may have ended it by itself.
    pub(crate) fn is_open(&self) -> bool {
        either!(self, connection => connection.is_open())
    }

    /// Returns whether the connection can begin a transaction.
    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(connection) => connection.is_alive(),
        }
    }

    /// Runs a statement and returns the number of changed rows.
    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        either!(self, connection => connection.execute(sql, values))
    }

    /// Runs a statement; a server may tell only at the next question that it failed.
    pub(crate) fn note(&self, sql: &str, values: &[Value<'_>]) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.execute(sql, values).map(drop),
            Self::Postgres(connection) => connection.note(sql, values),
        }
    }

    /// Inserts a row with the next number of its table.
    pub(crate) fn insert_numbered(&self, table: &'static NumberedTable, values: &[Value<'_>]) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.execute(table.insert, values).map(drop),
            Self::Postgres(connection) => {
                connection.insert_numbered(table, values);
                Ok(())
            }
        }
    }

    /// Returns the number of the last row that was inserted into a numbered table; SQLite does not tell.
    pub(crate) fn last_number(&self) -> Option<i64> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(connection) => connection.last_number(),
        }
    }

    /// Runs several statements without parameters.
    pub(crate) fn execute_all(&self, sql: &str) -> Result<(), Error> {
        either!(self, connection => connection.execute_all(sql))
    }

    /// Runs a query. The outer error is that of the statement, the inner one that of `read`.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Result<Vec<T>, Error>, Error> {
        either!(self, connection => connection.query(sql, values, read))
    }

    /// Begins a transaction.
    pub(crate) fn begin(&self, mode: Mode) -> Result<(), Error> {
        match (self, mode) {
            (Self::Sqlite(connection), Mode::Write) => connection.run("BEGIN IMMEDIATE"),
            (Self::Sqlite(connection), Mode::Read | Mode::ReadOnce) => connection.run("BEGIN"),
            (Self::Postgres(connection), _) => {
                connection.begin(mode);
                Ok(())
            }
        }
    }

    pub(crate) fn commit(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.run("COMMIT"),
            Self::Postgres(connection) => connection.commit(),
        }
    }

    /// Rolls the transaction back; returns whether the connection can be used again.
    pub(crate) fn roll_back(&self) -> bool {
        match self {
            // SQLite may have rolled the transaction back already.
            Self::Sqlite(connection) => !connection.is_open() || connection.run("ROLLBACK").is_ok(),
            Self::Postgres(connection) => connection.roll_back(),
        }
    }

    /// Begins a part of the transaction, at a depth that counts from 0.
    pub(crate) fn begin_part(&self, depth: usize) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.run(&format!("SAVEPOINT part{depth}")),
            Self::Postgres(connection) => {
                connection.begin_part(depth);
                Ok(())
            }
        }
    }

    /// Waits until all statements of a part have run; fails if one of them failed.
    pub(crate) fn finish_part(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(connection) => connection.finish_part(),
        }
    }

    /// Removes the changes of a part; [`Connection::release_part`] ends it.
    pub(crate) fn roll_back_part(&self, depth: usize) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.run(&format!("ROLLBACK TO part{depth}")),
            Self::Postgres(connection) => connection.roll_back_part(depth),
        }
    }

    /// Ends a part.
    pub(crate) fn release_part(&self, depth: usize) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.run(&format!("RELEASE part{depth}")),
            Self::Postgres(connection) => connection.release_part(depth),
        }
    }

    /// Copies committed pages from SQLite's log into the database; returns the number of pages in the log.
    pub(crate) fn checkpoint(&self) -> Result<i64, Error> {
        match self {
            Self::Sqlite(connection) => connection.checkpoint(),
            Self::Postgres(_) => Ok(0),
        }
    }

    /// Lets commits of SQLite make a checkpoint only once the log has this many pages.
    pub(crate) fn keep_log_until(&self, pages: i64) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => connection.keep_log_until(pages),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Returns how a commit whose answer was lost can be recognized; SQLite loses none.
    pub(crate) fn receipt(&self) -> Option<Arc<postgres::Receipt>> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(connection) => connection.receipt(),
        }
    }
}

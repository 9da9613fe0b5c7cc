//! The embedded engine: SQLite, whose database is one file.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::types::{FromSql, ToSqlOutput, Type, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql, params_from_iter};

use crate::value::{Columns, OwnedValue};
use crate::{Cause, Durability, Error, Row, Value};

/// A connection to a database file.
pub(crate) struct Connection {
    connection: rusqlite::Connection,
    file: Arc<Path>,
}

impl Connection {
    /// Opens a connection that writes.
    pub(crate) fn open_to_write(file: &Arc<Path>, durability: Durability) -> Result<Self, Error> {
        Self::open(file, open_to_write(file, durability))
    }

    /// Opens a connection that only reads.
    pub(crate) fn open_to_read(file: &Arc<Path>) -> Result<Self, Error> {
        Self::open(file, open_to_read(file))
    }

    fn open(file: &Arc<Path>, opened: rusqlite::Result<rusqlite::Connection>) -> Result<Self, Error> {
        let connection = opened.map_err(|error| error_of(file, &error))?;
        Ok(Self { connection, file: Arc::clone(file) })
    }

    pub(crate) fn name(&self) -> String {
        self.file.display().to_string()
    }

    /// Returns whether a transaction is open; SQLite may have rolled it back by itself.
    pub(crate) fn is_open(&self) -> bool {
        !self.connection.is_autocommit()
    }

    pub(crate) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, Error> {
        let execute = || self.connection.prepare_cached(sql)?.execute(params_from_iter(values));
        execute().map_err(|error| error_of(&self.file, &error))
    }

    pub(crate) fn execute_all(&self, sql: &str) -> Result<(), Error> {
        self.connection.execute_batch(sql).map_err(|error| error_of(&self.file, &error))
    }

    /// Runs a query. The outer error is that of the statement, the inner one that of `read`.
    pub(crate) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Result<Vec<T>, Error>, Error> {
        let failed = |error| error_of(&self.file, &error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(failed)?;
        let mut results = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            match read(&Row(Columns::Sqlite(row, &self.file))) {
                Ok(result) => results.push(result),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(results))
    }

    /// Runs a statement without parameters and results.
    pub(crate) fn run(&self, sql: &str) -> Result<(), Error> {
        let run = || self.connection.prepare_cached(sql)?.execute([]);
        run().map(drop).map_err(|error| error_of(&self.file, &error))
    }

    /// Copies committed pages from the log into the database, outside a transaction; returns the number of pages in the log.
    pub(crate) fn checkpoint(&self) -> Result<i64, Error> {
        let checkpoint = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection.query_row(checkpoint, [], |row| row.get(1)).map_err(|error| error_of(&self.file, &error))
    }

    /// Lets commits make a checkpoint only once the log has this many pages.
    pub(crate) fn keep_log_until(&self, pages: i64) -> Result<(), Error> {
        let set = self.connection.pragma_update(None, "wal_autocheckpoint", pages);
        set.map_err(|error| error_of(&self.file, &error))
    }
}

/// Creates the database file if it does not exist; only its owner can read it.
pub(crate) fn create_file(path: &Path) {
    // If this fails, the file exists already, or opening it reports the cause.
    drop(OpenOptions::new().write(true).create_new(true).mode(0o600).open(path));
}

fn open_to_write(path: &Path, durability: Durability) -> rusqlite::Result<rusqlite::Connection> {
    // The file exists. One that was removed must not be created again, as its content is lost.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
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

/// Opens a file to read it.
pub(crate) fn open_to_read(path: &Path) -> rusqlite::Result<rusqlite::Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Applies the settings of every connection.
fn prepare(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -4096)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Returns the value in a column of a row.
pub(crate) fn column<T: FromSql>(row: &rusqlite::Row<'_>, column: usize, file: &Path) -> Result<T, Error> {
    row.get(column).map_err(|error| error_of(file, &error))
}

/// Returns the value in a column of a row, of any type that tables have.
pub(crate) fn owned(row: &rusqlite::Row<'_>, column: usize, file: &Path) -> Result<OwnedValue, Error> {
    let failed = |error| error_of(file, &error);
    Ok(match row.get_ref(column).map_err(failed)?.data_type() {
        Type::Null => OwnedValue::Null,
        Type::Text => OwnedValue::Text(row.get(column).map_err(failed)?),
        Type::Blob => OwnedValue::Blob(row.get(column).map_err(failed)?),
        Type::Integer | Type::Real => OwnedValue::Integer(row.get(column).map_err(failed)?),
    })
}

/// Converts an error of SQLite.
pub(crate) fn error_of(file: &Path, error: &rusqlite::Error) -> Error {
    let cause = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Cause::DiskFull,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Cause::Locked,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Cause::Damaged,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => Cause::NoAccess,
        _ => Cause::Other,
    };
    Error::Database { database: file.display().to_string(), reason: error.to_string(), cause }
}

//! Parameters of statements and columns of rows.

use std::path::Path;

use crate::{Error, postgres, sqlite};

/// A parameter of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `NULL`.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(bytes)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A value by itself.
#[derive(Clone, Debug)]
pub(crate) enum OwnedValue {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<&Value<'_>> for OwnedValue {
    fn from(value: &Value<'_>) -> Self {
        match *value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

impl OwnedValue {
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// A row of a result; columns count from 0.
pub struct Row<'a>(pub(crate) Columns<'a>);

/// A row of either engine, and the name of the database for errors.
pub(crate) enum Columns<'a> {
    Sqlite(&'a rusqlite::Row<'a>, &'a Path),
    Postgres(&'a tokio_postgres::Row, &'a str),
}

impl Row<'_> {
    /// Returns the integer in a column.
    pub fn integer(&self, column: usize) -> Result<i64, Error> {
        self.get(column)
    }

    /// Returns the integer in a column, or `None` for `NULL`.
    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, Error> {
        self.get(column)
    }

    /// Returns the text in a column.
    pub fn text(&self, column: usize) -> Result<String, Error> {
        self.get(column)
    }

    /// Returns the text in a column, or `None` for `NULL`.
    pub fn optional_text(&self, column: usize) -> Result<Option<String>, Error> {
        self.get(column)
    }

    /// Returns the bytes in a column.
    pub fn blob(&self, column: usize) -> Result<Vec<u8>, Error> {
        self.get(column)
    }

    /// Returns the bytes in a column, or `None` for `NULL`.
    pub fn optional_blob(&self, column: usize) -> Result<Option<Vec<u8>>, Error> {
        self.get(column)
    }

    /// Returns the value in a column.
    pub(crate) fn value(&self, column: usize) -> Result<OwnedValue, Error> {
        match self.0 {
            Columns::Sqlite(row, file) => sqlite::owned(row, column, file),
            Columns::Postgres(row, database) => postgres::owned(row, column, database),
        }
    }

    fn get<T: rusqlite::types::FromSql + postgres::FromColumn>(&self, column: usize) -> Result<T, Error> {
        match self.0 {
            Columns::Sqlite(row, file) => sqlite::column(row, column, file),
            Columns::Postgres(row, database) => T::from_column(row, column, database),
        }
    }
}

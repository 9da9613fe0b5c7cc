//! Values on the wire, in the server's binary format.

use std::error::Error as StdError;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::error::error_of;
use crate::value::OwnedValue;
use crate::{Cause, Error, Value};

/// Returns the type of a parameter; that of `NULL` is inferred by the server.
pub(super) fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Integer(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Blob(_) => Type::BYTEA,
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Blob(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_kind: &Type) -> bool {
        // A statement is prepared with the types of its values.
        true
    }

    to_sql_checked!();
}

impl ToSql for OwnedValue {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.value().to_sql(kind, out)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A type of the columns of rows.
pub(crate) trait FromColumn: Sized {
    /// Reads a column; `database` is the name for errors.
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error>;
}

/// The bytes of a value and their type.
struct Raw<'a>(Type, &'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(kind.clone(), raw))
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }
}

impl FromColumn for Option<i64> {
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error> {
        read(row, column, database, |kind, raw| match *kind {
            // A comparison is a boolean.
            Type::BOOL => bool::from_sql(kind, raw).map(i64::from).ok(),
            Type::INT2 => i16::from_sql(kind, raw).map(i64::from).ok(),
            Type::INT4 => i32::from_sql(kind, raw).map(i64::from).ok(),
            Type::INT8 => i64::from_sql(kind, raw).ok(),
            // A sum of integers.
            Type::NUMERIC => whole_number(raw),
            _ => None,
        })
    }
}

impl FromColumn for Option<String> {
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error> {
        read(row, column, database, |kind, raw| match *kind {
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => String::from_utf8(raw.to_owned()).ok(),
            _ => None,
        })
    }
}

impl FromColumn for Option<Vec<u8>> {
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error> {
        read(row, column, database, |kind, raw| (*kind == Type::BYTEA).then(|| raw.to_owned()))
    }
}

/// Reads a column of any type that tables have.
pub(crate) fn owned(row: &Row, column: usize, database: &str) -> Result<OwnedValue, Error> {
    let kind = row.columns().get(column).map(tokio_postgres::Column::type_);
    Ok(match kind {
        Some(&Type::TEXT) => Option::from_column(row, column, database)?.map_or(OwnedValue::Null, OwnedValue::Text),
        Some(&Type::BYTEA) => Option::from_column(row, column, database)?.map_or(OwnedValue::Null, OwnedValue::Blob),
        _ => Option::from_column(row, column, database)?.map_or(OwnedValue::Null, OwnedValue::Integer),
    })
}

impl FromColumn for i64 {
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error> {
        required(row, column, database)
    }
}

impl FromColumn for String {
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error> {
        required(row, column, database)
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(row: &Row, column: usize, database: &str) -> Result<Self, Error> {
        required(row, column, database)
    }
}

fn required<T>(row: &Row, column: usize, database: &str) -> Result<T, Error>
where
    Option<T>: FromColumn,
{
    let value = Option::<T>::from_column(row, column, database)?;
    value.ok_or_else(|| wrong(column, database, &"NULL"))
}

fn read<T>(
    row: &Row,
    column: usize,
    database: &str,
    convert: impl FnOnce(&Type, &[u8]) -> Option<T>,
) -> Result<Option<T>, Error> {
    let raw: Option<Raw<'_>> = row.try_get(column).map_err(|error| error_of(database, &error))?;
    let Some(Raw(kind, raw)) = raw else { return Ok(None) };
    convert(&kind, raw).map(Some).ok_or_else(|| wrong(column, database, &kind))
}

fn wrong(column: usize, database: &str, kind: &dyn std::fmt::Display) -> Error {
    let reason = format!("column {column} of a result has an unexpected type: {kind}");
    Error::Database { database: database.to_owned(), reason, cause: Cause::Other }
}

/// Reads a `numeric` without a fraction: its digits have the base 10,000, and the first one's weight is an exponent of that.
fn whole_number(raw: &[u8]) -> Option<i64> {
    let field = |index: usize| Some(i16::from_be_bytes([*raw.get(index)?, *raw.get(index + 1)?]));
    let (digits, weight, sign) = (usize::try_from(field(0)?).ok()?, field(2)?, field(4)?);
    let mut number: i64 = 0;
    for place in 0..=usize::try_from(weight).unwrap_or(0) {
        let digit = if place < digits { field(8 + 2 * place)? } else { 0 };
        number = number.checked_mul(10_000)?.checked_sub(i64::from(digit))?;
    }
    // Subtracted, because there is one negative number more.
    match sign {
        0 => number.checked_neg(),
        0x4000 => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::whole_number;

    #[test]
    fn sums_are_read_as_whole_numbers() {
        let numeric =
            |fields: &[i16]| whole_number(&fields.iter().flat_map(|field| field.to_be_bytes()).collect::<Vec<_>>());
        assert_eq!(numeric(&[0, 0, 0, 0]), Some(0));
        assert_eq!(numeric(&[1, 0, 0, 0, 42]), Some(42));
        assert_eq!(numeric(&[2, 1, 0x4000, 0, 3, 7]), Some(-30_007));
        assert_eq!(numeric(&[1, 2, 0, 0, 5]), Some(500_000_000), "zeros at the end are left out");
        assert_eq!(numeric(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5807]), Some(i64::MAX));
        assert_eq!(numeric(&[5, 4, 0, 0, 922, 3372, 368, 5477, 5808]), None, "it does not fit");
    }
}

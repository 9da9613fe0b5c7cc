//! Readers of database columns that hold object ids.

use git::ObjectId;
use store::{Error, Row};

/// Reads an object id.
pub(crate) fn object_id(row: &Row<'_>, column: usize) -> Result<ObjectId, Error> {
    ObjectId::try_from(row.blob(column)?.as_slice()).map_err(|_| Error::Damaged("an object id"))
}

/// Reads an object id from a column that may be `NULL`.
pub(crate) fn optional_object_id(row: &Row<'_>, column: usize) -> Result<Option<ObjectId>, Error> {
    row.optional_blob(column)?.is_some().then(|| object_id(row, column)).transpose()
}

//! Rows of large files, and their total size for each repository.

use aws::Timestamp;
use store::{Error, Transaction};

use crate::lfs::{LfsObject, LfsObjectId};

/// The row of an object.
#[derive(Clone, Debug)]
pub(super) struct ObjectRow {
    pub(super) bytes: u64,
    /// Time at which a client last sent the object, or asked whether it must.
    pub(super) used: Timestamp,
    /// Name of its file in the storage that several nodes share.
    pub(super) file: Option<String>,
}

/// Finds an object of a repository.
pub(super) fn find(
    transaction: &Transaction,
    repository_id: &str,
    id: &LfsObjectId,
) -> Result<Option<ObjectRow>, Error> {
    transaction.query_one(
        "SELECT bytes, used, file FROM lfs_objects WHERE repository_id = ?1 AND oid = ?2",
        &[repository_id.into(), id.as_bytes().as_slice().into()],
        object_row,
    )
}

/// Returns the size of all objects of a repository, in bytes; `None` if there is no such repository.
pub(super) fn total(transaction: &Transaction, repository_id: &str) -> Result<Option<u64>, Error> {
    let sql = "SELECT lfs_bytes FROM repositories WHERE id = ?1";
    Ok(transaction.query_one(sql, &[repository_id.into()], |row| row.integer(0))?.map(unsigned))
}

/// Adds an object whose file is in place, or gives it this file; the one that it had is removed later, as one that no row names.
pub(super) fn insert(
    transaction: &Transaction,
    repository_id: &str,
    object: &LfsObject,
    file: Option<&str>,
    now: Timestamp,
) -> Result<(), Error> {
    let id = object.id.as_bytes().as_slice();
    let values = [repository_id.into(), id.into(), now.millis().into(), file.into()];
    let sql = "UPDATE lfs_objects SET used = ?3, file = ?4 WHERE repository_id = ?1 AND oid = ?2";
    if transaction.execute(sql, &values)? > 0 {
        return Ok(());
    }
    let bytes = i64::try_from(object.bytes).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT INTO lfs_objects (repository_id, oid, used, file, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[repository_id.into(), id.into(), now.millis().into(), file.into(), bytes.into()],
    )?;
    add_to_total(transaction, repository_id, bytes)
}

/// Renews the time of use of an object.
pub(super) fn renew(
    transaction: &Transaction,
    repository_id: &str,
    id: &LfsObjectId,
    now: Timestamp,
) -> Result<(), Error> {
    transaction.execute(
        "UPDATE lfs_objects SET used = ?3 WHERE repository_id = ?1 AND oid = ?2",
        &[repository_id.into(), id.as_bytes().as_slice().into(), now.millis().into()],
    )?;
    Ok(())
}

/// Lists all objects of a repository by their ids.
pub(crate) fn all(transaction: &Transaction, repository_id: &str) -> Result<Vec<LfsObject>, Error> {
    list(
        transaction,
        "SELECT oid, bytes FROM lfs_objects WHERE repository_id = ?1 ORDER BY oid",
        &[repository_id.into()],
    )
}

/// Lists the objects of a repository that were not used since a time.
pub(super) fn unused_since(
    transaction: &Transaction,
    repository_id: &str,
    time: Timestamp,
) -> Result<Vec<LfsObject>, Error> {
    let sql = "SELECT oid, bytes FROM lfs_objects WHERE repository_id = ?1 AND used < ?2";
    list(transaction, sql, &[repository_id.into(), time.millis().into()])
}

/// Lists the repositories that have objects.
pub(super) fn repositories(transaction: &Transaction) -> Result<Vec<String>, Error> {
    transaction.query("SELECT id FROM repositories WHERE lfs_bytes > 0", &[], |row| row.text(0))
}

/// Removes an object, unless it was used since a time; returns its row if it was removed.
pub(super) fn remove_unused(
    transaction: &Transaction,
    repository_id: &str,
    object: &LfsObject,
    time: Timestamp,
) -> Result<Option<ObjectRow>, Error> {
    let removed = transaction.query_one(
        "DELETE FROM lfs_objects WHERE repository_id = ?1 AND oid = ?2 AND used < ?3 RETURNING bytes, used, file",
        &[repository_id.into(), object.id.as_bytes().as_slice().into(), time.millis().into()],
        object_row,
    )?;
    if removed.is_some() {
        add_to_total(transaction, repository_id, i64::try_from(object.bytes).map_or(i64::MIN, |bytes| -bytes))?;
    }
    Ok(removed)
}

fn object_row(row: &store::Row<'_>) -> Result<ObjectRow, Error> {
    let (bytes, used) = (unsigned(row.integer(0)?), Timestamp::from_millis(row.integer(1)?));
    Ok(ObjectRow { bytes, used, file: row.optional_text(2)? })
}

fn add_to_total(transaction: &Transaction, repository_id: &str, bytes: i64) -> Result<(), Error> {
    let sql = "UPDATE repositories SET lfs_bytes = lfs_bytes + ?2 WHERE id = ?1";
    transaction.execute(sql, &[repository_id.into(), bytes.into()])?;
    Ok(())
}

fn list(transaction: &Transaction, sql: &str, values: &[store::Value<'_>]) -> Result<Vec<LfsObject>, Error> {
    transaction.query(sql, values, |row| {
        let id = row.blob(0)?.try_into().map_err(|_| Error::Damaged("the id of a large file"))?;
        Ok(LfsObject { id: LfsObjectId::from_bytes(id), bytes: unsigned(row.integer(1)?) })
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

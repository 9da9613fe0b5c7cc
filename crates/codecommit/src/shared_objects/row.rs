//! Rows of shared packs. Their times are the database's, as the clocks of nodes can differ.

use std::time::Duration;

use git::{ListedPack, ObjectId, PackList};
use store::postgres::SERVER_TIME;
use store::{Error, Transaction};

use crate::column::object_id;

/// A pack in the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackRow {
    pub(super) repository_id: String,
    /// Name of its files without the extensions.
    pub(super) file: String,
}

impl PackRow {
    /// Returns the key of one of its files.
    pub(super) fn key(&self, extension: &str) -> String {
        format!("{}/{}.{extension}", self.repository_id, self.file)
    }
}

/// Returns the version of the list of a repository, if the repository exists.
pub(super) fn version(transaction: &Transaction, repository_id: &str) -> Result<Option<i64>, Error> {
    let sql = "SELECT packs_version FROM repositories WHERE id = ?1";
    transaction.query_one(sql, &[repository_id.into()], |row| row.integer(0))
}

/// Reads the list of a repository, if the repository exists.
pub(super) fn list(transaction: &Transaction, repository_id: &str) -> Result<Option<PackList>, Error> {
    let head = transaction.query_one(
        "SELECT packs_version, unreachable_since FROM repositories WHERE id = ?1",
        &[repository_id.into()],
        |row| Ok((row.integer(0)?, row.optional_integer(1)?)),
    )?;
    let Some((version, unreachable_since)) = head else { return Ok(None) };
    let packs = transaction.query(
        "SELECT checksum, is_cruft FROM packs WHERE repository_id = ?1 AND gone IS NULL",
        &[repository_id.into()],
        |row| Ok(ListedPack { checksum: object_id(row, 0)?, is_cruft: row.integer(1)? != 0 }),
    )?;
    let unreachable_since = unreachable_since.map(|time| u32::try_from(time).unwrap_or(u32::MAX));
    Ok(Some(PackList { version, packs, unreachable_since }))
}

/// Reads the checksums of the packs in the list of a repository.
pub(crate) fn pack_checksums(transaction: &Transaction, repository_id: &str) -> Result<Vec<ObjectId>, Error> {
    let sql = "SELECT checksum FROM packs WHERE repository_id = ?1 AND gone IS NULL";
    transaction.query(sql, &[repository_id.into()], |row| object_id(row, 0))
}

/// Finds a pack in the list of a repository; tells whether its objects were found to be unreachable.
pub(super) fn find(
    transaction: &Transaction,
    repository_id: &str,
    checksum: &ObjectId,
) -> Result<Option<(PackRow, bool)>, Error> {
    transaction.query_one(
        "SELECT file, is_cruft FROM packs WHERE repository_id = ?1 AND checksum = ?2 AND gone IS NULL",
        &[repository_id.into(), checksum.as_slice().into()],
        |row| Ok((PackRow { repository_id: repository_id.to_owned(), file: row.text(0)? }, row.integer(1)? != 0)),
    )
}

/// Adds a pack to its list, in the place of one with the same checksum; returns the new version, or `None` without a repository.
pub(super) fn add(
    transaction: &Transaction,
    row: &PackRow,
    checksum: &ObjectId,
    is_cruft: bool,
    bytes: u64,
) -> Result<Option<i64>, Error> {
    let version = change(transaction, &row.repository_id)?;
    if version.is_some() {
        leave(transaction, &row.repository_id, checksum)?;
        transaction.note(
            &format!(
                "INSERT INTO packs (repository_id, file, checksum, is_cruft, bytes, created) \
                 VALUES (?1, ?2, ?3, ?4, ?5, {SERVER_TIME})"
            ),
            &[
                (&row.repository_id).into(),
                (&row.file).into(),
                checksum.as_slice().into(),
                i64::from(is_cruft).into(),
                i64::try_from(bytes).unwrap_or(i64::MAX).into(),
            ],
        )?;
    }
    Ok(version)
}

/// Removes packs from the list of a repository; returns the new version, or `None` without a repository.
pub(super) fn remove(
    transaction: &Transaction,
    repository_id: &str,
    checksums: &[ObjectId],
) -> Result<Option<i64>, Error> {
    for checksum in checksums {
        leave(transaction, repository_id, checksum)?;
    }
    change(transaction, repository_id)
}

/// Removes all packs of a repository that is being deleted from its list.
pub(crate) fn retire(transaction: &Transaction, repository_id: &str) -> Result<(), Error> {
    let sql = format!("UPDATE packs SET gone = {SERVER_TIME} WHERE repository_id = ?1 AND gone IS NULL");
    transaction.note(&sql, &[repository_id.into()])
}

/// Removes the packs of deleted repositories from their lists.
pub(crate) fn retire_deleted(transaction: &Transaction) -> Result<(), Error> {
    let sql = format!(
        "UPDATE packs SET gone = {SERVER_TIME} WHERE gone IS NULL AND repository_id NOT IN (SELECT id FROM repositories)"
    );
    transaction.note(&sql, &[])
}

/// Forgets what is in a storage, as if nothing ever were.
pub(crate) fn forget_all(transaction: &Transaction) -> Result<(), Error> {
    transaction.note("DELETE FROM packs", &[])?;
    transaction.note("UPDATE lfs_objects SET file = NULL WHERE file IS NOT NULL", &[])?;
    transaction.note("UPDATE repositories SET packs_version = 0, prunes = 0, unreachable_since = NULL", &[])
}

/// Notes that objects may be unreachable since a time, in seconds since 1970.
pub(crate) fn mark_unreachable(transaction: &Transaction, repository_id: &str, since: i64) -> Result<(), Error> {
    set_unreachable(transaction, repository_id, Some(since))
}

/// Replaces the time since which objects may be unreachable, in seconds since 1970.
pub(crate) fn set_unreachable(transaction: &Transaction, repository_id: &str, since: Option<i64>) -> Result<(), Error> {
    let sql = "UPDATE repositories SET unreachable_since = ?1 WHERE id = ?2";
    transaction.note(sql, &[since.into(), repository_id.into()])
}

/// Lists the repositories with more packs than need no maintenance.
pub(crate) fn repositories_to_maintain(transaction: &Transaction, packs_max: usize) -> Result<Vec<String>, Error> {
    transaction.query(
        "SELECT repository_id FROM packs WHERE gone IS NULL AND is_cruft = 0 GROUP BY repository_id HAVING COUNT(*) > ?1",
        &[i64::try_from(packs_max).unwrap_or(i64::MAX).into()],
        |row| row.text(0),
    )
}

/// Lists the repositories that may hold unreachable objects.
pub(crate) fn repositories_to_prune(transaction: &Transaction) -> Result<Vec<String>, Error> {
    transaction.query(
        "SELECT repository_id FROM packs WHERE is_cruft = 1 AND gone IS NULL \
         UNION SELECT id FROM repositories WHERE unreachable_since IS NOT NULL",
        &[],
        |row| row.text(0),
    )
}

/// Lists the packs that left their lists longer ago than an age.
pub(super) fn gone(transaction: &Transaction, age: Duration) -> Result<Vec<PackRow>, Error> {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let sql = format!("SELECT repository_id, file FROM packs WHERE gone < {SERVER_TIME} - ?1");
    transaction.query(&sql, &[age.into()], |row| Ok(PackRow { repository_id: row.text(0)?, file: row.text(1)? }))
}

/// Forgets a pack whose files are removed.
pub(super) fn forget(transaction: &Transaction, pack: &PackRow) -> Result<(), Error> {
    transaction.note(
        "DELETE FROM packs WHERE repository_id = ?1 AND file = ?2",
        &[(&pack.repository_id).into(), (&pack.file).into()],
    )
}

/// Returns whether a key is that of a pack's file or of a large file.
pub(super) fn is_known(transaction: &Transaction, key: &str) -> Result<bool, Error> {
    let (repository_id, name) = key.split_once('/').unwrap_or_default();
    let file = name.rsplit_once('.').map_or(name, |(file, _extension)| file);
    let found = transaction.query_one(
        "SELECT 1 FROM packs WHERE repository_id = ?1 AND file = ?2 \
         UNION ALL SELECT 1 FROM lfs_objects WHERE repository_id = ?1 AND file = ?2",
        &[repository_id.into(), file.into()],
        |row| row.integer(0),
    )?;
    Ok(found.is_some())
}

/// Lets the pack with a checksum leave the list.
fn leave(transaction: &Transaction, repository_id: &str, checksum: &ObjectId) -> Result<(), Error> {
    transaction.note(
        &format!("UPDATE packs SET gone = {SERVER_TIME} WHERE repository_id = ?1 AND checksum = ?2 AND gone IS NULL"),
        &[repository_id.into(), checksum.as_slice().into()],
    )
}

/// Counts a change of the list.
fn change(transaction: &Transaction, repository_id: &str) -> Result<Option<i64>, Error> {
    transaction.query_one(
        "UPDATE repositories SET packs_version = packs_version + 1 WHERE id = ?1 RETURNING packs_version",
        &[repository_id.into()],
        |row| row.integer(0),
    )
}

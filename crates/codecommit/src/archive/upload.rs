//! Uploads of archives as they are stored, from the call that asks for one until it has ended.
//!
//! **Invariant:** an upload that was acknowledged stays in progress until its file is in the bucket, cannot be made, or is no
//! longer wanted, so a restart begins it again, a few times at most. Its file may be put twice.

use std::io;

use git::ObjectId;
use serde::Serialize;
use store::{Error, Row, Transaction};

use crate::{CodeCommit, Exception, push};

/// An archive that is to be put into a bucket.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The id.
    pub id: String,
    /// The id of the repository.
    pub repository_id: String,
    /// The commit whose files it has.
    pub commit_id: ObjectId,
    /// The bucket.
    pub bucket: String,
    /// The key in the bucket.
    pub key: String,
}

/// How an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr, strum::EnumString)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// It is being made, or waits for that.
    InProgress,
    /// It is in the bucket.
    Succeeded,
    /// It cannot be made, or not be put.
    Failed,
    /// Somebody gave it up.
    Cancelled,
}

impl Status {
    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How often an upload is begun at most; what ends the process each time would end it at every start.
const ATTEMPTS_MAX: i64 = 3;

impl CodeCommit {
    /// Tells whether any upload is in progress.
    pub fn is_any_upload_waiting(&self) -> Result<bool, Exception> {
        let query = "SELECT id FROM archive_uploads WHERE status = ?1 LIMIT 1";
        let values = [Status::InProgress.as_str().into()];
        let found = self.store.read(|transaction| transaction.query_one(query, &values, |row| row.text(0)))?;
        Ok(found.is_some())
    }

    /// Begins an attempt at the upload that was asked for first of those in progress.
    ///
    /// The attempt is counted before any work is done. An upload that was begun too often without an end fails instead.
    pub fn begin_upload(&self) -> Result<Option<Upload>, Exception> {
        let begun = self.store.write(|transaction| {
            let statement = "UPDATE archive_uploads SET status = ?1, message = ?2 WHERE status = ?3 AND attempts >= ?4";
            let message =
                format!("The archive was given up: it was begun {ATTEMPTS_MAX} times, and no time came to an end.");
            let (failed, in_progress) = (Status::Failed.as_str(), Status::InProgress.as_str());
            let values = [failed.into(), (&message).into(), in_progress.into(), ATTEMPTS_MAX.into()];
            let given_up = transaction.execute(statement, &values)?;
            if given_up > 0 {
                tracing::warn!(
                    uploads = given_up,
                    attempts = ATTEMPTS_MAX,
                    "uploads that never came to an end are given up"
                );
            }
            let Some(upload) = next(transaction)? else { return Ok(None) };
            let statement = "UPDATE archive_uploads SET attempts = attempts + 1 WHERE id = ?1";
            transaction.execute(statement, &[(&upload.id).into()])?;
            Ok::<_, Error>(Some(upload))
        });
        Ok(begun?)
    }

    /// Takes back an attempt that was broken off because the server stops.
    pub fn put_back_upload(&self, id: &str) -> Result<(), Exception> {
        let id = id.to_owned();
        self.store.write(move |transaction| {
            transaction.execute("UPDATE archive_uploads SET attempts = attempts - 1 WHERE id = ?1", &[(&id).into()])
        })?;
        Ok(())
    }

    /// Tells whether an upload is still wanted.
    pub fn is_wanted(&self, upload: &Upload) -> Result<bool, Exception> {
        let found = self.store.read(|transaction| status(transaction, &upload.repository_id, &upload.id))?;
        Ok(found.is_some_and(|(status, _)| status == Status::InProgress))
    }

    /// Writes the archive of an upload, as long as `goes_on` says so; returns whether it is complete.
    pub fn write_archive<W: io::Write + io::Seek>(
        &self,
        upload: &Upload,
        output: W,
        goes_on: &mut dyn FnMut() -> Result<bool, Exception>,
    ) -> Result<bool, Exception> {
        let objects = self.objects.existing(&upload.repository_id)?;
        let missing = || Exception::CommitIdDoesNotExist { id: upload.commit_id.to_string() };
        let mut reader = objects.ok_or_else(missing)?.reader();
        super::content::write(&mut reader, &upload.commit_id, output, goes_on)
    }

    /// Notes that an upload has ended, unless it was given up before.
    pub fn settle_upload(&self, id: &str, outcome: Result<(), String>) -> Result<(), Exception> {
        let id = id.to_owned();
        self.store.write(move |transaction| {
            let status = if outcome.is_ok() { Status::Succeeded } else { Status::Failed };
            transaction.execute(
                "UPDATE archive_uploads SET status = ?1, message = ?2 WHERE id = ?3 AND status = ?4",
                &[
                    status.as_str().into(),
                    outcome.err().as_ref().into(),
                    (&id).into(),
                    Status::InProgress.as_str().into(),
                ],
            )?;
            Ok(())
        })
    }
}

/// Returns the upload that was asked for first of those in progress.
fn next(transaction: &Transaction) -> Result<Option<Upload>, Error> {
    transaction.query_one(
        "SELECT id, repository_id, commit_id, bucket, object_key FROM archive_uploads \
         WHERE status = ?1 ORDER BY position LIMIT 1",
        &[Status::InProgress.as_str().into()],
        |row: &Row<'_>| {
            Ok(Upload {
                id: row.text(0)?,
                repository_id: row.text(1)?,
                commit_id: push::object_id(row, 2)?,
                bucket: row.text(3)?,
                key: row.text(4)?,
            })
        },
    )
}

/// Adds an upload that is in progress; returns whether its repository is there.
pub(super) fn insert(transaction: &Transaction, upload: &Upload) -> Result<bool, Error> {
    let added = transaction.execute(
        "INSERT INTO archive_uploads (id, repository_id, commit_id, bucket, object_key, status) \
         SELECT ?1, id, ?3, ?4, ?5, ?6 FROM repositories WHERE id = ?2",
        &[
            (&upload.id).into(),
            (&upload.repository_id).into(),
            upload.commit_id.as_slice().into(),
            (&upload.bucket).into(),
            (&upload.key).into(),
            Status::InProgress.as_str().into(),
        ],
    )?;
    Ok(added == 1)
}

/// Tells how an upload of a repository is, and why it failed.
pub(super) fn status(
    transaction: &Transaction,
    repository_id: &str,
    id: &str,
) -> Result<Option<(Status, Option<String>)>, Error> {
    transaction.query_one(
        "SELECT status, message FROM archive_uploads WHERE id = ?1 AND repository_id = ?2",
        &[id.into(), repository_id.into()],
        |row| {
            let status = row.text(0)?.parse().map_err(|_| Error::Damaged("the status of an upload"))?;
            Ok((status, row.optional_text(1)?))
        },
    )
}

/// Gives up an upload that is in progress.
pub(super) fn cancel(transaction: &Transaction, repository_id: &str, id: &str) -> Result<(), Error> {
    transaction.execute(
        "UPDATE archive_uploads SET status = ?1 WHERE id = ?2 AND repository_id = ?3 AND status = ?4",
        &[Status::Cancelled.as_str().into(), id.into(), repository_id.into(), Status::InProgress.as_str().into()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;

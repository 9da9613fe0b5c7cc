//! Queue of archive uploads.
//!
//! **Invariant:** an acknowledged upload stays in progress until its file is in the bucket, it fails, or it is cancelled. A restart
//! begins it again, up to a limit of attempts. The file may be put twice.

use std::io;

use git::ObjectId;
use serde::Serialize;
use store::{Error, Row, Transaction};

use crate::{CodeCommit, Exception, column};

/// Requested upload of an archive.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Id of the upload.
    pub id: String,
    /// Id of the repository.
    pub repository_id: String,
    /// Commit whose files the archive contains.
    pub commit_id: ObjectId,
    /// Name of the bucket.
    pub bucket: String,
    /// Key in the bucket.
    pub key: String,
}

/// Status of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr, strum::EnumString)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum UploadStatus {
    /// Queued or being written.
    InProgress,
    /// The file is in the bucket.
    Succeeded,
    /// The archive could not be written, or not be put into the bucket.
    Failed,
    /// Cancelled by a call.
    Cancelled,
}

impl UploadStatus {
    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Maximum number of attempts: an archive that crashes the process would otherwise do so at every start.
const ATTEMPTS_MAX: i64 = 3;

impl CodeCommit {
    /// Returns whether any upload is in progress.
    pub fn is_any_upload_waiting(&self) -> Result<bool, Exception> {
        let query = "SELECT id FROM archive_uploads WHERE status = ?1 LIMIT 1";
        let values = [UploadStatus::InProgress.as_str().into()];
        let found = self.store.read(|transaction| transaction.query_one(query, &values, |row| row.text(0)))?;
        Ok(found.is_some())
    }

    /// Begins an attempt at the oldest upload in progress.
    ///
    /// The attempt is counted before any work is done. Uploads without attempts left fail instead.
    pub fn begin_upload(&self) -> Result<Option<Upload>, Exception> {
        let begun = self.store.write(|transaction| {
            let statement = "UPDATE archive_uploads SET status = ?1, message = ?2 WHERE status = ?3 AND attempts >= ?4";
            let message = format!(
                "The upload failed: {ATTEMPTS_MAX} attempts were interrupted by the end of the server process."
            );
            let (failed, in_progress) = (UploadStatus::Failed.as_str(), UploadStatus::InProgress.as_str());
            let values = [failed.into(), (&message).into(), in_progress.into(), ATTEMPTS_MAX.into()];
            let failed_uploads = transaction.execute(statement, &values)?;
            if failed_uploads > 0 {
                let attempts = ATTEMPTS_MAX;
                tracing::warn!(
                    uploads = failed_uploads,
                    attempts,
                    "gave up archive uploads whose attempts never ended"
                );
            }
            let Some(upload) = next(transaction)? else { return Ok(None) };
            let statement = "UPDATE archive_uploads SET attempts = attempts + 1 WHERE id = ?1";
            transaction.execute(statement, &[(&upload.id).into()])?;
            Ok::<_, Error>(Some(upload))
        });
        Ok(begun?)
    }

    /// Undoes the count of an attempt that the stop of the server interrupted.
    pub fn put_back_upload(&self, id: &str) -> Result<(), Exception> {
        let id = id.to_owned();
        self.store.write(move |transaction| {
            transaction.execute("UPDATE archive_uploads SET attempts = attempts - 1 WHERE id = ?1", &[(&id).into()])
        })?;
        Ok(())
    }

    /// Returns whether an upload is still in progress.
    pub fn is_wanted(&self, upload: &Upload) -> Result<bool, Exception> {
        let found = self.store.read(|transaction| status(transaction, &upload.repository_id, &upload.id))?;
        Ok(found.is_some_and(|(status, _)| status == UploadStatus::InProgress))
    }

    /// Writes the archive of an upload while `goes_on` returns true; returns whether it is complete.
    pub fn write_archive<W: io::Write + io::Seek>(
        &self,
        upload: &Upload,
        output: W,
        goes_on: &mut dyn FnMut() -> Result<bool, Exception>,
    ) -> Result<bool, Exception> {
        let objects = self.existing_objects(&upload.repository_id)?;
        let missing = || Exception::CommitIdDoesNotExist { id: upload.commit_id.to_string() };
        let mut reader = objects.ok_or_else(missing)?.reader();
        let mut large_file = |content: &[u8]| self.archived_lfs_content(&upload.repository_id, content);
        super::content::write(&mut reader, &upload.commit_id, output, &mut large_file, goes_on)
    }

    /// Records the outcome of an upload, unless it was cancelled before.
    pub fn settle_upload(&self, id: &str, outcome: Result<(), String>) -> Result<(), Exception> {
        let id = id.to_owned();
        self.store.write(move |transaction| {
            let status = if outcome.is_ok() { UploadStatus::Succeeded } else { UploadStatus::Failed };
            transaction.execute(
                "UPDATE archive_uploads SET status = ?1, message = ?2 WHERE id = ?3 AND status = ?4",
                &[
                    status.as_str().into(),
                    outcome.err().as_ref().into(),
                    (&id).into(),
                    UploadStatus::InProgress.as_str().into(),
                ],
            )?;
            Ok(())
        })
    }
}

/// Returns the oldest upload in progress.
fn next(transaction: &Transaction) -> Result<Option<Upload>, Error> {
    transaction.query_one(
        "SELECT id, repository_id, commit_id, bucket, object_key FROM archive_uploads \
         WHERE status = ?1 ORDER BY position LIMIT 1",
        &[UploadStatus::InProgress.as_str().into()],
        |row: &Row<'_>| {
            Ok(Upload {
                id: row.text(0)?,
                repository_id: row.text(1)?,
                commit_id: column::object_id(row, 2)?,
                bucket: row.text(3)?,
                key: row.text(4)?,
            })
        },
    )
}

/// Adds an upload in progress; returns false if its repository does not exist.
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
            UploadStatus::InProgress.as_str().into(),
        ],
    )?;
    Ok(added == 1)
}

/// Returns the status of an upload of a repository, and the reason of a failure.
pub(super) fn status(
    transaction: &Transaction,
    repository_id: &str,
    id: &str,
) -> Result<Option<(UploadStatus, Option<String>)>, Error> {
    transaction.query_one(
        "SELECT status, message FROM archive_uploads WHERE id = ?1 AND repository_id = ?2",
        &[id.into(), repository_id.into()],
        |row| {
            let status = row.text(0)?.parse().map_err(|_| Error::Damaged("the status of an upload"))?;
            Ok((status, row.optional_text(1)?))
        },
    )
}

/// Cancels an upload in progress.
pub(super) fn cancel(transaction: &Transaction, repository_id: &str, id: &str) -> Result<(), Error> {
    transaction.execute(
        "UPDATE archive_uploads SET status = ?1 WHERE id = ?2 AND repository_id = ?3 AND status = ?4",
        &[
            UploadStatus::Cancelled.as_str().into(),
            id.into(),
            repository_id.into(),
            UploadStatus::InProgress.as_str().into(),
        ],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;

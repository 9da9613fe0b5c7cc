//! Uploads of archives as they are stored, from the call that asks for one until it has ended.
//!
//! **Invariant:** an upload that was acknowledged stays in progress until its file is in the bucket, cannot be made, or is no
//! longer wanted, so a restart begins it again. Its file may be put twice.

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

impl CodeCommit {
    /// Gets the upload that was asked for first of those in progress.
    pub fn next_upload(&self) -> Result<Option<Upload>, Exception> {
        let read = |row: &Row<'_>| {
            Ok(Upload {
                id: row.text(0)?,
                repository_id: row.text(1)?,
                commit_id: push::object_id(row, 2)?,
                bucket: row.text(3)?,
                key: row.text(4)?,
            })
        };
        let next = |transaction: &Transaction| {
            transaction.query_one(
                "SELECT id, repository_id, commit_id, bucket, object_key FROM archive_uploads \
                 WHERE status = ?1 ORDER BY position LIMIT 1",
                &[Status::InProgress.as_str().into()],
                read,
            )
        };
        Ok(self.store.read(next)?)
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

//! Uploads of archives of a commit's files to a bucket, in the background: the permission-only actions `UploadArchive`,
//! `GetUploadArchiveStatus` and `CancelUploadArchive`, which the source action of CodePipeline calls.
//!
//! The inputs and the output of `UploadArchive` are those that records of AWS show; the other shapes are ours.

mod content;
pub mod upload;

use std::sync::Arc;

use aws::Call;
use git::Kind;
use serde::{Deserialize, Serialize};

use crate::archive::upload::{Upload, UploadStatus};
use crate::name::{self, RepositoryName};
use crate::wake::Wake;
use crate::{Change, CodeCommit, Exception};

/// Buckets for archives; it is woken when uploads are queued or cancelled.
pub trait Archives: Wake {
    /// Returns why a bucket and key are not allowed for archives; `None` if they are.
    fn refusal(&self, bucket: &str, key: &str) -> Result<Option<String>, store::Error>;
}

/// Input of `UploadArchive`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UploadArchiveInput {
    repository_name: Option<String>,
    commit_id: Option<String>,
    archive_type: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
}

/// Output of `UploadArchive`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadArchiveOutput {
    upload_id: String,
}

/// Input of `GetUploadArchiveStatus` and `CancelUploadArchive`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UploadInput {
    repository_name: Option<String>,
    upload_id: Option<String>,
}

/// Output of `GetUploadArchiveStatus` and `CancelUploadArchive`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadOutput {
    upload_id: String,
    status: UploadStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
}

/// Queues the upload of a commit's files to a bucket, as a ZIP file.
pub(crate) fn upload(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UploadArchiveInput,
) -> Result<Change<UploadArchiveOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let commit_id = name::commit_id(input.commit_id)?;
    let archive_type = required(input.archive_type, "archiveType")?;
    if archive_type != "ZIP" {
        return Err(invalid(format!("The archive type {archive_type} is not valid. The valid value is ZIP.")));
    }
    let bucket = required(input.s3_bucket, "s3Bucket")?;
    let key = required(input.s3_key, "s3Key")?;
    if let Some(reason) = service.archives.refusal(&bucket, &key)? {
        return Err(invalid(reason));
    }
    let repository = service.find(call, &name)?;
    if service.objects(call, &repository)?.kind(&commit_id)? != Some(Kind::Commit) {
        return Err(Exception::CommitIdDoesNotExist { id: commit_id.to_string() });
    }
    let upload = Upload { id: call.new_id(), repository_id: repository.id, commit_id, bucket, key };
    let archives = Arc::clone(&service.archives);
    Ok(Box::new(move |transaction| {
        if !upload::insert(transaction, &upload)? {
            return Err(Exception::RepositoryDoesNotExist { name: name.to_string() });
        }
        transaction.after_commit(move || archives.wake());
        Ok(UploadArchiveOutput { upload_id: upload.id })
    }))
}

pub(crate) fn get_status(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UploadInput,
) -> Result<UploadOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let id = required(input.upload_id, "uploadId")?;
    let repository = service.find(call, &name)?;
    let found = service.store.read(|transaction| upload::status(transaction, &repository.id, &id))?;
    show(found, id, &name)
}

/// Cancels an upload; one that has ended keeps its status.
pub(crate) fn cancel(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UploadInput,
) -> Result<Change<UploadOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let id = required(input.upload_id, "uploadId")?;
    let repository = service.find(call, &name)?;
    let archives = Arc::clone(&service.archives);
    Ok(Box::new(move |transaction| {
        upload::cancel(transaction, &repository.id, &id)?;
        transaction.after_commit(move || archives.wake());
        show(upload::status(transaction, &repository.id, &id)?, id, &name)
    }))
}

/// Returns the output for an upload's status; a missing upload is invalid input.
fn show(
    found: Option<(UploadStatus, Option<String>)>,
    upload_id: String,
    name: &RepositoryName,
) -> Result<UploadOutput, Exception> {
    let missing = || invalid(format!("The repository {name} has no upload with the ID {upload_id}."));
    let (status, status_message) = found.ok_or_else(missing)?;
    Ok(UploadOutput { upload_id, status, status_message })
}

/// Returns a required text of an archive action.
fn required(text: Option<String>, member: &str) -> Result<String, Exception> {
    name::required(text, Exception::Validation { reason: format!("{member} is required, but was not specified.") })
}

/// Returns the exception for invalid input; AWS models none for these actions.
fn invalid(reason: String) -> Exception {
    Exception::Validation { reason }
}

//! Archives of a commit's files, put into a bucket in the background: the permission-only actions `UploadArchive`,
//! `GetUploadArchiveStatus` and `CancelUploadArchive`, which CodePipeline's source action calls. Inputs and the output of
//! `UploadArchive` are what records of AWS show; the rest of their shapes is ours.

mod content;
pub mod upload;

use std::sync::Arc;

use aws::Call;
use git::Kind;
use serde::{Deserialize, Serialize};

use crate::archive::upload::{Status, Upload};
use crate::name::{self, RepositoryName};
use crate::{Change, CodeCommit, Exception};

/// The buckets that archives go to; how they are kept is not the service's business.
pub trait Archives: Send + Sync {
    /// Tells why no archive can have this bucket and key, if none can.
    fn refusal(&self, bucket: &str, key: &str) -> Result<Option<String>, store::Error>;

    /// Hears that uploads wait, or that one was cancelled.
    fn wake(&self);
}

/// What `UploadArchive` is asked.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UploadArchiveInput {
    repository_name: Option<String>,
    commit_id: Option<String>,
    archive_type: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
}

/// The upload that began.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadArchiveOutput {
    upload_id: String,
}

/// What `GetUploadArchiveStatus` and `CancelUploadArchive` are asked.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct UploadInput {
    repository_name: Option<String>,
    upload_id: Option<String>,
}

/// How an upload is.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadOutput {
    upload_id: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_message: Option<String>,
}

/// Has a commit's files put into a bucket as a ZIP file.
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

/// Gives an upload up; one that has ended stays as it is, which the status tells.
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

fn show(
    found: Option<(Status, Option<String>)>,
    upload_id: String,
    name: &RepositoryName,
) -> Result<UploadOutput, Exception> {
    let missing = || invalid(format!("The repository {name} has no upload with the ID {upload_id}."));
    let (status, status_message) = found.ok_or_else(missing)?;
    Ok(UploadOutput { upload_id, status, status_message })
}

fn required(text: Option<String>, member: &str) -> Result<String, Exception> {
    name::required(text, Exception::Validation { reason: format!("{member} is required, but was not specified.") })
}

/// AWS models no exception of these actions.
fn invalid(reason: String) -> Exception {
    Exception::Validation { reason }
}

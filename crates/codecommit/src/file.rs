//! Files and folders: put, get, delete, compare, list histories.

mod blob;
mod blob_differences;
mod folder;
mod history;
mod history_cache;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::delete_file::{DeleteFileInput, DeleteFileOutput};
use aws_sdk_codecommit::operation::get_file::{GetFileInput, GetFileOutput};
use aws_sdk_codecommit::operation::put_file::{PutFileInput, PutFileOutput};
use aws_sdk_codecommit::primitives::Blob;
use git::Mode;

pub(crate) use self::blob::get_blob;
pub(crate) use self::blob_differences::get_blob_differences;
pub(crate) use self::folder::get_folder;
pub(crate) use self::history::list_commit_history;
pub(crate) use self::history_cache::FileHistoryCache;
use crate::authorship::Authorship;
use crate::commit::{FILE_BYTES_MAX, Tip, parent_id};
use crate::name::{BranchName, RepositoryName};
use crate::path::Path;
use crate::specifier::Specifier;
use crate::{Change, CodeCommit, Exception, mode};

pub(crate) fn put(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: PutFileInput,
) -> Result<Change<PutFileOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.branch_name)?;
    let content = input.file_content.map(Blob::into_inner).unwrap_or_default();
    if content.is_empty() {
        return Err(Exception::FileContentRequired);
    }
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(Exception::FileContentSizeLimitExceeded { limit: FILE_BYTES_MAX });
    }
    let path = Path::of_new_file(input.file_path)?;
    let file_mode = mode::parse(input.file_mode)?.unwrap_or(Mode::File);
    let parent = parent_id(input.parent_commit_id)?;
    let authorship = Authorship::parse(input.name, input.email, input.commit_message)?;
    branch.add_to_facts(call);
    let repository = service.find(call, &name)?;
    let tip = Tip::find(service, call, repository, branch, parent)?;
    let mut changes = tip.changes();
    let blob = changes.put_content(path.clone(), file_mode, content)?;
    changes.check()?;
    if changes.is_empty() {
        return Err(Exception::SameFileContent { path: path.to_string() });
    }
    let created = tip.write(call, changes, &authorship)?;
    let output = PutFileOutput::builder().commit_id(created.commit.to_string()).tree_id(created.tree.to_string());
    let output = output.blob_id(blob.to_string()).build().expect("the required members are set");
    tip.advance(service, call, created.commit, output)
}

pub(crate) fn delete(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DeleteFileInput,
) -> Result<Change<DeleteFileOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.branch_name)?;
    let path = Path::parse(input.file_path)?;
    let parent = parent_id(input.parent_commit_id)?.ok_or(Exception::ParentCommitIdRequired)?;
    let authorship = Authorship::parse(input.name, input.email, input.commit_message)?;
    branch.add_to_facts(call);
    let repository = service.find(call, &name)?;
    let tip = Tip::find(service, call, repository, branch, Some(parent))?;
    let mut changes = tip.changes();
    let (_, blob) = changes.remove(path.clone())?;
    if input.keep_empty_folders == Some(true) {
        changes.keep_folders()?;
    }
    let created = tip.write(call, changes, &authorship)?;
    let output = DeleteFileOutput::builder().commit_id(created.commit.to_string()).tree_id(created.tree.to_string());
    let output = output.blob_id(blob.to_string()).file_path(path.as_str()).build();
    tip.advance(service, call, created.commit, output.expect("the required members are set"))
}

/// Returns the content of a file, or the target of a symbolic link.
pub(crate) fn get(service: &CodeCommit, call: &Arc<Call>, input: GetFileInput) -> Result<GetFileOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifier = Specifier::parse_or_head(input.commit_specifier)?;
    let path = Path::parse(input.file_path)?;
    let repository = service.find(call, &name)?;
    let mut reader = service.objects(call, &repository)?.reader();
    let commit = specifier.resolve(&*service.references(&repository)?, &mut reader)?;
    let tree = reader.commit(&commit)?.tree;
    let file = reader.entry(&tree, path.as_bytes())?.filter(|entry| entry.mode.is_blob());
    let file = file.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })?;
    let content = blob::read(&mut reader, file.id)?;
    let output = GetFileOutput::builder()
        .commit_id(commit.to_string())
        .blob_id(file.id.to_string())
        .file_path(path.as_str())
        .set_file_mode(mode::name(file.mode))
        .file_size(i64::try_from(content.len()).expect("the size is at most FILE_BYTES_MAX"))
        .file_content(content.into());
    Ok(output.build().expect("the required members are set"))
}

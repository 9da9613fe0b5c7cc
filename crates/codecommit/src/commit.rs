//! Commits: create, get, compare, list histories.

mod changes;
mod create;
mod differences;
mod entries;
mod history;
mod tip;

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::batch_get_commits::{BatchGetCommitsInput, BatchGetCommitsOutput};
use aws_sdk_codecommit::operation::get_commit::{GetCommitInput, GetCommitOutput};
use aws_sdk_codecommit::types::{self, BatchGetCommitsError, UserInfo};
use git::{Commit, Kind, ObjectId, Reader, Signature};

pub(crate) use self::changes::{FILE_BYTES_MAX, FileChanges, KEEP};
pub(crate) use self::create::create;
pub(crate) use self::differences::get_differences;
pub(crate) use self::history::{get_from_merge_base, get_history};
pub(crate) use self::tip::{Tip, parent_id};
use crate::name::{self, BATCH_MAX, RepositoryName};
use crate::{CodeCommit, Exception};

pub(crate) fn get(service: &CodeCommit, call: &Arc<Call>, input: GetCommitInput) -> Result<GetCommitOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let id = name::commit_id(input.commit_id)?;
    let repository = service.find(call, &name)?;
    let commit = find(&mut service.objects(call, &repository)?.reader(), id)?;
    Ok(GetCommitOutput::builder().commit(commit).build())
}

/// Returns each commit once, and an error for each id without a commit.
pub(crate) fn batch_get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchGetCommitsInput,
) -> Result<BatchGetCommitsOutput, Exception> {
    let ids = input.commit_ids.filter(|ids| !ids.is_empty()).ok_or(Exception::CommitIdsListRequired)?;
    if ids.len() > BATCH_MAX {
        return Err(Exception::CommitIdsLimitExceeded { limit: BATCH_MAX });
    }
    let name = RepositoryName::parse(input.repository_name)?;
    let repository = service.find(call, &name)?;
    let mut reader = service.objects(call, &repository)?.reader();
    let (mut commits, mut errors, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for text in ids {
        if !seen.insert(text.clone()) {
            continue;
        }
        let found = name::commit_id(Some(text.clone())).and_then(|id| find(&mut reader, id));
        match found {
            Ok(commit) => commits.push(commit),
            Err(
                error @ (Exception::CommitIdRequired
                | Exception::InvalidCommitId { .. }
                | Exception::CommitIdDoesNotExist { .. }),
            ) => {
                let code = error.name();
                let error =
                    BatchGetCommitsError::builder().commit_id(text).error_code(code).error_message(error.to_string());
                errors.push(error.build());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(BatchGetCommitsOutput::builder().set_commits(Some(commits)).set_errors(Some(errors)).build())
}

/// Returns the wire shape of an existing commit.
fn find(reader: &mut Reader, id: ObjectId) -> Result<types::Commit, Exception> {
    if reader.kind(&id)? != Some(Kind::Commit) {
        return Err(Exception::CommitIdDoesNotExist { id: id.to_string() });
    }
    Ok(shape(id, &reader.commit(&id)?))
}

/// Returns the wire shape of a commit; bytes that are not UTF-8 are replaced.
pub(crate) fn shape(id: ObjectId, commit: &Commit) -> types::Commit {
    let user = |Signature { name, email, date }: &Signature| {
        UserInfo::builder().name(name.to_string()).email(email.to_string()).date(date.to_string()).build()
    };
    types::Commit::builder()
        .commit_id(id.to_string())
        .tree_id(commit.tree.to_string())
        .set_parents(Some(commit.parents.iter().map(ObjectId::to_string).collect()))
        .message(commit.message.to_string())
        .author(user(&commit.author))
        .committer(user(&commit.committer))
        .additional_data(commit.extra_headers.to_string())
        .build()
}

//! Branches: create, get, list, delete, and choose the default.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::create_branch::CreateBranchInput;
use aws_sdk_codecommit::operation::delete_branch::{DeleteBranchInput, DeleteBranchOutput};
use aws_sdk_codecommit::operation::get_branch::{GetBranchInput, GetBranchOutput};
use aws_sdk_codecommit::operation::list_branches::{ListBranchesInput, ListBranchesOutput};
use aws_sdk_codecommit::operation::update_default_branch::UpdateDefaultBranchInput;
use aws_sdk_codecommit::types::BranchInfo;
use git::{BStr, Kind, ObjectId};
use store::Transaction;

use crate::name::{self, BranchName, RepositoryName};
use crate::page::{Page, Sizes};
use crate::ref_edit::{PreviousValue, RefEdit, Rejection};
use crate::ref_transaction::RefTransaction;
use crate::repository::{self, Repository};
use crate::{Change, CodeCommit, Exception, ref_query};

/// Callers cannot choose the page size.
const SIZES: Sizes = Sizes { operation: "ListBranches", default: 1_000, max: 1_000 };

pub(crate) fn create(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreateBranchInput,
) -> Result<Change<()>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.branch_name)?;
    let commit_id = name::commit_id(input.commit_id)?;
    branch.add_to_facts(call);
    let repository = service.find(call, &name)?;
    let exists = || Exception::BranchNameExists { name: branch.as_str().to_owned() };
    if service.store.read(|transaction| ref_query::target(transaction, &repository.id, &branch.reference()))?.is_some()
    {
        return Err(exists());
    }
    if service.objects(call, &repository)?.kind(&commit_id)? != Some(Kind::Commit) {
        return Err(Exception::CommitDoesNotExist { id: commit_id.to_string() });
    }
    let edit = RefEdit::create(branch.reference(), commit_id);
    let references = RefTransaction::prepare(service, call, &repository, std::slice::from_ref(&edit))?;
    Ok(Box::new(move |transaction| match references.apply_one(transaction, edit)? {
        Ok(()) => Ok(()),
        Err(Rejection::NoRepository) => Err(Exception::RepositoryDoesNotExist { name: name.to_string() }),
        Err(Rejection::NameConflict { .. }) => Err(Exception::InvalidBranchName { name: branch.as_str().to_owned() }),
        Err(_) => Err(Exception::BranchNameExists { name: branch.as_str().to_owned() }),
    }))
}

pub(crate) fn get(service: &CodeCommit, call: &Arc<Call>, input: GetBranchInput) -> Result<GetBranchOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.branch_name)?;
    let repository = service.find(call, &name)?;
    let target = service.store.read(|transaction| target_of(transaction, &repository, &branch))?;
    let branch = BranchInfo::builder().branch_name(branch.as_str()).commit_id(target.to_string()).build();
    Ok(GetBranchOutput::builder().branch(branch).build())
}

/// Lists the short names of branches in alphabetical order.
pub(crate) fn list(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListBranchesInput,
) -> Result<ListBranchesOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let repository = service.find(call, &name)?;
    let page = Page::parse(SIZES, &service.settings, &[&repository.id], input.next_token, None)?;
    let after = page.after.as_deref().unwrap_or_default();
    let names = |transaction: &Transaction| ref_query::branches(transaction, &repository.id, after, page.size + 1);
    let mut names = service.store.read(names)?;
    let next_token = page.cut(&mut names, |last| last.to_vec());
    let branches = names.iter().map(|name| short(name.as_ref())).collect();
    Ok(ListBranchesOutput::builder().set_branches(Some(branches)).set_next_token(next_token).build())
}

/// Deletes a branch; for a missing one the call succeeds with an empty reply.
pub(crate) fn delete(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DeleteBranchInput,
) -> Result<Change<DeleteBranchOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.branch_name)?;
    branch.add_to_facts(call);
    let repository = service.find(call, &name)?;
    let references = RefTransaction::prepare(service, call, &repository, &[])?;
    Ok(Box::new(move |transaction| {
        let Some(target) = ref_query::target(transaction, &repository.id, &branch.reference())? else {
            return Ok(DeleteBranchOutput::builder().build());
        };
        match references
            .apply_one(transaction, RefEdit::delete(branch.reference(), PreviousValue::MustExistAndMatch(target)))?
        {
            Ok(()) => {}
            Err(Rejection::DefaultBranch) => {
                return Err(Exception::DefaultBranchCannotBeDeleted { name: branch.as_str().to_owned() });
            }
            Err(_) => return Err(Exception::RepositoryDoesNotExist { name: name.to_string() }),
        }
        let deleted = BranchInfo::builder().branch_name(branch.as_str()).commit_id(target.to_string()).build();
        Ok(DeleteBranchOutput::builder().deleted_branch(deleted).build())
    }))
}

/// Makes an existing branch the default branch.
pub(crate) fn update_default(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateDefaultBranchInput,
) -> Result<Change<()>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let branch = BranchName::parse(input.default_branch_name)?;
    let repository = service.find(call, &name)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        target_of(transaction, &repository, &branch)?;
        let reference = branch.reference();
        Ok(repository::set_default_branch(transaction, &call, &repository.id, Some(reference.as_slice()))?)
    }))
}

fn target_of(transaction: &Transaction, repository: &Repository, branch: &BranchName) -> Result<ObjectId, Exception> {
    let reference = branch.reference();
    let target = ref_query::target(transaction, &repository.id, &reference)?;
    target.ok_or_else(|| Exception::BranchDoesNotExist { reference: reference.to_string() })
}

/// Returns the short name; bytes that are not UTF-8 are replaced.
fn short(reference: &BStr) -> String {
    String::from_utf8_lossy(reference.strip_prefix(b"refs/heads/").unwrap_or(reference)).into_owned()
}

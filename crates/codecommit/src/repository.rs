//! Repositories: create, get, list, update, delete.

mod list;
mod row;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::batch_get_repositories::{BatchGetRepositoriesInput, BatchGetRepositoriesOutput};
use aws_sdk_codecommit::operation::create_repository::{CreateRepositoryInput, CreateRepositoryOutput};
use aws_sdk_codecommit::operation::delete_repository::{DeleteRepositoryInput, DeleteRepositoryOutput};
use aws_sdk_codecommit::operation::get_repository::{GetRepositoryInput, GetRepositoryOutput};
use aws_sdk_codecommit::operation::update_repository_description::UpdateRepositoryDescriptionInput;
use aws_sdk_codecommit::operation::update_repository_encryption_key::{
    UpdateRepositoryEncryptionKeyInput, UpdateRepositoryEncryptionKeyOutput,
};
use aws_sdk_codecommit::operation::update_repository_name::UpdateRepositoryNameInput;
use aws_sdk_codecommit::types::{BatchGetRepositoriesError, BatchGetRepositoriesErrorCodeEnum};
use store::Transaction;

use crate::name::{self, RepositoryName};
use crate::{Change, CodeCommit, Exception, encryption_key, shared_objects, tag};

pub(crate) use list::list;
pub use row::Repository;
pub(crate) use row::{
    all_ids, allow_any, allow_name, arn_of, deleted_ids, exists, find_row, forget, forget_deleted, get_row,
    get_row_by_id, read_row, set, set_default_branch,
};

/// Maximum length of a description, in characters.
const DESCRIPTION_MAX: usize = 1_000;

pub(crate) fn create(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreateRepositoryInput,
) -> Result<Change<CreateRepositoryOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let description = description(input.repository_description)?;
    let tags = name::tags(input.tags)?;
    tag::add_facts(call, &tags);
    allow_name(call, &name)?;
    let kms_key_id = encryption_key::parse(input.kms_key_id, call)?;
    service.settings.simulate.check_tags(&tags)?;
    service.settings.simulate.check_key(call, &kms_key_id)?;
    if service.settings.simulate.create_repository_not_allowed {
        return Err(Exception::OperationNotAllowed);
    }
    let repository = Repository {
        id: call.new_id(),
        account: call.account.clone(),
        region: call.region.clone(),
        name: name.to_string(),
        description,
        default_branch: None,
        refs_version: 0,
        packs_version: 0,
        prunes: 0,
        created: call.time,
        modified: call.time,
        kms_key_id,
    };
    let (call, limit) = (Arc::clone(call), service.settings.repositories_max);
    Ok(Box::new(move |transaction| {
        if let Some(existing) = read_row(transaction, &call, &name)? {
            existing.add_to_resources(&call);
            return Err(Exception::RepositoryNameExists { name: name.to_string() });
        }
        if count_one_more(transaction, &call)? > limit {
            return Err(Exception::RepositoryLimitExceeded { limit });
        }
        row::insert(transaction, &repository)?;
        tag::insert(transaction, &repository.id, &tags)?;
        repository.add_to_resources(&call);
        Ok(CreateRepositoryOutput::builder().repository_metadata(repository.metadata(&call)).build())
    }))
}

pub(crate) fn get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetRepositoryInput,
) -> Result<GetRepositoryOutput, Exception> {
    let repository = service.find(call, &RepositoryName::parse(input.repository_name)?)?;
    Ok(GetRepositoryOutput::builder().repository_metadata(repository.metadata(call)).build())
}

/// Returns several repositories; a name given twice is answered once.
pub(crate) fn batch_get(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchGetRepositoriesInput,
) -> Result<BatchGetRepositoriesOutput, Exception> {
    let mut names = RepositoryName::parse_all(input.repository_names.unwrap_or_default())?;
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    service.store.read(|transaction| {
        let (mut repositories, mut not_found, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for name in &names {
            let Some(repository) = find_row(transaction, call, name)? else {
                not_found.push(name.to_string());
                continue;
            };
            match service.settings.simulate.check_key(call, &repository.kms_key_id) {
                Ok(()) => repositories.push(repository.metadata(call)),
                Err(exception) => errors.push(
                    BatchGetRepositoriesError::builder()
                        .repository_id(repository.id)
                        .repository_name(repository.name)
                        .error_code(BatchGetRepositoriesErrorCodeEnum::from(exception.name().as_str()))
                        .error_message(exception.to_string())
                        .build(),
                ),
            }
        }
        Ok(BatchGetRepositoriesOutput::builder()
            .set_repositories(Some(repositories))
            .set_repositories_not_found(Some(not_found))
            .set_errors(Some(errors))
            .build())
    })
}

/// Deletes a repository with everything in it; for a missing one the call succeeds without an id.
pub(crate) fn delete(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DeleteRepositoryInput,
) -> Result<Change<DeleteRepositoryOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let (call, objects, simulate) = (Arc::clone(call), Arc::clone(&service.objects), service.settings.simulate.clone());
    Ok(Box::new(move |transaction| {
        let Some(repository) = find_row(transaction, &call, &name)? else {
            return Ok(DeleteRepositoryOutput::builder().build());
        };
        simulate.check_key(&call, &repository.kms_key_id)?;
        transaction.execute("INSERT INTO deletions (repository_id) VALUES (?1)", &[(&repository.id).into()])?;
        if objects.shared().is_some() {
            shared_objects::retire(transaction, &repository.id)?;
        }
        transaction.execute("DELETE FROM repositories WHERE id = ?1", &[(&repository.id).into()])?;
        transaction.execute(
            "UPDATE places SET repositories = repositories - 1 WHERE account = ?1 AND region = ?2",
            &[call.account.as_str().into(), call.region.as_str().into()],
        )?;
        let id = repository.id.clone();
        transaction.after_commit(move || objects.remove(vec![id]));
        Ok(DeleteRepositoryOutput::builder().repository_id(repository.id).build())
    }))
}

/// Renames a repository; a name in use is refused, including its own.
pub(crate) fn update_name(
    _service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateRepositoryNameInput,
) -> Result<Change<()>, Exception> {
    let old = RepositoryName::parse(input.old_name)?;
    let new = RepositoryName::parse(input.new_name)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let repository = get_row(transaction, &call, &old)?;
        allow_name(&call, &new)?;
        if is_taken(transaction, &call, &new)? {
            return Err(Exception::RepositoryNameExists { name: new.to_string() });
        }
        Ok(set(transaction, &call, &repository.id, "name", new.as_str().into())?)
    }))
}

/// Sets or clears the description; a missing one counts as empty.
pub(crate) fn update_description(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateRepositoryDescriptionInput,
) -> Result<Change<()>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let description = description(input.repository_description)?;
    service.find(call, &name)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let repository = get_row(transaction, &call, &name)?;
        Ok(set(transaction, &call, &repository.id, "description", description.as_ref().into())?)
    }))
}

/// Changes the encryption key, which is only a name in the metadata: nothing is encrypted.
pub(crate) fn update_encryption_key(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdateRepositoryEncryptionKeyInput,
) -> Result<Change<UpdateRepositoryEncryptionKeyOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let key = name::required(input.kms_key_id, Exception::EncryptionKeyRequired)?;
    let key = encryption_key::parse(Some(key), call)?;
    service.find(call, &name)?;
    service.settings.simulate.check_key(call, &key)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let repository = get_row(transaction, &call, &name)?;
        set(transaction, &call, &repository.id, "kms_key_id", (&key).into())?;
        Ok(UpdateRepositoryEncryptionKeyOutput::builder()
            .repository_id(repository.id)
            .kms_key_id(key)
            .original_kms_key_id(repository.kms_key_id)
            .build())
    }))
}

/// Parses a description.
fn description(text: Option<String>) -> Result<Option<String>, Exception> {
    name::optional(text, DESCRIPTION_MAX, Exception::InvalidRepositoryDescription)
}

/// Increments the number of repositories of the call's account and region; returns the new number.
fn count_one_more(transaction: &Transaction, call: &Call) -> Result<u64, store::Error> {
    let count = transaction.query_one(
        "INSERT INTO places (account, region, repositories) VALUES (?1, ?2, 1) \
         ON CONFLICT (account, region) DO UPDATE SET repositories = places.repositories + 1 RETURNING repositories",
        &[call.account.as_str().into(), call.region.as_str().into()],
        |row| row.integer(0),
    )?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Returns whether a name is in use.
///
/// Unlike [`find_row`], it does not add to the call's resources: the record of a renaming shows the old name only.
fn is_taken(transaction: &Transaction, call: &Call, name: &RepositoryName) -> Result<bool, store::Error> {
    let taken = transaction.query_one(
        "SELECT 1 FROM repositories WHERE account = ?1 AND region = ?2 AND name = ?3",
        &[call.account.as_str().into(), call.region.as_str().into(), name.as_str().into()],
        |row| row.integer(0),
    )?;
    Ok(taken.is_some())
}

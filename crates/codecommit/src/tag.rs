//! Tags of repositories.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::{Call, Facts, TaggedResource};
use aws_sdk_codecommit::operation::list_tags_for_resource::{ListTagsForResourceInput, ListTagsForResourceOutput};
use aws_sdk_codecommit::operation::tag_resource::TagResourceInput;
use aws_sdk_codecommit::operation::untag_resource::UntagResourceInput;
use store::{Error, Transaction};

use crate::name::{self, RepositoryName, TAGS_MAX};
use crate::repository::{arn_of, get_row};
use crate::settings::Simulate;
use crate::{Change, CodeCommit, Exception};

pub(crate) fn tag_resource(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: TagResourceInput,
) -> Result<Change<()>, Exception> {
    let name = RepositoryName::from_arn(input.resource_arn, call)?;
    let tags = name::tags(input.tags)?;
    if tags.is_empty() {
        return Err(Exception::TagsMapRequired);
    }
    add_facts(call, &tags);
    service.settings.simulate.check_tags(&tags)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let repository = get_row(transaction, &call, &name)?;
        insert(transaction, &repository.id, &tags)?;
        if repository.tags(transaction)?.len() > TAGS_MAX {
            return Err(Exception::TooManyTags { limit: TAGS_MAX });
        }
        Ok(())
    }))
}

/// Removes tags; keys that the repository does not have are ignored.
pub(crate) fn untag_resource(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UntagResourceInput,
) -> Result<Change<()>, Exception> {
    let name = RepositoryName::from_arn(input.resource_arn, call)?;
    let keys = name::tag_keys(input.tag_keys.unwrap_or_default())?;
    call.add_facts(Facts::default().with_many("aws:TagKeys", &keys));
    service.settings.simulate.check_required_tags(&keys)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let id = get_row(transaction, &call, &name)?.id;
        for key in &keys {
            transaction
                .execute("DELETE FROM tags WHERE repository_id = ?1 AND key = ?2", &[(&id).into(), key.into()])?;
        }
        Ok(())
    }))
}

/// Lists all tags of a repository on one page, without a token.
pub(crate) fn list_tags_for_resource(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Exception> {
    let name = RepositoryName::from_arn(input.resource_arn, call)?;
    let tags = service.store.read(|transaction| {
        let repository = get_row(transaction, call, &name)?;
        Ok::<_, Exception>(repository.tags(transaction)?)
    })?;
    Ok(ListTagsForResourceOutput::builder().set_tags(Some(tags.into_iter().collect())).build())
}

/// Lists the repositories of the call's account and region that have or had tags, in the order of their names.
pub(crate) fn tagged(transaction: &Transaction, call: &Call) -> Result<Vec<TaggedResource>, Error> {
    let rows = transaction.query(
        "SELECT name, key, value FROM repositories LEFT JOIN tags ON repository_id = id \
         WHERE account = ?1 AND region = ?2 AND tagged = 1 ORDER BY name",
        &[call.account.as_str().into(), call.region.as_str().into()],
        |row| {
            let arn = arn_of(call.region.clone(), call.account.clone(), row.text(0)?);
            Ok((arn, row.optional_text(1)?.zip(row.optional_text(2)?)))
        },
    )?;
    Ok(TaggedResource::group(rows))
}

/// Makes the tags of a request facts about its operation.
pub(crate) fn add_facts(call: &Call, tags: &BTreeMap<String, String>) {
    call.add_facts(Facts::default().with_request_tags(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))));
}

/// Adds tags; an existing key gets the new value.
pub(crate) fn insert(
    transaction: &Transaction,
    repository_id: &str,
    tags: &BTreeMap<String, String>,
) -> Result<(), Error> {
    if !tags.is_empty() {
        transaction.execute("UPDATE repositories SET tagged = 1 WHERE id = ?1", &[repository_id.into()])?;
    }
    for (key, value) in tags {
        transaction.execute(
            "INSERT INTO tags (repository_id, key, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (repository_id, key) DO UPDATE SET value = excluded.value",
            &[repository_id.into(), key.into(), value.into()],
        )?;
    }
    Ok(())
}

impl Simulate {
    /// Fails if the policy does not allow a tag.
    pub(crate) fn check_tags(&self, tags: &BTreeMap<String, String>) -> Result<(), Exception> {
        match self.noncompliant(tags).into_iter().next() {
            Some(key) => Err(Exception::TagPolicy { key }),
            None => Ok(()),
        }
    }

    /// Returns the keys with values that the policy does not allow.
    pub(crate) fn noncompliant(&self, tags: &BTreeMap<String, String>) -> Vec<String> {
        let refused = tags
            .iter()
            .filter(|(key, value)| self.tag_policy.get(*key).is_some_and(|allowed| !allowed.contains(value)));
        refused.map(|(key, _)| key.clone()).collect()
    }

    /// Fails if a key is in the policy: its tag cannot be removed.
    pub(crate) fn check_required_tags(&self, keys: &[String]) -> Result<(), Exception> {
        let refused = keys.iter().find(|key| self.tag_policy.contains_key(*key));
        refused.map_or(Ok(()), |key| Err(Exception::TagPolicy { key: key.clone() }))
    }
}

//! Tags of users, roles and policies.

use aws::Facts;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::IamError;
use super::call::IamCall;
use super::input::HolderName;
use super::paging::Paging;
use crate::Exception;
use crate::sts::input::{count, length, required};
use crate::sts::tags as session_tags;
pub(crate) use crate::sts::tags::Tag;
use crate::tables::HolderKind;

/// Maximum number of tags.
const TAGS_MAX: usize = 50;

impl Tag {
    /// Writes tags as a list of a reply.
    pub(crate) fn list(tags: &[(String, String)]) -> Value {
        tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
    }
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagInput {
    #[serde(flatten)]
    holder: HolderName,
    tags: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UntagInput {
    #[serde(flatten)]
    holder: HolderName,
    tag_keys: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    #[serde(flatten)]
    holder: HolderName,
    #[serde(flatten)]
    paging: Paging,
}

pub(crate) fn tag(iam: &IamCall<'_>, kind: HolderKind, input: &TagInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    let tags = checked(&input.tags)?;
    let mut entity = iam.get_with(kind, name, |facts| request_facts(facts, &tags))?.modifiable()?;
    merge(&mut entity.tags, tags)?;
    entity.update(iam)?;
    Ok(Value::Null)
}

pub(crate) fn untag(iam: &IamCall<'_>, kind: HolderKind, input: &UntagInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    check_keys(&input.tag_keys)?;
    let keys = || input.tag_keys.iter().map(String::as_str);
    let mut entity = iam.get_with(kind, name, |facts| facts.with_many("aws:TagKeys", keys()))?.modifiable()?;
    remove(&mut entity.tags, &input.tag_keys);
    entity.update(iam)?;
    Ok(Value::Null)
}

pub(crate) fn list(iam: &IamCall<'_>, kind: HolderKind, input: &ListInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    input.paging.check()?;
    let mut tags = iam.get(kind, name)?.tags;
    page(&input.paging, &mut tags)
}

/// Returns a page of tags.
pub(crate) fn page(paging: &Paging, tags: &mut [(String, String)]) -> Result<Value, Exception> {
    tags.sort();
    paging.page("Tags", tags, |(key, _)| key.clone(), |(key, value)| json!({ "Key": key, "Value": value }))
}

/// Returns the tags of an input; refuses invalid ones.
pub(crate) fn checked(tags: &[Tag]) -> Result<Vec<(String, String)>, Exception> {
    session_tags::check(tags).map_err(|exception| match exception {
        Exception::DuplicateTags => IamError::invalid_input(exception.to_string()),
        other => other,
    })?;
    Ok(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
}

/// Refuses invalid keys of tags.
pub(crate) fn check_keys(keys: &[String]) -> Result<(), Exception> {
    count("tagKeys", "keys", keys.len(), 0..=TAGS_MAX)?;
    keys.iter().try_for_each(|key| {
        required("tagKeys.member", key)?;
        length("tagKeys.member", key, 1..=128)
    })
}

/// Adds tags to others; a key is the same without regard to case.
pub(crate) fn merge(tags: &mut Vec<(String, String)>, added: Vec<(String, String)>) -> Result<(), Exception> {
    for (key, value) in added {
        tags.retain(|(other, _)| !other.eq_ignore_ascii_case(&key));
        tags.push((key, value));
    }
    if tags.len() > TAGS_MAX {
        return Err(IamError::limit_exceeded(format!("The number of tags has reached the maximum limit: {TAGS_MAX}")));
    }
    Ok(())
}

/// Removes the tags with some keys.
pub(crate) fn remove(tags: &mut Vec<(String, String)>, keys: &[String]) {
    tags.retain(|(key, _)| !keys.iter().any(|other| other.eq_ignore_ascii_case(key)));
}

/// Adds what policies can ask about the tags of a request.
pub(crate) fn request_facts(facts: Facts, tags: &[(String, String)]) -> Facts {
    facts.with_request_tags(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

/// Returns what policies can ask about the tags of a resource.
pub(crate) fn resource_facts(tags: &[(String, String)]) -> Facts {
    let pairs = || tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let facts = Facts::default().with_resource_tags(pairs());
    pairs().fold(facts, |facts, (key, value)| facts.with(&format!("iam:ResourceTag/{key}"), value))
}

/// Writes the column `tags`.
pub(crate) fn write(tags: &[(String, String)]) -> String {
    serde_json::to_string(tags).expect("lists of texts can be written")
}

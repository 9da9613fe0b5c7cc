//! Tags of trails.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::operation::Change;
use aws::{Arn, Call, Facts, TaggedResource};
use store::{Error, Transaction};

use super::row::TrailRow;
use super::validate::{self, TrailReference};
use super::wire::{EmptyOutput, ListTagsInput, ListTagsOutput, ResourceTag, Tag, TagsInput};
use crate::{CloudTrail, Exception};

/// Maximum number of tags of a trail.
const TAGS_MAX: usize = 50;

type Changing<O> = Result<Change<Transaction, O, Exception>, Exception>;

/// Adds tags; an existing key gets the new value.
pub(crate) fn add_tags(_: &CloudTrail, call: &Arc<Call>, input: TagsInput) -> Changing<EmptyOutput> {
    let (resource, call) = (resource(input.resource_id)?, Arc::clone(call));
    let tags = parse(input.tags_list)?;
    add_facts(&call, &tags);
    Ok(Box::new(move |transaction| {
        let row = tagged(transaction, &call, &resource)?;
        insert(transaction, row.id, &tags)?;
        Ok(EmptyOutput {})
    }))
}

/// Removes tags; missing keys are ignored.
pub(crate) fn remove_tags(_: &CloudTrail, call: &Arc<Call>, input: TagsInput) -> Changing<EmptyOutput> {
    let (resource, call) = (resource(input.resource_id)?, Arc::clone(call));
    let tags = input.tags_list;
    call.add_facts(Facts::default().with_many("aws:TagKeys", tags.iter().map(|tag| &tag.key)));
    if let Some(tag) = tags.iter().find(|tag| !(1..=128).contains(&tag.key.chars().count())) {
        return Err(Exception::InvalidTagParameter { reason: format!("The tag '{}' is not valid.", tag.key) });
    }
    Ok(Box::new(move |transaction| {
        let row = tagged(transaction, &call, &resource)?;
        for tag in &tags {
            let values = [row.id.into(), (&tag.key).into()];
            transaction.execute("DELETE FROM trail_tags WHERE trail = ?1 AND name = ?2", &values)?;
        }
        Ok(EmptyOutput {})
    }))
}

/// Lists tags; all fit on one page, so there is never a next token.
pub(crate) fn list_tags(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: ListTagsInput,
) -> Result<ListTagsOutput, Exception> {
    if input.next_token.is_some() {
        return Err(Exception::InvalidToken);
    }
    let resources = input.resource_id_list;
    let resources = resources.into_iter().map(resource).collect::<Result<Vec<_>, _>>()?;
    let lists = service.store.read(|transaction| {
        let list = |reference: &TrailReference| {
            let row = tagged(transaction, call, reference)?;
            let tags = row.tags(transaction)?.into_iter().map(|(key, value)| Tag { key, value: Some(value) });
            Ok(ResourceTag { resource_id: row.arn.to_string(), tags_list: tags.collect() })
        };
        resources.iter().map(list).collect::<Result<Vec<_>, Exception>>()
    })?;
    Ok(ListTagsOutput { resource_tag_list: lists })
}

/// Makes the tags of a request facts about its operation.
pub(super) fn add_facts(call: &Call, tags: &BTreeMap<String, String>) {
    call.add_facts(Facts::default().with_request_tags(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))));
}

impl CloudTrail {
    /// Lists the trails with the call's region as home region that have or had tags.
    pub fn tagged(&self, call: &Call) -> Result<Vec<TaggedResource>, Error> {
        self.store.read(|transaction| tagged_trails(transaction, call))
    }
}

/// Lists the trails with the call's region as home region that have or had tags, in the order of their names.
pub(crate) fn tagged_trails(transaction: &Transaction, call: &Call) -> Result<Vec<TaggedResource>, Error> {
    let rows = transaction.query(
        "SELECT trails.name, trail_tags.name, value FROM trails LEFT JOIN trail_tags ON trail = id \
         WHERE account = ?1 AND home_region = ?2 AND deleted IS NULL AND tagged = 1 ORDER BY trails.name",
        &[call.account.as_str().into(), call.region.as_str().into()],
        |row| {
            let arn = validate::arn(call.region.clone(), call.account.clone(), &row.text(0)?);
            Ok((arn, row.optional_text(1)?.zip(row.optional_text(2)?)))
        },
    )?;
    Ok(TaggedResource::group(rows))
}

/// Parses tags, whose keys must differ.
pub(super) fn parse(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, Exception> {
    let mut parsed = BTreeMap::new();
    let plain = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || " _.:/=+-@".contains(letter));
    for Tag { key, value } in tags {
        let value = value.unwrap_or_default();
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        let is_valid = (1..=128).contains(&key_length) && value_length <= 256 && plain(&key) && plain(&value);
        if !is_valid || key.to_lowercase().starts_with("aws:") {
            return Err(Exception::InvalidTagParameter { reason: format!("The tag '{key}' is not valid.") });
        }
        if parsed.contains_key(&key) {
            return Err(Exception::InvalidTagParameter {
                reason: format!("The tag key '{key}' is given more than once."),
            });
        }
        parsed.insert(key, value);
    }
    if parsed.len() > TAGS_MAX { Err(Exception::TagsLimitExceeded { limit: TAGS_MAX }) } else { Ok(parsed) }
}

pub(super) fn insert(transaction: &Transaction, trail: i64, tags: &BTreeMap<String, String>) -> Result<(), Exception> {
    if !tags.is_empty() {
        transaction.execute("UPDATE trails SET tagged = 1 WHERE id = ?1", &[trail.into()])?;
    }
    for (name, value) in tags {
        transaction.execute(
            "INSERT INTO trail_tags (trail, name, value) VALUES (?1, ?2, ?3) \
             ON CONFLICT (trail, name) DO UPDATE SET value = excluded.value",
            &[trail.into(), name.into(), value.into()],
        )?;
    }
    let query = "SELECT COUNT(*) FROM trail_tags WHERE trail = ?1";
    let count = transaction.query_one(query, &[trail.into()], |row| row.integer(0))?.unwrap_or(0);
    let fits = usize::try_from(count).is_ok_and(|count| count <= TAGS_MAX);
    if fits { Ok(()) } else { Err(Exception::TagsLimitExceeded { limit: TAGS_MAX }) }
}

/// Parses the ARN of a tagged resource; only trails exist here.
fn resource(id: String) -> Result<TrailReference, Exception> {
    let arn = Arn::parse(&id).filter(|arn| arn.service == "cloudtrail");
    let Some(arn) = arn else { return Err(Exception::CloudTrailARNInvalid { arn: id }) };
    if !arn.resource.starts_with("trail/") {
        return Err(Exception::ResourceTypeNotSupported { arn: id });
    }
    TrailReference::parse(Some(id))
}

/// Finds the trail of an operation on tags in its home region.
fn tagged(transaction: &Transaction, call: &Call, reference: &TrailReference) -> Result<TrailRow, Exception> {
    let row = TrailRow::find(transaction, call, reference)?.filter(|row| row.arn.region == call.region);
    row.ok_or_else(|| reference.resource_not_found())
}

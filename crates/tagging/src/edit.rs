//! `TagResources` and `UntagResources`: each resource is changed independently, so some may fail and others succeed.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::operation::Change;
use aws::{Arn, Call, Facts, Failure};
use serde::{Deserialize, Serialize};
use store::Transaction;

use crate::filter::check_key;
use crate::owner::TagChange;
use crate::{Exception, Tagging, arn};

/// Maximum number of ARNs in a request.
const ARNS_MAX: usize = 20;

/// Maximum number of tags or keys in a request.
const TAGS_MAX: usize = 50;

/// Maximum length of a tag's value, in characters.
const VALUE_LENGTH_MAX: usize = 256;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagResourcesInput {
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Option<Vec<String>>,
    tags: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UntagResourcesInput {
    #[serde(rename = "ResourceARNList")]
    resource_arn_list: Option<Vec<String>>,
    tag_keys: Option<Vec<String>>,
}

/// Output of both operations: the failures of resources, by ARN.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FailedResources {
    failed_resources_map: BTreeMap<String, FailureInfo>,
}

/// Wire shape `FailureInfo`: the failure of one resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FailureInfo {
    status_code: u16,
    error_code: String,
    error_message: String,
}

/// Result of the first half of both operations.
type ChangeResult = Result<Change<Transaction, FailedResources, Exception>, Exception>;

pub(crate) fn tag_resources(service: &Tagging, call: &Arc<Call>, input: TagResourcesInput) -> ChangeResult {
    call.allow("*", &Facts::default())?;
    let arns = arn::list(input.resource_arn_list.unwrap_or_default(), call, ARNS_MAX)?;
    let tags = input.tags.unwrap_or_default();
    let tags: BTreeMap<_, _> = tags.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    if tags.is_empty() || tags.len() > TAGS_MAX {
        return Err(Exception::invalid(format!("Tags must have 1 to {TAGS_MAX} tags.")));
    }
    for (key, value) in &tags {
        check_own_key(key)?;
        if value.chars().count() > VALUE_LENGTH_MAX {
            return Err(Exception::invalid(format!("A tag value can have {VALUE_LENGTH_MAX} characters at most.")));
        }
    }
    Ok(change_each(service, call, &arns, &TagChange::Tag(tags)))
}

pub(crate) fn untag_resources(service: &Tagging, call: &Arc<Call>, input: UntagResourcesInput) -> ChangeResult {
    call.allow("*", &Facts::default())?;
    let arns = arn::list(input.resource_arn_list.unwrap_or_default(), call, ARNS_MAX)?;
    let keys = input.tag_keys.unwrap_or_default();
    if keys.is_empty() || keys.len() > TAGS_MAX {
        return Err(Exception::invalid(format!("TagKeys must have 1 to {TAGS_MAX} keys.")));
    }
    keys.iter().try_for_each(|key| check_own_key(key))?;
    Ok(change_each(service, call, &arns, &TagChange::Untag(keys)))
}

/// Changes the resources one after the other, each in a transaction of its own; this call's transaction stores its record only.
fn change_each(
    service: &Tagging,
    call: &Call,
    arns: &[Arn],
    change: &TagChange,
) -> Change<Transaction, FailedResources, Exception> {
    let failed = arns.iter().filter_map(|arn| {
        let failure = service.change(call, arn, change).err()?;
        Some((arn.to_string(), FailureInfo::from(failure)))
    });
    let failed_resources_map = failed.collect();
    Box::new(move |_| Ok(FailedResources { failed_resources_map }))
}

/// Checks a key to add or remove; keys of AWS are refused.
fn check_own_key(key: &str) -> Result<(), Exception> {
    check_key(key)?;
    if key.to_lowercase().starts_with("aws:") {
        return Err(Exception::invalid(format!("The tag key {key} is one of AWS's own: it begins with aws:.")));
    }
    Ok(())
}

impl From<Failure> for FailureInfo {
    fn from(failure: Failure) -> Self {
        Self { status_code: failure.status, error_code: failure.name, error_message: failure.message }
    }
}

//! Tags of managed policies.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::IamCall;
use super::input;
use super::paging::Paging;
use super::policies::Policy;
use super::tags::{self, Tag};
use crate::Exception;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TagInput {
    policy_arn: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UntagInput {
    policy_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    policy_arn: String,
    #[serde(flatten)]
    paging: Paging,
}

pub(crate) fn tag(iam: &IamCall<'_>, input: &TagInput) -> Result<Value, Exception> {
    input::policy_arn(&input.policy_arn)?;
    let added = tags::checked(&input.tags)?;
    let policy = Policy::get_with(iam, &input.policy_arn, |facts| tags::request_facts(facts, &added))?;
    let mut policy = policy.modifiable(iam)?;
    tags::merge(&mut policy.tags, added)?;
    store(iam, &policy)
}

pub(crate) fn untag(iam: &IamCall<'_>, input: &UntagInput) -> Result<Value, Exception> {
    input::policy_arn(&input.policy_arn)?;
    tags::check_keys(&input.tag_keys)?;
    let keys = || input.tag_keys.iter().map(String::as_str);
    let policy = Policy::get_with(iam, &input.policy_arn, |facts| facts.with_many("aws:TagKeys", keys()))?;
    let mut policy = policy.modifiable(iam)?;
    tags::remove(&mut policy.tags, &input.tag_keys);
    store(iam, &policy)
}

pub(crate) fn list(iam: &IamCall<'_>, input: &ListInput) -> Result<Value, Exception> {
    input.paging.check()?;
    tags::page(&input.paging, &mut Policy::get(iam, &input.policy_arn)?.tags)
}

fn store(iam: &IamCall<'_>, policy: &Policy) -> Result<Value, Exception> {
    let tags = tags::write(&policy.tags);
    let values = [(&policy.arn).into(), (&tags).into()];
    iam.transaction.execute("UPDATE managed_policies SET tags = ?2 WHERE arn = ?1", &values)?;
    Ok(Value::Null)
}

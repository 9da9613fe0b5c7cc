//! Roles.

use aws::query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::boundaries;
use super::call::IamCall;
use super::entity::Entity;
use super::input;
use super::paging::Paging;
use super::tags::{self, Tag};
use crate::Exception;
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX};
use crate::sts::input::number;
use crate::tables::HolderKind;

/// Maximum length of the name of a role, in characters.
const NAME_MAX: usize = 64;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateInput {
    path: String,
    role_name: String,
    assume_role_policy_document: String,
    description: String,
    #[serde(deserialize_with = "query::integer")]
    max_session_duration: Option<i64>,
    permissions_boundary: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RoleInput {
    role_name: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UpdateInput {
    role_name: String,
    description: Option<String>,
    #[serde(deserialize_with = "query::integer")]
    max_session_duration: Option<i64>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct TrustPolicyInput {
    role_name: String,
    policy_document: String,
}

pub(crate) fn create(iam: &IamCall<'_>, input: &CreateInput) -> Result<Value, Exception> {
    input::name("roleName", &input.role_name, NAME_MAX)?;
    input::path("path", &input.path)?;
    input::document("assumeRolePolicyDocument", &input.assume_role_policy_document)?;
    input::description(&input.description)?;
    check_duration(input.max_session_duration)?;
    let mut role = Entity::new(iam, HolderKind::Role, &input.role_name, &input.path);
    role.tags = tags::checked(&input.tags)?;
    role.boundary = boundaries::optional(iam, &input.permissions_boundary)?;
    role.trust = Some(input.assume_role_policy_document.clone());
    role.max_seconds = Some(input.max_session_duration.unwrap_or(DURATION_SECONDS));
    role.description = Some(input.description.clone()).filter(|text| !text.is_empty());
    role.create(iam)?;
    input::parse_trust_policy(role.trust.as_deref().unwrap_or_default())?;
    boundaries::check(iam, &role)?;
    Ok(json!({ "Role": role.details(iam) }))
}

pub(crate) fn get(iam: &IamCall<'_>, input: &RoleInput) -> Result<Value, Exception> {
    input::name("roleName", &input.role_name, NAME_MAX)?;
    let mut role = iam.get(HolderKind::Role, &input.role_name)?.details(iam);
    role["RoleLastUsed"] = json!({});
    Ok(json!({ "Role": role }))
}

pub(crate) fn update(iam: &IamCall<'_>, input: &UpdateInput) -> Result<Value, Exception> {
    change(iam, input, input.max_session_duration)?;
    Ok(json!({}))
}

pub(crate) fn update_description(iam: &IamCall<'_>, input: &UpdateInput) -> Result<Value, Exception> {
    Ok(json!({ "Role": change(iam, input, None)?.details(iam) }))
}

fn change(iam: &IamCall<'_>, input: &UpdateInput, max_seconds: Option<i64>) -> Result<Entity, Exception> {
    input::name("roleName", &input.role_name, NAME_MAX)?;
    input::description(input.description.as_deref().unwrap_or_default())?;
    check_duration(max_seconds)?;
    let mut role = iam.get(HolderKind::Role, &input.role_name)?.modifiable()?;
    role.description = input.description.clone().or(role.description);
    role.max_seconds = max_seconds.or(role.max_seconds);
    role.update(iam)?;
    Ok(role)
}

fn check_duration(seconds: Option<i64>) -> Result<(), Exception> {
    number("maxSessionDuration", seconds, DURATION_SECONDS..=DURATION_SECONDS_MAX).map(drop)
}

pub(crate) fn update_trust_policy(iam: &IamCall<'_>, input: &TrustPolicyInput) -> Result<Value, Exception> {
    input::name("roleName", &input.role_name, NAME_MAX)?;
    input::document("policyDocument", &input.policy_document)?;
    let mut role = iam.get(HolderKind::Role, &input.role_name)?.modifiable()?;
    input::parse_trust_policy(&input.policy_document)?;
    role.trust = Some(input.policy_document.clone());
    role.update(iam)?;
    Ok(Value::Null)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &RoleInput) -> Result<Value, Exception> {
    input::name("roleName", &input.role_name, NAME_MAX)?;
    let role = iam.get(HolderKind::Role, &input.role_name)?.modifiable()?;
    role.refuse_while(iam, "inline_policies", "principal", "delete policies")?;
    role.refuse_while(iam, "attachments", "principal", "detach all policies")?;
    role.delete(iam)?;
    Ok(Value::Null)
}

/// Lists the instance profiles of a role: none, as there are no instances.
pub(crate) fn list_instance_profiles(iam: &IamCall<'_>, input: &RoleInput) -> Result<Value, Exception> {
    input::name("roleName", &input.role_name, NAME_MAX)?;
    input.paging.check()?;
    iam.get(HolderKind::Role, &input.role_name)?;
    input.paging.page("InstanceProfiles", &[], |()| String::new(), |()| Value::Null)
}

//! Permissions boundaries of users and roles.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::IamCall;
use super::entity::Entity;
use super::input::HolderName;
use super::{IamError, policies};
use crate::Exception;
use crate::sts::input::length;
use crate::tables::HolderKind;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PutInput {
    #[serde(flatten)]
    holder: HolderName,
    permissions_boundary: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DeleteInput {
    #[serde(flatten)]
    holder: HolderName,
}

/// Returns the ARN of an input in the form of the tables; an empty one is none.
pub(crate) fn optional(iam: &IamCall<'_>, arn: &str) -> Result<Option<String>, Exception> {
    length("permissionsBoundary", arn, 20..=2048)?;
    Ok(Some(iam.stored_arn(arn)).filter(|arn| !arn.is_empty()))
}

/// Refuses a boundary that does not exist.
pub(crate) fn check(iam: &IamCall<'_>, entity: &Entity) -> Result<(), Exception> {
    let Some(arn) = &entity.boundary else { return Ok(()) };
    if policies::exists(iam, arn)? {
        return Ok(());
    }
    Err(IamError::no_such_entity(format!("Scope ARN: {} does not exist or is not attachable.", iam.shown_arn(arn))))
}

pub(crate) fn put(iam: &IamCall<'_>, kind: HolderKind, input: &PutInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    crate::sts::input::required("permissionsBoundary", &input.permissions_boundary)?;
    let boundary = optional(iam, &input.permissions_boundary)?;
    let arn = input.permissions_boundary.as_str();
    let entity = iam.get_with(kind, name, |facts| facts.with("iam:PermissionsBoundary", arn))?;
    let entity = Entity { boundary, ..entity.modifiable()? };
    check(iam, &entity)?;
    entity.update(iam)?;
    Ok(Value::Null)
}

pub(crate) fn delete(iam: &IamCall<'_>, kind: HolderKind, input: &DeleteInput) -> Result<Value, Exception> {
    let entity = iam.get(kind, input.holder.of(kind)?)?.modifiable()?;
    if entity.boundary.is_none() {
        let message = format!("The {} with name {} does not have a permissions boundary.", kind.as_str(), entity.name);
        return Err(IamError::no_such_entity(message));
    }
    Entity { boundary: None, ..entity }.update(iam)?;
    Ok(Value::Null)
}

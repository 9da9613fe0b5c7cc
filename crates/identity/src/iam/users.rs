//! Users.

use aws::caller::Kind;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::IamCall;
use super::entity::{Entity, iso};
use super::input;
use super::paging::Paging;
use super::tags::{self, Tag};
use super::{boundaries, groups};
use crate::Exception;
use crate::tables::HolderKind;

/// Maximum length of the name of a new user, in characters.
const NAME_MAX: usize = 64;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateInput {
    path: String,
    user_name: String,
    permissions_boundary: String,
    tags: Vec<Tag>,
}

/// An input with the name of a user.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UserInput {
    user_name: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UpdateInput {
    user_name: String,
    new_path: String,
    new_user_name: String,
}

/// An input with a prefix of paths.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    path_prefix: String,
    #[serde(flatten)]
    paging: Paging,
}

pub(crate) fn create(iam: &IamCall<'_>, input: &CreateInput) -> Result<Value, Exception> {
    input::name("userName", &input.user_name, NAME_MAX)?;
    input::path("path", &input.path)?;
    let mut user = Entity::new(iam, HolderKind::User, &input.user_name, &input.path);
    user.tags = tags::checked(&input.tags)?;
    user.boundary = boundaries::optional(iam, &input.permissions_boundary)?;
    user.create(iam)?;
    boundaries::check(iam, &user)?;
    Ok(json!({ "User": user.details(iam) }))
}

pub(crate) fn get(iam: &IamCall<'_>, input: &UserInput) -> Result<Value, Exception> {
    input::optional_name("userName", &input.user_name, 128)?;
    let caller = &iam.call.caller;
    if input.user_name.is_empty() && caller.kind == Kind::Root {
        iam.allow(&caller.arn, &aws::Facts::default())?;
        let created = iso(iam.now());
        return Ok(json!({ "User": { "UserId": caller.principal_id, "Arn": caller.arn, "CreateDate": created } }));
    }
    Ok(json!({ "User": iam.get_user(&input.user_name)?.details(iam) }))
}

pub(crate) fn list(iam: &IamCall<'_>, kind: HolderKind, input: &ListInput) -> Result<Value, Exception> {
    input::path_prefix(&input.path_prefix)?;
    input.paging.check()?;
    iam.allow_all()?;
    let name = match kind {
        HolderKind::User => "Users",
        HolderKind::Group => "Groups",
        HolderKind::Role => "Roles",
    };
    let entities = Entity::list(iam, kind, &input.path_prefix)?;
    input.paging.page(name, &entities, |entity| entity.name.to_lowercase(), |entity| entity.summary(iam))
}

pub(crate) fn update(iam: &IamCall<'_>, input: &UpdateInput) -> Result<Value, Exception> {
    input::name("userName", &input.user_name, 128)?;
    input::optional_name("newUserName", &input.new_user_name, NAME_MAX)?;
    rename(iam, HolderKind::User, &input.user_name, &input.new_user_name, &input.new_path)?;
    Ok(Value::Null)
}

/// Changes the name and the path of a user or group; the caller needs the permission for the old and the new ARN.
pub(crate) fn rename(
    iam: &IamCall<'_>,
    kind: HolderKind,
    name: &str,
    new_name: &str,
    new_path: &str,
) -> Result<(), Exception> {
    input::path("newPath", new_path)?;
    let mut entity = iam.get(kind, name)?;
    if !new_name.is_empty() {
        new_name.clone_into(&mut entity.name);
    }
    if !new_path.is_empty() {
        new_path.clone_into(&mut entity.path);
    }
    iam.allow(&entity.arn(iam), &entity.facts(iam))?;
    let entity = entity.modifiable()?;
    entity.check_name(iam)?;
    if kind == HolderKind::Group {
        groups::note_members(iam, &entity)?;
    }
    entity.update(iam)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &UserInput) -> Result<Value, Exception> {
    input::name("userName", &input.user_name, 128)?;
    let user = iam.get(HolderKind::User, &input.user_name)?.modifiable()?;
    for (table, column, what) in [
        ("access_keys", "principal", "delete access keys"),
        ("inline_policies", "principal", "delete policies"),
        ("attachments", "principal", "detach all policies"),
        ("memberships", "member", "remove users from group"),
        ("service_credentials", "principal", "delete service specific credentials"),
        ("ssh_public_keys", "principal", "delete SSH public keys"),
    ] {
        user.refuse_while(iam, table, column, what)?;
    }
    user.delete(iam)?;
    Ok(Value::Null)
}

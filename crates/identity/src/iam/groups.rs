//! Groups and their members.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::IamCall;
use super::entity::Entity;
use super::paging::{Paging, with_marker};
use super::users::rename;
use super::{IamError, input};
use crate::Exception;
use crate::tables::HolderKind;

/// Maximum number of groups of a user.
const GROUPS_MAX: i64 = 10;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateInput {
    path: String,
    group_name: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GroupInput {
    group_name: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct UpdateInput {
    group_name: String,
    new_path: String,
    new_group_name: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct MembershipInput {
    group_name: String,
    user_name: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct GroupsOfUserInput {
    user_name: String,
    #[serde(flatten)]
    paging: Paging,
}

pub(crate) fn create(iam: &IamCall<'_>, input: &CreateInput) -> Result<Value, Exception> {
    input::name("groupName", &input.group_name, 128)?;
    input::path("path", &input.path)?;
    let group = Entity::new(iam, HolderKind::Group, &input.group_name, &input.path);
    group.create(iam)?;
    Ok(json!({ "Group": group.details(iam) }))
}

/// Returns a group and its users.
pub(crate) fn get(iam: &IamCall<'_>, input: &GroupInput) -> Result<Value, Exception> {
    input::name("groupName", &input.group_name, 128)?;
    input.paging.check()?;
    let group = iam.get(HolderKind::Group, &input.group_name)?;
    let users = members(iam, &group)?;
    let (shown, marker) = input.paging.cut(&users, |user| user.name.to_lowercase())?;
    let users: Vec<Value> = shown.iter().map(|user| user.summary(iam)).collect();
    let output = [("Group".to_owned(), group.details(iam)), ("Users".to_owned(), users.into())];
    Ok(with_marker(output.into_iter().collect(), marker))
}

/// Lists the users of a group.
fn members(iam: &IamCall<'_>, group: &Entity) -> Result<Vec<Entity>, Exception> {
    Ok(Entity::select(iam, "SELECT member FROM memberships WHERE member_of = ?1", &[group.number.into()])?)
}

/// Notes that the members of a group change with its name.
pub(crate) fn note_members(iam: &IamCall<'_>, group: &Entity) -> Result<(), Exception> {
    let numbers = members(iam, group)?.into_iter().map(|user| user.number);
    iam.changed.borrow_mut().principals.extend(numbers);
    Ok(())
}

/// Lists the groups of a user.
pub(crate) fn groups_of(iam: &IamCall<'_>, user: &Entity) -> Result<Vec<Entity>, Exception> {
    Ok(Entity::select(iam, "SELECT member_of FROM memberships WHERE member = ?1", &[user.number.into()])?)
}

pub(crate) fn update(iam: &IamCall<'_>, input: &UpdateInput) -> Result<Value, Exception> {
    input::name("groupName", &input.group_name, 128)?;
    input::optional_name("newGroupName", &input.new_group_name, 128)?;
    rename(iam, HolderKind::Group, &input.group_name, &input.new_group_name, &input.new_path)?;
    Ok(Value::Null)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &GroupInput) -> Result<Value, Exception> {
    input::name("groupName", &input.group_name, 128)?;
    let group = iam.get(HolderKind::Group, &input.group_name)?.modifiable()?;
    group.refuse_while(iam, "memberships", "member_of", "remove users from group")?;
    group.refuse_while(iam, "inline_policies", "principal", "delete policies")?;
    group.refuse_while(iam, "attachments", "principal", "detach all policies")?;
    group.delete(iam)?;
    Ok(Value::Null)
}

pub(crate) fn add_user(iam: &IamCall<'_>, input: &MembershipInput) -> Result<Value, Exception> {
    let (group, user) = membership(iam, input)?;
    let values = [user.number.into(), group.number.into()];
    let others = "SELECT COUNT(*) FROM memberships WHERE member = ?1 AND member_of <> ?2";
    if iam.count(others, &values)? >= GROUPS_MAX {
        return Err(IamError::limit_exceeded(format!("Cannot exceed quota for GroupsPerUser: {GROUPS_MAX}")));
    }
    iam.transaction.execute(
        "INSERT INTO memberships (member, member_of, declared) VALUES (?1, ?2, 0) ON CONFLICT (member, member_of) DO NOTHING",
        &values,
    )?;
    Ok(Value::Null)
}

pub(crate) fn remove_user(iam: &IamCall<'_>, input: &MembershipInput) -> Result<Value, Exception> {
    let (group, user) = membership(iam, input)?;
    let values = [user.number.into(), group.number.into()];
    let found = "SELECT declared FROM memberships WHERE member = ?1 AND member_of = ?2";
    match iam.transaction.query_one(found, &values, |row| row.integer(0))? {
        None => Err(IamError::no_such_entity(format!("User {} is not in group {}.", user.name, group.name))),
        Some(0) => {
            iam.transaction.execute("DELETE FROM memberships WHERE member = ?1 AND member_of = ?2", &values)?;
            Ok(Value::Null)
        }
        Some(_) => Err(IamError::unmodifiable(&format!("membership of user {} in group {}", user.name, group.name))),
    }
}

/// Returns the group and the user of an input.
fn membership(iam: &IamCall<'_>, input: &MembershipInput) -> Result<(Entity, Entity), Exception> {
    input::name("groupName", &input.group_name, 128)?;
    input::name("userName", &input.user_name, 128)?;
    let group = iam.get(HolderKind::Group, &input.group_name)?;
    let user = iam.find(HolderKind::User, &input.user_name)?;
    let missing = || IamError::no_such_entity(format!("The user with name {} cannot be found.", input.user_name));
    Ok((group, user.ok_or_else(missing)?))
}

pub(crate) fn list_of_user(iam: &IamCall<'_>, input: &GroupsOfUserInput) -> Result<Value, Exception> {
    input::name("userName", &input.user_name, 128)?;
    input.paging.check()?;
    let groups = groups_of(iam, &iam.get(HolderKind::User, &input.user_name)?)?;
    input.paging.page("Groups", &groups, |group| group.name.to_lowercase(), |group| group.summary(iam))
}

//! Inline policies of users, groups and roles.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::IamError;
use super::call::IamCall;
use super::entity::{Entity, encoded};
use super::input::{self, HolderName};
use super::paging::Paging;
use crate::Exception;
use crate::tables::HolderKind;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PolicyInput {
    #[serde(flatten)]
    holder: HolderName,
    policy_name: String,
    policy_document: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    #[serde(flatten)]
    holder: HolderName,
    #[serde(flatten)]
    paging: Paging,
}

/// Returns the maximum size of all inline policies of a holder together, in characters that are no blanks.
const fn size_max(kind: HolderKind) -> usize {
    match kind {
        HolderKind::User => 2_048,
        HolderKind::Group => 5_120,
        HolderKind::Role => 10_240,
    }
}

pub(crate) fn put(iam: &IamCall<'_>, kind: HolderKind, input: &PolicyInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    input::name("policyName", &input.policy_name, 128)?;
    input::document("policyDocument", &input.policy_document)?;
    let entity = iam.get(kind, name)?;
    let own = all(iam, &entity)?;
    if own.iter().any(|policy| policy.name == input.policy_name && policy.is_declared) {
        return Err(unmodifiable(&entity, &input.policy_name));
    }
    input::parse_policy(&input.policy_document)?;
    let others = own.iter().filter(|policy| policy.name != input.policy_name);
    let size: usize = others.map(|policy| policy::size(&policy.document)).sum();
    if size + policy::size(&input.policy_document) > size_max(kind) {
        let (noun, most) = (kind.as_str(), size_max(kind));
        let message = format!("Maximum policy size of {most} bytes exceeded for {noun} {}", entity.name);
        return Err(IamError::limit_exceeded(message));
    }
    iam.transaction.execute(
        "INSERT INTO inline_policies (principal, name, document, declared) VALUES (?1, ?2, ?3, 0)
         ON CONFLICT (principal, name) DO UPDATE SET document = ?3",
        &[entity.number.into(), (&input.policy_name).into(), (&input.policy_document).into()],
    )?;
    Ok(Value::Null)
}

pub(crate) fn get(iam: &IamCall<'_>, kind: HolderKind, input: &PolicyInput) -> Result<Value, Exception> {
    let (entity, policy) = existing(iam, kind, input)?;
    let holder = match kind {
        HolderKind::User => "UserName",
        HolderKind::Group => "GroupName",
        HolderKind::Role => "RoleName",
    };
    let mut output = Map::new();
    output.insert(holder.to_owned(), entity.name.into());
    output.insert("PolicyName".to_owned(), policy.name.into());
    output.insert("PolicyDocument".to_owned(), encoded(&policy.document).into());
    Ok(Value::Object(output))
}

pub(crate) fn list(iam: &IamCall<'_>, kind: HolderKind, input: &ListInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    input.paging.check()?;
    let policies = all(iam, &iam.get(kind, name)?)?;
    input.paging.page("PolicyNames", &policies, |policy| policy.name.clone(), |policy| json!(policy.name))
}

pub(crate) fn delete(iam: &IamCall<'_>, kind: HolderKind, input: &PolicyInput) -> Result<Value, Exception> {
    let (entity, policy) = existing(iam, kind, input)?;
    if policy.is_declared {
        return Err(unmodifiable(&entity, &policy.name));
    }
    iam.transaction.execute(
        "DELETE FROM inline_policies WHERE principal = ?1 AND name = ?2",
        &[entity.number.into(), (&policy.name).into()],
    )?;
    Ok(Value::Null)
}

/// An inline policy.
pub(crate) struct InlineRow {
    pub(crate) name: String,
    pub(crate) document: String,
    is_declared: bool,
}

/// Lists the inline policies of an entity, by name.
pub(crate) fn all(iam: &IamCall<'_>, entity: &Entity) -> Result<Vec<InlineRow>, Exception> {
    let sql = "SELECT name, document, declared FROM inline_policies WHERE principal = ?1 ORDER BY name";
    Ok(iam.transaction.query(sql, &[entity.number.into()], |row| {
        Ok(InlineRow { name: row.text(0)?, document: row.text(1)?, is_declared: row.integer(2)? != 0 })
    })?)
}

/// Returns the policy that an input names, and its holder.
fn existing(iam: &IamCall<'_>, kind: HolderKind, input: &PolicyInput) -> Result<(Entity, InlineRow), Exception> {
    let name = input.holder.of(kind)?;
    input::name("policyName", &input.policy_name, 128)?;
    let entity = iam.get(kind, name)?;
    let found = all(iam, &entity)?.into_iter().find(|policy| policy.name == input.policy_name);
    let (noun, name) = (kind.as_str(), &input.policy_name);
    let missing = || IamError::no_such_entity(format!("The {noun} policy with name {name} cannot be found."));
    Ok((entity, found.ok_or_else(missing)?))
}

fn unmodifiable(entity: &Entity, policy: &str) -> Exception {
    IamError::unmodifiable(&format!("policy {policy} of {} {}", entity.kind.as_str(), entity.name))
}

//! Attached managed policies of users, groups and roles.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::IamCall;
use super::entity::Entity;
use super::input::{self, HolderName};
use super::paging::Paging;
use super::{IamError, policies};
use crate::Exception;
use crate::tables::HolderKind;

/// Maximum number of attached policies.
const ATTACHED_MAX: i64 = 10;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct AttachInput {
    #[serde(flatten)]
    holder: HolderName,
    policy_arn: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    #[serde(flatten)]
    holder: HolderName,
    path_prefix: String,
    #[serde(flatten)]
    paging: Paging,
}

pub(crate) fn attach(iam: &IamCall<'_>, kind: HolderKind, input: &AttachInput) -> Result<Value, Exception> {
    let (entity, arn) = entity_and_arn(iam, kind, input)?;
    if !policies::exists(iam, &arn)? {
        let message = format!("Policy {} does not exist or is not attachable.", input.policy_arn);
        return Err(IamError::no_such_entity(message));
    }
    let values = [entity.number.into(), (&arn).into()];
    let others = "SELECT COUNT(*) FROM attachments WHERE principal = ?1 AND policy_arn <> ?2";
    if iam.count(others, &values)? >= ATTACHED_MAX {
        let noun = match kind {
            HolderKind::User => "User",
            HolderKind::Group => "Group",
            HolderKind::Role => "Role",
        };
        return Err(IamError::limit_exceeded(format!("Cannot exceed quota for PoliciesPer{noun}: {ATTACHED_MAX}")));
    }
    iam.transaction.execute(
        "INSERT INTO attachments (principal, policy_arn, declared) VALUES (?1, ?2, 0)
         ON CONFLICT (principal, policy_arn) DO NOTHING",
        &values,
    )?;
    Ok(Value::Null)
}

pub(crate) fn detach(iam: &IamCall<'_>, kind: HolderKind, input: &AttachInput) -> Result<Value, Exception> {
    let (entity, arn) = entity_and_arn(iam, kind, input)?;
    let values = [entity.number.into(), (&arn).into()];
    let found = "SELECT declared FROM attachments WHERE principal = ?1 AND policy_arn = ?2";
    match iam.transaction.query_one(found, &values, |row| row.integer(0))? {
        None => Err(IamError::no_such_entity(format!("Policy {} was not found.", input.policy_arn))),
        Some(0) => {
            iam.transaction.execute("DELETE FROM attachments WHERE principal = ?1 AND policy_arn = ?2", &values)?;
            Ok(Value::Null)
        }
        Some(_) => {
            let attachment = format!("attachment of {} to {} {}", input.policy_arn, kind.as_str(), entity.name);
            Err(IamError::unmodifiable(&attachment))
        }
    }
}

fn entity_and_arn(iam: &IamCall<'_>, kind: HolderKind, input: &AttachInput) -> Result<(Entity, String), Exception> {
    let name = input.holder.of(kind)?;
    input::policy_arn(&input.policy_arn)?;
    let entity = iam.get_with(kind, name, |facts| facts.with("iam:PolicyARN", input.policy_arn.as_str()))?;
    Ok((entity, iam.stored_arn(&input.policy_arn)))
}

pub(crate) fn list(iam: &IamCall<'_>, kind: HolderKind, input: &ListInput) -> Result<Value, Exception> {
    let name = input.holder.of(kind)?;
    input::path_prefix(&input.path_prefix)?;
    input.paging.check()?;
    let attached = attached(iam, &iam.get(kind, name)?)?;
    let below: Vec<String> =
        attached.into_iter().filter(|arn| policies::path(arn).starts_with(&input.path_prefix)).collect();
    input.paging.page("AttachedPolicies", &below, Clone::clone, |arn| shown(iam, arn))
}

/// Lists the ARNs of the policies that are attached to an entity.
pub(crate) fn attached(iam: &IamCall<'_>, entity: &Entity) -> Result<Vec<String>, Exception> {
    let sql = "SELECT policy_arn FROM attachments WHERE principal = ?1 ORDER BY policy_arn";
    Ok(iam.transaction.query(sql, &[entity.number.into()], |row| row.text(0))?)
}

/// Returns an attached policy in the form of replies.
pub(crate) fn shown(iam: &IamCall<'_>, arn: &str) -> Value {
    json!({ "PolicyName": arn.rsplit('/').next(), "PolicyArn": iam.shown_arn(arn) })
}

//! Versions of managed policies.

use aws::query;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::IamCall;
use super::entity::{encoded, iso};
use super::paging::Paging;
use super::policies::Policy;
use super::{IamError, input};
use crate::Exception;
use crate::sts::input::{length, pattern, required};

/// Maximum number of versions of a policy.
const VERSIONS_MAX: i64 = 5;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CreateInput {
    policy_arn: String,
    policy_document: String,
    #[serde(deserialize_with = "query::boolean")]
    set_as_default: Option<bool>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct VersionInput {
    policy_arn: String,
    version_id: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListInput {
    policy_arn: String,
    #[serde(flatten)]
    paging: Paging,
}

/// A version of a policy.
pub(crate) struct Version {
    number: i64,
    document: String,
    created: i64,
}

impl Version {
    /// Returns the version in the form of replies.
    pub(crate) fn shown(&self, policy: &Policy, has_document: bool) -> Value {
        let mut members = json!({});
        if has_document {
            members["Document"] = encoded(&self.document).into();
        }
        members["VersionId"] = format!("v{}", self.number).into();
        members["IsDefaultVersion"] = (self.number == policy.default_version).into();
        members["CreateDate"] = iso(self.created).into();
        members
    }
}

pub(crate) fn create(iam: &IamCall<'_>, input: &CreateInput) -> Result<Value, Exception> {
    input::policy_arn(&input.policy_arn)?;
    input::document("policyDocument", &input.policy_document)?;
    let mut policy = Policy::get(iam, &input.policy_arn)?.modifiable(iam)?;
    input::parse_managed_policy(&input.policy_document)?;
    let versions = "SELECT COUNT(*) FROM policy_versions WHERE arn = ?1";
    if iam.count(versions, &[(&policy.arn).into()])? >= VERSIONS_MAX {
        return Err(IamError::limit_exceeded(format!(
            "A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete an \
             existing version."
        )));
    }
    policy.last_version += 1;
    if input.set_as_default == Some(true) {
        policy.default_version = policy.last_version;
    }
    let version = Version { number: policy.last_version, document: input.policy_document.clone(), created: iam.now() };
    iam.transaction.execute(
        "INSERT INTO policy_versions (arn, version, document, created) VALUES (?1, ?2, ?3, ?4)",
        &[(&policy.arn).into(), version.number.into(), (&version.document).into(), version.created.into()],
    )?;
    store(iam, &policy)?;
    Ok(json!({ "PolicyVersion": version.shown(&policy, false) }))
}

pub(crate) fn get(iam: &IamCall<'_>, input: &VersionInput) -> Result<Value, Exception> {
    let (policy, version) = existing(iam, input)?;
    Ok(json!({ "PolicyVersion": version.shown(&policy, true) }))
}

pub(crate) fn list(iam: &IamCall<'_>, input: &ListInput) -> Result<Value, Exception> {
    input.paging.check()?;
    let policy = Policy::get(iam, &input.policy_arn)?;
    let versions = all(iam, &policy)?;
    // The newest comes first.
    let key = |version: &Version| format!("{:020}", i64::MAX - version.number);
    input.paging.page("Versions", &versions, key, |version| version.shown(&policy, false))
}

pub(crate) fn set_default(iam: &IamCall<'_>, input: &VersionInput) -> Result<Value, Exception> {
    let (policy, version) = existing(iam, input)?;
    let mut policy = policy.modifiable(iam)?;
    policy.default_version = version.number;
    store(iam, &policy)?;
    Ok(Value::Null)
}

pub(crate) fn delete(iam: &IamCall<'_>, input: &VersionInput) -> Result<Value, Exception> {
    let (policy, version) = existing(iam, input)?;
    let policy = policy.modifiable(iam)?;
    if version.number == policy.default_version {
        return Err(IamError::delete_conflict("Cannot delete the default version of a policy."));
    }
    iam.transaction.execute(
        "DELETE FROM policy_versions WHERE arn = ?1 AND version = ?2",
        &[(&policy.arn).into(), version.number.into()],
    )?;
    store(iam, &policy)?;
    Ok(Value::Null)
}

/// Lists the versions of a policy, the newest first. Of a policy of AWS only the default version is here.
pub(crate) fn all(iam: &IamCall<'_>, policy: &Policy) -> Result<Vec<Version>, Exception> {
    if let Some(of_aws) = policy.of_aws {
        let created = aws::Timestamp::from_iso(of_aws.updated).map_or(0, aws::Timestamp::millis);
        return Ok(vec![Version { number: policy.default_version, document: of_aws.document.to_owned(), created }]);
    }
    let sql = "SELECT version, document, created FROM policy_versions WHERE arn = ?1 ORDER BY version DESC";
    Ok(iam.transaction.query(sql, &[(&policy.arn).into()], |row| {
        Ok(Version { number: row.integer(0)?, document: row.text(1)?, created: row.integer(2)? })
    })?)
}

/// Returns the document of the default version.
pub(crate) fn default_document(iam: &IamCall<'_>, policy: &Policy) -> Result<Option<String>, Exception> {
    let default = all(iam, policy)?.into_iter().find(|version| version.number == policy.default_version);
    Ok(default.map(|version| version.document))
}

/// Returns the version that an input names, and its policy.
fn existing(iam: &IamCall<'_>, input: &VersionInput) -> Result<(Policy, Version), Exception> {
    input::policy_arn(&input.policy_arn)?;
    let id = &input.version_id;
    required("versionId", id)?;
    length("versionId", id, 1..=20)?;
    let number = id.strip_prefix('v').and_then(|number| number.parse::<i64>().ok()).filter(|number| *number > 0);
    let number = number.ok_or_else(|| pattern("versionId", id, r"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"))?;
    let policy = Policy::get(iam, &input.policy_arn)?;
    let found = all(iam, &policy)?.into_iter().find(|version| version.number == number);
    let missing = || {
        let arn = &input.policy_arn;
        IamError::no_such_entity(format!("Policy {arn} version {id} does not exist or is not attachable."))
    };
    Ok((policy, found.ok_or_else(missing)?))
}

/// Stores the default and the last version of a policy.
fn store(iam: &IamCall<'_>, policy: &Policy) -> Result<(), Exception> {
    iam.transaction.execute(
        "UPDATE managed_policies SET default_version = ?2, last_version = ?3, updated = ?4 WHERE arn = ?1",
        &[(&policy.arn).into(), policy.default_version.into(), policy.last_version.into(), iam.now().into()],
    )?;
    Ok(())
}

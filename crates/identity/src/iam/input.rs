//! Checks of members that the inputs of several operations have.

use policy::{Document, TrustPolicy};
use serde::{Deserialize, Serialize};

use super::IamError;
use crate::Exception;
use crate::sts::input::{constraint, length, letters, pattern, quoted, required};
use crate::tables::HolderKind;

/// Maximum length of a name that is looked up, in characters.
const NAME_MAX: usize = 128;

/// Maximum length of a document, in characters.
const DOCUMENT_MAX: usize = 131_072;

/// The name of a user, group or role. Each operation uses the one of its kind.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct HolderName {
    #[serde(rename = "UserName")]
    user: String,
    #[serde(rename = "GroupName")]
    group: String,
    #[serde(rename = "RoleName")]
    role: String,
}

impl HolderName {
    /// Returns the name of a kind.
    pub(crate) fn of(&self, kind: HolderKind) -> Result<&str, Exception> {
        let (member, value) = match kind {
            HolderKind::User => ("userName", &self.user),
            HolderKind::Group => ("groupName", &self.group),
            HolderKind::Role => ("roleName", &self.role),
        };
        name(member, value, NAME_MAX)?;
        Ok(value)
    }
}

/// Refuses a name that is missing, too long, or has forbidden letters.
pub(crate) fn name(member: &'static str, value: &str, most: usize) -> Result<(), Exception> {
    required(member, value)?;
    optional_name(member, value, most)
}

/// Does the same for a name that may be missing.
pub(crate) fn optional_name(member: &'static str, value: &str, most: usize) -> Result<(), Exception> {
    length(member, value, 1..=most)?;
    letters(member, value, "+=,.@-", r"[\w+=,.@-]+")
}

/// Refuses an invalid path; a missing one is accepted.
pub(crate) fn path(member: &'static str, value: &str) -> Result<(), Exception> {
    length(member, value, 1..=512)?;
    let is_valid = value.is_empty()
        || (value.starts_with('/') && value.ends_with('/') && value.bytes().all(|byte| byte.is_ascii_graphic()));
    if is_valid {
        return Ok(());
    }
    Err(IamError::validation(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters \
         and/or / characters.",
    ))
}

/// Refuses an invalid prefix of paths; a missing one is accepted.
pub(crate) fn path_prefix(value: &str) -> Result<(), Exception> {
    length("pathPrefix", value, 1..=512)?;
    if value.is_empty() || (value.starts_with('/') && value.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Ok(());
    }
    Err(pattern("pathPrefix", value, r"\u002F[\u0021-\u007F]*"))
}

/// Refuses an id that is missing or has forbidden letters.
pub(crate) fn id(member: &'static str, value: &str) -> Result<(), Exception> {
    required(member, value)?;
    length(member, value, 16..=128)?;
    letters(member, value, "", r"[\w]+")
}

/// Refuses an ARN of a policy that is missing or has an invalid length.
pub(crate) fn policy_arn(value: &str) -> Result<(), Exception> {
    required("policyArn", value)?;
    length("policyArn", value, 20..=2048)?;
    if !value.starts_with("arn:") {
        return Err(IamError::invalid_input(format!("ARN {value} is not valid.")));
    }
    Ok(())
}

/// Refuses a value other than the given ones; a missing one is accepted.
pub(crate) fn one_of(member: &'static str, value: &str, values: &[&str]) -> Result<(), Exception> {
    if value.is_empty() || values.contains(&value) {
        return Ok(());
    }
    let constraint_text = format!("Member must satisfy enum value set: [{}]", values.join(", "));
    Err(constraint(quoted(value), member, &constraint_text))
}

/// Refuses a status of keys and credentials that is missing or unknown.
pub(crate) fn status(value: &str) -> Result<(), Exception> {
    required("status", value)?;
    one_of("status", value, &["Active", "Inactive"])
}

/// Refuses a description that is too long.
pub(crate) fn description(value: &str) -> Result<(), Exception> {
    length("description", value, 0..=1000)
}

/// Refuses a text that cannot be a document.
pub(crate) fn document(member: &'static str, text: &str) -> Result<(), Exception> {
    required(member, text)?;
    length(member, text, 1..=DOCUMENT_MAX)?;
    if !text.chars().all(|letter| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}')) {
        return Err(pattern(member, text, r"[\u0009\u000A\u000D\u0020-\u00FF]+"));
    }
    Ok(())
}

/// Refuses a malformed identity policy.
pub(crate) fn parse_policy(text: &str) -> Result<(), Exception> {
    Document::parse(text).map(drop).map_err(|error| IamError::malformed_policy(error.to_string()))
}

/// Refuses a malformed managed policy, and one that is too large.
pub(crate) fn parse_managed_policy(text: &str) -> Result<(), Exception> {
    Document::parse_managed(text).map_err(|error| IamError::malformed_policy(error.to_string()))?;
    if policy::size(text) > crate::file::MANAGED_SIZE_MAX {
        return Err(IamError::limit_exceeded(format!(
            "Cannot exceed quota for PolicySize: {}",
            crate::file::MANAGED_SIZE_MAX
        )));
    }
    Ok(())
}

/// Refuses a malformed trust policy, and one that is too large.
pub(crate) fn parse_trust_policy(text: &str) -> Result<(), Exception> {
    TrustPolicy::parse(text).map_err(|error| IamError::malformed_policy(error.to_string()))?;
    if policy::size(text) > crate::file::TRUST_SIZE_MAX {
        return Err(IamError::limit_exceeded(format!(
            "Cannot exceed quota for ACLSizePerRole: {}",
            crate::file::TRUST_SIZE_MAX
        )));
    }
    Ok(())
}

//! Content of approval rules and templates: a JSON document with the number of approvals needed and the approval pool.

use aws::Pattern;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::member::Member;
use crate::{Exception, name};

/// Maximum length of a content, in characters.
const LENGTH_MAX: usize = 3_000;
/// The only version of the rule language.
const VERSION: &str = "2018-11-08";
/// Maximum number of destination references of a template.
const DESTINATIONS_MAX: usize = 100;
/// Maximum number of members of an approval pool.
const MEMBERS_MAX: usize = 50;
/// Maximum number of approvals of a pull request, which is also the largest number that a rule can require.
pub(crate) const APPROVALS_MAX: usize = 200;

/// Parsed content of a rule or a template.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// The document as the caller wrote it; its hash covers the white space.
    pub(crate) text: String,
    /// Destination branches for which a template creates a rule; empty for all.
    destinations: Vec<Pattern>,
    needed: usize,
    /// Members whose approvals count; empty for everyone.
    pool: Vec<Member>,
}

impl Content {
    pub(crate) fn of_rule(text: Option<String>) -> Result<Self, Exception> {
        let text = name::required(text, Exception::ApprovalRuleContentRequired)?;
        let read = Self::parse(text, &["Version", "Statements"]);
        read.map_err(|reason| Exception::InvalidApprovalRuleContent { reason })
    }

    pub(crate) fn of_template(text: Option<String>) -> Result<Self, Exception> {
        let text = name::required(text, Exception::ApprovalRuleTemplateContentRequired)?;
        let read = Self::parse(text, &["Version", "DestinationReferences", "Statements"]);
        read.map_err(|reason| Exception::InvalidApprovalRuleTemplateContent { reason })
    }

    /// Parses a stored content; a rule that a template created has the template's content.
    pub(crate) fn from_stored(text: String) -> Result<Self, store::Error> {
        Self::parse(text, &["Version", "DestinationReferences", "Statements"])
            .map_err(|_| store::Error::Damaged("the content of an approval rule"))
    }

    /// Returns whether a template creates a rule for pull requests to a branch, given by its full name.
    pub(crate) fn applies_to(&self, destination: &str) -> bool {
        self.destinations.is_empty() || self.destinations.iter().any(|pattern| pattern.matches(destination))
    }

    /// Returns whether the approvals of the callers with these ARNs satisfy the rule.
    pub(crate) fn is_satisfied_by(&self, approvers: &[String]) -> bool {
        let counts = |arn: &&String| self.pool.is_empty() || self.pool.iter().any(|member| member.includes(arn));
        approvers.iter().filter(counts).count() >= self.needed
    }

    fn parse(text: String, allowed: &[&str]) -> Result<Self, String> {
        if text.chars().count() > LENGTH_MAX {
            return Err(format!("it is longer than {LENGTH_MAX} characters."));
        }
        let value: Value = serde_json::from_str(&text).map_err(|_| "it is not JSON.")?;
        let content = object(&value, "it", allowed)?;
        if content.get("Version").and_then(Value::as_str) != Some(VERSION) {
            return Err(format!("Version must be \"{VERSION}\"."));
        }
        let destinations = texts(content, "DestinationReferences", DESTINATIONS_MAX)?;
        let destinations = destinations.into_iter().map(destination).collect::<Result<_, _>>()?;
        let Some([statement]) = content.get("Statements").and_then(Value::as_array).map(Vec::as_slice) else {
            return Err("Statements must be a list of one statement.".to_owned());
        };
        let statement = object(statement, "a statement", &["Type", "NumberOfApprovalsNeeded", "ApprovalPoolMembers"])?;
        if statement.get("Type").and_then(Value::as_str) != Some("Approvers") {
            return Err("Type must be \"Approvers\".".to_owned());
        }
        let needed = statement.get("NumberOfApprovalsNeeded").and_then(Value::as_u64);
        let needed = needed.and_then(|needed| usize::try_from(needed).ok());
        let needed = needed
            .filter(|needed| (1..=APPROVALS_MAX).contains(needed))
            .ok_or_else(|| format!("NumberOfApprovalsNeeded must be a number from 1 to {APPROVALS_MAX}."))?;
        let pool = texts(statement, "ApprovalPoolMembers", MEMBERS_MAX)?;
        let member =
            |text: &str| Member::parse(text).ok_or_else(|| format!("{text} is not a member of an approval pool."));
        let pool = pool.into_iter().map(member).collect::<Result<_, _>>()?;
        Ok(Self { text, destinations, needed, pool })
    }
}

/// Returns the hash by which callers identify a content: SHA-256 in hexadecimal digits.
pub(crate) fn sha256(content: &str) -> String {
    aws::hex::encode(&Sha256::digest(content))
}

/// Fails if the caller expects a content with another hash.
pub(crate) fn check_sha256(content: &str, expected: Option<&str>) -> Result<(), Exception> {
    if expected.is_none_or(|expected| expected == sha256(content)) {
        Ok(())
    } else {
        Err(Exception::InvalidRuleContentSha256)
    }
}

fn object<'a>(value: &'a Value, what: &str, allowed: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let object = value.as_object().ok_or_else(|| format!("{what} must be an object."))?;
    match object.keys().find(|name| !allowed.contains(&name.as_str())) {
        Some(unknown) => Err(format!("{what} cannot have a member {unknown}.")),
        None => Ok(object),
    }
}

/// Returns the strings of an optional list.
fn texts<'a>(object: &'a Map<String, Value>, name: &str, max: usize) -> Result<Vec<&'a str>, String> {
    let Some(list) = object.get(name) else { return Ok(Vec::new()) };
    let texts: Option<Vec<_>> = list.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
    texts.filter(|texts| texts.len() <= max).ok_or_else(|| format!("{name} must be a list of at most {max} strings."))
}

fn destination(text: &str) -> Result<Pattern, String> {
    if text.starts_with("refs/") {
        Ok(Pattern::new(text))
    } else {
        Err(format!("{text} is not the full name of a branch, such as refs/heads/main or refs/heads/release*."))
    }
}

#[cfg(test)]
mod tests;

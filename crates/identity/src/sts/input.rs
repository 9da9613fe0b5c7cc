//! Checks of members that the inputs of several operations have.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use aws::Call;
use aws::arn::has_arn_prefix;
use policy::Document;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Exception;
use crate::session::{SessionPolicies, TOKEN_BYTES, TOKEN_BYTES_MAX};
use crate::sts::tags::{self, Tag};

const POLICY_CHARACTERS_MAX: usize = 2048;
const POLICIES_MAX: usize = 10;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PolicyDescriptor {
    #[serde(rename(deserialize = "arn"))]
    pub(crate) arn: String,
}

/// The size of a session token with its policies and tags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedSize {
    /// The share of the maximum that policies and tags take, in per cent; `None` without any.
    pub(crate) percent: Option<usize>,
    /// The minimum size of the token in bytes.
    pub(crate) token_bytes: usize,
}

/// Refuses a member that is missing or empty.
pub(crate) fn required(member: &'static str, value: &str) -> Result<(), Exception> {
    if value.is_empty() {
        return Err(constraint(" null".to_owned(), member, "Member must not be null"));
    }
    Ok(())
}

/// Refuses a name that is too short or too long or has forbidden letters; a missing one is accepted.
pub(crate) fn name(member: &'static str, value: &str, lengths: RangeInclusive<usize>) -> Result<(), Exception> {
    if value.is_empty() {
        return Ok(());
    }
    length(member, value, lengths)?;
    letters(member, value, "+=,.@-", r"[\w+=,.@-]*")
}

/// Refuses a text that is too short or too long; a missing one is accepted.
pub(crate) fn length(member: &'static str, value: &str, lengths: RangeInclusive<usize>) -> Result<(), Exception> {
    let count = value.chars().count();
    let (least, most) = (lengths.start(), lengths.end());
    let violated = match count {
        0 => return Ok(()),
        _ if count < *least => format!("Member must have length greater than or equal to {least}"),
        _ if count > *most => format!("Member must have length less than or equal to {most}"),
        _ => return Ok(()),
    };
    Err(constraint(quoted(value), member, &violated))
}

/// Refuses a secret that is too short or too long, without repeating it; a missing one is accepted.
pub(crate) fn secret(member: &'static str, value: &str, lengths: RangeInclusive<usize>) -> Result<(), Exception> {
    length(member, value, lengths).map_err(|exception| match exception {
        Exception::Constraint { constraint, .. } => Exception::Constraint { value: String::new(), member, constraint },
        other => other,
    })
}

/// Refuses a text that does not have the length of an ARN; its form is checked where it is parsed.
pub(crate) fn arn(member: &'static str, value: &str) -> Result<(), Exception> {
    required(member, value)?;
    length(member, value, 20..=2048)
}

/// Refuses a text with letters other than ASCII letters and digits, the underscore and `more`; `regex` is the pattern of the model.
pub(crate) fn letters(member: &'static str, value: &str, more: &str, regex: &str) -> Result<(), Exception> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || more.contains(letter);
    if value.chars().all(allowed) { Ok(()) } else { Err(pattern(member, value, regex)) }
}

/// Returns the requested duration of a session in seconds, or the default.
pub(crate) fn seconds(requested: Option<i64>, range: RangeInclusive<i64>, default: i64) -> Result<i64, Exception> {
    Ok(number("durationSeconds", requested, range)?.unwrap_or(default))
}

/// Refuses a number that is too small or too large; a missing one is accepted.
pub(crate) fn number(
    member: &'static str,
    value: Option<i64>,
    range: RangeInclusive<i64>,
) -> Result<Option<i64>, Exception> {
    let Some(number) = value else { return Ok(None) };
    let bound = if number < *range.start() {
        format!("Member must have value greater than or equal to {}", range.start())
    } else if number > *range.end() {
        format!("Member must have value less than or equal to {}", range.end())
    } else {
        return Ok(value);
    };
    Err(constraint(quoted(&number.to_string()), member, &bound))
}

/// Refuses a list with too few or too many elements; `noun` names them in the message.
pub(crate) fn count(
    member: &'static str,
    noun: &str,
    elements: usize,
    range: RangeInclusive<usize>,
) -> Result<(), Exception> {
    let bound = if elements < *range.start() {
        format!("greater than or equal to {}", range.start())
    } else if elements > *range.end() {
        format!("less than or equal to {}", range.end())
    } else {
        return Ok(());
    };
    Err(constraint(quoted(&format!("[{elements} {noun}]")), member, &format!("Member must have length {bound}")))
}

/// Returns whether the input has a second factor; every code of a device is accepted.
pub(crate) fn mfa(serial_number: &str, token_code: &str) -> Result<bool, Exception> {
    length("serialNumber", serial_number, 9..=256)?;
    letters("serialNumber", serial_number, "+=/:,.@-", r"[\w+=/:,.@-]*")?;
    if !token_code.is_empty() {
        length("tokenCode", token_code, 6..=6)?;
        if !token_code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(pattern("tokenCode", token_code, r"[\d]*"));
        }
    }
    match (serial_number.is_empty(), token_code.is_empty()) {
        (true, true) => Ok(false),
        (false, false) => Ok(true),
        _ => Err(Exception::IncompleteFactor),
    }
}

/// Checks the policies and tags of a session, and returns the size of its token.
pub(crate) fn packed(
    call: &Call,
    policy: &str,
    arns: &[PolicyDescriptor],
    tags: &[Tag],
    token_bytes_min: Option<i64>,
) -> Result<PackedSize, Exception> {
    let token_bytes_min = number("minimumSessionTokenSize", token_bytes_min, 0..=4096)?.unwrap_or(0);
    length("policy", policy, 1..=POLICY_CHARACTERS_MAX)?;
    if !policy.is_empty() {
        if !policy.chars().all(|letter| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}')) {
            return Err(pattern("policy", policy, r"[\u0009\u000A\u000D\u0020-\u00FF]+"));
        }
        check_policy(call, policy)?;
    }
    count("policyArns", "policies", arns.len(), 0..=POLICIES_MAX)?;
    for PolicyDescriptor { arn: policy } in arns {
        arn("policyArns.member.arn", policy)?;
        if !has_arn_prefix(policy) {
            return Err(Exception::InvalidArn(policy.clone()));
        }
    }
    tags::check(tags)?;
    let characters = policy.chars().count()
        + arns.iter().map(|policy| policy.arn.chars().count()).sum::<usize>()
        + tags.iter().map(|tag| tag.key.chars().count() + tag.value.chars().count()).sum::<usize>();
    let size = TOKEN_BYTES + characters;
    if size > TOKEN_BYTES_MAX {
        return Err(Exception::PackedPolicyTooLarge { size, limit: TOKEN_BYTES_MAX });
    }
    Ok(PackedSize {
        percent: (characters > 0).then_some((characters * 100).div_ceil(TOKEN_BYTES_MAX)),
        token_bytes: size.max(usize::try_from(token_bytes_min).unwrap_or(0)),
    })
}

/// Returns the policies and tags of a session, after [`packed`] checked them.
pub(crate) fn session_policies(
    policy: &str,
    arns: &[PolicyDescriptor],
    tags: BTreeMap<String, String>,
) -> SessionPolicies {
    let policy = Some(policy.to_owned()).filter(|policy| !policy.is_empty());
    let policy_arns = arns.iter().map(|policy| policy.arn.clone()).collect();
    SessionPolicies { policy, policy_arns, tags, ..SessionPolicies::default() }
}

/// Creates the exception for a value that violates a constraint of the model.
pub(crate) fn constraint(value: String, member: &'static str, constraint: &str) -> Exception {
    Exception::Constraint { value, member, constraint: constraint.to_owned() }
}

pub(crate) fn pattern(member: &'static str, value: &str, pattern: &str) -> Exception {
    constraint(quoted(value), member, &format!("Member must satisfy regular expression pattern: {pattern}"))
}

pub(crate) fn quoted(value: &str) -> String {
    format!(" '{value}'")
}

/// Refuses a malformed policy. Where its permissions are not evaluated, it needs no more than statements with an effect.
fn check_policy(call: &Call, policy: &str) -> Result<(), Exception> {
    let malformed = |message: &str| Exception::MalformedPolicyDocument(message.to_owned());
    if call.has_policies() {
        return Document::parse(policy).map(drop).map_err(|error| malformed(&error.to_string()));
    }
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return Err(malformed("This policy contains invalid Json"));
    };
    let has_effect = |statement: &Value| matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"));
    let is_valid = match &policy["Statement"] {
        Value::Array(statements) => !statements.is_empty() && statements.iter().all(has_effect),
        one => has_effect(one),
    };
    if is_valid { Ok(()) } else { Err(malformed("Syntax errors in policy.")) }
}

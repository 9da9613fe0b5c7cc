//! What the inputs of several operations have, and what must hold of it.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Exception;
use crate::sts::tags::{self, Tag};

/// How many characters of policies and tags a session can have when they are packed.
const PACKED_CHARACTERS_MAX: usize = 4096;

const POLICY_CHARACTERS_MAX: usize = 2048;
const POLICIES_MAX: usize = 10;
const CONTEXTS_MAX: usize = 5;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PolicyDescriptor {
    #[serde(rename(deserialize = "arn"))]
    pub(crate) arn: String,
}

/// What a provider says of the circumstances of a session.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ProvidedContext {
    provider_arn: String,
    /// A token, and so in no record.
    #[serde(skip_serializing)]
    context_assertion: String,
}

/// Refuses a member that is missing or empty.
pub(crate) fn required(member: &'static str, value: &str) -> Result<(), Exception> {
    if value.is_empty() {
        return Err(constraint(" null".to_owned(), member, "Member must not be null"));
    }
    Ok(())
}

/// Refuses a text that is too short or too long, or has letters that a name cannot have; what is missing may be.
pub(crate) fn name(member: &'static str, value: &str, lengths: RangeInclusive<usize>) -> Result<(), Exception> {
    if value.is_empty() {
        return Ok(());
    }
    length(member, value, lengths)?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if !value.chars().all(allowed) {
        return Err(pattern(member, value, r"[\w+=,.@-]*"));
    }
    Ok(())
}

/// Refuses a text that is too short or too long; what is missing may be.
pub(crate) fn length(member: &'static str, value: &str, lengths: RangeInclusive<usize>) -> Result<(), Exception> {
    let count = value.chars().count();
    let (least, most) = (lengths.start(), lengths.end());
    let wanted = match count {
        0 => return Ok(()),
        _ if count < *least => format!("Member must have length greater than or equal to {least}"),
        _ if count > *most => format!("Member must have length less than or equal to {most}"),
        _ => return Ok(()),
    };
    Err(constraint(quoted(value), member, &wanted))
}

/// Refuses a secret that is too short or too long, without repeating it; what is missing may be.
pub(crate) fn secret(member: &'static str, value: &str, lengths: RangeInclusive<usize>) -> Result<(), Exception> {
    length(member, value, lengths).map_err(|refused| match refused {
        Exception::Constraint { constraint, .. } => Exception::Constraint { value: String::new(), member, constraint },
        other => other,
    })
}

/// Returns how long a session is wanted to be; what is missing is the default.
pub(crate) fn seconds(wanted: Option<i64>, range: RangeInclusive<i64>, default: i64) -> Result<i64, Exception> {
    let Some(seconds) = wanted else { return Ok(default) };
    let bound = if seconds < *range.start() {
        format!("Member must have value greater than or equal to {}", range.start())
    } else if seconds > *range.end() {
        format!("Member must have value less than or equal to {}", range.end())
    } else {
        return Ok(seconds);
    };
    Err(constraint(quoted(&seconds.to_string()), "durationSeconds", &bound))
}

/// Says whether a second factor is shown: any code of a device is taken for its own.
pub(crate) fn mfa(serial_number: &str, token_code: &str) -> Result<bool, Exception> {
    length("serialNumber", serial_number, 9..=256)?;
    if !token_code.is_empty() {
        length("tokenCode", token_code, 6..=6)?;
        if !token_code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(pattern("tokenCode", token_code, r"[\d]*"));
        }
    }
    match (serial_number.is_empty(), token_code.is_empty()) {
        (true, true) => Ok(false),
        (false, false) => Ok(true),
        _ => Err(Exception::HalfAFactor),
    }
}

/// Checks the policies and tags of a session; returns how many per cent of the room for them they take, if there are any.
pub(crate) fn packed(policy: &str, arns: &[PolicyDescriptor], tags: &[Tag]) -> Result<Option<usize>, Exception> {
    length("policy", policy, 1..=POLICY_CHARACTERS_MAX)?;
    if !policy.is_empty() {
        statement(policy)?;
    }
    if arns.len() > POLICIES_MAX {
        let wanted = format!("Member must have length less than or equal to {POLICIES_MAX}");
        return Err(constraint(quoted(&format!("[{} policies]", arns.len())), "policyArns", &wanted));
    }
    for it in arns {
        required("policyArns.member.arn", &it.arn)?;
        length("policyArns.member.arn", &it.arn, 20..=2048)?;
        if !it.arn.starts_with("arn:") {
            return Err(Exception::InvalidArn(it.arn.clone()));
        }
    }
    tags::check(tags)?;
    let characters = policy.chars().count()
        + arns.iter().map(|it| it.arn.chars().count()).sum::<usize>()
        + tags.iter().map(|it| it.key.chars().count() + it.value.chars().count()).sum::<usize>();
    let percent = (characters * 100).div_ceil(PACKED_CHARACTERS_MAX);
    if percent > 100 {
        return Err(Exception::PackedPolicyTooLarge(percent));
    }
    Ok((characters > 0).then_some(percent))
}

/// Refuses contexts that are not as the model wants them; what they say is not looked at.
pub(crate) fn contexts(all: &[ProvidedContext]) -> Result<(), Exception> {
    if all.len() > CONTEXTS_MAX {
        let wanted = format!("Member must have length less than or equal to {CONTEXTS_MAX}");
        return Err(constraint(quoted(&format!("[{} contexts]", all.len())), "providedContexts", &wanted));
    }
    for it in all {
        length("providedContexts.member.providerArn", &it.provider_arn, 20..=2048)?;
        secret("providedContexts.member.contextAssertion", &it.context_assertion, 4..=2048)?;
    }
    Ok(())
}

/// Makes the exception for a value that is not as the model wants it.
pub(crate) fn constraint(value: String, member: &'static str, wanted: &str) -> Exception {
    Exception::Constraint { value, member, constraint: wanted.to_owned() }
}

pub(crate) fn pattern(member: &'static str, value: &str, pattern: &str) -> Exception {
    constraint(quoted(value), member, &format!("Member must satisfy regular expression pattern: {pattern}"))
}

pub(crate) fn quoted(value: &str) -> String {
    format!(" '{value}'")
}

/// Refuses a text that is no policy; what it allows is not looked at.
fn statement(policy: &str) -> Result<(), Exception> {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return Err(Exception::MalformedPolicyDocument("This policy contains invalid Json"));
    };
    let has_effect = |statement: &Value| matches!(statement["Effect"].as_str(), Some("Allow" | "Deny"));
    let sound = match &policy["Statement"] {
        Value::Array(statements) => !statements.is_empty() && statements.iter().all(has_effect),
        one => has_effect(one),
    };
    if sound { Ok(()) } else { Err(Exception::MalformedPolicyDocument("Syntax errors in policy.")) }
}

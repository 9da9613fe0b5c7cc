//! Policies that a simulation leaves out.

use serde::{Deserialize, Serialize};

use crate::Exception;
use crate::iam::IamError;
use crate::iam::input::one_of;
use crate::sts::input::required;
use crate::tables::HolderKind;

/// The types of policies that an exclusion can name.
const TYPES: [&str; 6] = ["inline", "aws-managed", "user-managed", "permission-boundary", "scp", "rcp"];

/// An exclusion: a type of policies, managed policies by their ARN, or an inline policy of some holders.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Exclusion {
    policy_type: String,
    policy_arn: String,
    inline_policy_identifier: Option<InlinePolicy>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct InlinePolicy {
    policy_name: String,
    attachment_type: String,
    attachment_name: String,
}

/// Refuses invalid exclusions.
pub(super) fn check(exclusions: &[Exclusion]) -> Result<(), Exception> {
    for Exclusion { policy_type, policy_arn, inline_policy_identifier } in exclusions {
        one_of("policyExclusionList.member.policyType", policy_type, &TYPES)?;
        let has_valid_arn = policy_arn.is_empty() || (policy_arn.starts_with("arn:") && is_pattern(policy_arn));
        let prefix = policy_arn.rsplit_once('/').map_or("", |(prefix, _)| prefix);
        if !has_valid_arn || prefix.contains(['*', '?']) {
            return Err(IamError::invalid_input(format!("Invalid policy identifier: {policy_arn}")));
        }
        if let Some(inline) = inline_policy_identifier {
            required("policyExclusionList.member.inlinePolicyIdentifier.policyName", &inline.policy_name)?;
            required("policyExclusionList.member.inlinePolicyIdentifier.attachmentName", &inline.attachment_name)?;
            let member = "policyExclusionList.member.inlinePolicyIdentifier.attachmentType";
            required(member, &inline.attachment_type)?;
            one_of(member, &inline.attachment_type, &["user", "group", "role"])?;
            if !is_pattern(&inline.attachment_name) {
                let name = &inline.attachment_name;
                return Err(IamError::invalid_input(format!("Invalid policy identifier: {name}")));
            }
        }
    }
    Ok(())
}

/// Returns whether the policies of a type are left out.
pub(super) fn has_type(exclusions: &[Exclusion], policy_type: &str) -> bool {
    exclusions.iter().any(|exclusion| exclusion.policy_type == policy_type)
}

/// Returns whether a managed policy is left out, by its ARN in the partition of the call.
pub(super) fn has_managed(exclusions: &[Exclusion], arn: &str, is_of_aws: bool) -> bool {
    has_type(exclusions, if is_of_aws { "aws-managed" } else { "user-managed" })
        || exclusions.iter().any(|exclusion| matches(&exclusion.policy_arn, arn))
}

/// Returns whether an inline policy is left out.
pub(super) fn has_inline(exclusions: &[Exclusion], kind: HolderKind, holder: &str, name: &str) -> bool {
    let is_named = |inline: &InlinePolicy| {
        inline.policy_name == name
            && inline.attachment_type == kind.as_str()
            && matches(&inline.attachment_name, holder)
    };
    let inline = exclusions.iter().filter_map(|exclusion| exclusion.inline_policy_identifier.as_ref());
    has_type(exclusions, "inline") || inline.into_iter().any(is_named)
}

/// Returns whether a text has at most one `*`.
fn is_pattern(text: &str) -> bool {
    text.matches('*').count() <= 1
}

/// Returns whether a text matches a pattern with at most one `*`, and with `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    let is_same = |pattern: &str, text: &str| {
        pattern.chars().count() == text.chars().count()
            && pattern.chars().zip(text.chars()).all(|(letter, other)| letter == '?' || letter == other)
    };
    let Some((before, after)) = pattern.split_once('*') else { return is_same(pattern, text) };
    let letters: Vec<char> = text.chars().collect();
    let (first, last) = (before.chars().count(), after.chars().count());
    let Some(from) = letters.len().checked_sub(last).filter(|from| *from >= first) else { return false };
    let part = |letters: &[char]| letters.iter().collect::<String>();
    is_same(before, &part(&letters[..first])) && is_same(after, &part(&letters[from..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_pattern_has_one_star_and_question_marks() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*c", "ac", true),
            ("a*c", "abbc", true),
            ("ab*bc", "abc", false),
            ("*", "", true),
            ("?*", "", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}

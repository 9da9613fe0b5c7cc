//! AWS KMS keys of repositories. They are names only; nothing is encrypted.

use aws::arn::has_arn_prefix;
use aws::{Arn, Call};

use crate::{Exception, name};

/// Returns the ARN of the key that a caller names, or of the account's default key.
///
/// The caller may give the id of a key, an alias or an ARN of the call's region. AWS managed keys of other services are refused.
pub(crate) fn parse(key: Option<String>, call: &Call) -> Result<String, Exception> {
    let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(default(call)) };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    if key.len() > 2048 || !key.bytes().all(allowed) {
        return Err(Exception::EncryptionKeyInvalidId { key });
    }
    let arn = if has_arn_prefix(&key) {
        key.clone()
    } else if key.starts_with("alias/") || key.starts_with("key/") {
        name::kms_arn(call, &key)
    } else {
        name::kms_arn(call, &format!("key/{key}"))
    };
    let parsed = Arn::parse(&arn).filter(|arn| arn.service == "kms" && arn.region == call.region);
    let Some(resource) = parsed.map(|arn| arn.resource) else { return Err(Exception::EncryptionKeyInvalidId { key }) };
    match resource.split_once('/') {
        Some(("alias", "aws/codecommit")) => Ok(default(call)),
        Some(("alias", alias)) if alias.starts_with("aws/") => Err(Exception::EncryptionKeyInvalidUsage { key }),
        Some(("alias" | "key", id)) if !id.is_empty() => Ok(arn),
        _ => Err(Exception::EncryptionKeyInvalidId { key }),
    }
}

/// Returns whether an ARN is that of the account's default key.
pub(crate) fn is_default(arn: &str, call: &Call) -> bool {
    arn == default(call)
}

/// Returns the ARN of the key behind `alias/aws/codecommit`; each account and region has a fixed one.
fn default(call: &Call) -> String {
    // The id has the form of a UUID.
    let digits = format!("{:032x}", aws::stable_hash::fnv1a_128(&format!("{}/{}", call.account, call.region)));
    let id = format!("{}-{}-4{}-8{}-{}", &digits[..8], &digits[8..12], &digits[13..16], &digits[17..20], &digits[20..]);
    name::kms_arn(call, &format!("key/{id}"))
}

//! Validation of the names in the inputs of operations on trails.

use aws::arn::has_arn_prefix;
use aws::{AccountId, Arn, Call, Facts, Region};

use bucket::{is_bucket_name, is_object_key};

use crate::{Exception, RESERVED_NAMES};

/// The name or ARN of a trail in a call; a name means the trail of the call's region.
#[derive(Clone, Debug)]
pub(crate) struct TrailReference {
    pub(crate) name: String,
    pub(crate) region: Option<Region>,
    pub(crate) account: Option<AccountId>,
    /// The text in the call.
    text: String,
}

/// The topic of a trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Topic {
    /// The name or ARN in the call.
    pub(crate) name: String,
    pub(crate) arn: String,
}

impl TrailReference {
    /// Parses a required name or ARN.
    pub(crate) fn parse(text: Option<String>) -> Result<Self, Exception> {
        let text = text.filter(|text| !text.is_empty());
        let blank = || Exception::InvalidTrailName { reason: "Trail name cannot be blank!".to_owned() };
        let text = text.ok_or_else(blank)?;
        if !has_arn_prefix(&text) {
            return Ok(Self { name: trail_name(&text)?, region: None, account: None, text });
        }
        let invalid = || Exception::CloudTrailARNInvalid { arn: text.clone() };
        let arn = Arn::parse(&text).filter(|arn| arn.service == "cloudtrail").ok_or_else(invalid)?;
        let name = arn.resource.strip_prefix("trail/").ok_or_else(invalid)?;
        Ok(Self { name: trail_name(name)?, region: Some(arn.region), account: Some(arn.account), text })
    }

    /// Requests the permission to use the trail.
    pub(crate) fn allow(&self, call: &Call, facts: &Facts) -> Result<(), Exception> {
        let region = self.region.as_ref().unwrap_or(&call.region).clone();
        let account = self.account.as_ref().unwrap_or(&call.account).clone();
        Ok(call.allow(&arn(region, account, &self.name).to_string(), facts)?)
    }

    /// Returns the exception of the operations on tags for a missing trail.
    pub(crate) fn resource_not_found(&self) -> Exception {
        Exception::ResourceNotFound { resource: self.text.clone() }
    }

    /// Returns the exception for a missing trail; it shows a name as the ARN.
    pub(crate) fn not_found(&self, call: &Call) -> Exception {
        let name = match &self.region {
            Some(_) => self.text.clone(),
            None => arn(call.region.clone(), call.account.clone(), &self.name).to_string(),
        };
        Exception::TrailNotFound { name, account: call.account.clone() }
    }

    /// Returns the exception of `GetTrail` for a missing trail; it shows the text of the call.
    pub(crate) fn not_found_as_given(&self, call: &Call) -> Exception {
        Exception::TrailNotFound { name: self.text.clone(), account: call.account.clone() }
    }
}

/// Returns the ARN of a trail.
pub(crate) fn arn(region: Region, account: AccountId, name: &str) -> Arn {
    Arn { service: "cloudtrail".to_owned(), region, account, resource: format!("trail/{name}") }
}

/// Checks the name of a trail.
pub(crate) fn trail_name(name: &str) -> Result<String, Exception> {
    let invalid = |reason: String| Err(Exception::InvalidTrailName { reason });
    let (plain, length) = (|letter: char| letter.is_ascii_alphanumeric(), name.chars().count());
    if length < 3 {
        return invalid(format!(
            "Trail name too short. Minimum allowed length: 3 characters. Specified name length: {length} characters."
        ));
    }
    if length > 128 {
        return invalid(format!(
            "Trail name too long. Maximum allowed length: 128 characters. Specified name length: {length} characters."
        ));
    }
    if !name.starts_with(plain) {
        return invalid("Trail name must starts with a letter or number.".to_owned());
    }
    if !name.ends_with(plain) {
        return invalid("Trail name must ends with a letter or number.".to_owned());
    }
    let separator = |letter: char| matches!(letter, '.' | '-' | '_');
    if !name.chars().all(|letter| plain(letter) || separator(letter)) {
        let reason = "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), \
                      and underscores (_).";
        return invalid(reason.to_owned());
    }
    if name.chars().zip(name.chars().skip(1)).any(|(first, second)| separator(first) && separator(second)) {
        return invalid("Trail name must not have adjacent periods, hyphens or underscores.".to_owned());
    }
    if is_address(name) {
        return invalid("Trail name must not be in IP address format.".to_owned());
    }
    Ok(name.to_owned())
}

/// Checks the name of a bucket.
pub(crate) fn bucket(name: Option<String>) -> Result<String, Exception> {
    let name = name.unwrap_or_default();
    if name.is_empty() {
        return Err(Exception::InvalidS3BucketName { reason: "Bucket name cannot be blank!".to_owned() });
    }
    if is_bucket_name(&name) && !is_address(&name) {
        return Ok(name);
    }
    let reason =
        format!("{name} is not a valid bucket name: write 3 to 63 lower-case letters, digits, periods and hyphens.");
    Err(Exception::InvalidS3BucketName { reason })
}

/// Checks the prefix of the keys of a trail's objects; it must be a path inside a folder too.
pub(crate) fn prefix(prefix: Option<String>) -> Result<Option<String>, Exception> {
    let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else { return Ok(None) };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "!_.*'()-/&$@=;:+ ,?".contains(letter);
    if prefix.len() <= 200 && prefix.chars().all(plain) && is_object_key(&prefix, RESERVED_NAMES) {
        return Ok(Some(prefix));
    }
    Err(Exception::InvalidS3Prefix { prefix })
}

/// Parses the name or ARN of a topic.
pub(crate) fn topic(text: Option<String>, call: &Call) -> Result<Option<Topic>, Exception> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let name = |name: &str| (1..=256).contains(&name.len()) && name.chars().all(plain);
    let arn = if has_arn_prefix(&text) {
        Arn::parse(&text).filter(|arn| arn.service == "sns" && name(&arn.resource))
    } else {
        name(&text).then(|| Arn {
            service: "sns".to_owned(),
            region: call.region.clone(),
            account: call.account.clone(),
            resource: text.clone(),
        })
    };
    match arn {
        Some(arn) => Ok(Some(Topic { name: text, arn: arn.to_string() })),
        None => Err(Exception::InvalidSnsTopicName { name: text }),
    }
}

/// Parses the id, ARN or alias of a KMS key, and returns its ARN; the key need not exist.
pub(crate) fn kms_key(text: Option<String>, call: &Call) -> Result<Option<String>, Exception> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_/:".contains(letter);
    let is_arn = || Arn::parse(&text).is_some_and(|arn| arn.service == "kms");
    if text.len() > 350 || !text.chars().all(plain) || (has_arn_prefix(&text) && !is_arn()) {
        return Err(Exception::InvalidKmsKeyId { id: text });
    }
    if has_arn_prefix(&text) {
        return Ok(Some(text));
    }
    let resource = if text.starts_with("alias/") { text } else { format!("key/{text}") };
    let (region, account) = (call.region.clone(), call.account.clone());
    Ok(Some(Arn { service: "kms".to_owned(), region, account, resource }.to_string()))
}

fn is_address(name: &str) -> bool {
    name.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::{prefix, trail_name};

    #[test]
    fn names_are_letters_and_digits_with_single_separators() {
        for name in ["abc", "a-b", "My_Trail.2", &"a".repeat(128)] {
            assert!(trail_name(name).is_ok(), "{name}");
        }
        for name in ["", "ab", "-abc", "abc-", "a--b", "a._b", "a b", "192.168.5.4", "a/b", &"a".repeat(129)] {
            assert!(trail_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_prefix_outside_the_bucket_is_refused() {
        for good in ["a", "logs/2016", "a.b-c"] {
            assert!(prefix(Some(good.to_owned())).is_ok(), "{good}");
        }
        for bad in
            ["/a", "a/", "a//b", "..", "a/../b", ".", ".metadata", "events.ndjson", "a\\b", "a\u{0}", &"a".repeat(201)]
        {
            assert!(prefix(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }
}

//! Names and texts that callers give, parsed once where they enter the service.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fmt;

use aws::arn::ArnParts;
use aws::{Arn, Call, Facts, Region};
use git::{BString, ObjectId};

use crate::Exception;

/// Maximum number of names in a batch.
pub(crate) const BATCH_MAX: usize = 100;

/// Maximum number of tags of a resource.
pub(crate) const TAGS_MAX: usize = 50;

/// Name of a repository: 1 to 100 letters, digits, `.`, `_` and `-`, not ending in `.git`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RepositoryName(String);

impl RepositoryName {
    pub(crate) fn parse(name: Option<String>) -> Result<Self, Exception> {
        let name = required(name, Exception::RepositoryNameRequired)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let is_clone_url_form = name.as_bytes().ends_with(b".git");
        if name.len() <= 100 && name.bytes().all(allowed) && !is_clone_url_form {
            Ok(Self(name))
        } else {
            Err(Exception::InvalidRepositoryName)
        }
    }

    pub(crate) fn parse_all(names: Vec<String>) -> Result<Vec<Self>, Exception> {
        if names.is_empty() {
            return Err(Exception::RepositoryNamesRequired);
        }
        if names.len() > BATCH_MAX {
            return Err(Exception::MaximumRepositoryNamesExceeded { limit: BATCH_MAX });
        }
        // An empty name in the list is invalid rather than missing.
        names.into_iter().map(|name| Self::parse(Some(name)).map_err(|_| Exception::InvalidRepositoryName)).collect()
    }

    /// Parses a repository's ARN and returns the name; a repository of another account does not exist.
    pub(crate) fn from_arn(arn: Option<String>, call: &Call) -> Result<Self, Exception> {
        let text = required(arn, Exception::ResourceArnRequired)?;
        let arn = Arn::parse(&text)
            .filter(|arn| arn.service == "codecommit" && arn.region == call.region)
            .ok_or(Exception::InvalidResourceArn { arn: text })?;
        let name = Self::parse(Some(arn.resource))?;
        if arn.account == call.account { Ok(name) } else { Err(Exception::RepositoryDoesNotExist { name: name.0 }) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses an optional text of at most `max` characters; an empty one counts as missing.
pub(crate) fn optional(text: Option<String>, max: usize, invalid: Exception) -> Result<Option<String>, Exception> {
    match text {
        Some(text) if !fits(&text, max) => Err(invalid),
        text => Ok(text.filter(|text| !text.is_empty())),
    }
}

/// Returns whether a free text has at most `max` characters and no U+0000, which not every database can store.
pub(crate) fn fits(text: &str, max: usize) -> bool {
    text.chars().count() <= max && !text.contains('\0')
}

/// Short name of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BranchName(String);

impl BranchName {
    pub(crate) fn parse(name: Option<String>) -> Result<Self, Exception> {
        let name = required(name, Exception::BranchNameRequired)?;
        let is_commit_id = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let reference = format!("refs/heads/{name}");
        let fits = name.chars().count() <= 256 && !is_commit_id && name != "@" && !name.starts_with('-');
        if fits && git::is_reference_name(reference.as_bytes().into()) {
            Ok(Self(name))
        } else {
            Err(Exception::InvalidBranchName { name })
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the full name: `refs/heads/…`.
    pub(crate) fn reference(&self) -> BString {
        format!("refs/heads/{}", self.0).into()
    }

    /// Makes the branch that an operation changes a fact about it.
    pub(crate) fn add_to_facts(&self, call: &Call) {
        call.add_facts(Facts::default().with_reference(format!("refs/heads/{}", self.0)));
    }
}

/// Parses the id of a commit: forty hexadecimal digits.
pub(crate) fn commit_id(id: Option<String>) -> Result<ObjectId, Exception> {
    let id = required(id, Exception::CommitIdRequired)?;
    ObjectId::from_hex(id.as_bytes()).map_err(|_| Exception::InvalidCommitId { id })
}

/// Returns whether a text has the form of an ARN of any resource; region and account may be empty, as in ARNs of users.
pub(crate) fn is_arn(text: &str) -> bool {
    ArnParts::split(text).is_some_and(|arn| ![arn.partition, arn.service, arn.resource].contains(&""))
}

/// Parses tags of a resource. The limit applies to this list; whoever adds it to other tags checks the total.
pub(crate) fn tags(tags: Option<HashMap<String, String>>) -> Result<BTreeMap<String, String>, Exception> {
    let tags: BTreeMap<_, _> = tags.unwrap_or_default().into_iter().collect();
    for (key, value) in &tags {
        check_tag_key(key, |key| Exception::InvalidTagsMap { key })?;
        if value.chars().count() > 256 || !value.chars().all(is_tag_letter) {
            return Err(Exception::InvalidTagsMap { key: key.clone() });
        }
    }
    if tags.len() > TAGS_MAX { Err(Exception::TooManyTags { limit: TAGS_MAX }) } else { Ok(tags) }
}

/// Parses keys of tags to remove.
pub(crate) fn tag_keys(keys: Vec<String>) -> Result<Vec<String>, Exception> {
    if keys.is_empty() {
        return Err(Exception::TagKeysListRequired);
    }
    if keys.len() > TAGS_MAX {
        return Err(Exception::TooManyTags { limit: TAGS_MAX });
    }
    for key in &keys {
        check_tag_key(key, |key| Exception::InvalidTagKeysList { key })?;
    }
    Ok(keys)
}

fn check_tag_key(key: &str, invalid: fn(String) -> Exception) -> Result<(), Exception> {
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        return Err(Exception::InvalidSystemTagUsage { key: key.to_owned() });
    }
    let fits = (1..=128).contains(&key.chars().count()) && key.chars().all(is_tag_letter);
    if fits { Ok(()) } else { Err(invalid(key.to_owned())) }
}

fn is_tag_letter(letter: char) -> bool {
    letter.is_alphanumeric() || letter.is_whitespace() || "+-=._:/@".contains(letter)
}

/// Returns an ARN of AWS KMS in the call's account and region.
pub(crate) fn kms_arn(call: &Call, resource: &str) -> String {
    let (account, region): (_, Region) = (call.account.clone(), call.region.clone());
    Arn { service: "kms".to_owned(), region, account, resource: resource.to_owned() }.to_string()
}

/// Returns a required text; the decoder reads a missing member as an empty one.
pub(crate) fn required(text: Option<String>, missing: Exception) -> Result<String, Exception> {
    text.filter(|text| !text.is_empty()).ok_or(missing)
}

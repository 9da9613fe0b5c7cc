//! Session tags: what must hold of them, and which a further role inherits.
//!
//! Nothing here decides by them; they are checked, shown in records and handed on as on AWS.

use std::collections::BTreeMap;

use aws::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Exception;
use crate::sts::input::{constraint, length, pattern, quoted, required};

const TAGS_MAX: usize = 50;

/// A tag of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The tags that a session is given, and which of them further roles inherit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionTags {
    pub(crate) tags: Vec<Tag>,
    pub(crate) transitive_keys: Vec<String>,
}

impl SessionTags {
    /// Refuses transitive keys without a tag.
    pub(crate) fn check_keys(&self) -> Result<(), Exception> {
        if self.transitive_keys.iter().any(|key| !self.tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key))) {
            return Err(Exception::TransitiveTag);
        }
        Ok(())
    }

    /// Returns what further roles inherit: what the caller inherited and what is transitive of these.
    pub(crate) fn transitive(
        &self,
        inherited: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Exception> {
        let mut all = inherited.clone();
        for Tag { key, value } in &self.tags {
            if inherited.keys().any(|it| it.eq_ignore_ascii_case(key)) {
                return Err(Exception::InheritedTag);
            }
            if self.transitive_keys.iter().any(|it| it.eq_ignore_ascii_case(key)) {
                all.insert(key.clone(), value.clone());
            }
        }
        Ok(all)
    }

    /// Notes for a call's record which tags a token or an assertion gives to the session.
    pub(crate) fn tell(&self, call: &Call) {
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| (tag.key.clone(), Value::from(tag.value.as_str())));
            call.is_told("principalTags", tags.collect());
        }
        if !self.transitive_keys.is_empty() {
            call.is_told("transitiveTagKeys", self.transitive_keys.as_slice().into());
        }
    }
}

/// Refuses tags that no session can have.
pub(crate) fn check(tags: &[Tag]) -> Result<(), Exception> {
    if tags.len() > TAGS_MAX {
        let wanted = format!("Member must have length less than or equal to {TAGS_MAX}");
        return Err(constraint(quoted(&format!("[{} tags]", tags.len())), "tags", &wanted));
    }
    for (place, tag) in tags.iter().enumerate() {
        required("tags.member.key", &tag.key)?;
        length("tags.member.key", &tag.key, 1..=128)?;
        length("tags.member.value", &tag.value, 0..=256)?;
        for (member, text) in [("tags.member.key", &tag.key), ("tags.member.value", &tag.value)] {
            let allowed = |letter: char| letter.is_alphanumeric() || letter == ' ' || "_.:/=+-@".contains(letter);
            if !text.chars().all(allowed) {
                return Err(pattern(member, text, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"));
            }
        }
        if tags[..place].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            return Err(Exception::DuplicateTags);
        }
    }
    Ok(())
}

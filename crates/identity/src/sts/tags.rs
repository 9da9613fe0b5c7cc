//! Session tags: their constraints, and their inheritance in role chains.
//!
//! They are checked, recorded and inherited; policies see them as the tags of the principal.

use std::collections::BTreeMap;

use aws::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Exception;
use crate::sts::input::{count, length, pattern, required};

/// Maximum number of tags of a session.
const TAGS_MAX: usize = 50;

/// A tag of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// The tags of a session and the keys of those that role chains inherit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionTags {
    pub(crate) tags: Vec<Tag>,
    pub(crate) transitive_keys: Vec<String>,
}

impl SessionTags {
    /// Refuses transitive keys without a tag, and too many of them.
    pub(crate) fn check_keys(&self) -> Result<(), Exception> {
        count("transitiveTagKeys", "keys", self.transitive_keys.len(), 0..=TAGS_MAX)?;
        if self.transitive_keys.iter().any(|key| !self.tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key))) {
            return Err(Exception::TransitiveTag);
        }
        Ok(())
    }

    /// Returns the tags that role chains inherit: those that the caller inherited, and the transitive ones of this session.
    pub(crate) fn transitive(
        &self,
        inherited: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Exception> {
        let mut all = inherited.clone();
        for Tag { key, value } in &self.tags {
            if inherited.keys().any(|other| other.eq_ignore_ascii_case(key)) {
                return Err(Exception::InheritedTag);
            }
            if self.transitive_keys.iter().any(|other| other.eq_ignore_ascii_case(key)) {
                all.insert(key.clone(), value.clone());
            }
        }
        Ok(all)
    }

    /// Returns the tags by key.
    pub(crate) fn by_key(&self) -> BTreeMap<String, String> {
        self.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
    }

    /// Adds the tags of a token or an assertion to the record of a call.
    pub(crate) fn record(&self, call: &Call) {
        if !self.tags.is_empty() {
            let tags = self.tags.iter().map(|tag| (tag.key.clone(), Value::from(tag.value.as_str())));
            call.add_request_parameter("principalTags", tags.collect());
        }
        if !self.transitive_keys.is_empty() {
            call.add_request_parameter("transitiveTagKeys", self.transitive_keys.as_slice().into());
        }
    }
}

/// Returns whether a letter can occur in tags: letters, numbers and separators of Unicode, and some signs.
fn is_tag_letter(letter: char) -> bool {
    letter.is_alphanumeric() || is_separator(letter) || "_.:/=+-@".contains(letter)
}

/// Returns whether a letter is a separator of Unicode (`\p{Z}`): white space that is no control character.
fn is_separator(letter: char) -> bool {
    letter.is_whitespace() && !letter.is_control()
}

/// Refuses invalid tags of a session.
pub(crate) fn check(tags: &[Tag]) -> Result<(), Exception> {
    count("tags", "tags", tags.len(), 0..=TAGS_MAX)?;
    for (index, tag) in tags.iter().enumerate() {
        required("tags.member.key", &tag.key)?;
        length("tags.member.key", &tag.key, 1..=128)?;
        length("tags.member.value", &tag.value, 0..=256)?;
        for (member, text) in [("tags.member.key", &tag.key), ("tags.member.value", &tag.value)] {
            if !text.chars().all(is_tag_letter) {
                return Err(pattern(member, text, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"));
            }
        }
        if tags[..index].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            return Err(Exception::DuplicateTags);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Tag, check};

    #[test]
    fn tags_consist_of_letters_numbers_separators_and_some_signs() {
        let check = |value: &str| check(&[Tag { key: "Key".to_owned(), value: value.to_owned() }]);
        let good =
            ["", "a\u{a0}b", "a\u{3000}\u{2028}\u{2029}\u{202f}b", "\u{e9}\u{4e2d}\u{663}\u{2160}\u{bd}", "_.:/=+-@ 9"];
        for value in good {
            assert!(check(value).is_ok(), "{value:?}");
        }
        for value in ["\t", "a\nb", "\u{85}", "\u{200b}", "a,b", "\0"] {
            assert!(check(value).is_err(), "{value:?}");
        }
    }
}

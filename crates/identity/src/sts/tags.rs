//! Session tags: what must hold of them, and which a further role inherits.
//!
//! Nothing here decides by them; they are checked, shown in records and handed on as on AWS.

use std::collections::BTreeMap;

use aws::Call;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Exception;
use crate::sts::input::{count, length, pattern, required};

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
    /// Refuses transitive keys without a tag, and more of them than there can be tags.
    pub(crate) fn check_keys(&self) -> Result<(), Exception> {
        count("transitiveTagKeys", "keys", self.transitive_keys.len(), 0..=TAGS_MAX)?;
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

/// Says whether tags can have a letter: letters, numbers and separators of Unicode, and some signs.
fn is_tag_letter(letter: char) -> bool {
    letter.is_alphanumeric() || is_separator(letter) || "_.:/=+-@".contains(letter)
}

/// Says whether a letter is a separator of Unicode (`\p{Z}`): white space without control characters.
fn is_separator(letter: char) -> bool {
    letter.is_whitespace() && !letter.is_control()
}

/// Refuses tags that no session can have.
pub(crate) fn check(tags: &[Tag]) -> Result<(), Exception> {
    count("tags", "tags", tags.len(), 0..=TAGS_MAX)?;
    for (place, tag) in tags.iter().enumerate() {
        required("tags.member.key", &tag.key)?;
        length("tags.member.key", &tag.key, 1..=128)?;
        length("tags.member.value", &tag.value, 0..=256)?;
        for (member, text) in [("tags.member.key", &tag.key), ("tags.member.value", &tag.value)] {
            if !text.chars().all(is_tag_letter) {
                return Err(pattern(member, text, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"));
            }
        }
        if tags[..place].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            return Err(Exception::DuplicateTags);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Tag, check};

    #[test]
    fn tags_are_of_letters_numbers_and_separators() {
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

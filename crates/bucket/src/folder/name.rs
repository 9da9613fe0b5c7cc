//! Rules for the names of objects in a bucket's folder.
//!
//! Names are compared without regard to case, as some file systems compare them.

use std::borrow::Cow;

use super::METADATA;
use super::file::{OBJECT, PARTIAL, PREFIX_OBJECT};

/// Tells whether a text can be the key of an object in a bucket of either kind, or the beginning of one.
///
/// `reserved` are the names at the root that never are objects.
pub fn is_object_key(key: &str, reserved: &[&str]) -> bool {
    key.split('/').enumerate().all(|(depth, name)| is_object_name(name, depth == 0, reserved))
}

/// Tells whether a part of a key can name an object or a folder of objects, at the bucket's root or below it.
pub(crate) fn is_object_name(name: &str, at_root: bool, reserved: &[&str]) -> bool {
    let special = name.is_empty() || name == "." || name == ".." || name.contains('\0');
    let name = fold_case(name);
    let is_reserved = at_root && (name == METADATA || reserved.contains(&&*name));
    !(special || name.ends_with(PARTIAL) || name == OBJECT || name == PREFIX_OBJECT || is_reserved)
}

/// Maps texts that differ only in case to one text.
pub fn fold_case(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    // Some letters share their capital with another letter, as the long s does with s, so both steps are needed.
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names_are_no_objects_in_any_spelling() {
        let is_object_name = |name, at_root| is_object_name(name, at_root, &["events.ndjson"]);
        for name in ["events.ndjson", "Events.NDJSON", "event\u{17f}.ndjson", ".METADATA"] {
            assert!(!is_object_name(name, true) && is_object_name(name, false), "{name}");
        }
        for name in ["", ".", "..", "a\0", "a.partial", "a.PARTIAL", ".object", ".Object", ".prefix"] {
            assert!(!is_object_name(name, true) && !is_object_name(name, false), "{name:?}");
        }
        for name in ["a", "A", "...", "\u{e9}", "events.ndjson.gz", "partial"] {
            assert!(is_object_name(name, true), "{name}");
        }
    }
}

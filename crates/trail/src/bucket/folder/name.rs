//! Which names in a bucket's folder are those of objects.
//!
//! Names are compared without regard to case, as some file systems compare them.

use std::borrow::Cow;

use super::METADATA;
use super::file::{OBJECT, PARTIAL};

/// What the trail directory holds at its root beside objects.
const NO_OBJECTS: [&str; 3] = [METADATA, "events.ndjson", "notifications.ndjson"];

/// Tells whether a part of a key can name an object or a folder of objects, at the bucket's root or below it.
pub(in crate::bucket) fn is_named_as_object(name: &str, at_root: bool) -> bool {
    let special = name.is_empty() || name == "." || name == ".." || name.contains('\0');
    let name = fold(name);
    !(special || name.ends_with(PARTIAL) || name == OBJECT || at_root && NO_OBJECTS.contains(&&*name))
}

/// Makes texts equal that differ in case alone.
pub(in crate::bucket) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    // Some letters have a capital whose small letter is another one, as the long s has.
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_our_own_are_no_objects_in_any_spelling() {
        for name in ["events.ndjson", "Events.NDJSON", "event\u{17f}.ndjson", ".METADATA", "Notifications.ndjson"] {
            assert!(!is_named_as_object(name, true) && is_named_as_object(name, false), "{name}");
        }
        for name in ["", ".", "..", "a\0", "a.partial", "a.PARTIAL", ".object", ".Object"] {
            assert!(!is_named_as_object(name, true) && !is_named_as_object(name, false), "{name:?}");
        }
        for name in ["a", "A", "...", "\u{e9}", "events.ndjson.gz", "partial"] {
            assert!(is_named_as_object(name, true), "{name}");
        }
    }
}

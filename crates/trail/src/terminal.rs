//! Text for a terminal without control characters, which records and keys can contain.
//!
//! **Invariant:** the returned text cannot move the cursor, change colours or reorder the text around it.

use std::borrow::Cow;
use std::fmt::Write;

/// Tells whether a character controls a terminal or the direction of the text around it.
fn is_control(character: char) -> bool {
    // U+2028 and U+2029 end lines; the others are marks, embeddings, overrides and isolates of bidirectional text.
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Removes control characters.
pub fn printable(text: &str) -> String {
    text.chars().filter(|character| !is_control(*character)).collect()
}

/// Removes control characters from a text, except for its line ends.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Escapes the control characters in a line of JSON; the JSON stays equal.
///
/// JSON has such characters only in strings, except for white space between members.
pub fn escaped(json: &str) -> Cow<'_, str> {
    if !json.contains(is_control) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\t' | '\r' | '\n' => text.push(' '),
            control if is_control(control) => {
                write!(text, "\\u{:04x}", u32::from(control)).expect("writing to a String cannot fail");
            }
            other => text.push(other),
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CONTROLS: [char; 12] = [
        '\u{1b}', '\u{7}', '\n', '\u{7f}', '\u{9b}', '\u{202e}', '\u{202a}', '\u{2066}', '\u{2069}', '\u{200f}',
        '\u{61c}', '\u{2028}',
    ];

    #[test]
    fn control_characters_are_removed_and_others_stay() {
        let text: String = CONTROLS.iter().flat_map(|control| ['a', *control]).collect();
        assert_eq!(printable(&text), "a".repeat(CONTROLS.len()));
        assert_eq!(printable("\u{e9} \u{5d0} \u{1f600}\u{200d}"), "\u{e9} \u{5d0} \u{1f600}\u{200d}");
    }

    #[test]
    fn json_with_escaped_controls_is_equal() {
        let text: String = CONTROLS.iter().collect();
        let json = json!({ "a": text, "b\u{202e}": "\u{e9}" });
        let line = escaped(&json.to_string()).into_owned();
        assert!(!line.contains(is_control), "{line:?}");
        assert_eq!(serde_json::from_str::<Value>(&line).expect("the line is JSON"), json);
        assert!(matches!(escaped("{\"a\":\"\u{e9}\"}"), Cow::Borrowed(_)));
        assert_eq!(escaped("{\"a\":\r1}"), "{\"a\": 1}");
    }
}

//! Text for a terminal: records and keys can hold any character, and some of them control a terminal.
//!
//! **Invariant:** no text that went through here moves the cursor, changes colours or reorders what is shown.

use std::borrow::Cow;
use std::fmt::Write;

/// Tells whether a character controls a terminal, or the direction in which the characters around it are shown.
fn is_control(character: char) -> bool {
    // U+2028 and U+2029 end lines; the others are the marks, embeddings, overrides and isolates of bidirectional text.
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Removes the characters that control a terminal.
pub fn printable(text: &str) -> String {
    text.chars().filter(|character| !is_control(*character)).collect()
}

/// Removes the characters that control a terminal from a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// Escapes the characters in a line of JSON that control a terminal, so that the JSON stays equal.
///
/// In JSON such characters stand inside of strings alone, except for white space between the members.
pub fn escaped(json: &str) -> Cow<'_, str> {
    if !json.contains(is_control) {
        return Cow::Borrowed(json);
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\t' | '\r' | '\n' => text.push(' '),
            control if is_control(control) => {
                write!(text, "\\u{:04x}", u32::from(control)).expect("a String takes all");
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
    fn controls_are_removed_and_all_other_characters_stay() {
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
        assert_eq!(serde_json::from_str::<Value>(&line).expect("it is JSON"), json);
        assert!(matches!(escaped("{\"a\":\"\u{e9}\"}"), Cow::Borrowed(_)));
        assert_eq!(escaped("{\"a\":\r1}"), "{\"a\": 1}");
    }
}

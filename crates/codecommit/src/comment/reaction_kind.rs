//! The emojis that can be reactions, and how each is written.

use aws_sdk_codecommit::types::ReactionValueFormats;

/// One emoji.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// The name, in lower case: `thumbsup`.
    pub(super) short_code: &'static str,
    /// The letter.
    letter: char,
}

/// The sure ones first; AWS's own list is in no document that could be read.
static KINDS: [Kind; 12] = [
    Kind { short_code: "thumbsup", letter: '\u{1f44d}' },
    Kind { short_code: "thumbsdown", letter: '\u{1f44e}' },
    Kind { short_code: "smile", letter: '\u{1f604}' },
    Kind { short_code: "confused", letter: '\u{1f615}' },
    Kind { short_code: "clap", letter: '\u{1f44f}' },
    Kind { short_code: "heart", letter: '\u{2764}' },
    Kind { short_code: "angry", letter: '\u{1f620}' },
    Kind { short_code: "scream", letter: '\u{1f631}' },
    Kind { short_code: "sob", letter: '\u{1f62d}' },
    Kind { short_code: "confetti_ball", letter: '\u{1f38a}' },
    Kind { short_code: "ship", letter: '\u{1f6a2}' },
    Kind { short_code: "eyes", letter: '\u{1f440}' },
];

impl Kind {
    /// Reads any of the three spellings: the letter, `:thumbsup:`, or `U+1F44D`.
    pub(super) fn parse(text: &str) -> Option<&'static Self> {
        // What a keyboard adds so that the letter is drawn as a picture says nothing.
        let letter = text.trim_end_matches('\u{fe0f}');
        KINDS.iter().find(|kind| {
            letter.chars().eq([kind.letter])
                || text.eq_ignore_ascii_case(&kind.unicode())
                || text == format!(":{}:", kind.short_code)
        })
    }

    pub(super) fn of_short_code(short_code: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.short_code == short_code)
    }

    /// The name as counts have it: `THUMBSUP`.
    pub(super) fn counted(&self) -> String {
        self.short_code.to_uppercase()
    }

    pub(super) fn to_wire(&self) -> ReactionValueFormats {
        ReactionValueFormats::builder().emoji(self.letter).short_code(self.short_code).unicode(self.unicode()).build()
    }

    fn unicode(&self) -> String {
        format!("U+{:X}", u32::from(self.letter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spelling_of_each_kind_is_read() {
        for kind in &KINDS {
            let unicode = kind.unicode();
            let spellings = [
                kind.letter.to_string(),
                format!("{}\u{fe0f}", kind.letter),
                format!(":{}:", kind.short_code),
                unicode.to_lowercase(),
                unicode,
            ];
            for spelling in spellings {
                assert_eq!(Kind::parse(&spelling), Some(kind), "{spelling}");
            }
            assert_eq!(Kind::of_short_code(kind.short_code), Some(kind));
        }
        assert_eq!(Kind::parse("U+1F44D").map(Kind::counted).as_deref(), Some("THUMBSUP"));
        for other in ["", "thumbsup", ":Thumbsup:", "U+1F600", "\u{1f44d}\u{1f44d}", "1F44D"] {
            assert_eq!(Kind::parse(other), None, "{other}");
        }
    }
}

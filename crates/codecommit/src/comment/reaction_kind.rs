//! Emojis that can be reactions, and their spellings.

use aws_sdk_codecommit::types::ReactionValueFormats;

/// Emoji that can be a reaction.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReactionKind {
    /// Name in lower case: `thumbsup`.
    pub(super) short_code: &'static str,
    /// The character itself.
    character: char,
}

/// The documented ones first; AWS's complete list is not published.
static KINDS: [ReactionKind; 12] = [
    ReactionKind { short_code: "thumbsup", character: '\u{1f44d}' },
    ReactionKind { short_code: "thumbsdown", character: '\u{1f44e}' },
    ReactionKind { short_code: "smile", character: '\u{1f604}' },
    ReactionKind { short_code: "confused", character: '\u{1f615}' },
    ReactionKind { short_code: "clap", character: '\u{1f44f}' },
    ReactionKind { short_code: "heart", character: '\u{2764}' },
    ReactionKind { short_code: "angry", character: '\u{1f620}' },
    ReactionKind { short_code: "scream", character: '\u{1f631}' },
    ReactionKind { short_code: "sob", character: '\u{1f62d}' },
    ReactionKind { short_code: "confetti_ball", character: '\u{1f38a}' },
    ReactionKind { short_code: "ship", character: '\u{1f6a2}' },
    ReactionKind { short_code: "eyes", character: '\u{1f440}' },
];

impl ReactionKind {
    /// Parses any of the three spellings: the character, `:thumbsup:` or `U+1F44D`.
    pub(super) fn parse(text: &str) -> Option<&'static Self> {
        // Keyboards append a variation selector that asks for the picture; it has no meaning here.
        let character = text.trim_end_matches('\u{fe0f}');
        KINDS.iter().find(|kind| {
            character.chars().eq([kind.character])
                || text.eq_ignore_ascii_case(&kind.unicode())
                || text == format!(":{}:", kind.short_code)
        })
    }

    pub(super) fn from_short_code(short_code: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.short_code == short_code)
    }

    /// Returns the name in counts of reactions: `THUMBSUP`.
    pub(super) fn count_name(&self) -> String {
        self.short_code.to_uppercase()
    }

    pub(super) fn to_wire(&self) -> ReactionValueFormats {
        ReactionValueFormats::builder()
            .emoji(self.character)
            .short_code(self.short_code)
            .unicode(self.unicode())
            .build()
    }

    fn unicode(&self) -> String {
        format!("U+{:X}", u32::from(self.character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_every_kind_is_parsed() {
        for kind in &KINDS {
            let unicode = kind.unicode();
            let spellings = [
                kind.character.to_string(),
                format!("{}\u{fe0f}", kind.character),
                format!(":{}:", kind.short_code),
                unicode.to_lowercase(),
                unicode,
            ];
            for spelling in spellings {
                assert_eq!(ReactionKind::parse(&spelling), Some(kind), "{spelling}");
            }
            assert_eq!(ReactionKind::from_short_code(kind.short_code), Some(kind));
        }
        assert_eq!(ReactionKind::parse("U+1F44D").map(ReactionKind::count_name).as_deref(), Some("THUMBSUP"));
        for other in ["", "thumbsup", ":Thumbsup:", "U+1F600", "\u{1f44d}\u{1f44d}", "1F44D"] {
            assert_eq!(ReactionKind::parse(other), None, "{other}");
        }
    }
}

//! Reactions that a reader can choose.

/// A reaction: its short code without colons, and its character.
#[derive(Debug)]
pub(crate) struct Reaction {
    pub(crate) name: &'static str,
    pub(crate) character: &'static str,
}

impl Reaction {
    /// Returns the value in `PutCommentReaction`.
    pub(crate) fn value(&self) -> String {
        format!(":{}:", self.name)
    }
}

/// The reactions of `PutCommentReaction`, whose counts have the names in upper case.
pub(crate) static REACTIONS: [Reaction; 12] = [
    Reaction { name: "thumbsup", character: "\u{1f44d}" },
    Reaction { name: "thumbsdown", character: "\u{1f44e}" },
    Reaction { name: "smile", character: "\u{1f604}" },
    Reaction { name: "confused", character: "\u{1f615}" },
    Reaction { name: "clap", character: "\u{1f44f}" },
    Reaction { name: "heart", character: "\u{2764}\u{fe0f}" },
    Reaction { name: "angry", character: "\u{1f620}" },
    Reaction { name: "scream", character: "\u{1f631}" },
    Reaction { name: "sob", character: "\u{1f62d}" },
    Reaction { name: "confetti_ball", character: "\u{1f38a}" },
    Reaction { name: "ship", character: "\u{1f6a2}" },
    Reaction { name: "eyes", character: "\u{1f440}" },
];

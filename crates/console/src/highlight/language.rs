//! What a lexer knows of a language.

/// How texts of a language are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grammar {
    /// Comments, strings, numbers and words.
    Code,
    /// Tags and text.
    Markup,
    /// Headings, quotes and code.
    Markdown,
}

/// A row of the table of languages. Lists of words have spaces between them.
#[derive(Debug)]
pub(super) struct Language {
    /// Names of files, in lower case, without their extension or with it.
    pub(super) names: &'static str,
    /// Extensions of files, in lower case.
    pub(super) extensions: &'static str,
    /// Programs of the first line, `#!/usr/bin/env program`.
    pub(super) programs: &'static str,
    pub(super) grammar: Grammar,
    pub(super) line_comments: &'static [LineComment],
    /// Beginnings and ends of comments that may have several lines.
    pub(super) block_comments: &'static [(&'static str, &'static str)],
    /// The longest beginning first, if one begins with another.
    pub(super) strings: &'static [Quote],
    pub(super) keywords: &'static str,
    pub(super) types: &'static str,
    pub(super) capitals: Capitals,
    /// Characters of words beside letters, digits and `_`.
    pub(super) word_characters: &'static str,
    /// A character before a name that makes it a variable: `$name`, `${name}`, `$(name)`.
    pub(super) sigil: Option<u8>,
    /// A character before a name that makes it an annotation or a directive: `@Override`, `#include`.
    pub(super) annotation: Option<u8>,
    /// A character after a name or string that makes it a key.
    pub(super) key_separator: Option<u8>,
    /// Whether `[name]` at the beginning of a line is the head of a section.
    pub(super) has_sections: bool,
    /// Whether strings may be raw as in Rust, `r#"..."#`, and an apostrophe may begin a lifetime.
    pub(super) is_rust: bool,
}

/// What capital letters mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capitals {
    /// Nothing.
    Plain,
    /// Nothing, and keywords may have them.
    Ignored,
    /// A word that begins with one is a type.
    Types,
}

/// Beginning of a comment that ends with its line.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineComment {
    pub(super) open: &'static str,
    pub(super) position: Position,
}

/// Where a comment can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Anywhere,
    /// Where a word can begin.
    AfterSpace,
    /// As the first character of a line that is not a space.
    LineStart,
}

/// Form of a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// Whether a backslash protects the next character.
    pub(super) has_escapes: bool,
    /// Whether it may have several lines.
    pub(super) is_multi_line: bool,
}

/// A language without anything; the rows say what they have.
pub(super) const BASE: Language = Language {
    names: "",
    extensions: "",
    programs: "",
    grammar: Grammar::Code,
    line_comments: &[],
    block_comments: &[],
    strings: &[],
    keywords: "",
    types: "",
    capitals: Capitals::Plain,
    word_characters: "",
    sigil: None,
    annotation: None,
    key_separator: None,
    has_sections: false,
    is_rust: false,
};

pub(super) const fn comment(open: &'static str, position: Position) -> LineComment {
    LineComment { open, position }
}

/// A string of one line with escapes.
pub(super) const fn quoted(quote: &'static str) -> Quote {
    Quote { open: quote, close: quote, has_escapes: true, is_multi_line: false }
}

/// A string of one line without escapes.
pub(super) const fn verbatim(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, has_escapes: false, is_multi_line: false }
}

/// A string of several lines with escapes.
pub(super) const fn long(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, has_escapes: true, is_multi_line: true }
}

/// A string of several lines without escapes.
pub(super) const fn long_verbatim(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, has_escapes: false, is_multi_line: true }
}

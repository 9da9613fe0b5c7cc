//! Highlighting of source code: splits a text into lines, and each line into spans of one kind of token.
//!
//! The lexers know comments, strings, numbers, keywords and what looks like a type or a call, by a table of languages. They do not parse:
//! a text that is not valid in its language is split all the same, in linear time.
//!
//! **Invariant:** the spans of all lines, joined by newlines, are the text. A lexer can only say where a token ends, so it can neither lose
//! nor add a character.

mod code;
mod language;
mod languages;
mod markdown;
mod markup;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write};

use askama::filters::Safe;

use language::{Grammar, Language};

/// Texts above this size are not highlighted, in bytes.
const BYTES_MAX: usize = 1 << 20;

/// Kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    Plain,
    Comment,
    String,
    Number,
    Keyword,
    Type,
    Function,
}

impl Token {
    /// Returns the class of the style sheet; empty for plain text.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Comment => "t-comment",
            Self::String => "t-string",
            Self::Number => "t-number",
            Self::Keyword => "t-keyword",
            Self::Type => "t-type",
            Self::Function => "t-function",
        }
    }
}

/// Part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span<'t> {
    pub(crate) token: Token,
    pub(crate) text: &'t str,
}

/// A line without its newline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line<'t> {
    pub(crate) spans: Vec<Span<'t>>,
}

impl Line<'_> {
    /// Returns the line as HTML: `<span class="t-keyword">let</span> x`. The text is escaped.
    pub(crate) fn html(&self) -> Safe<String> {
        let mut html = String::new();
        self.write_html(&mut html).expect("a string accepts all text");
        Safe(html)
    }

    fn write_html(&self, html: &mut String) -> fmt::Result {
        for span in &self.spans {
            match span.token.class() {
                "" => escape(html, span.text),
                class => {
                    write!(html, "<span class=\"{class}\">")?;
                    escape(html, span.text);
                    html.write_str("</span>")?;
                }
            }
        }
        Ok(())
    }
}

fn escape(html: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        html.push_str(&rest[..at]);
        html.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    html.push_str(rest);
}

/// Splits a text into highlighted lines. The language is that of the file's name or extension; a text of no known language, or of more than
/// a mebibyte, is one plain span a line.
pub(crate) fn highlight<'t>(path: &str, text: &'t str) -> Vec<Line<'t>> {
    let mut spans = Spans::new(text);
    if text.len() <= BYTES_MAX
        && let Some(language) = language_of(path, text)
    {
        match language.grammar {
            Grammar::Code => code::read(&mut spans, language, text.len()),
            Grammar::Markup => markup::read(&mut spans),
            Grammar::Markdown => markdown::read(&mut spans),
        }
    }
    spans.finish()
}

/// Returns the language of a file: by its name, its extension, or the program of its first line.
fn language_of(path: &str, text: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    // `Dockerfile.test`
    let stem = name.split('.').next().unwrap_or_default();
    let first_line = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    let program = first_line.rsplit(['/', ' ']).next().unwrap_or_default();
    let program = program.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let find = |word: &str, words: fn(&Language) -> &'static str| {
        let has_word = |language: &&Language| words(language).split(' ').any(|other| other == word);
        languages::ALL.iter().copied().filter(|_| !word.is_empty()).find(has_word)
    };
    find(&name, |language| language.names)
        .or_else(|| find(extension, |language| language.extensions))
        .or_else(|| find(stem, |language| language.names))
        .or_else(|| find(program, |language| language.programs))
}

/// The lines that were read so far. The lexers read the text from the beginning to the end.
struct Spans<'t> {
    text: &'t str,
    /// The end of the last span.
    done: usize,
    lines: Vec<Line<'t>>,
    line: Line<'t>,
}

impl<'t> Spans<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, done: 0, lines: Vec::new(), line: Line::default() }
    }

    /// Adds the text from the end of the last span to a position as one token, which may have several lines.
    fn push(&mut self, token: Token, end: usize) {
        let mut rest = &self.text[self.done..end];
        self.done = end;
        while let Some(at) = rest.find('\n') {
            self.push_span(token, &rest[..at]);
            self.lines.push(std::mem::take(&mut self.line));
            rest = &rest[at + 1..];
        }
        self.push_span(token, rest);
    }

    /// Adds a token, and the text before it as plain text.
    fn push_token(&mut self, token: Token, start: usize, end: usize) {
        self.push(Token::Plain, start);
        self.push(token, end);
    }

    fn push_span(&mut self, token: Token, text: &'t str) {
        if !text.is_empty() {
            self.line.spans.push(Span { token, text });
        }
    }

    /// Adds the rest of the text, and returns the lines.
    fn finish(mut self) -> Vec<Line<'t>> {
        self.push(Token::Plain, self.text.len());
        if !self.line.spans.is_empty() {
            self.lines.push(self.line);
        }
        self.lines
    }
}

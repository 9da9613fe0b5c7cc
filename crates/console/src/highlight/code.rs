//! Lexer of programming languages and of files of settings.
//!
//! It reads bytes: every token begins and ends at an ASCII byte or at an end of the text, so tokens never cut a character.

use std::cmp::Ordering;

use super::language::{Capitals, Language, Position, Quote};
use super::{Spans, Token};

/// Reads a part of the text, from the end of the last span to a position.
pub(super) fn read(spans: &mut Spans<'_>, language: &Language, end: usize) {
    let text = &spans.text[..end];
    let start = spans.done;
    let classes = classes(language);
    let mut lexer = Lexer {
        bytes: text.as_bytes(),
        text,
        language,
        keywords: words(language.keywords),
        types: words(language.types),
        classes,
        at: start,
        is_line_start: true,
    };
    let mut previous = b'\n';
    while let Some(&byte) = lexer.bytes.get(lexer.at) {
        let start = lexer.at;
        let token = lexer.token(byte, previous);
        debug_assert!(lexer.at > start, "a token has a length");
        if token != Token::Plain {
            spans.push_token(token, start, lexer.at);
        }
        previous = lexer.bytes[lexer.at - 1];
        // The dash of a list in YAML
        let is_dash = previous == b'-' && lexer.at - start == 1;
        lexer.is_line_start = previous == b'\n' || (lexer.is_line_start && (previous.is_ascii_whitespace() || is_dash));
    }
    spans.push(Token::Plain, end);
}

fn words(list: &'static str) -> Vec<&'static str> {
    let mut words: Vec<&str> = list.split(' ').collect();
    words.sort_unstable();
    words
}

/// A byte of words.
const WORD: u8 = 1;
/// A byte that can begin a token other than a word.
const TOKEN: u8 = 2;

/// Returns what each byte can be, so that most bytes are looked at once.
fn classes(language: &Language) -> [u8; 256] {
    let mut classes = [0; 256];
    for byte in 0..=u8::MAX {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        classes[usize::from(byte)] = if is_word { WORD } else { 0 };
    }
    for byte in language.word_characters.bytes() {
        classes[usize::from(byte)] |= WORD;
    }
    let comments = language.line_comments.iter().map(|comment| comment.open);
    let comments = comments.chain(language.block_comments.iter().map(|(open, _)| *open));
    let opened = comments.chain(language.strings.iter().map(|quote| quote.open)).filter_map(|open| open.bytes().next());
    let marked = language.sigil.into_iter().chain(language.annotation);
    let brackets = language.has_sections.then_some(b'[').into_iter().chain(language.is_rust.then_some(b'\''));
    for byte in opened.chain(marked).chain(brackets) {
        classes[usize::from(byte)] |= TOKEN;
    }
    classes
}

struct Lexer<'l> {
    bytes: &'l [u8],
    text: &'l str,
    language: &'l Language,
    /// Sorted.
    keywords: Vec<&'static str>,
    /// Sorted.
    types: Vec<&'static str>,
    classes: [u8; 256],
    at: usize,
    /// Whether the line has only spaces so far.
    is_line_start: bool,
}

impl Lexer<'_> {
    /// Reads the next token, moves behind it, and returns its kind.
    fn token(&mut self, byte: u8, previous: u8) -> Token {
        match self.classes[usize::from(byte)] {
            0 => {
                self.at += 1;
                return Token::Plain;
            }
            class if class & TOKEN == 0 => {
                return if byte.is_ascii_digit() { self.number() } else { self.word() };
            }
            _ => {}
        }
        if let Some(token) = self.comment(previous) {
            return token;
        }
        if self.language.has_sections && byte == b'[' && previous == b'\n' {
            return self.section();
        }
        if byte == b'\'' && self.language.is_rust {
            return self.apostrophe();
        }
        if let Some(quote) = self.language.strings.iter().find(|quote| self.begins(quote.open)) {
            self.string(quote);
            return if self.is_key(true) { Token::Type } else { Token::String };
        }
        if self.language.sigil == Some(byte) {
            return self.variable();
        }
        if self.language.annotation == Some(byte) && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
            self.skip_word();
            return Token::Function;
        }
        if self.is_word_byte(byte) {
            return self.word();
        }
        self.at += 1;
        Token::Plain
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn begins(&self, prefix: &str) -> bool {
        self.rest().starts_with(prefix.as_bytes())
    }

    /// Moves to the end of the line.
    fn skip_line(&mut self) {
        self.at = self.find("\n").unwrap_or(self.bytes.len());
    }

    /// Finds a text from here on.
    fn find(&self, text: &str) -> Option<usize> {
        self.text.get(self.at..)?.find(text).map(|at| self.at + at)
    }

    fn comment(&mut self, previous: u8) -> Option<Token> {
        let is_comment = self.language.line_comments.iter().any(|comment| {
            self.begins(comment.open)
                && match comment.position {
                    Position::Anywhere => true,
                    Position::AfterSpace => previous.is_ascii_whitespace() || previous == b';',
                    Position::LineStart => self.is_line_start,
                }
        });
        if let Some((open, close)) = self.language.block_comments.iter().find(|(open, _)| self.begins(open)) {
            self.at += open.len();
            self.at = self.find(close).map_or(self.bytes.len(), |at| at + close.len());
        } else if is_comment {
            self.skip_line();
        } else {
            return None;
        }
        Some(Token::Comment)
    }

    fn string(&mut self, quote: &Quote) {
        self.at += quote.open.len();
        while let Some(&byte) = self.bytes.get(self.at) {
            if self.begins(quote.close) {
                self.at += quote.close.len();
                return;
            }
            match byte {
                b'\n' if !quote.is_multi_line => return,
                b'\\' if quote.has_escapes => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at = self.bytes.len();
    }

    /// Reads a character or a lifetime.
    fn apostrophe(&mut self) -> Token {
        let character = self.text.get(self.at + 1..).and_then(|rest| rest.chars().next());
        let is_character = match character {
            Some('\\') => true,
            Some(character) => self.bytes.get(self.at + 1 + character.len_utf8()) == Some(&b'\''),
            None => false,
        };
        if is_character {
            // Not the apostrophe itself, as in `'''`.
            self.at += 1;
            self.string(&Quote { open: "", close: "'", has_escapes: true, is_multi_line: false });
            return Token::String;
        }
        self.at += 1;
        self.skip_word();
        Token::Type
    }

    /// Reads the head of a section, `[name]`.
    fn section(&mut self) -> Token {
        self.skip_line();
        Token::Keyword
    }

    fn variable(&mut self) -> Token {
        self.at += 1;
        let close = match self.bytes.get(self.at) {
            Some(b'{') => b'}',
            Some(b'(') => b')',
            _ => {
                self.skip_word();
                return Token::Type;
            }
        };
        let name = self.bytes[self.at + 1..].iter().take_while(|byte| self.is_word_byte(**byte)).count();
        if name == 0 || self.bytes.get(self.at + 1 + name) != Some(&close) {
            // `$(command)` and `${name:-default}`
            self.at += 1;
            return Token::Plain;
        }
        self.at += name + 2;
        Token::Type
    }

    fn number(&mut self) -> Token {
        let is_hexadecimal = self.rest().get(1).is_some_and(u8::is_ascii_alphabetic);
        while let Some(&byte) = self.bytes.get(self.at) {
            let next_is_digit = self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
            let is_exponent = !is_hexadecimal && self.at > 0 && matches!(self.bytes[self.at - 1], b'e' | b'E');
            match byte {
                b'.' if next_is_digit => self.at += 1,
                b'+' | b'-' if is_exponent && next_is_digit => self.at += 1,
                _ if byte.is_ascii_alphanumeric() || byte == b'_' => self.at += 1,
                _ => break,
            }
        }
        if self.bytes.get(self.at).is_some_and(|byte| self.is_word_byte(*byte)) {
            // `10-second`, and letters that are not ASCII
            self.skip_word();
            return Token::Plain;
        }
        Token::Number
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        self.skip_word();
        let word = &self.text[start..self.at];
        if self.language.is_rust && matches!(word, "r" | "br" | "b" | "c" | "cr") && self.raw_string(word) {
            return Token::String;
        }
        if self.is_key(false) {
            return Token::Type;
        }
        let capitals = self.language.capitals;
        let is_in = |words: &[&str]| {
            if capitals == Capitals::Ignored {
                words.binary_search_by(|other| compare_ignoring_case(other, word)).is_ok()
            } else {
                words.binary_search(&word).is_ok()
            }
        };
        if is_in(&self.keywords) {
            Token::Keyword
        } else if is_in(&self.types) {
            Token::Type
        } else if self.bytes.get(self.at) == Some(&b'(') {
            Token::Function
        } else if capitals == Capitals::Types && word.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            Token::Type
        } else {
            Token::Plain
        }
    }

    /// Reads a string of Rust after its prefix, and returns whether there is one.
    fn raw_string(&mut self, prefix: &str) -> bool {
        let hashes = self.rest().iter().take_while(|byte| **byte == b'#').count();
        if self.rest().get(hashes) != Some(&b'"') || (hashes > 0 && !prefix.ends_with('r')) {
            return false;
        }
        self.at += hashes;
        if prefix.ends_with('r') {
            self.at += 1;
            let close = format!("\"{}", "#".repeat(hashes));
            self.at = self.find(&close).map_or(self.bytes.len(), |at| at + close.len());
        } else {
            self.string(&Quote { open: "\"", close: "\"", has_escapes: true, is_multi_line: true });
        }
        true
    }

    /// Returns whether the token before this position is a key. Words are keys only at the beginning of a line, strings everywhere.
    fn is_key(&self, is_string: bool) -> bool {
        let Some(separator) = self.language.key_separator else { return false };
        if !is_string && !self.is_line_start {
            return false;
        }
        let mut rest = self.rest().iter().skip_while(|byte| matches!(byte, b' ' | b'\t'));
        let is_separated = rest.next() == Some(&separator);
        let next = rest.next();
        is_separated && (is_string || separator != b':' || next.is_none_or(u8::is_ascii_whitespace))
    }

    fn is_word_byte(&self, byte: u8) -> bool {
        self.classes[usize::from(byte)] & WORD != 0
    }

    fn skip_word(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| self.is_word_byte(*byte)) {
            self.at += 1;
        }
    }
}

/// Compares a text in lower case with a word of either case.
fn compare_ignoring_case(lower: &str, word: &str) -> Ordering {
    lower.bytes().cmp(word.bytes().map(|byte| byte.to_ascii_lowercase()))
}

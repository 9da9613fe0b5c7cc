//! Patterns with `*` and `?`.
//!
//! The texts between the stars are found from left to right, each at its first place, so a match takes at most as many steps as the
//! length of the text times the length of the pattern.

use std::borrow::Cow;

/// An element of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Token<'t> {
    /// These characters.
    Text(Cow<'t, str>),
    /// `?`: any character.
    One,
    /// `*`: any number of any characters.
    Many,
}

impl Token<'_> {
    pub(crate) fn as_borrowed(&self) -> Token<'_> {
        match self {
            Self::Text(text) => Token::Text(Cow::Borrowed(text)),
            Self::One => Token::One,
            Self::Many => Token::Many,
        }
    }
}

/// A pattern without variables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Glob(Box<[Token<'static>]>);

impl Glob {
    pub(crate) fn new(tokens: impl IntoIterator<Item = Token<'static>>) -> Self {
        Self(tokens.into_iter().collect())
    }

    pub(crate) fn parse(pattern: &str) -> Self {
        let pieces = pattern.split_inclusive(['*', '?']).flat_map(|piece| {
            let wildcard = match piece.as_bytes().last() {
                Some(b'*') => Some(Token::Many),
                Some(b'?') => Some(Token::One),
                _ => None,
            };
            let text = &piece[..piece.len() - usize::from(wildcard.is_some())];
            let text = (!text.is_empty()).then(|| Token::Text(Cow::Owned(text.to_owned())));
            text.into_iter().chain(wildcard)
        });
        Self::new(pieces)
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        matches(&self.0, text)
    }

    /// Returns the text with which everything begins that the pattern matches.
    pub(crate) fn prefix(&self) -> &str {
        if let Some(Token::Text(text)) = self.0.first() { text } else { "" }
    }

    /// Returns whether the pattern matches one text only, its prefix.
    pub(crate) fn is_text(&self) -> bool {
        matches!(*self.0, [] | [Token::Text(_)])
    }

    pub(crate) fn tokens(&self) -> &[Token<'static>] {
        &self.0
    }
}

/// Returns whether a pattern matches a whole text.
pub(crate) fn matches(pattern: &[Token<'_>], text: &str) -> bool {
    let mut segments = pattern.split(|token| *token == Token::Many);
    let first = segments.next().unwrap_or_default();
    let Some(mut rest) = strip_start(first, text) else { return false };
    let Some(last) = segments.next_back() else { return rest.is_empty() };
    for segment in segments {
        let Some(after) = find(segment, rest) else { return false };
        rest = after;
    }
    strip_end(last, rest).is_some()
}

/// Returns what follows a segment at the start of a text.
fn strip_start<'t>(segment: &[Token<'_>], text: &'t str) -> Option<&'t str> {
    segment.iter().try_fold(text, |rest, token| match token {
        Token::Text(expected) => rest.strip_prefix(expected.as_ref()),
        Token::One | Token::Many => Some(&rest[rest.chars().next()?.len_utf8()..]),
    })
}

/// Returns what precedes a segment at the end of a text.
fn strip_end<'t>(segment: &[Token<'_>], text: &'t str) -> Option<&'t str> {
    segment.iter().rev().try_fold(text, |rest, token| match token {
        Token::Text(expected) => rest.strip_suffix(expected.as_ref()),
        Token::One | Token::Many => Some(&rest[..rest.len() - rest.chars().next_back()?.len_utf8()]),
    })
}

/// Returns what follows the first occurrence of a segment in a text.
fn find<'t>(segment: &[Token<'_>], text: &'t str) -> Option<&'t str> {
    match segment {
        [] => Some(text),
        [Token::Text(expected)] => text.split_once(expected.as_ref()).map(|(_, after)| after),
        _ => text.char_indices().find_map(|(at, _)| strip_start(segment, &text[at..])),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Matches by trying every length for each star.
    fn matches_naively(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|length| matches_naively(rest, &text[length..])),
            (['?', rest @ ..], [_, after @ ..]) => matches_naively(rest, after),
            ([letter, rest @ ..], [first, after @ ..]) => letter == first && matches_naively(rest, after),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn a_glob_matches_as_trying_every_length_does(pattern in "[abä*?]{0,8}", text in "[abä]{0,10}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = matches_naively(&letters(&pattern), &letters(&text));
            prop_assert_eq!(Glob::parse(&pattern).matches(&text), expected);
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_no_slower_than_its_length_times_that_of_the_text() {
        let glob = Glob::parse(&"*a".repeat(3000));
        assert!(!glob.matches(&("a".repeat(2999) + "b")));
        let glob = Glob::parse(&("*".to_owned() + &"a?".repeat(300) + "b*"));
        assert!(!glob.matches(&"a".repeat(3000)));
    }

    #[test]
    fn a_pattern_knows_its_prefix() {
        assert_eq!(Glob::parse("codecommit:Get*").prefix(), "codecommit:Get");
        assert_eq!(Glob::parse("*").prefix(), "");
        assert!(Glob::parse("a").is_text() && !Glob::parse("a*").is_text());
    }
}

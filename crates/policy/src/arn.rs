//! Patterns of ARNs in conditions, which compare part by part.

use std::borrow::Cow;

use crate::facts::{Facts, Keys};
use crate::glob::{self, Glob, Token};
use crate::variable::{Syntax, Template};

/// The number of parts of an ARN; colons in the last part do not count.
pub(crate) const PARTS: usize = 6;

/// A pattern of ARNs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ArnPattern {
    /// `*`: every text.
    Any,
    /// A pattern for each part.
    Fixed(Box<[Glob]>),
    /// A pattern whose parts depend on the request.
    Variable(Template),
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, variables: bool, keys: &mut Keys) -> Self {
        if text == "*" {
            return Self::Any;
        }
        let template = Template::parse(text, Syntax { variables, wildcards: true, ignores_case: false }, keys);
        match template.glob() {
            Some(glob) => Self::Fixed(split(glob.tokens()).into_iter().map(Glob::new).collect()),
            None => Self::Variable(template),
        }
    }

    pub(crate) fn matches(&self, text: &str, facts: &dyn Facts) -> bool {
        match self {
            Self::Any => true,
            Self::Fixed(globs) => {
                let parts = text.splitn(PARTS, ':');
                globs.len() == PARTS && parts.clone().count() == PARTS && globs.iter().zip(parts).all(matches_part)
            }
            Self::Variable(template) => template.expand(facts).is_some_and(|tokens| {
                let (patterns, parts) = (split(&tokens), text.splitn(PARTS, ':'));
                let all = |(tokens, part): (&Vec<Token<'_>>, &str)| glob::matches(tokens, part);
                patterns.len() == PARTS && parts.clone().count() == PARTS && patterns.iter().zip(parts).all(all)
            }),
        }
    }
}

fn matches_part((glob, part): (&Glob, &str)) -> bool {
    glob.matches(part)
}

/// Splits a pattern at the first five colons of its texts.
fn split(tokens: &[Token<'_>]) -> Vec<Vec<Token<'static>>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match token {
            Token::One => push(&mut parts, Token::One),
            Token::Many => push(&mut parts, Token::Many),
            Token::Text(text) => {
                for (index, piece) in text.splitn(PARTS + 1 - parts.len(), ':').enumerate() {
                    if index > 0 {
                        parts.push(Vec::new());
                    }
                    if !piece.is_empty() {
                        push(&mut parts, Token::Text(Cow::Owned(piece.to_owned())));
                    }
                }
            }
        }
    }
    parts
}

fn push(parts: &mut [Vec<Token<'static>>], token: Token<'static>) {
    if let Some(part) = parts.last_mut() {
        part.push(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Context;

    fn matches(pattern: &str, text: &str) -> bool {
        let mut facts = Context::default();
        facts.set("aws:PrincipalAccount", "111111111111").set("aws:SourceArn", "arn:aws:sns:r:1:t");
        ArnPattern::parse(pattern, true, &mut Keys::default()).matches(text, &facts)
    }

    #[test]
    fn parts_compare_one_by_one() {
        assert!(matches("arn:aws:sns:*:1:t*", "arn:aws:sns:eu-west-1:1:topic:with:colons"));
        assert!(!matches("arn:aws:sns:*:t", "arn:aws:sns:r:1:t"), "a star stays in its part");
        assert!(!matches("arn:*", "arn:aws:sns:r:1:t"), "parts are missing");
        assert!(matches("*", "no ARN"));
        assert!(!matches("arn:aws:sns:*:*:*", "arn:aws:sns"));
        assert!(!matches("arn:aws:sns:r:1:T", "arn:aws:sns:r:1:t"), "case counts");
    }

    #[test]
    fn variables_may_be_anywhere() {
        assert!(matches("arn:aws:sns:r:${aws:PrincipalAccount}:t?", "arn:aws:sns:r:111111111111:tt"));
        assert!(matches("${aws:SourceArn}", "arn:aws:sns:r:1:t"));
        assert!(!matches("arn:aws:sns:r:${aws:userid}:*", "arn:aws:sns:r::t"));
    }
}

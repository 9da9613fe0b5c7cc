//! Variables such as `${aws:username}` in resources and in the values of conditions.
//!
//! **Invariant:** a `*` or `?` in the value of a variable is an ordinary character, and a template with a variable that has no value
//! matches nothing.

use std::borrow::Cow;

use crate::facts::{Facts, Keys, Values};
use crate::glob::{self, Glob, Token};

/// What a text may contain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    pub(crate) variables: bool,
    pub(crate) wildcards: bool,
    /// Whether the text and the values of its variables compare without case.
    pub(crate) ignores_case: bool,
}

/// A text with wildcards and variables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Template {
    form: Form,
    ignores_case: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    /// Without variables.
    Fixed(Glob),
    Variable(Box<[Part]>),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Part {
    Token(Token<'static>),
    Variable {
        /// The context key in lower case.
        key: Box<str>,
        default: Option<Box<str>>,
    },
}

impl Template {
    /// Parses a text, and adds its variables to the keys of the document.
    pub(crate) fn parse(text: &str, syntax: Syntax, keys: &mut Keys) -> Self {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(letter) = rest.chars().next() {
            let after = &rest[letter.len_utf8()..];
            let found = match letter {
                '*' if syntax.wildcards => Some((Part::Token(Token::Many), after)),
                '?' if syntax.wildcards => Some((Part::Token(Token::One), after)),
                '$' if syntax.variables => escape(after).or_else(|| variable(after, keys)),
                _ => None,
            };
            let Some((part, after)) = found else {
                literal.push(letter);
                rest = after;
                continue;
            };
            rest = after;
            if let Part::Token(Token::Text(text)) = &part {
                literal.push_str(text);
            } else {
                parts.extend(text_part(&mut literal, syntax));
                parts.push(part);
            }
        }
        parts.extend(text_part(&mut literal, syntax));
        let tokens: Option<Vec<_>> = parts.iter().map(Part::token).collect();
        let form = tokens.map_or_else(|| Form::Variable(parts.into()), |tokens| Form::Fixed(Glob::new(tokens)));
        Self { form, ignores_case: syntax.ignores_case }
    }

    pub(crate) fn matches(&self, text: &str, facts: &dyn Facts) -> bool {
        let lower = self.ignores_case.then(|| text.to_lowercase());
        let text = lower.as_deref().unwrap_or(text);
        match &self.form {
            Form::Fixed(glob) => glob.matches(text),
            Form::Variable(_) => self.expand(facts).is_some_and(|tokens| glob::matches(&tokens, text)),
        }
    }

    /// Returns the pattern, if it has no variables.
    pub(crate) fn glob(&self) -> Option<&Glob> {
        if let Form::Fixed(glob) = &self.form { Some(glob) } else { None }
    }

    /// Returns the text with which everything begins that the template matches.
    pub(crate) fn prefix(&self) -> &str {
        match &self.form {
            Form::Fixed(glob) => glob.prefix(),
            Form::Variable(parts) => match parts.first() {
                Some(Part::Token(Token::Text(text))) => text,
                _ => "",
            },
        }
    }

    /// Replaces the variables by their values; `None` if one has neither a value nor a default.
    pub(crate) fn expand<'t>(&'t self, facts: &'t dyn Facts) -> Option<Vec<Token<'t>>> {
        let parts = match &self.form {
            Form::Fixed(glob) => return Some(glob.tokens().iter().map(Token::as_borrowed).collect()),
            Form::Variable(parts) => parts,
        };
        let tokens = parts.iter().map(|part| {
            let (key, default) = match part {
                Part::Token(token) => return Some(token.as_borrowed()),
                Part::Variable { key, default } => (key, default),
            };
            let value = match facts.values(key) {
                Some(Values::One(value)) => value,
                _ => Cow::Borrowed(default.as_deref()?),
            };
            Some(Token::Text(if self.ignores_case { Cow::Owned(value.to_lowercase()) } else { value }))
        });
        tokens.collect()
    }
}

impl Part {
    fn token(&self) -> Option<Token<'static>> {
        if let Self::Token(token) = self { Some(token.clone()) } else { None }
    }
}

/// Takes the characters since the last wildcard or variable.
fn text_part(literal: &mut String, syntax: Syntax) -> Option<Part> {
    let text = std::mem::take(literal);
    let text = if syntax.ignores_case { text.to_lowercase() } else { text };
    (!text.is_empty()).then_some(Part::Token(Token::Text(Cow::Owned(text))))
}

/// Reads `{*}`, `{?}` or `{$}`: the character itself.
fn escape(text: &str) -> Option<(Part, &str)> {
    let after = text.strip_prefix('{')?;
    let end = after.strip_prefix(['*', '?', '$'])?.strip_prefix('}')?;
    Some((Part::Token(Token::Text(Cow::Owned(after[..1].to_owned()))), end))
}

/// Reads `{key}` or `{key, 'default'}`. Anything else is ordinary text.
fn variable<'t>(text: &'t str, keys: &mut Keys) -> Option<(Part, &'t str)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find(['}', ','])?;
    let (key, rest) = (inner[..end].trim(), &inner[end..]);
    let (default, after) = if let Some(after) = rest.strip_prefix('}') {
        (None, after)
    } else {
        let (default, after) = rest.strip_prefix(',')?.trim_start().strip_prefix('\'')?.split_once('\'')?;
        (Some(default.into()), after.trim_start().strip_prefix('}')?)
    };
    (!key.is_empty()).then(|| (Part::Variable { key: keys.add(key), default }, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Context;

    fn matches(template: &str, text: &str) -> bool {
        let mut facts = Context::default();
        facts.set("aws:username", "jo*n").set_many("aws:TagKeys", ["a"]);
        let syntax = Syntax { variables: true, wildcards: true, ignores_case: false };
        Template::parse(template, syntax, &mut Keys::default()).matches(text, &facts)
    }

    #[test]
    fn a_variable_has_its_value() {
        assert!(matches("home/${aws:UserName}/*", "home/jo*n/x"));
        assert!(!matches("home/${aws:username}/*", "home/john/x"), "a star of a value is no wildcard");
        assert!(matches("${ aws:username }", "jo*n"));
    }

    #[test]
    fn a_variable_without_a_value_matches_nothing() {
        assert!(!matches("${aws:userid}*", "") && !matches("*${aws:userid}", "x"));
        assert!(!matches("${aws:TagKeys}", "a"), "a multi-valued key is no variable");
        assert!(matches("${aws:userid, 'nobody'}-*", "nobody-1"));
        assert!(matches("${aws:username,'x'}", "jo*n"));
    }

    #[test]
    fn escapes_are_ordinary_characters() {
        assert!(matches("My${*}", "My*") && !matches("My${*}", "MyRepo"));
        assert!(matches("${?}${$}", "?$") && !matches("${?}", "a"));
    }

    #[test]
    fn what_is_no_variable_is_ordinary_text() {
        for text in ["$", "${", "${}", "${a", "$a", "${a, b}", "${a, 'b}", "${a,'b'"] {
            assert!(matches(text, text), "{text}");
        }
    }
}

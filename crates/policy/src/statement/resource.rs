//! Resources of statements: ARNs, compared part by part, with `*` and `?`, and variables in the last part.

mod check;

use crate::arn::PARTS;
use crate::facts::{Facts, Keys};
use crate::glob::Glob;
use crate::json::Node;
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;
use crate::variable::{Syntax, Template};

/// The value of `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Resources {
    is_negated: bool,
    patterns: Box<[Pattern]>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Pattern {
    /// `*`
    Any,
    /// An ARN without wildcards and variables.
    Exact(Box<str>),
    /// The first five parts, and the last one.
    Parts(Box<[Glob]>, Template),
}

impl Resources {
    /// Returns all resources: those of a trust policy, which is about its role.
    pub(crate) fn all() -> Self {
        Self { is_negated: false, patterns: Box::new([Pattern::Any]) }
    }

    /// Parses `Resource` or `NotResource`.
    pub(crate) fn parse(node: &Node, is_negated: bool, parser: &mut Parser<'_>) -> Result<Self, Malformed> {
        let texts = parser.texts(node)?;
        if texts.is_empty() {
            return Err(parser.fail(node, Fault::MissingResources));
        }
        for (text, node) in texts.iter().zip(node.elements()) {
            check::check(text).map_err(|fault| parser.fail(node, fault))?;
        }
        let variables = parser.has_variables;
        let patterns = texts.into_iter().map(|text| Pattern::parse(text, variables, &mut parser.keys));
        Ok(Self { is_negated, patterns: patterns.collect() })
    }

    /// Returns whether a resource is one of these.
    pub(crate) fn match_resource(&self, resource: &str, facts: &dyn Facts) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(resource, facts)) != self.is_negated
    }

    /// Returns texts of which every resource that matches begins with one.
    pub(crate) fn prefixes(&self) -> Vec<String> {
        if self.is_negated { vec![String::new()] } else { self.patterns.iter().map(Pattern::prefix).collect() }
    }
}

impl Pattern {
    fn parse(text: &str, variables: bool, keys: &mut Keys) -> Self {
        if text == "*" {
            return Self::Any;
        }
        // AWS completes an ARN with missing parts by `*` for each.
        let mut parts: Vec<&str> = text.splitn(PARTS, ':').collect();
        parts.resize(PARTS, "*");
        let (last, head) = parts.split_last().expect("there are six parts");
        let head: Box<[Glob]> = head.iter().map(|part| Glob::parse(part)).collect();
        let last = Template::parse(last, Syntax { variables, wildcards: true, ignores_case: false }, keys);
        match last.glob() {
            Some(glob) if glob.is_text() && head.iter().all(Glob::is_text) => {
                Self::Exact(head.iter().flat_map(|part| [part.prefix(), ":"]).chain([glob.prefix()]).collect())
            }
            _ => Self::Parts(head, last),
        }
    }

    fn matches(&self, resource: &str, facts: &dyn Facts) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(arn) => **arn == *resource,
            Self::Parts(head, last) => {
                let mut parts = resource.splitn(PARTS, ':');
                head.iter().all(|glob| parts.next().is_some_and(|part| glob.matches(part)))
                    && parts.next().is_some_and(|part| last.matches(part, facts))
            }
        }
    }

    /// Returns the text with which every resource begins that the pattern matches.
    fn prefix(&self) -> String {
        let (head, last) = match self {
            Self::Any => return String::new(),
            Self::Exact(arn) => return arn.to_string(),
            Self::Parts(head, last) => (head, last),
        };
        let mut prefix = String::new();
        for glob in head {
            prefix.push_str(glob.prefix());
            if !glob.is_text() {
                return prefix;
            }
            prefix.push(':');
        }
        prefix + last.prefix()
    }
}

//! Actions of statements: `service:Name`, without case, with `*` and `?` anywhere.

use crate::glob::Glob;
use crate::json::Node;
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;

/// The value of `Action` or `NotAction`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Actions {
    is_negated: bool,
    /// In lower case.
    patterns: Box<[Glob]>,
}

impl Actions {
    /// Parses `Action` or `NotAction`; an empty list is the fault `missing`.
    pub(crate) fn parse(node: &Node, is_negated: bool, missing: Fault, parser: &Parser<'_>) -> Result<Self, Malformed> {
        let texts = parser.texts(node)?;
        if texts.is_empty() {
            return Err(parser.fail(node, missing));
        }
        for (text, node) in texts.iter().zip(node.elements()) {
            check(text).map_err(|fault| parser.fail(node, fault))?;
        }
        let patterns = texts.into_iter().map(|text| Glob::parse(&text.to_ascii_lowercase()));
        Ok(Self { is_negated, patterns: patterns.collect() })
    }

    /// Returns whether an action, in lower case, is one of these.
    pub(crate) fn match_action(&self, action: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(action)) != self.is_negated
    }

    /// Returns the patterns, unless actions match by being none of them.
    pub(crate) fn patterns(&self) -> Option<&[Glob]> {
        (!self.is_negated).then_some(&self.patterns)
    }
}

/// Checks the form of an action. AWS accepts names of actions that do not exist.
fn check(action: &str) -> Result<(), Fault> {
    let Some((vendor, name)) = action.split_once(':') else {
        return if action == "*" { Ok(()) } else { Err(Fault::MissingVendor) };
    };
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if name.contains(':') {
        Err(Fault::SeveralColons)
    } else if vendor != "*" && (vendor.is_empty() || !vendor.bytes().all(is_valid)) {
        Err(Fault::InvalidVendor(vendor.to_owned()))
    } else {
        Ok(())
    }
}

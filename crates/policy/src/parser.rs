//! State of parsing a document: its lines, its version, and the context keys found so far.

use crate::facts::Keys;
use crate::json::Node;
use crate::malformed::{Fault, Malformed};
use crate::position::Lines;

/// The state of parsing one document.
pub(crate) struct Parser<'t> {
    pub(crate) lines: Lines<'t>,
    /// Whether `${...}` is a variable: not in documents of the version 2008-10-17.
    pub(crate) has_variables: bool,
    pub(crate) keys: Keys,
}

impl<'t> Parser<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { lines: Lines::new(text), has_variables: false, keys: Keys::default() }
    }

    /// Creates the error for a fault of a value.
    pub(crate) fn fail(&self, node: &Node, fault: Fault) -> Malformed {
        Malformed { fault, position: self.lines.position(node.start) }
    }

    /// Returns the texts of a list, or of a single text.
    pub(crate) fn texts<'n>(&self, node: &'n Node) -> Result<Vec<&'n str>, Malformed> {
        let texts = node.elements().iter().map(|element| {
            let text = element.text();
            text.ok_or_else(|| self.fail(element, Fault::Syntax))
        });
        texts.collect()
    }
}

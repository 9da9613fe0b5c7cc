//! Statements of documents.

mod action;
mod resource;

use std::ops::Range;

use crate::condition::Condition;
use crate::json::Node;
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;
use crate::position::{Lines, Position};
use crate::request::Request;
pub(crate) use crate::statement::action::Actions;
pub(crate) use crate::statement::resource::Resources;

/// What a statement does with the requests that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allows them, unless another statement denies them.
    Allow,
    /// Denies them.
    Deny,
}

/// A statement of a document.
#[derive(Debug, Clone)]
pub struct Statement {
    sid: Option<Box<str>>,
    start: Position,
    end: Position,
    pub(crate) rule: Rule,
}

/// The part of a statement that decides. Equal rules decide alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Rule {
    pub(crate) effect: Effect,
    pub(crate) actions: Actions,
    pub(crate) resources: Resources,
    pub(crate) conditions: Box<[Condition]>,
}

impl Rule {
    pub(crate) fn matches(&self, request: &Request<'_>) -> bool {
        self.actions.match_action(&request.action)
            && self.resources.match_resource(request.resource, request.facts)
            && self.conditions.iter().all(|condition| condition.holds(request.facts))
    }
}

impl Statement {
    /// Creates a statement from the range of its text.
    pub(crate) fn new(sid: Option<&str>, rule: Rule, range: Range<usize>, lines: &Lines<'_>) -> Self {
        Self { sid: sid.map(Into::into), start: lines.position(range.start), end: lines.position(range.end), rule }
    }

    /// Returns the Sid; an empty one is none.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// Returns the effect.
    pub fn effect(&self) -> Effect {
        self.rule.effect
    }

    /// Returns the position that AWS shows as `StartPosition`: that after the `{` of a single statement, after the `[` for the first one of
    /// a list, and after the end of the statement before for the others.
    pub fn start(&self) -> Position {
        self.start
    }

    /// Returns the position that AWS shows as `EndPosition`: that after the `}`.
    pub fn end(&self) -> Position {
        self.end
    }

    /// Returns whether the statement matches a request: its action, its resource and all conditions.
    pub fn matches(&self, request: &Request<'_>) -> bool {
        self.rule.matches(request)
    }
}

/// The elements of a statement, as they are written.
#[derive(Default)]
pub(crate) struct Elements<'n> {
    sid: Option<&'n Node>,
    pub(crate) effect: Option<&'n Node>,
    pub(crate) action: Option<&'n Node>,
    pub(crate) not_action: Option<&'n Node>,
    pub(crate) resource: Option<&'n Node>,
    pub(crate) not_resource: Option<&'n Node>,
    pub(crate) principal: Option<&'n Node>,
    pub(crate) not_principal: Option<&'n Node>,
    condition: Option<&'n Node>,
}

impl<'n> Elements<'n> {
    /// Reads the elements of a statement. Their names must be written exactly, and at most one of an element and its negation may be
    /// there.
    pub(crate) fn read(node: &'n Node, parser: &Parser<'_>) -> Result<Self, Malformed> {
        let mut elements = Self::default();
        for (name, value) in node.members().ok_or_else(|| parser.fail(node, Fault::Syntax))? {
            let element = match name.as_str() {
                "Sid" => &mut elements.sid,
                "Effect" => &mut elements.effect,
                "Action" => &mut elements.action,
                "NotAction" => &mut elements.not_action,
                "Resource" => &mut elements.resource,
                "NotResource" => &mut elements.not_resource,
                "Principal" => &mut elements.principal,
                "NotPrincipal" => &mut elements.not_principal,
                "Condition" => &mut elements.condition,
                _ => return Err(parser.fail(value, Fault::Syntax)),
            };
            *element = Some(value);
        }
        let pairs = [
            (elements.action, elements.not_action),
            (elements.resource, elements.not_resource),
            (elements.principal, elements.not_principal),
        ];
        match pairs.into_iter().find_map(|(element, negation)| element.and(negation)) {
            Some(negation) => Err(parser.fail(negation, Fault::Syntax)),
            None => Ok(elements),
        }
    }

    /// Returns the Sid.
    pub(crate) fn sid(&self, parser: &Parser<'_>) -> Result<Option<&'n str>, Malformed> {
        let Some(node) = self.sid else { return Ok(None) };
        let text = node.text().ok_or_else(|| parser.fail(node, Fault::Syntax))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// Returns the effect; `missing` is the fault of a statement without one.
    pub(crate) fn effect(&self, node: &Node, missing: Fault, parser: &Parser<'_>) -> Result<Effect, Malformed> {
        let Some(effect) = self.effect else { return Err(parser.fail(node, missing)) };
        match effect.text() {
            Some("Allow") => Ok(Effect::Allow),
            Some("Deny") => Ok(Effect::Deny),
            Some(text) if text.eq_ignore_ascii_case("allow") || text.eq_ignore_ascii_case("deny") => {
                Err(parser.fail(effect, Fault::LegacyParsing))
            }
            _ => Err(parser.fail(effect, Fault::Syntax)),
        }
    }

    /// Parses the conditions.
    pub(crate) fn conditions(&self, parser: &mut Parser<'_>) -> Result<Box<[Condition]>, Malformed> {
        self.condition.map_or_else(|| Ok(Box::default()), |node| Condition::parse_all(node, parser).map(Into::into))
    }
}

/// Returns the statements of a document, each with the offset of its `StartPosition`.
pub(crate) fn nodes(statement: &Node) -> impl Iterator<Item = (&Node, usize)> {
    let elements = statement.elements();
    let starts = elements.iter().map(|node| node.end);
    std::iter::once(statement.start + 1).chain(starts).zip(elements).map(|(start, node)| (node, start))
}

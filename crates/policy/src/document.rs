//! Identity policies, permissions boundaries and session policies.

use std::collections::HashSet;

use crate::facts::Keys;
use crate::json::{self, Node};
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;
use crate::position::Position;
use crate::request::Request;
use crate::statement::{self, Actions, Effect, Elements, Resources, Rule, Statement};

/// The version of the policy language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Version {
    /// `2008-10-17`, the default: without variables.
    #[default]
    V2008,
    /// `2012-10-17`: with variables.
    V2012,
}

/// An identity policy, a permissions boundary or a session policy.
#[derive(Debug, Clone)]
pub struct Document {
    version: Version,
    statements: Vec<Statement>,
    keys: Keys,
}

/// Returns the size of a document as AWS counts it for quotas: the number of characters that are no blanks.
pub fn size(text: &str) -> usize {
    text.chars().filter(|character| !character.is_whitespace()).count()
}

impl Document {
    /// Parses a document. Its statements have resources and no principals. The time is linear in the length of the text, which the caller
    /// limits; [`size`] is the measure of AWS's limits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut parser = Parser::new(text);
        let root = json::parse(text, &parser.lines).map_err(|at| Malformed { fault: Fault::Syntax, position: at })?;
        let top = TopLevel::read(&root, Fault::Syntax, &parser)?;
        parser.has_variables = top.version == Version::V2012;
        let statements = top.statements.ok_or_else(|| parser.fail(&root, Fault::Syntax))?;
        let (mut parsed, mut sids) = (Vec::new(), HashSet::new());
        for (node, start) in statement::nodes(statements) {
            let statement = parse_statement(node, start, &mut parser)?;
            if statement.sid().is_some_and(|sid| !sids.insert(sid.to_owned())) {
                return Err(parser.fail(node, Fault::RepeatedSid));
            }
            parsed.push(statement);
        }
        if parsed.is_empty() {
            return Err(parser.fail(statements, Fault::Syntax));
        }
        Ok(Self { version: top.version, statements: parsed, keys: parser.keys })
    }

    /// Parses a managed policy, which must be of the version 2012-10-17.
    pub fn parse_managed(text: &str) -> Result<Self, Malformed> {
        let document = Self::parse(text)?;
        if document.version == Version::V2008 {
            return Err(Malformed { fault: Fault::OldVersion, position: Position { line: 1, column: 1 } });
        }
        Ok(document)
    }

    /// Returns the version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Returns the statements, in the order of the document.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Returns the context keys that the document refers to.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Decides about a request: denied if a statement denies it, else allowed if one allows it, else undecided.
    ///
    /// This looks at each statement; a [`crate::PolicySet`] decides in the same way with an index.
    pub fn decide(&self, request: &Request<'_>) -> Option<Effect> {
        let matching = self.statements.iter().filter(|statement| statement.matches(request)).map(Statement::effect);
        matching.max_by_key(|effect| *effect == Effect::Deny)
    }
}

/// The elements of a document beside the statements, and the value of `Statement`.
pub(crate) struct TopLevel<'n> {
    pub(crate) version: Version,
    pub(crate) statements: Option<&'n Node>,
}

impl<'n> TopLevel<'n> {
    /// Reads the elements; `unknown` is the fault of an unknown version.
    pub(crate) fn read(root: &'n Node, unknown: Fault, parser: &Parser<'_>) -> Result<Self, Malformed> {
        let mut top = Self { version: Version::default(), statements: None };
        for (name, value) in root.members().ok_or_else(|| parser.fail(root, Fault::Syntax))? {
            match (name.as_str(), value.text()) {
                ("Version", Some("2012-10-17")) => top.version = Version::V2012,
                ("Version", Some("2008-10-17")) | ("Id", Some(_)) => {}
                ("Version", _) => return Err(parser.fail(value, unknown)),
                ("Statement", _) => top.statements = Some(value),
                _ => return Err(parser.fail(value, Fault::Syntax)),
            }
        }
        Ok(top)
    }
}

fn parse_statement(node: &Node, start: usize, parser: &mut Parser<'_>) -> Result<Statement, Malformed> {
    let elements = Elements::read(node, parser)?;
    let effect = elements.effect(node, Fault::Syntax, parser)?;
    let is_alphanumeric = |sid: &str| sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if elements.sid(parser)?.is_some_and(|sid| !is_alphanumeric(sid)) {
        return Err(parser.fail(node, Fault::InvalidSid));
    }
    if let Some(principal) = elements.principal.or(elements.not_principal) {
        return Err(parser.fail(principal, Fault::ProhibitedPrincipal));
    }
    let actions = match (elements.action, elements.not_action) {
        (Some(actions), _) => Actions::parse(actions, false, Fault::MissingActions, parser)?,
        (None, Some(actions)) => Actions::parse(actions, true, Fault::MissingActions, parser)?,
        (None, None) => return Err(parser.fail(node, Fault::MissingActions)),
    };
    let resources = match (elements.resource, elements.not_resource) {
        (Some(resources), _) => Resources::parse(resources, false, parser)?,
        (None, Some(resources)) => Resources::parse(resources, true, parser)?,
        (None, None) => return Err(parser.fail(node, Fault::MissingResources)),
    };
    let rule = Rule { effect, actions, resources, conditions: elements.conditions(parser)? };
    Ok(Statement::new(elements.sid(parser)?, rule, start..node.end, &parser.lines))
}

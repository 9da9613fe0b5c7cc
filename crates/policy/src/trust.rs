//! Trust policies: who may assume a role.

mod principal;

use std::collections::HashSet;

use crate::document::{TopLevel, Version};
use crate::facts::Keys;
use crate::json::{self, Node};
use crate::malformed::{Fault, Malformed};
use crate::parser::Parser;
use crate::request::Request;
use crate::statement::{self, Actions, Effect, Elements, Resources, Rule, Statement};
use crate::trust::principal::Named;
pub use crate::trust::principal::Principal;
pub(crate) use crate::trust::principal::Principals;

/// The trust policy of a role.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    statements: Vec<(Principals, Statement)>,
    keys: Keys,
}

/// What a trust policy or the policy of a resource says about a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// A statement denies the request.
    Denied,
    /// A statement allows the request for the account of the caller, whose own policies must allow it as well.
    Account,
    /// A statement allows the request for the caller itself, which is enough within an account.
    Principal,
}

impl TrustPolicy {
    /// Parses a trust policy. Its statements have principals and no resources, and only actions of AWS STS. The time is linear in the
    /// length of the text, which the caller limits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (statements, keys) = parse_statements(text, Fault::EmptyStatement, parse_statement)?;
        Ok(Self { statements, keys })
    }

    /// Returns the statements, in the order of the document.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter().map(|(_, statement)| statement)
    }

    /// Returns the context keys that the policy refers to.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Decides about a request of a caller; `None` if no statement matches both. The resource of the request does not matter.
    pub fn decide(&self, request: &Request<'_>, caller: &Principal<'_>) -> Option<Trust> {
        decide(&self.statements, request, caller)
    }
}

/// Decides by statements with principals; `None` if none matches the request and the caller.
pub(crate) fn decide(
    statements: &[(Principals, Statement)],
    request: &Request<'_>,
    caller: &Principal<'_>,
) -> Option<Trust> {
    let matching = statements.iter().filter_map(|(principals, statement)| {
        let named = principals.name(caller)?;
        let trust = match (statement.effect(), named) {
            (Effect::Deny, _) => Trust::Denied,
            (Effect::Allow, Named::Account) => Trust::Account,
            (Effect::Allow, Named::Principal) => Trust::Principal,
        };
        statement.matches(request).then_some(trust)
    });
    matching.max_by_key(|trust| match trust {
        Trust::Account => 0,
        Trust::Principal => 1,
        Trust::Denied => 2,
    })
}

/// Parses a policy whose statements have principals, each by `parse_statement`; returns them, and the context keys that they refer to.
///
/// `missing` is the fault of a policy without the element `Statement`.
pub(crate) fn parse_statements(
    text: &str,
    missing: Fault,
    mut parse_statement: impl FnMut(&Node, usize, &mut Parser<'_>) -> Result<(Principals, Statement), Malformed>,
) -> Result<(Vec<(Principals, Statement)>, Keys), Malformed> {
    let mut parser = Parser::new(text);
    let invalid = |position| Malformed { fault: Fault::InvalidJson, position };
    let root = json::parse(text, &parser.lines).map_err(invalid)?;
    let top = TopLevel::read(&root, Fault::InvalidVersion, &parser)?;
    parser.has_variables = top.version == Version::V2012;
    let statements = top.statements.ok_or_else(|| parser.fail(&root, missing))?;
    let (mut parsed, mut sids) = (Vec::new(), HashSet::new());
    for (node, start) in statement::nodes(statements) {
        let (principals, statement) = parse_statement(node, start, &mut parser)?;
        if statement.sid().is_some_and(|sid| !sids.insert(sid.to_owned())) {
            return Err(parser.fail(node, Fault::RepeatedTrustSid));
        }
        parsed.push((principals, statement));
    }
    if parsed.is_empty() {
        return Err(parser.fail(statements, Fault::EmptyStatement));
    }
    Ok((parsed, parser.keys))
}

/// Parses the principals of a statement, which it must have.
pub(crate) fn parse_principals(
    elements: &Elements<'_>,
    effect: Effect,
    node: &Node,
    parser: &Parser<'_>,
) -> Result<Principals, Malformed> {
    match (elements.principal, elements.not_principal) {
        (Some(principal), _) => Principals::parse(principal, false, parser),
        (None, Some(principal)) if effect == Effect::Allow => Err(parser.fail(principal, Fault::AllowedNotPrincipal)),
        (None, Some(principal)) => Principals::parse(principal, true, parser),
        (None, None) => Err(parser.fail(node, Fault::MissingField("Principal"))),
    }
}

fn parse_statement(node: &Node, start: usize, parser: &mut Parser<'_>) -> Result<(Principals, Statement), Malformed> {
    let elements = Elements::read(node, parser)?;
    let effect = elements.effect(node, Fault::MissingField("Effect"), parser)?;
    let principals = parse_principals(&elements, effect, node, parser)?;
    let missing = || Fault::MissingField("Action");
    let (node_of_actions, is_negated) = match (elements.action, elements.not_action) {
        (Some(actions), _) => (actions, false),
        (None, Some(actions)) => (actions, true),
        (None, None) => return Err(parser.fail(node, missing())),
    };
    let actions = Actions::parse(node_of_actions, is_negated, missing(), parser)?;
    let is_sts = |action: &&str| action.get(..4).is_some_and(|vendor| vendor.eq_ignore_ascii_case("sts:"));
    if !parser.texts(node_of_actions)?.iter().all(is_sts) {
        return Err(parser.fail(node_of_actions, Fault::NotAssumeRole));
    }
    if let Some(resource) = elements.resource {
        return Err(parser.fail(resource, Fault::ProhibitedField("Resource")));
    }
    if let Some(resource) = elements.not_resource {
        return Err(parser.fail(resource, Fault::ProhibitedResources));
    }
    let rule = Rule { effect, actions, resources: Resources::all(), conditions: elements.conditions(parser)? };
    Ok((principals, Statement::new(elements.sid(parser)?, rule, start..node.end, &parser.lines)))
}

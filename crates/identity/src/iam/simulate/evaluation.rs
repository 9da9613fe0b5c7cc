//! The decision about an action on resources, and the results that explain it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws::arn::ArnParts;
use policy::{Context, Effect, PolicySet, Position, Request};
use serde_json::{Map, Value, json};

use super::sources::{Source, Sources};

/// The policies of a simulation, indexed.
pub(super) struct Evaluation<'s> {
    account: &'s str,
    facts: &'s Context,
    sources: &'s Sources,
    identity: PolicySet,
    boundary: Option<PolicySet>,
    /// The service control policies, by the levels of the organization.
    levels: Vec<PolicySet>,
}

/// A decision; the most restrictive one is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Allowed,
    ImplicitDeny,
    ExplicitDeny,
}

/// The decision about one resource.
struct Decided {
    outcome: Outcome,
    /// The statements of identity policies that contributed, by the indexes of their policies and their positions.
    matched: BTreeSet<(usize, Position, Position)>,
    is_within_boundary: bool,
    is_within_organization: bool,
    /// The decision of each kind of policies, for a resource of another account.
    details: BTreeMap<&'static str, Outcome>,
}

impl Outcome {
    fn of(effect: Option<Effect>) -> Self {
        match effect {
            Some(Effect::Allow) => Self::Allowed,
            Some(Effect::Deny) => Self::ExplicitDeny,
            None => Self::ImplicitDeny,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::ImplicitDeny => "implicitDeny",
            Self::ExplicitDeny => "explicitDeny",
        }
    }
}

impl<'s> Evaluation<'s> {
    pub(super) fn new(account: &'s str, facts: &'s Context, sources: &'s Sources) -> Self {
        let set = |sources: &[Source]| PolicySet::new(sources.iter().map(|source| Arc::clone(&source.document)));
        Self {
            account,
            facts,
            sources,
            identity: set(&sources.identity),
            boundary: sources.boundary.as_deref().map(set),
            levels: sources.levels.iter().map(|level| set(level)).collect(),
        }
    }

    /// Decides about an action on each resource, and returns the result for all of them together.
    pub(super) fn result(&self, action: &str, resources: &[String]) -> Value {
        let all: Vec<Decided> = resources.iter().map(|resource| self.decide(action, resource)).collect();
        let outcome = all.iter().map(|decided| decided.outcome).max().unwrap_or(Outcome::ImplicitDeny);
        let contributing = all.iter().filter(|decided| decided.outcome == outcome);
        let mut details = BTreeMap::new();
        for (kind, decision) in all.iter().flat_map(|decided| &decided.details) {
            let worst = details.entry(*kind).or_insert(*decision);
            *worst = (*worst).max(*decision);
        }
        let together = Decided {
            outcome,
            matched: contributing.flat_map(|decided| decided.matched.iter().copied()).collect(),
            is_within_boundary: all.iter().all(|decided| decided.is_within_boundary),
            is_within_organization: all.iter().all(|decided| decided.is_within_organization),
            details,
        };
        let mut result = Map::new();
        result.insert("EvalActionName".to_owned(), action.into());
        result.insert("EvalResourceName".to_owned(), template(resources).into());
        result.insert("EvalDecision".to_owned(), outcome.as_str().into());
        self.explain(&together, &mut result);
        if !self.levels.is_empty() {
            let detail = json!({ "AllowedByOrganizations": together.is_within_organization });
            result.insert("OrganizationsDecisionDetail".to_owned(), detail);
        }
        if resources != ["*"] {
            let results = resources.iter().zip(&all).map(|(resource, decided)| {
                let mut result = Map::new();
                result.insert("EvalResourceName".to_owned(), resource.as_str().into());
                result.insert("EvalResourceDecision".to_owned(), decided.outcome.as_str().into());
                self.explain(decided, &mut result);
                Value::Object(result)
            });
            result.insert("ResourceSpecificResults".to_owned(), results.collect());
        }
        Value::Object(result)
    }

    fn decide(&self, action: &str, resource: &str) -> Decided {
        let request = Request::new(action, resource, self.facts);
        let identity = Outcome::of(self.identity.decide(&request));
        let boundary = self.boundary.as_ref().map_or(Outcome::Allowed, |set| Outcome::of(set.decide(&request)));
        let levels = self.levels.iter().map(|set| Outcome::of(set.decide(&request)));
        let organization = levels.max().unwrap_or(Outcome::Allowed);
        let mut details = BTreeMap::new();
        let mut outcome = identity.max(boundary).max(organization);
        if !self.is_own(resource) {
            // No service here has resource-based policies, which would have to allow it as well.
            details.insert("IAM Policy", identity);
            details.insert("Resource Policy", Outcome::ImplicitDeny);
            if self.boundary.is_some() {
                details.insert("Permissions Boundary Policy", boundary);
            }
            outcome = outcome.max(Outcome::ImplicitDeny);
        }
        let effect = if outcome == Outcome::ExplicitDeny { Effect::Deny } else { Effect::Allow };
        let matching = self.identity.matching_statements(&request).into_iter();
        let matching = matching.filter(|matched| matched.statement.effect() == effect);
        Decided {
            outcome,
            matched: matching.map(|one| (one.document, one.statement.start(), one.statement.end())).collect(),
            is_within_boundary: boundary == Outcome::Allowed,
            is_within_organization: organization == Outcome::Allowed,
            details,
        }
    }

    /// Adds the members that explain a decision.
    fn explain(&self, decided: &Decided, result: &mut Map<String, Value>) {
        let matched = decided.matched.iter().map(|(document, start, end)| {
            json!({
                "SourcePolicyId": self.sources.identity[*document].id, "SourcePolicyType": "IAM Policy",
                "StartPosition": position(*start), "EndPosition": position(*end),
            })
        });
        result.insert("MatchedStatements".to_owned(), matched.collect());
        let missing: Vec<&str> = self.identity.keys().missing_in(self.facts).collect();
        result.insert("MissingContextValues".to_owned(), json!(missing));
        if self.boundary.is_some() {
            let detail = json!({ "AllowedByPermissionsBoundary": decided.is_within_boundary });
            result.insert("PermissionsBoundaryDecisionDetail".to_owned(), detail);
        }
        if !decided.details.is_empty() {
            let entries = decided.details.iter();
            let entries: Vec<Value> =
                entries.map(|(kind, outcome)| json!({ "key": kind, "value": outcome.as_str() })).collect();
            result.insert("EvalDecisionDetails".to_owned(), json!({ "entry": entries }));
        }
    }

    fn is_own(&self, resource: &str) -> bool {
        let owner = ArnParts::split(resource).map_or("", |parts| parts.account);
        ["", "*", "aws", self.account].contains(&owner)
    }
}

/// Returns the form of the ARNs of resources: that of their type, or `*` if it is not the same for all.
fn template(resources: &[String]) -> &'static str {
    let mut templates = resources.iter().map(|resource| template_of(resource));
    let first = templates.next().unwrap_or("*");
    if templates.all(|other| other == first) { first } else { "*" }
}

fn template_of(resource: &str) -> &'static str {
    let Some(ArnParts { service, resource, .. }) = ArnParts::split(resource) else { return "*" };
    match (service, resource.split_once('/')) {
        ("codecommit", _) => "arn:${Partition}:codecommit:${Region}:${Account}:${RepositoryName}",
        ("cloudtrail", Some(("trail", _))) => "arn:${Partition}:cloudtrail:${Region}:${Account}:trail/${TrailName}",
        ("iam", Some(("user", _))) => "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}",
        ("iam", Some(("group", _))) => "arn:${Partition}:iam::${Account}:group/${GroupNameWithPath}",
        ("iam", Some(("role", _))) => "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}",
        ("iam", Some(("policy", _))) => "arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}",
        ("s3", Some(_)) => "arn:${Partition}:s3:::${BucketName}/${KeyName}",
        ("s3", None) => "arn:${Partition}:s3:::${BucketName}",
        _ => "*",
    }
}

fn position(position: Position) -> Value {
    json!({ "Line": position.line, "Column": position.column })
}

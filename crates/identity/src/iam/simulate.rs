//! Simulation of policies: the decisions that calls would get, by the same evaluator.

mod context;
pub(crate) mod context_keys;
mod sources;

use std::sync::Arc;

use aws::Facts;
use aws::arn::ArnParts;
use policy::{Cause, Decision, Effect, Grants, PolicySet, Position, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::context::ContextEntry;
use self::sources::{Source, Sources};
use super::call::IamCall;
use super::paging::Paging;
use super::{IamError, input};
use crate::Exception;
use crate::sts::input::{count, length, required};

/// Maximum numbers of actions and resources, so that a simulation ends soon.
const ACTIONS_MAX: usize = 1_000;
const RESULTS_MAX: usize = 10_000;

/// The members of an input that both simulations have.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Scenario {
    policy_input_list: Vec<String>,
    permissions_boundary_policy_input_list: Vec<String>,
    action_names: Vec<String>,
    resource_arns: Vec<String>,
    resource_policy: String,
    resource_owner: String,
    caller_arn: String,
    context_entries: Vec<ContextEntry>,
    resource_handling_option: String,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PrincipalInput {
    policy_source_arn: String,
    #[serde(flatten)]
    scenario: Scenario,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CustomInput {
    #[serde(flatten)]
    scenario: Scenario,
}

/// Simulates the policies of a user with its groups, of a group or of a role, and further ones.
pub(crate) fn simulate_principal(iam: &IamCall<'_>, input: &PrincipalInput) -> Result<Value, Exception> {
    let PrincipalInput { policy_source_arn: arn, scenario } = input;
    required("policySourceArn", arn)?;
    length("policySourceArn", arn, 20..=2048)?;
    scenario.check()?;
    iam.allow(arn, &Facts::default())?;
    let mut sources = Sources::of_principal(iam, arn)?;
    sources.add_inputs("PolicyInputList", &scenario.policy_input_list)?;
    scenario.run(iam, sources)
}

/// Simulates the policies of the input alone.
pub(crate) fn simulate_custom(iam: &IamCall<'_>, input: &CustomInput) -> Result<Value, Exception> {
    let scenario = &input.scenario;
    count("policyInputList", "policies", scenario.policy_input_list.len(), 1..=ACTIONS_MAX)?;
    scenario.check()?;
    iam.allow_all()?;
    let mut sources = Sources::default();
    sources.add_inputs("PolicyInputList", &scenario.policy_input_list)?;
    scenario.run(iam, sources)
}

impl Scenario {
    fn check(&self) -> Result<(), Exception> {
        self.paging.check()?;
        count("actionNames", "actions", self.action_names.len(), 1..=ACTIONS_MAX)?;
        for action in &self.action_names {
            length("actionNames.member", action, 3..=128)?;
            let is_valid =
                action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
            if !is_valid || action.contains(['*', '?']) {
                return Err(IamError::invalid_input(format!("Invalid Action: {action}")));
            }
        }
        for arn in &self.resource_arns {
            length("resourceArns.member", arn, 1..=2048)?;
            if arn != "*" && !arn.starts_with("arn:") {
                return Err(IamError::invalid_input(format!("Invalid Resource: {arn}")));
            }
        }
        for policy in self.policy_input_list.iter().chain(&self.permissions_boundary_policy_input_list) {
            input::document("policyInputList.member", policy)?;
        }
        if self.action_names.len() * self.resource_arns.len().max(1) > RESULTS_MAX {
            return Err(IamError::invalid_input("There are too many pairs of an action and a resource."));
        }
        if !self.resource_policy.is_empty() {
            return Err(IamError::invalid_input("ResourcePolicy is not supported: no service here has such policies."));
        }
        Ok(())
    }

    /// Decides about each action on each resource.
    fn run(&self, iam: &IamCall<'_>, mut sources: Sources) -> Result<Value, Exception> {
        if !self.permissions_boundary_policy_input_list.is_empty() {
            sources.boundary = Some(sources::parse_inputs(
                "PermissionsBoundaryPolicyInputList",
                &self.permissions_boundary_policy_input_list,
            )?);
        }
        let caller = if self.caller_arn.is_empty() { None } else { Some(self.caller_arn.as_str()) };
        let facts = context::facts(iam, sources.principal.as_ref(), caller, &self.context_entries)?;
        let set =
            |sources: &[Source]| Arc::new(PolicySet::new(sources.iter().map(|source| Arc::clone(&source.document))));
        let boundary = sources.boundary.as_deref().map(set);
        let grants = Grants { identity: set(&sources.identity), boundary, session: None };
        let everything = ["*".to_owned()];
        let resources = if self.resource_arns.is_empty() { &everything[..] } else { &self.resource_arns };
        let mut results = Vec::new();
        for action in &self.action_names {
            for resource in resources {
                let request = Request::new(action, resource, &facts);
                let is_own = is_own(resource, iam.account().as_str());
                let result = evaluate(&sources, &grants, &request, is_own);
                results.push((results.len(), with_names(result, action, resource, &grants, &facts)));
            }
        }
        let key = |(index, _): &(usize, Value)| format!("{index:010}");
        self.paging.page("EvaluationResults", &results, key, |(_, result)| result.clone())
    }
}

/// Decides about a request; returns the members of the result that depend on the decision.
fn evaluate(sources: &Sources, grants: &Grants, request: &Request<'_>, is_own: bool) -> Value {
    let decision = grants.decide(request);
    let (name, effect) = match decision {
        Decision::Allowed if is_own => ("allowed", Effect::Allow),
        Decision::Denied(denial) if denial.cause == Cause::ExplicitDeny => ("explicitDeny", Effect::Deny),
        _ => ("implicitDeny", Effect::Allow),
    };
    let sets =
        [(Some(&grants.identity), Some(&sources.identity)), (grants.boundary.as_ref(), sources.boundary.as_ref())];
    let matched = sets.into_iter().filter_map(|(set, sources)| Some((set?, sources?))).flat_map(|(set, sources)| {
        let of_effect = set.matching_statements(request).into_iter();
        let of_effect = of_effect.filter(|matched| matched.statement.effect() == effect);
        of_effect.map(|matched| {
            json!({
                "SourcePolicyId": sources[matched.document].id, "SourcePolicyType": "IAM Policy",
                "StartPosition": position(matched.statement.start()), "EndPosition": position(matched.statement.end()),
            })
        })
    });
    let mut result = json!({ "EvalDecision": name, "MatchedStatements": matched.collect::<Vec<Value>>() });
    if let Some(boundary) = &grants.boundary {
        let is_allowed = boundary.decide(request) == Some(Effect::Allow);
        result["PermissionsBoundaryDecisionDetail"] = json!({ "AllowedByPermissionsBoundary": is_allowed });
    }
    result
}

/// Adds the members of a result that do not depend on the decision.
fn with_names(result: Value, action: &str, resource: &str, grants: &Grants, facts: &policy::Context) -> Value {
    let sets = [Some(&grants.identity), grants.boundary.as_ref()];
    let missing = sets.into_iter().flatten().flat_map(|set| set.keys().missing_in(facts));
    let mut missing: Vec<&str> = missing.collect();
    missing.sort_unstable();
    missing.dedup();
    let mut named = json!({ "EvalActionName": action, "EvalResourceName": resource });
    if let (Value::Object(named), Value::Object(members)) = (&mut named, result) {
        named.extend(members);
        named.insert("MissingContextValues".to_owned(), json!(missing));
    }
    named
}

/// Returns whether the account may use a resource: as no service here has resource-based policies, only its own.
fn is_own(resource: &str, account: &str) -> bool {
    let owner = ArnParts::split(resource).map_or("", |parts| parts.account);
    owner.is_empty() || owner == "*" || owner == "aws" || owner == account
}

fn position(position: Position) -> Value {
    json!({ "Line": position.line, "Column": position.column })
}

//! Simulation of policies: the decisions that calls would get, by the same evaluator.

mod context;
pub(crate) mod context_keys;
mod evaluation;
mod exclusions;
mod sources;

use aws::Facts;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::context::ContextEntry;
use self::evaluation::Evaluation;
use self::exclusions::Exclusion;
use self::sources::Sources;
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
    policy_exclusion_list: Vec<Exclusion>,
    #[serde(flatten)]
    scenario: Scenario,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CustomInput {
    ordered_organization_policy_input_list: Vec<OrganizationLevel>,
    #[serde(flatten)]
    scenario: Scenario,
}

/// The service control policies of a level of an organization.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct OrganizationLevel {
    service_control_policy_input_list: Vec<String>,
}

/// Simulates the policies of a user with its groups, of a group or of a role, and further ones.
pub(crate) fn simulate_principal(iam: &IamCall<'_>, input: &PrincipalInput) -> Result<Value, Exception> {
    let PrincipalInput { policy_source_arn: arn, policy_exclusion_list: excluded, scenario } = input;
    required("policySourceArn", arn)?;
    length("policySourceArn", arn, 20..=2048)?;
    scenario.check()?;
    exclusions::check(excluded)?;
    iam.allow(arn, &Facts::default())?;
    let mut sources = Sources::of_principal(iam, arn, excluded)?;
    sources.add_inputs("PolicyInputList", &scenario.policy_input_list)?;
    scenario.run(iam, sources)
}

/// Simulates the policies of the input alone.
pub(crate) fn simulate_custom(iam: &IamCall<'_>, input: &CustomInput) -> Result<Value, Exception> {
    let scenario = &input.scenario;
    count("policyInputList", "policies", scenario.policy_input_list.len(), 1..=ACTIONS_MAX)?;
    scenario.check()?;
    let levels = &input.ordered_organization_policy_input_list;
    for policy in levels.iter().flat_map(|level| &level.service_control_policy_input_list) {
        input::document("orderedOrganizationPolicyInputList.member", policy)?;
    }
    iam.allow_all()?;
    let mut sources = Sources::default();
    sources.add_inputs("PolicyInputList", &scenario.policy_input_list)?;
    for level in levels {
        let policies = &level.service_control_policy_input_list;
        sources.levels.push(sources::parse_inputs("ServiceControlPolicyInputList", policies)?);
    }
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
        let everything = ["*".to_owned()];
        let resources = if self.resource_arns.is_empty() { &everything[..] } else { &self.resource_arns };
        let evaluation = Evaluation::new(iam.account().as_str(), &facts, &sources);
        let results = self.action_names.iter().map(|action| evaluation.result(action, resources));
        let results: Vec<(usize, Value)> = results.enumerate().collect();
        let key = |(index, _): &(usize, Value)| format!("{index:010}");
        self.paging.page("EvaluationResults", &results, key, |(_, result)| result.clone())
    }
}

//! The context keys that policies refer to, for the `ContextEntries` of a simulation.

use aws::Facts;
use policy::PolicySet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sources::Sources;
use crate::Exception;
use crate::iam::call::IamCall;
use crate::iam::input;
use crate::sts::input::{count, length, required};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct PrincipalInput {
    policy_source_arn: String,
    policy_input_list: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CustomInput {
    policy_input_list: Vec<String>,
}

/// Lists the context keys of the policies of a user with its groups, of a group or of a role, and of further ones.
pub(crate) fn of_principal(iam: &IamCall<'_>, input: &PrincipalInput) -> Result<Value, Exception> {
    let arn = &input.policy_source_arn;
    required("policySourceArn", arn)?;
    length("policySourceArn", arn, 20..=2048)?;
    check(&input.policy_input_list)?;
    iam.allow(arn, &Facts::default())?;
    names(Sources::of_principal(iam, arn, &[])?, &input.policy_input_list)
}

/// Lists the context keys of the policies of the input alone.
pub(crate) fn of_custom(iam: &IamCall<'_>, input: &CustomInput) -> Result<Value, Exception> {
    count("policyInputList", "policies", input.policy_input_list.len(), 1..=super::ACTIONS_MAX)?;
    check(&input.policy_input_list)?;
    iam.allow_all()?;
    names(Sources::default(), &input.policy_input_list)
}

fn check(policies: &[String]) -> Result<(), Exception> {
    policies.iter().try_for_each(|policy| input::document("policyInputList.member", policy))
}

fn names(mut sources: Sources, policies: &[String]) -> Result<Value, Exception> {
    sources.add_inputs("PolicyInputList", policies)?;
    let set = PolicySet::new(sources.identity.into_iter().map(|source| source.document));
    Ok(json!({ "ContextKeyNames": set.keys().iter().collect::<Vec<&str>>() }))
}

//! `GetAccountAuthorizationDetails`: all users, groups, roles and policies of an account with what they hold.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::call::IamCall;
use super::entity::{Entity, encoded};
use super::paging::{Paging, with_marker};
use super::policies::{self, Policy};
use super::{attachments, groups, inline_policies, input, policy_versions};
use crate::tables::HolderKind;
use crate::{Exception, ManagedPolicy};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    filter: Vec<String>,
    #[serde(flatten)]
    paging: Paging,
}

/// The values of `Filter`, and the lists of the reply that they select.
const FILTERS: [(&str, &str); 5] = [
    ("User", "UserDetailList"),
    ("Group", "GroupDetailList"),
    ("Role", "RoleDetailList"),
    ("LocalManagedPolicy", "Policies"),
    ("AWSManagedPolicy", "Policies"),
];

/// An element of a list of the reply.
struct Detail {
    /// The index of its filter.
    filter: usize,
    /// Its position in the pages.
    key: String,
    subject: Subject,
}

enum Subject {
    Entity(Entity),
    Policy(Policy),
}

pub(crate) fn get(iam: &IamCall<'_>, input: &Input) -> Result<Value, Exception> {
    let names: Vec<&str> = FILTERS.iter().map(|(name, _)| *name).collect();
    for filter in &input.filter {
        input::one_of("filter.member", filter, &names)?;
    }
    input.paging.check()?;
    iam.allow_all()?;
    let mut details = Vec::new();
    for (index, (name, _)) in FILTERS.iter().enumerate() {
        if input.filter.is_empty() || input.filter.iter().any(|filter| filter == name) {
            details.extend(of_filter(iam, index)?);
        }
    }
    details.sort_by(|one: &Detail, other| one.key.cmp(&other.key));
    let (shown, marker) = input.paging.cut(&details, |detail| detail.key.clone())?;
    let mut output: Map<String, Value> = FILTERS.iter().map(|(_, list)| ((*list).to_owned(), json!([]))).collect();
    for detail in shown {
        let list = output.get_mut(FILTERS[detail.filter].1).and_then(Value::as_array_mut);
        let written = match &detail.subject {
            Subject::Entity(entity) => entity_detail(iam, entity)?,
            Subject::Policy(policy) => policy_detail(iam, policy)?,
        };
        list.expect("the output has every list").push(written);
    }
    Ok(with_marker(output, marker))
}

fn of_filter(iam: &IamCall<'_>, filter: usize) -> Result<Vec<Detail>, Exception> {
    if let Some(kind) = [HolderKind::User, HolderKind::Group, HolderKind::Role].get(filter) {
        let entities = Entity::list(iam, *kind, "")?.into_iter();
        return Ok(entities
            .map(|entity| Detail::new(filter, &entity.name.to_lowercase(), Subject::Entity(entity)))
            .collect());
    }
    let mut policies = if FILTERS[filter].0 == "LocalManagedPolicy" { policies::of_account(iam)? } else { Vec::new() };
    if FILTERS[filter].0 == "AWSManagedPolicy" {
        for policy in ManagedPolicy::ALL.iter().map(Policy::of_aws) {
            if policy.is_used(iam)? {
                policies.push(policy);
            }
        }
    }
    Ok(policies.into_iter().map(|policy| Detail::new(filter, &policy.arn.clone(), Subject::Policy(policy))).collect())
}

impl Detail {
    fn new(filter: usize, name: &str, subject: Subject) -> Self {
        Self { filter, key: format!("{filter} {name}"), subject }
    }
}

fn entity_detail(iam: &IamCall<'_>, entity: &Entity) -> Result<Value, Exception> {
    let mut members = entity.details(iam);
    let inline: Vec<Value> = inline_policies::all(iam, entity)?
        .iter()
        .map(|policy| json!({ "PolicyName": policy.name, "PolicyDocument": encoded(&policy.document) }))
        .collect();
    let list = match entity.kind {
        HolderKind::User => "UserPolicyList",
        HolderKind::Group => "GroupPolicyList",
        HolderKind::Role => "RolePolicyList",
    };
    members[list] = inline.into();
    members["AttachedManagedPolicies"] =
        attachments::attached(iam, entity)?.iter().map(|arn| attachments::shown(iam, arn)).collect();
    match entity.kind {
        HolderKind::User => {
            let groups = groups::groups_of(iam, entity)?;
            members["GroupList"] = groups.iter().map(|group| group.name.as_str()).collect();
        }
        HolderKind::Role => {
            if let Value::Object(members) = &mut members {
                // The model has no such members here.
                members.retain(|name, _| name != "Description" && name != "MaxSessionDuration");
            }
            members["InstanceProfileList"] = json!([]);
            members["RoleLastUsed"] = json!({});
        }
        HolderKind::Group => {}
    }
    Ok(members)
}

fn policy_detail(iam: &IamCall<'_>, policy: &Policy) -> Result<Value, Exception> {
    let mut members = policy.summary(iam)?;
    let versions = policy_versions::all(iam, policy)?;
    members["PolicyVersionList"] = versions.iter().map(|version| version.shown(policy, true)).collect();
    Ok(members)
}

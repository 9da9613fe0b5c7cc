//! `AssumeRole`: a session of a role for a caller with credentials.

use std::sync::Arc;

use aws::caller::Kind;
use aws::operation::Change;
use aws::{Call, Facts, Permission, query};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Transaction;

use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, Role, SessionParameters};
use crate::session::SessionPolicies;
use crate::sts::context::{self, ProvidedContext};
use crate::sts::input::{self, PackedSize, PolicyDescriptor};
use crate::sts::output::{AssumedRoleUser, Output};
use crate::sts::tags::{SessionTags, Tag};
use crate::{Exception, Sts};

const ACTION: &str = "sts:AssumeRole";

/// Maximum session duration with role chaining, in seconds.
const CHAIN_SECONDS_MAX: i64 = 3600;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    role_arn: String,
    role_session_name: String,
    policy_arns: Vec<PolicyDescriptor>,
    policy: String,
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    tags: Vec<Tag>,
    transitive_tag_keys: Vec<String>,
    external_id: String,
    serial_number: String,
    #[serde(skip_serializing)]
    token_code: String,
    source_identity: String,
    provided_contexts: Vec<ProvidedContext>,
    #[serde(deserialize_with = "query::integer")]
    minimum_session_token_size: Option<i64>,
}

impl Input {
    /// Creates the input for a role without any policies, tags and contexts.
    pub(crate) fn new(role_arn: String, role_session_name: String, seconds: i64) -> Self {
        Self { role_arn, role_session_name, duration_seconds: Some(seconds), ..Self::default() }
    }
}

pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    let caller = &call.caller;
    input::arn("roleArn", &input.role_arn)?;
    check_session_name(&input.role_session_name)?;
    input::length("externalId", &input.external_id, 2..=1224)?;
    input::letters("externalId", &input.external_id, r"+=,.@:\/-", r"[\w+=,.@:\/-]*")?;
    check_source_identity(&input.source_identity)?;
    let seconds = input::seconds(input.duration_seconds, 900..=DURATION_SECONDS_MAX, DURATION_SECONDS)?;
    let mfa_authenticated = input::mfa(&input.serial_number, &input.token_code)?;
    let packed = input::packed(call, &input.policy, &input.policy_arns, &input.tags, input.minimum_session_token_size)?;
    let tags = SessionTags { tags: input.tags.clone(), transitive_keys: input.transitive_tag_keys.clone() };
    tags.check_keys()?;
    context::check(&input.provided_contexts, call.time)?;
    let inherited = caller.session.as_ref().map(|session| session.transitive_tags.clone()).unwrap_or_default();
    if !inherited.is_empty() {
        call.add_request_parameter("incomingTransitiveTags", json!(inherited));
    }
    let transitive_tags = tags.transitive(&inherited)?;
    if caller.kind == Kind::Root {
        return Err(Exception::AssumedByRoot);
    }
    let not_authorized =
        |action| Exception::NotAuthorized { caller: caller.arn.clone(), action, resource: input.role_arn.clone() };
    call.mark_decided();
    let role = sts.identities().role(&input.role_arn, call.region.partition())?;
    let role = role.ok_or_else(|| not_authorized(ACTION))?;
    call.add_resource(role.resource());
    if caller.kind == Kind::FederatedUser {
        return Err(not_authorized(ACTION));
    }
    let facts = facts(&input, mfa_authenticated, &tags);
    let tag_session = Some("sts:TagSession").filter(|_| !tags.tags.is_empty());
    let set_source_identity = Some("sts:SetSourceIdentity").filter(|_| !input.source_identity.is_empty());
    for action in [Some(ACTION), tag_session, set_source_identity].into_iter().flatten() {
        let trust = role.trust_in_caller(call, action, &facts).ok_or_else(|| not_authorized(action))?;
        let permission = Permission { action, resource: &role.arn, resource_policy: trust, facts: &facts };
        call.permit(&permission).map_err(|_| not_authorized(action))?;
    }
    if caller.kind == Kind::AssumedRole && seconds > CHAIN_SECONDS_MAX {
        return Err(Exception::LongerThanAChain);
    }
    check_duration(&role, seconds)?;
    // A session with a source identity keeps it in role chains.
    let set = Some(input.source_identity.clone()).filter(|name| !name.is_empty());
    let kept = caller.session.as_ref().and_then(|session| session.source_identity.clone());
    if kept.is_some() && set.is_some() && kept != set {
        return Err(not_authorized("sts:SetSourceIdentity"));
    }
    let mut all_tags = inherited;
    all_tags.extend(tags.by_key());
    let policies = input::session_policies(&input.policy, &input.policy_arns, all_tags);
    let parameters = SessionParameters {
        session_name: input.role_session_name,
        mfa_authenticated,
        source_identity: kept.or(set),
        transitive_tags,
        web_identity: None,
        invoked_by: caller.invoked_by.clone(),
        on_behalf_of: caller.on_behalf_of.clone(),
        origin: caller.session.as_ref().and_then(|session| session.origin.clone()),
    };
    Ok(session(sts, call, &role, parameters, seconds, packed, policies))
}

/// Returns what the policies can ask about a request for a role.
fn facts(input: &Input, mfa_authenticated: bool, tags: &SessionTags) -> Facts {
    let tag_pairs = tags.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let facts = Facts::default().with("sts:RoleSessionName", &*input.role_session_name).with_request_tags(tag_pairs);
    let with = |facts: Facts, key: &str, value: &str| if value.is_empty() { facts } else { facts.with(key, value) };
    let facts = with(facts, "sts:ExternalId", &input.external_id);
    let facts = with(facts, "sts:SourceIdentity", &input.source_identity);
    let facts = with(facts, "aws:MultiFactorAuthPresent", if mfa_authenticated { "true" } else { "" });
    if tags.transitive_keys.is_empty() {
        return facts;
    }
    facts.with_many("sts:TransitiveTagKeys", tags.transitive_keys.iter().map(String::as_str))
}

/// Refuses an invalid name of a session.
pub(crate) fn check_session_name(name: &str) -> Result<(), Exception> {
    input::required("roleSessionName", name)?;
    input::name("roleSessionName", name, 2..=64)
}

/// Refuses an invalid source identity; a missing one is accepted.
pub(crate) fn check_source_identity(name: &str) -> Result<(), Exception> {
    input::name("sourceIdentity", name, 2..=256)
}

/// Refuses a session that would be longer than the maximum of its role.
pub(crate) fn check_duration(role: &Role, seconds: i64) -> Result<(), Exception> {
    if seconds > role.duration_seconds_max { Err(Exception::LongerThanTheRole) } else { Ok(()) }
}

/// Creates a session of a role and the reply that contains it.
pub(crate) fn session(
    sts: &Sts,
    call: &Call,
    role: &Role,
    parameters: SessionParameters,
    seconds: i64,
    packed: PackedSize,
    policies: SessionPolicies,
) -> Change<Transaction, Output, Exception> {
    let (arn, assumed_role_id) = role.session_names(&parameters.session_name);
    let source_identity = parameters.source_identity.clone();
    let session = sts.issue(call, role.session(parameters, call.time), seconds, packed.token_bytes, policies);
    Box::new(move |transaction| {
        Ok(Output {
            assumed_role_user: Some(AssumedRoleUser { assumed_role_id, arn }),
            packed_policy_size: packed.percent,
            source_identity,
            ..Output::of(session.store(transaction)?)
        })
    })
}

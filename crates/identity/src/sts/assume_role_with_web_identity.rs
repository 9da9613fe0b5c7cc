//! `AssumeRoleWithWebIdentity`: a session of a role for the bearer of a token of an OIDC provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::caller::{Kind, WebIdentity};
use aws::operation::Change;
use aws::{Call, Caller, Facts, GlobalArn, query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Transaction;

use crate::provider::ProviderMatch;
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, SessionParameters};
use crate::session::SessionPolicies;
use crate::sts::assume_role::{self, check_session_name, check_source_identity};
use crate::sts::context::PropagatedClaims;
use crate::sts::input::{self, PolicyDescriptor};
use crate::sts::output::Output;
use crate::sts::token::Claims;
use crate::{Exception, Sts};

const ACTION: &str = "sts:AssumeRoleWithWebIdentity";

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    role_arn: String,
    role_session_name: String,
    #[serde(skip_serializing)]
    web_identity_token: String,
    provider_id: String,
    policy_arns: Vec<PolicyDescriptor>,
    policy: String,
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    #[serde(deserialize_with = "query::integer")]
    minimum_session_token_size: Option<i64>,
}

pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::arn("roleArn", &input.role_arn)?;
    check_session_name(&input.role_session_name)?;
    input::required("webIdentityToken", &input.web_identity_token)?;
    input::secret("webIdentityToken", &input.web_identity_token, 4..=20_000)?;
    input::length("providerId", &input.provider_id, 4..=2048)?;
    let seconds = input::seconds(input.duration_seconds, 900..=DURATION_SECONDS_MAX, DURATION_SECONDS)?;
    // AWS refuses a malformed ARN of a role before it reads the token.
    let identities = sts.identities();
    let role = identities.role(&input.role_arn, call.region.partition())?;
    let claims = Claims::read(&input.web_identity_token, &identities.providers.tokens, sts.now())?;
    claims.tags.record(call);
    let packed =
        input::packed(call, &input.policy, &input.policy_arns, &claims.tags.tags, input.minimum_session_token_size)?;
    claims.tags.check_keys()?;
    let not_authorized = || Exception::TokenNotAuthorized(ACTION);
    let role = role.ok_or_else(not_authorized)?;
    call.add_resource(role.resource());
    let provider_arn = GlobalArn::iam(role.partition, &role.account, format!("oidc-provider/{}", claims.provider));
    let provider = if claims.is_well_known() { claims.provider.clone() } else { provider_arn.to_string() };
    let principal_id = format!("{provider}:{}:{}", claims.audience, claims.subject);
    call.set_bearer(Caller {
        user_name: Some(claims.subject.clone()),
        identity_provider: Some(provider.clone()),
        ..Caller::of(Kind::WebIdentityUser, role.account.clone(), principal_id.clone(), principal_id)
    });
    let known = identities.providers.open_id(&role.account, &claims.provider, &claims.audience);
    if !claims.is_well_known() && known != ProviderMatch::Full {
        return Err(Exception::InvalidIdentityToken(match known {
            ProviderMatch::Other => "Incorrect token audience".to_owned(),
            _ => format!("No OpenIDConnect provider found in your account for https://{}", claims.provider),
        }));
    }
    call.mark_decided();
    let facts = facts(&claims, &provider, &input.role_session_name);
    let is_trusted = |action| role.trusts_provider(&provider, call, action, &facts);
    if !is_trusted(ACTION)
        || (!claims.tags.tags.is_empty() && !is_trusted("sts:TagSession"))
        || (claims.source_identity.is_some() && !is_trusted("sts:SetSourceIdentity"))
    {
        return Err(not_authorized());
    }
    assume_role::check_duration(&role, seconds)?;
    check_source_identity(claims.source_identity.as_deref().unwrap_or_default())?;
    let context = identities.providers.context(&role.account, &claims.provider);
    let propagated = context
        .map(|context| PropagatedClaims::read(context, &claims.all, &claims.provider, &provider_arn))
        .transpose()?;
    let attributes = if claims.is_well_known() {
        let name = |claim: &str| format!("{}:{claim}", claims.provider);
        vec![(name("aud"), claims.audience.clone()), (name("sub"), claims.subject.clone())]
    } else {
        Vec::new()
    };
    let parameters = SessionParameters {
        session_name: input.role_session_name,
        source_identity: claims.source_identity.clone(),
        transitive_tags: claims.tags.transitive(&BTreeMap::new())?,
        web_identity: Some(WebIdentity { provider: provider.clone(), attributes }),
        origin: propagated.as_ref().map(|propagated| propagated.origin.clone()),
        ..SessionParameters::default()
    };
    let policies = input::session_policies(&input.policy, &input.policy_arns, claims.tags.by_key());
    let policies = SessionPolicies { federated_provider: Some(provider.clone()), ..policies };
    let session = assume_role::session(sts, call, &role, parameters, seconds, packed, policies);
    Ok(Box::new(move |transaction| {
        let mut output = session(transaction)?;
        output.trusted_identity_propagation_context = propagated.as_ref().map(PropagatedClaims::reply);
        for (name, value) in
            [("SubjectFromWebIdentityToken", claims.subject), ("Provider", provider), ("Audience", claims.audience)]
        {
            output.identity.insert(name.to_owned(), Value::String(value));
        }
        Ok(output)
    }))
}

/// Returns the facts about a token that trust policies can ask about: its claims, as `PROVIDER:CLAIM`.
fn facts(claims: &Claims, provider: &str, session_name: &str) -> Facts {
    let tags = claims.tags.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let mut facts = Facts::default();
    for (claim, value) in &claims.all {
        let key = format!("{}:{claim}", claims.provider);
        facts = match value {
            Value::String(text) => facts.with(&key, text.as_str()),
            Value::Number(_) | Value::Bool(_) => facts.with(&key, value.to_string()),
            Value::Array(values) => facts.with_many(&key, values.iter().filter_map(Value::as_str)),
            Value::Null | Value::Object(_) => facts,
        };
    }
    let key = |claim: &str| format!("{}:{claim}", claims.provider);
    let facts = facts
        .with(&key("aud"), claims.audience.as_str())
        .with(&key("sub"), claims.subject.as_str())
        .with("aws:FederatedProvider", provider)
        .with("sts:RoleSessionName", session_name)
        .with_request_tags(tags);
    claims.source_identity.iter().fold(facts, |facts, name| facts.with("sts:SourceIdentity", name.as_str()))
}

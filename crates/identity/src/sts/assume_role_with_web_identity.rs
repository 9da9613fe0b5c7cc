//! `AssumeRoleWithWebIdentity`: a session of a role for somebody whom an OIDC provider vouches for.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::caller::{Kind, WebIdentity};
use aws::operation::Change;
use aws::{Call, Caller, GlobalArn, query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Transaction;

use crate::provider::Known;
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, Terms};
use crate::sts::assume_role::{self, session_name, source_identity};
use crate::sts::context::Propagated;
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
    #[serde(deserialize_with = "query::number")]
    duration_seconds: Option<i64>,
    #[serde(deserialize_with = "query::number")]
    minimum_session_token_size: Option<i64>,
}

pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::arn("roleArn", &input.role_arn)?;
    session_name(&input.role_session_name)?;
    input::required("webIdentityToken", &input.web_identity_token)?;
    input::secret("webIdentityToken", &input.web_identity_token, 4..=20_000)?;
    input::length("providerId", &input.provider_id, 4..=2048)?;
    let seconds = input::seconds(input.duration_seconds, 900..=DURATION_SECONDS_MAX, DURATION_SECONDS)?;
    // What is no ARN of a role is refused before the token is looked at.
    let identities = sts.identities();
    let role = identities.role(&input.role_arn, call.region.partition())?;
    let claims = Claims::read(&input.web_identity_token, &identities.providers.tokens, sts.now())?;
    claims.tags.tell(call);
    let packed = input::packed(&input.policy, &input.policy_arns, &claims.tags.tags, input.minimum_session_token_size)?;
    claims.tags.check_keys()?;
    let not_authorized = || Exception::TokenNotAuthorized(ACTION);
    let role = role.ok_or_else(not_authorized)?;
    call.concerns(role.resource());
    let provider_arn = GlobalArn::iam(role.partition, &role.account, format!("oidc-provider/{}", claims.provider));
    let provider = if claims.is_well_known() { claims.provider.clone() } else { provider_arn.to_string() };
    let principal_id = format!("{provider}:{}:{}", claims.audience, claims.subject);
    call.is_made_by(Caller {
        user_name: Some(claims.subject.clone()),
        identity_provider: Some(provider.clone()),
        ..Caller::of(Kind::WebIdentityUser, role.account.clone(), principal_id.clone(), principal_id)
    });
    let known = identities.providers.open_id(&role.account, &claims.provider, &claims.audience);
    if !claims.is_well_known() && known != Known::Yes {
        return Err(Exception::InvalidIdentityToken(match known {
            Known::ForOthers => "Incorrect token audience".to_owned(),
            _ => format!("No OpenIDConnect provider found in your account for https://{}", claims.provider),
        }));
    }
    if !role.trusts(&[&provider]) {
        return Err(not_authorized());
    }
    assume_role::within(&role, seconds)?;
    source_identity(claims.source_identity.as_deref().unwrap_or_default())?;
    let context = identities.providers.context(&role.account, &claims.provider);
    let propagated =
        context.map(|context| Propagated::read(context, &claims.all, &claims.provider, &provider_arn)).transpose()?;
    let attributes = if claims.is_well_known() {
        let name = |claim: &str| format!("{}:{claim}", claims.provider);
        vec![(name("aud"), claims.audience.clone()), (name("sub"), claims.subject.clone())]
    } else {
        Vec::new()
    };
    let terms = Terms {
        session_name: input.role_session_name,
        source_identity: claims.source_identity.clone(),
        transitive_tags: claims.tags.transitive(&BTreeMap::new())?,
        web_identity: Some(WebIdentity { provider: provider.clone(), attributes }),
        origin: propagated.as_ref().map(|propagated| propagated.origin.clone()),
        ..Terms::default()
    };
    let session = assume_role::session(sts, call, &role, terms, seconds, packed);
    Ok(Box::new(move |transaction| {
        let mut output = session(transaction)?;
        output.trusted_identity_propagation_context = propagated.as_ref().map(Propagated::reply);
        for (name, value) in
            [("SubjectFromWebIdentityToken", claims.subject), ("Provider", provider), ("Audience", claims.audience)]
        {
            output.told.insert(name.to_owned(), Value::String(value));
        }
        Ok(output)
    }))
}

//! `AssumeRoleWithSAML`: a session of a role for the bearer of a SAML assertion.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::caller::Kind;
use aws::operation::Change;
use aws::{Call, Caller, Facts, Resource, query};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::{Digest, Sha1};
use store::Transaction;

use crate::provider::ProviderMatch;
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, IamName, SessionParameters, parse_iam_arn};
use crate::session::SessionPolicies;
use crate::sts::assertion::Assertion;
use crate::sts::assume_role::{self, check_session_name, check_source_identity};
use crate::sts::input::{self, PolicyDescriptor};
use crate::sts::output::Output;
use crate::{Exception, Sts};

const ACTION: &str = "sts:AssumeRoleWithSAML";

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    role_arn: String,
    principal_arn: String,
    #[serde(rename(deserialize = "SAMLAssertion"), skip_serializing)]
    assertion: String,
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
    input::arn("principalArn", &input.principal_arn)?;
    input::required("sAMLAssertion", &input.assertion)?;
    input::secret("sAMLAssertion", &input.assertion, 4..=100_000)?;
    let requested = input::seconds(input.duration_seconds, 900..=DURATION_SECONDS_MAX, DURATION_SECONDS)?;
    // AWS refuses a malformed ARN of a role before it reads the assertion.
    let role = sts.identities().role(&input.role_arn, call.region.partition())?;
    let Some(IamName { partition, account, name: provider }) = parse_iam_arn(&input.principal_arn, "saml-provider")
    else {
        return Err(Exception::InvalidArn(input.principal_arn));
    };
    let assertion = Assertion::read(&input.assertion)?;
    for (name, value) in [("sAMLAssertionID", &assertion.id), ("roleSessionName", &assertion.session_name)] {
        call.add_request_parameter(name, value.as_str().into());
    }
    call.add_request_parameter("sourceIdentity", assertion.source_identity.as_deref().into());
    assertion.tags.record(call);
    let packed =
        input::packed(call, &input.policy, &input.policy_arns, &assertion.tags.tags, input.minimum_session_token_size)?;
    assertion.tags.check_keys()?;
    let qualifier = name_qualifier(&format!("{}{account}/{provider}", assertion.issuer));
    let principal_id = format!("{qualifier}:{}", assertion.subject);
    call.set_bearer(Caller {
        user_name: Some(assertion.subject.clone()),
        identity_provider: Some(qualifier.clone()),
        ..Caller::of(Kind::SamlUser, account.clone(), principal_id.clone(), principal_id)
    });
    let invalid = |text: &str| Err(Exception::InvalidIdentityToken(text.to_owned()));
    match sts.identities().providers.saml(&account, &provider, &assertion.issuer) {
        ProviderMatch::Full => {}
        ProviderMatch::Other => return invalid("Issuer not present in specified provider"),
        ProviderMatch::None => return invalid("Specified provider doesn't exist"),
    }
    if assertion.expires.is_some_and(|expires| expires <= sts.now()) {
        return Err(Exception::ExpiredToken("Token must be redeemed within 5 minutes of issuance".to_owned()));
    }
    if assertion.subject.is_empty() {
        return invalid("NameID is required in AuthnResponse");
    }
    if assertion.session_name.is_empty() {
        return invalid("RoleSessionName is required in AuthnResponse");
    }
    check_session_name(&assertion.session_name)?;
    check_source_identity(assertion.source_identity.as_deref().unwrap_or_default())?;
    let not_authorized = || Exception::TokenNotAuthorized(ACTION);
    let role = role.ok_or_else(not_authorized)?;
    call.add_resource(role.resource());
    let arn = input.principal_arn.clone();
    call.add_resource(Resource { kind: "AWS::IAM::SAMLProvider", arn, account: account.clone() });
    call.mark_decided();
    let facts = facts(&assertion, &qualifier, &input.principal_arn);
    let is_trusted = |action| role.trusts_provider(&input.principal_arn, call, action, &facts);
    if (role.partition, &role.account) != (partition, &account)
        || !is_trusted(ACTION)
        || (!assertion.tags.tags.is_empty() && !is_trusted("sts:TagSession"))
        || (assertion.source_identity.is_some() && !is_trusted("sts:SetSourceIdentity"))
        || !assertion.grants(&input.role_arn, &input.principal_arn)
    {
        return Err(not_authorized());
    }
    let seconds = assertion.duration_seconds.map_or(requested, |seconds| requested.min(seconds.max(900)));
    assume_role::check_duration(&role, seconds)?;
    let parameters = SessionParameters {
        session_name: assertion.session_name.clone(),
        source_identity: assertion.source_identity.clone(),
        transitive_tags: assertion.tags.transitive(&BTreeMap::new())?,
        ..SessionParameters::default()
    };
    let policies = input::session_policies(&input.policy, &input.policy_arns, assertion.tags.by_key());
    let policies = SessionPolicies { federated_provider: Some(input.principal_arn), ..policies };
    let session = assume_role::session(sts, call, &role, parameters, seconds, packed, policies);
    Ok(Box::new(move |transaction| {
        let mut output = session(transaction)?;
        for (name, value) in [
            ("Subject", assertion.subject),
            ("SubjectType", assertion.subject_type),
            ("Issuer", assertion.issuer),
            ("Audience", assertion.audience),
            ("NameQualifier", qualifier),
        ] {
            output.identity.insert(name.to_owned(), Value::String(value));
        }
        Ok(output)
    }))
}

/// Returns the facts about an assertion that trust policies can ask about.
fn facts(assertion: &Assertion, qualifier: &str, provider: &str) -> Facts {
    let tags = assertion.tags.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str()));
    let facts = Facts::default()
        .with("aws:FederatedProvider", provider)
        .with("saml:aud", assertion.audience.as_str())
        .with("saml:iss", assertion.issuer.as_str())
        .with("saml:sub", assertion.subject.as_str())
        .with("saml:sub_type", assertion.subject_type.as_str())
        .with("saml:namequalifier", qualifier)
        .with("sts:RoleSessionName", assertion.session_name.as_str())
        .with_request_tags(tags);
    assertion.source_identity.iter().fold(facts, |facts, name| facts.with("sts:SourceIdentity", name.as_str()))
}

/// Returns the name qualifier of a provider, as AWS defines it: the hash of its issuer, account and name.
fn name_qualifier(names: &str) -> String {
    STANDARD.encode(Sha1::digest(names.as_bytes()))
}

//! `AssumeRoleWithSAML`: a session of a role for somebody whom a SAML provider vouches for.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::caller::Kind;
use aws::operation::Change;
use aws::{Call, Caller, Resource, query};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha1::{Digest, Sha1};
use store::Transaction;

use crate::provider::Known;
use crate::role::{DURATION_SECONDS, DURATION_SECONDS_MAX, IamName, Terms, iam};
use crate::sts::assertion::Assertion;
use crate::sts::assume_role::{self, session_name, source_identity};
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
    input::arn("principalArn", &input.principal_arn)?;
    input::required("sAMLAssertion", &input.assertion)?;
    input::secret("sAMLAssertion", &input.assertion, 4..=100_000)?;
    let wanted = input::seconds(input.duration_seconds, 900..=DURATION_SECONDS_MAX, DURATION_SECONDS)?;
    // What is no ARN of a role is refused before the assertion is looked at.
    let role = sts.identities().role(&input.role_arn, call.region.partition())?;
    let Some(IamName { partition, account, name: provider }) = iam(&input.principal_arn, "saml-provider") else {
        return Err(Exception::InvalidArn(input.principal_arn));
    };
    let told = Assertion::read(&input.assertion)?;
    for (name, said) in [("sAMLAssertionID", &told.id), ("roleSessionName", &told.session_name)] {
        call.is_told(name, said.as_str().into());
    }
    call.is_told("sourceIdentity", told.source_identity.as_deref().into());
    told.tags.tell(call);
    let packed = input::packed(&input.policy, &input.policy_arns, &told.tags.tags, input.minimum_session_token_size)?;
    told.tags.check_keys()?;
    let qualifier = name_qualifier(&format!("{}{account}/{provider}", told.issuer));
    let principal_id = format!("{qualifier}:{}", told.subject);
    call.is_made_by(Caller {
        user_name: Some(told.subject.clone()),
        identity_provider: Some(qualifier.clone()),
        ..Caller::of(Kind::SamlUser, account.clone(), principal_id.clone(), principal_id)
    });
    let invalid = |text: &str| Err(Exception::InvalidIdentityToken(text.to_owned()));
    match sts.identities().providers.saml(&account, &provider, &told.issuer) {
        Known::Yes => {}
        Known::ForOthers => return invalid("Issuer not present in specified provider"),
        Known::No => return invalid("Specified provider doesn't exist"),
    }
    if told.expires.is_some_and(|expires| expires <= sts.now()) {
        return Err(Exception::ExpiredToken("Token must be redeemed within 5 minutes of issuance".to_owned()));
    }
    if told.subject.is_empty() {
        return invalid("NameID is required in AuthnResponse");
    }
    if told.session_name.is_empty() {
        return invalid("RoleSessionName is required in AuthnResponse");
    }
    session_name(&told.session_name)?;
    source_identity(told.source_identity.as_deref().unwrap_or_default())?;
    let not_authorized = || Exception::TokenNotAuthorized(ACTION);
    let role = role.ok_or_else(not_authorized)?;
    call.concerns(role.resource());
    let arn = input.principal_arn.clone();
    call.concerns(Resource { kind: "AWS::IAM::SAMLProvider", arn, account: account.clone() });
    if (role.partition, &role.account) != (partition, &account)
        || !role.trusts(&[&input.principal_arn])
        || !told.gives(&input.role_arn, &input.principal_arn)
    {
        return Err(not_authorized());
    }
    let seconds = told.duration_seconds.map_or(wanted, |told| wanted.min(told.max(900)));
    assume_role::within(&role, seconds)?;
    let terms = Terms {
        session_name: told.session_name.clone(),
        source_identity: told.source_identity.clone(),
        transitive_tags: told.tags.transitive(&BTreeMap::new())?,
        ..Terms::default()
    };
    let session = assume_role::session(sts, call, &role, terms, seconds, packed);
    Ok(Box::new(move |transaction| {
        let mut output = session(transaction)?;
        for (name, value) in [
            ("Subject", told.subject),
            ("SubjectType", told.subject_type),
            ("Issuer", told.issuer),
            ("Audience", told.audience),
            ("NameQualifier", qualifier),
        ] {
            output.told.insert(name.to_owned(), Value::String(value));
        }
        Ok(output)
    }))
}

/// Returns what tells a provider from all others: the hash of its issuer, account and name, as AWS makes it.
fn name_qualifier(names: &str) -> String {
    STANDARD.encode(Sha1::digest(names.as_bytes()))
}

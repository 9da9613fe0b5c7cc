//! `userIdentity`: the members of each kind of caller, in CloudTrail's order.

use aws::Caller;
use aws::caller::{Issuer, Kind, Session};
use serde_json::{Map, Value, json};

use crate::EventVersion;

/// Writes a caller in the form of a version.
pub(super) fn of(caller: &Caller, version: EventVersion) -> Value {
    let mut identity = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            identity.insert(name.to_owned(), value);
        }
    };
    put("type", kind(caller.kind).into());
    if matches!(caller.kind, Kind::AwsService) {
        put("invokedBy", caller.invoked_by.clone().into());
        return Value::Object(identity);
    }
    let is_person = caller.kind == Kind::IdentityCenterUser;
    if !is_person {
        put("principalId", unless_empty(&caller.principal_id));
    }
    match caller.kind {
        Kind::AwsAccount => put("accountId", caller.account_id.as_str().into()),
        Kind::SamlUser | Kind::WebIdentityUser => {
            put("userName", caller.user_name.clone().into());
            put("identityProvider", caller.identity_provider.clone().into());
        }
        _ => {
            if !is_person {
                put("arn", unless_empty(&caller.arn));
            }
            put("accountId", caller.account_id.as_str().into());
            if !is_person {
                put("accessKeyId", caller.access_key_id.clone().into());
                put("userName", caller.user_name.clone().into());
            }
            put("sessionContext", caller.session.as_ref().map_or(Value::Null, |session| context(session, version)));
            let person = caller.on_behalf_of.as_ref();
            let on_behalf_of =
                person.map(|person| json!({ "userId": person.user_id, "identityStoreArn": person.identity_store_arn }));
            put("onBehalfOf", on_behalf_of.unwrap_or_default());
            put("credentialId", caller.credential_id.clone().into());
            put("invokedBy", caller.invoked_by.clone().into());
        }
    }
    Value::Object(identity)
}

/// Returns a text; failed sign-ins have callers of which not everything is known.
fn unless_empty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Root => "Root",
        Kind::IamUser => "IAMUser",
        Kind::AssumedRole => "AssumedRole",
        Kind::FederatedUser => "FederatedUser",
        Kind::AwsAccount => "AWSAccount",
        Kind::AwsService => "AWSService",
        Kind::IdentityCenterUser => "IdentityCenterUser",
        Kind::SamlUser => "SAMLUser",
        Kind::WebIdentityUser => "WebIdentityUser",
    }
}

/// Writes `sessionContext`; version 1.05 begins with the attributes and omits empty members.
fn context(session: &Session, version: EventVersion) -> Value {
    let attributes = json!({
        "creationDate": session.created.iso(),
        "mfaAuthenticated": session.mfa_authenticated.to_string(),
    });
    let mut context = Map::new();
    if version == EventVersion::V1_05 {
        context.insert("attributes".to_owned(), attributes);
        if let Some(role) = &session.issuer {
            context.insert("sessionIssuer".to_owned(), issuer(role));
        }
        if session.web_identity.is_some() {
            context.insert("webIdFederationData".to_owned(), federation(session));
        }
    } else {
        context.insert("sessionIssuer".to_owned(), session.issuer.as_ref().map_or_else(|| json!({}), issuer));
        context.insert("webIdFederationData".to_owned(), federation(session));
        context.insert("attributes".to_owned(), attributes);
    }
    if session.is_assumed_root {
        context.insert("assumedRoot".to_owned(), "true".into());
    }
    if let Some(name) = &session.source_identity {
        context.insert("sourceIdentity".to_owned(), name.as_str().into());
    }
    Value::Object(context)
}

fn issuer(issuer: &Issuer) -> Value {
    let mut written = json!({
        "type": issuer.kind,
        "principalId": issuer.principal_id,
        "arn": issuer.arn,
        "accountId": issuer.account_id,
    });
    if let (Some(name), Value::Object(members)) = (&issuer.user_name, &mut written) {
        members.insert("userName".to_owned(), name.as_str().into());
    }
    written
}

fn federation(session: &Session) -> Value {
    let Some(identity) = &session.web_identity else { return json!({}) };
    let attributes: Map<String, Value> =
        identity.attributes.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({ "federatedProvider": identity.provider, "attributes": attributes })
}

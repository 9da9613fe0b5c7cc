//! `GetWebIdentityToken`: a signed JWT that identifies the caller to other services.

use std::sync::Arc;

use aws::caller::Kind;
use aws::operation::Change;
use aws::{Call, Facts, Timestamp, query};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::Transaction;

use crate::sts::input;
use crate::sts::tags::{self, Tag};
use crate::sts::token_key::{Algorithm, TokenKey};
use crate::{Exception, Sts};

/// The claim with AWS's own claims.
const AWS_CLAIMS: &str = "https://sts.amazonaws.com/";

/// Maximum size of the claims of a token in bytes.
const PAYLOAD_BYTES_MAX: usize = 8_192;

/// Default validity of a token, in seconds.
const DURATION_SECONDS: i64 = 300;

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Input {
    audience: Vec<String>,
    #[serde(deserialize_with = "query::integer")]
    duration_seconds: Option<i64>,
    signing_algorithm: String,
    scope: String,
    subject_mode: String,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    web_identity_token: String,
    expiration: String,
}

pub(crate) fn run(
    sts: &Sts,
    call: &Arc<Call>,
    input: Input,
) -> Result<Change<Transaction, Output, Exception>, Exception> {
    input::count("audience", "audiences", input.audience.len(), 1..=10)?;
    for audience in &input.audience {
        input::required("audience.member", audience)?;
        input::length("audience.member", audience, 1..=1000)?;
    }
    let seconds = input::seconds(input.duration_seconds, 60..=3600, DURATION_SECONDS)?;
    input::required("signingAlgorithm", &input.signing_algorithm)?;
    let algorithm = Algorithm::parse(&input.signing_algorithm)
        .ok_or_else(|| one_of("signingAlgorithm", &input.signing_algorithm, "RS256, ES384"))?;
    let of_origin = match input.subject_mode.as_str() {
        "" | "AWSIdentity" => false,
        "OriginIdentity" => true,
        other => return Err(one_of("subjectMode", other, "AWSIdentity, OriginIdentity")),
    };
    check_scope(&input.scope, of_origin, input.audience.len())?;
    tags::check(&input.tags)?;
    let facts = Facts::default()
        .with_many("sts:IdentityTokenAudience", input.audience.iter().map(String::as_str))
        .with("sts:DurationSeconds", seconds.to_string())
        .with("sts:SigningAlgorithm", input.signing_algorithm.as_str())
        .with_request_tags(input.tags.iter().map(|tag| (tag.key.as_str(), tag.value.as_str())));
    call.allow_action("sts:GetWebIdentityToken", "*", &facts)?;
    let subject = if of_origin { origin(call)? } else { principal(call) };
    let expires = Timestamp::from_millis(call.time.millis() + seconds * 1000);
    let session_ends = session_ends(sts, call)?;
    if session_ends.is_some_and(|ends| expires > ends) {
        return Err(Exception::SessionDurationEscalation);
    }
    let claims = claims(call, input, &subject, of_origin, expires, session_ends);
    let payload = Value::Object(claims).to_string();
    if payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Exception::JwtPayloadSizeExceeded { size: payload.len(), limit: PAYLOAD_BYTES_MAX });
    }
    let key = TokenKey::of(sts.store(), algorithm)?;
    let web_identity_token = key.sign(&payload)?;
    let expiration = expires.iso();
    Ok(Box::new(move |_transaction| Ok(Output { web_identity_token, expiration })))
}

/// Writes the claims in the order of AWS's guide.
fn claims(
    call: &Call,
    input: Input,
    subject: &str,
    of_origin: bool,
    expires: Timestamp,
    session_ends: Option<Timestamp>,
) -> Map<String, Value> {
    let mut own = Map::new();
    own.insert("aws_account".to_owned(), call.caller.account_id.as_str().into());
    own.insert("source_region".to_owned(), call.region.as_str().into());
    own.insert("principal_id".to_owned(), principal(call).into());
    if let Some(ends) = session_ends {
        own.insert("original_session_exp".to_owned(), ends.iso().into());
    }
    if let Some(session) = &call.caller.session {
        if let Some(name) = &session.source_identity {
            own.insert("source_identity".to_owned(), name.as_str().into());
        }
        if let Some(identity) = &session.web_identity {
            own.insert("federated_provider".to_owned(), identity.provider.as_str().into());
        }
        if !session.transitive_tags.is_empty() {
            own.insert("principal_tags".to_owned(), json!(session.transitive_tags));
        }
    }
    if let Some(person) = &call.caller.on_behalf_of {
        own.insert("identity_store_user_id".to_owned(), person.user_id.as_str().into());
        own.insert("identity_store_arn".to_owned(), person.identity_store_arn.as_str().into());
    }
    if !input.tags.is_empty() {
        let tags: Map<String, Value> = input.tags.into_iter().map(|tag| (tag.key, tag.value.into())).collect();
        own.insert("request_tags".to_owned(), tags.into());
    }
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    put("iss", issuer(call).into());
    put("aud", if let [one] = input.audience.as_slice() { one.as_str().into() } else { json!(input.audience) });
    put("sub", subject.into());
    if of_origin {
        put("subject_mode", "OriginIdentity".into());
    }
    put("iat", call.time.millis().div_euclid(1000).into());
    put("exp", expires.millis().div_euclid(1000).into());
    put("jti", call.new_id().into());
    if !input.scope.is_empty() {
        put("scope", input.scope.into());
    }
    put(AWS_CLAIMS, own.into());
    claims
}

/// Returns the URL below which this server publishes the token keys of an account, with the address that the client used.
fn issuer(call: &Call) -> String {
    let host = call.host.as_deref().or_else(|| call.clone_url_base.split('/').nth(2)).unwrap_or_default();
    let scheme = if call.is_secure { "https" } else { "http" };
    format!("{scheme}://{host}/_local/tokens/{}", call.caller.account_id)
}

/// Returns the ARN of the caller, or of the role of a session.
fn principal(call: &Call) -> String {
    let caller = &call.caller;
    let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
    match issuer.filter(|_| caller.kind == Kind::AssumedRole) {
        Some(role) => role.arn.clone(),
        None => caller.arn.clone(),
    }
}

/// Returns the end user of the session's trusted identity propagation context.
fn origin(call: &Call) -> Result<String, Exception> {
    let origin = call.caller.session.as_ref().and_then(|session| session.origin.as_ref());
    let missing = "The trusted identity propagation context of the calling session has no subject.";
    let subject = &origin.ok_or(Exception::Parameters(missing))?.subject;
    let is_arn = subject.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("arn:"));
    let is_forbidden = |letter: char| letter.is_control() || (letter.is_whitespace() && letter != ' ');
    if is_arn || subject.trim_matches(' ') != subject || subject.contains(is_forbidden) {
        let (caller, resource) = (call.caller.arn.clone(), "*".to_owned());
        return Err(Exception::NotAuthorized { caller, action: "sts:GetWebIdentityToken", resource });
    }
    Ok(subject.clone())
}

/// Returns the expiry of the caller's session; access keys of users and roots have none.
fn session_ends(sts: &Sts, call: &Call) -> Result<Option<Timestamp>, Exception> {
    let key = call.caller.access_key_id.as_deref().filter(|_| call.caller.session.is_some());
    Ok(key.map(|key| sts.session(key)).transpose()?.flatten().map(|session| session.expires))
}

/// Refuses an invalid list of scopes, and scopes in an input that may not have any.
fn check_scope(text: &str, of_origin: bool, audiences: usize) -> Result<(), Exception> {
    if text.is_empty() {
        return Ok(());
    }
    input::length("scope", text, 1..=256)?;
    let is_value = |value: &str| {
        !value.is_empty() && value.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !b"\"\\,".contains(&byte))
    };
    let values: Vec<&str> = text.split(' ').collect();
    if !values.iter().all(|value| is_value(value)) {
        let pattern = r"[\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]+( [\x21\x23-\x2B\x2D-\x5B\x5D-\x7E]+)*";
        return Err(input::pattern("scope", text, pattern));
    }
    if values.iter().enumerate().any(|(index, value)| values[..index].contains(value)) {
        return Err(Exception::Parameters("Scope has a value twice."));
    }
    if !of_origin || audiences != 1 {
        return Err(Exception::Parameters(
            "Scope goes with the SubjectMode OriginIdentity and with one audience only.",
        ));
    }
    Ok(())
}

fn one_of(member: &'static str, value: &str, set: &str) -> Exception {
    input::constraint(input::quoted(value), member, &format!("Member must satisfy enum value set: [{set}]"))
}

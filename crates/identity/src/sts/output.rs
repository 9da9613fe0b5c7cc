//! The output of the operations that issue credentials, and its record form.

use aws::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::TokenHash;
use crate::session::{TOKEN_BYTES_MAX, TemporaryCredentials};
use crate::sts::context::PropagationContext;

/// The output of every operation that issues credentials; each operation sets its own members.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) credentials: TemporaryCredentials,
    pub(crate) assumed_role_user: Option<AssumedRoleUser>,
    pub(crate) federated_user: Option<FederatedUser>,
    pub(crate) packed_policy_size: Option<usize>,
    pub(crate) source_identity: Option<String>,
    /// The size of the session token in per cent of the maximum.
    pub(crate) session_token_utilization: usize,
    /// The size of the session token in bytes.
    pub(crate) session_token_size: usize,
    /// The session that `GetScopedCredentials` scoped down.
    pub(crate) session_info: Option<ScopedSession>,
    pub(crate) scoped_policies_count: Option<usize>,
    pub(crate) trusted_identity_propagation_context: Option<PropagationContext>,
    /// The identity of the bearer, from a token or an assertion.
    #[serde(flatten)]
    pub(crate) identity: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AssumedRoleUser {
    pub(crate) assumed_role_id: String,
    pub(crate) arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ScopedSession {
    pub(crate) scoped_session_id: String,
    pub(crate) arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct FederatedUser {
    pub(crate) federated_user_id: String,
    pub(crate) arn: String,
}

impl Output {
    /// Creates an output that contains credentials only.
    pub(crate) fn of(credentials: TemporaryCredentials) -> Self {
        let size = credentials.session_token.len();
        Self {
            credentials,
            session_token_utilization: (size * 100).div_ceil(TOKEN_BYTES_MAX),
            session_token_size: size,
            session_info: None,
            scoped_policies_count: None,
            trusted_identity_propagation_context: None,
            assumed_role_user: None,
            federated_user: None,
            packed_policy_size: None,
            source_identity: None,
            identity: Map::new(),
        }
    }
}

/// Returns the part of an output that records show: no secret, and a hash in place of the session token.
pub(crate) fn recorded(mut output: Value) -> Value {
    if let Value::Object(members) = &mut output {
        members.remove("WebIdentityToken");
        // It identifies the end user, whom records never name.
        members.remove("TrustedIdentityPropagationContext");
        in_medium_form(members, "Expiration");
    }
    if let Some(Value::Object(credentials)) = output.get_mut("Credentials") {
        credentials.remove("SecretAccessKey");
        if let Some(Value::String(token)) = credentials.get_mut("SessionToken") {
            *token = TokenHash::of(token).text();
        }
        in_medium_form(credentials, "Expiration");
    }
    output
}

/// Rewrites a time into the form of records.
fn in_medium_form(members: &mut Map<String, Value>, name: &str) {
    if let Some(Value::String(time)) = members.get_mut(name)
        && let Some(read) = Timestamp::from_iso(time)
    {
        *time = read.medium();
    }
}

//! What STS answers, and what of it a record shows.

use aws::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::TokenHash;
use crate::session::{Credentials, TOKEN_BYTES_MAX};
use crate::sts::context::PropagationContext;

/// The answer of every operation that gives credentials; members that an operation does not have are not there.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) credentials: Credentials,
    pub(crate) assumed_role_user: Option<AssumedRoleUser>,
    pub(crate) federated_user: Option<FederatedUser>,
    pub(crate) packed_policy_size: Option<usize>,
    pub(crate) source_identity: Option<String>,
    /// How many per cent of the largest token the session's token has.
    pub(crate) session_token_utilization: usize,
    /// How many bytes the session's token has.
    pub(crate) session_token_size: usize,
    /// The session that `GetScopedCredentials` scoped down.
    pub(crate) session_info: Option<ScopedSession>,
    pub(crate) scoped_policies_count: Option<usize>,
    pub(crate) trusted_identity_propagation_context: Option<PropagationContext>,
    /// What a token or an assertion said.
    #[serde(flatten)]
    pub(crate) told: Map<String, Value>,
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
    /// Answers with credentials and nothing else.
    pub(crate) fn of(credentials: Credentials) -> Self {
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
            told: Map::new(),
        }
    }
}

/// Returns what a record shows of an answer: no secret, and in place of the session token a text that is of no use.
pub(crate) fn shown(mut output: Value) -> Value {
    if let Value::Object(members) = &mut output {
        members.remove("WebIdentityToken");
        // It tells of the end user, who stands in no log.
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

/// Writes a member that is a time as records have it.
fn in_medium_form(members: &mut Map<String, Value>, name: &str) {
    if let Some(Value::String(time)) = members.get_mut(name)
        && let Some(read) = Timestamp::from_iso(time)
    {
        *time = read.medium();
    }
}

//! What STS answers, and what of it a record shows.

use aws::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::TokenHash;
use crate::session::Credentials;

/// The answer of every operation that gives credentials; members that an operation does not have are not there.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Output {
    pub(crate) credentials: Credentials,
    pub(crate) assumed_role_user: Option<AssumedRoleUser>,
    pub(crate) federated_user: Option<FederatedUser>,
    pub(crate) packed_policy_size: Option<usize>,
    pub(crate) source_identity: Option<String>,
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
pub(crate) struct FederatedUser {
    pub(crate) federated_user_id: String,
    pub(crate) arn: String,
}

impl Output {
    /// Answers with credentials and nothing else.
    pub(crate) fn of(credentials: Credentials) -> Self {
        Self {
            credentials,
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
    if let Some(Value::Object(credentials)) = output.get_mut("Credentials") {
        credentials.remove("SecretAccessKey");
        if let Some(Value::String(token)) = credentials.get_mut("SessionToken") {
            *token = TokenHash::of(token).text();
        }
        if let Some(Value::String(time)) = credentials.get_mut("Expiration")
            && let Some(expiration) = Timestamp::from_iso(time)
        {
            *time = expiration.medium();
        }
    }
    output
}

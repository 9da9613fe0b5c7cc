//! The table of the operations of STS.

use std::sync::LazyLock;

use aws::Operation;
use serde_json::Value;
use store::Transaction;

use super::{
    NAMESPACE, Sts, assume_role, assume_role_with_saml, assume_role_with_web_identity, assume_root,
    decode_authorization_message, get_access_key_info, get_caller_identity, get_delegated_access_token,
    get_federation_token, get_scoped_credentials, get_session_token, get_web_identity_token, output,
};

type Row = Operation<Sts, Transaction>;

static OPERATIONS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    vec![
        Row::query("AssumeRole", NAMESPACE, assume_role::run, output::recorded),
        Row::query("AssumeRoleWithSAML", NAMESPACE, assume_role_with_saml::run, output::recorded),
        Row::query("AssumeRoleWithWebIdentity", NAMESPACE, assume_role_with_web_identity::run, output::recorded),
        Row::query("AssumeRoot", NAMESPACE, assume_root::run, output::recorded),
        Row::query("DecodeAuthorizationMessage", NAMESPACE, decode_authorization_message::run, |_output| Value::Null),
        Row::query("GetAccessKeyInfo", NAMESPACE, get_access_key_info::run, |_output| Value::Null),
        Row::query("GetCallerIdentity", NAMESPACE, get_caller_identity::run, |_output| Value::Null),
        Row::query("GetDelegatedAccessToken", NAMESPACE, get_delegated_access_token::run, |_output| Value::Null),
        Row::query("GetFederationToken", NAMESPACE, get_federation_token::run, output::recorded),
        Row::query("GetScopedCredentials", NAMESPACE, get_scoped_credentials::run, output::recorded),
        Row::query("GetSessionToken", NAMESPACE, get_session_token::run, output::recorded),
        Row::query("GetWebIdentityToken", NAMESPACE, get_web_identity_token::run, output::recorded),
    ]
});

/// Lists the operations.
pub(super) fn all() -> &'static [Row] {
    &OPERATIONS
}

/// Finds an operation by name.
pub(super) fn find(name: &str) -> Option<&'static Row> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

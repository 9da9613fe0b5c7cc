//! The TOML form of the identities file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default, rename = "account")]
    pub(super) accounts: Vec<Account>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) struct Account {
    pub(super) id: Spanned<String>,
    /// The alias of the account, which records of its root show.
    pub(super) alias: Option<String>,
    pub(super) root: Option<Root>,
    #[serde(default, rename = "user")]
    pub(super) users: Vec<User>,
    #[serde(default, rename = "group")]
    pub(super) groups: Vec<Group>,
    #[serde(default, rename = "policy")]
    pub(super) policies: Vec<DeclaredPolicy>,
    #[serde(default, rename = "role")]
    pub(super) roles: Vec<DeclaredRole>,
    #[serde(default, rename = "service")]
    pub(super) services: Vec<Service>,
    #[serde(default, rename = "person")]
    pub(super) persons: Vec<Person>,
    #[serde(default, rename = "oidc_provider")]
    pub(super) oidc_providers: Vec<DeclaredOpenIdProvider>,
    #[serde(default, rename = "saml_provider")]
    pub(super) saml_providers: Vec<DeclaredSamlProvider>,
    #[serde(default, rename = "web_identity")]
    pub(super) web_identities: Vec<WebIdentity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Root {
    pub(super) access_keys: Vec<Spanned<DeclaredKey>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: Spanned<String>,
    pub(super) principal_id: Option<String>,
    #[serde(default)]
    pub(super) access_keys: Vec<Spanned<DeclaredKey>>,
    #[serde(default)]
    pub(super) git_user_names: Vec<Spanned<String>>,
    /// Static credentials of Git over HTTP.
    #[serde(default)]
    pub(super) git_credentials: Vec<DeclaredGitCredential>,
    #[serde(default)]
    pub(super) ssh_public_keys: Vec<DeclaredSshKey>,
    /// The path, with a slash at both ends.
    pub(super) path: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<DeclaredHeldPolicy>>,
    /// Names of groups of the account.
    #[serde(default)]
    pub(super) groups: Vec<Spanned<String>>,
    /// The permissions boundary: the name or the ARN of a managed policy.
    pub(super) boundary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// Whether this user is the caller of requests without credentials.
    #[serde(default)]
    pub(super) default: bool,
}

/// An access key: its id, or its id and its secret.
#[derive(Deserialize)]
#[serde(untagged, expecting = "write an access key as \"ID\", or as { id = \"ID\", secret = \"SECRET\" }")]
pub(super) enum DeclaredKey {
    Id(String),
    WithSecret(KeyWithSecret),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyWithSecret {
    pub(super) id: String,
    pub(super) secret: String,
}

impl DeclaredKey {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) | Self::WithSecret(KeyWithSecret { id, .. }) => id,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredGitCredential {
    /// `NAME-at-ACCOUNT` if it is left out.
    pub(super) user_name: Option<Spanned<String>>,
    pub(super) password: Spanned<String>,
}

/// An SSH public key and its id, which is the login name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredSshKey {
    pub(super) id: Spanned<String>,
    /// The line of a file such as `id_rsa.pub`.
    pub(super) key: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredRole {
    pub(super) name: Spanned<String>,
    /// The path, with a slash at both ends.
    pub(super) path: Option<Spanned<String>>,
    pub(super) principal_id: Option<String>,
    /// In seconds.
    pub(super) max_session_duration: Option<Spanned<i64>>,
    /// ARNs, accounts, services and providers that may assume the role; without it and a trust policy everyone may.
    pub(super) trusts: Option<Vec<String>>,
    /// The document of the trust policy.
    pub(super) trust_policy: Option<Spanned<String>>,
    /// The path of a file with the trust policy.
    pub(super) trust_policy_file: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<DeclaredHeldPolicy>>,
    /// The permissions boundary: the name or the ARN of a managed policy.
    pub(super) boundary: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) policies: Vec<Spanned<DeclaredHeldPolicy>>,
}

/// A managed policy of the account.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredPolicy {
    pub(super) name: Spanned<String>,
    /// The path, with a slash at both ends.
    pub(super) path: Option<Spanned<String>>,
    pub(super) document: Option<Spanned<String>>,
    /// The path of a file with the document, relative to the folder of the identities file.
    pub(super) file: Option<Spanned<String>>,
}

/// A policy of a user, group or role: the name or the ARN of a managed policy, or an inline policy.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "write a policy as \"NAME\", or as { name = \"NAME\", document = '''DOCUMENT''' } or { name = \"NAME\", file = \"PATH\" }"
)]
pub(super) enum DeclaredHeldPolicy {
    Managed(String),
    Inline(DeclaredInlinePolicy),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredInlinePolicy {
    pub(super) name: String,
    pub(super) document: Option<String>,
    /// The path of a file with the document, relative to the folder of the identities file.
    pub(super) file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) name: Spanned<String>,
    pub(super) access_keys: Vec<Spanned<DeclaredKey>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) user_id: String,
    pub(super) identity_store_arn: String,
    pub(super) credential_id: Option<String>,
    pub(super) access_keys: Vec<Spanned<DeclaredKey>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredOpenIdProvider {
    pub(super) url: String,
    #[serde(default)]
    pub(super) client_ids: Vec<String>,
    pub(super) context: Option<DeclaredContext>,
}

/// The context provider of an identity provider: the claims that it propagates.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredContext {
    pub(super) subject: String,
    #[serde(default)]
    pub(super) subject_type: SubjectType,
    #[serde(default)]
    pub(super) transaction: Vec<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SubjectType {
    #[default]
    User,
    Workload,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredSamlProvider {
    pub(super) name: String,
    pub(super) issuer: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebIdentity {
    pub(super) token: String,
    pub(super) provider: String,
    pub(super) subject: String,
    pub(super) audience: String,
}

//! Callers of operations, of each kind that CloudTrail distinguishes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, GlobalArn, Partition, Timestamp};

/// The kind of an identity: `userIdentity.type` of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    IamUser,
    /// A session of a role.
    AssumedRole,
    /// A session that a user or the root created with `GetFederationToken`.
    FederatedUser,
    /// A caller of another account, in the records of the resource owner.
    AwsAccount,
    /// A service that acts on its own behalf.
    AwsService,
    /// A user of IAM Identity Center.
    IdentityCenterUser,
    /// The bearer of a SAML assertion who assumes a role; in records of STS only.
    SamlUser,
    /// The bearer of a web identity token who assumes a role; in records of STS only.
    WebIdentityUser,
}

/// The caller of an operation.
///
/// Every caller has an ARN, a principal id and an account; the kind decides which of them its records show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The kind of identity.
    pub kind: Kind,
    /// The unique id, such as `AIDACKCEVSQ6C2EXAMPLE`; for sessions `AROA...:SESSION_NAME`.
    pub principal_id: String,
    /// The ARN of the identity; for a service its name, such as `codepipeline.amazonaws.com`.
    pub arn: String,
    /// The account of the identity, or the one that a service acts in.
    pub account_id: AccountId,
    /// The access key of the call, if it has one.
    pub access_key_id: Option<String>,
    /// The name of a user; the session of a role has none.
    pub user_name: Option<String>,
    /// The origin of temporary credentials.
    pub session: Option<Session>,
    /// The service that calls, for the identity or on its own behalf.
    pub invoked_by: Option<String>,
    /// The user of IAM Identity Center on whose behalf the identity calls.
    pub on_behalf_of: Option<OnBehalfOf>,
    /// The id of the credential of a user of IAM Identity Center.
    pub credential_id: Option<String>,
    /// The identity provider of a SAML or web identity.
    pub identity_provider: Option<String>,
}

/// The session of temporary credentials: `sessionContext` of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The identity that the session was issued from; `None` for temporary credentials of the user or the root itself.
    pub issuer: Option<Issuer>,
    /// The web identity that assumed the role.
    pub web_identity: Option<WebIdentity>,
    /// The time of issue of the credentials.
    pub created: Timestamp,
    /// Whether the request for them had a second factor.
    pub mfa_authenticated: bool,
    /// The name that was set with `SourceIdentity`; it is kept in role chains.
    pub source_identity: Option<String>,
    /// The transitive session tags by key; they are kept in role chains.
    #[serde(default)]
    pub transitive_tags: BTreeMap<String, String>,
    /// The number of scope-down policies that `GetScopedCredentials` added.
    #[serde(default)]
    pub scoped_policies: usize,
    /// Whether `AssumeRoot` created the session.
    #[serde(default)]
    pub is_assumed_root: bool,
    /// The end user of the session's trusted identity propagation context.
    #[serde(default)]
    pub origin: Option<OriginIdentity>,
}

/// The end user of a trusted identity propagation context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginIdentity {
    /// The end user's identifier.
    pub subject: String,
    /// `user` or `workload`.
    pub subject_type: String,
    /// The issuer of the token: a URL without its scheme.
    pub issuer: String,
    /// The ARN of the identity provider of the federated request.
    pub federated_provider_arn: String,
}

/// The role, user or root that a session was issued from: `sessionIssuer` of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// `Role`, `IAMUser` or `Root`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The unique id, such as `AROA...`.
    pub principal_id: String,
    /// The IAM ARN, including the path.
    pub arn: String,
    /// The account of the issuer.
    pub account_id: AccountId,
    /// The name of the role or user; the root has none.
    pub user_name: Option<String>,
}

/// A web identity: `webIdFederationData` of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebIdentity {
    /// The identity provider, such as `arn:aws:iam::111122223333:oidc-provider/example.com`.
    pub provider: String,
    /// Claims such as `example.com:sub`, with their values.
    pub attributes: Vec<(String, String)>,
}

/// A user of IAM Identity Center: `onBehalfOf` of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnBehalfOf {
    /// The id of the user in the identity store.
    pub user_id: String,
    /// The ARN of the identity store.
    pub identity_store_arn: String,
}

impl Session {
    /// Creates a session that has a time of issue only.
    pub const fn new(created: Timestamp) -> Self {
        Self {
            issuer: None,
            web_identity: None,
            created,
            mfa_authenticated: false,
            source_identity: None,
            transitive_tags: BTreeMap::new(),
            scoped_policies: 0,
            is_assumed_root: false,
            origin: None,
        }
    }
}

impl Caller {
    /// Creates the caller for an IAM user, in the partition `aws`.
    pub fn iam_user(
        account_id: AccountId,
        user_name: &str,
        principal_id: String,
        access_key_id: Option<String>,
    ) -> Self {
        let arn = GlobalArn::iam(Partition::Aws, &account_id, format!("user/{user_name}")).to_string();
        Self {
            access_key_id,
            user_name: Some(user_name.to_owned()),
            ..Self::of(Kind::IamUser, account_id, arn, principal_id)
        }
    }

    /// Creates the caller for the root of an account, in the partition `aws`; `alias` is the alias of the account.
    pub fn root(account_id: AccountId, access_key_id: Option<String>, alias: Option<String>) -> Self {
        let arn = GlobalArn::iam(Partition::Aws, &account_id, "root").to_string();
        let principal_id = account_id.to_string();
        Self { access_key_id, user_name: alias, ..Self::of(Kind::Root, account_id, arn, principal_id) }
    }

    /// Returns the caller with its ARNs in a partition.
    #[must_use]
    pub fn in_partition(mut self, partition: Partition) -> Self {
        let moved = |arn: &str| GlobalArn::parse(arn).map(|arn| GlobalArn { partition, ..arn }.to_string());
        self.arn = moved(&self.arn).unwrap_or(self.arn);
        if let Some(person) = &mut self.on_behalf_of
            && let Some(arn) = moved(&person.identity_store_arn)
        {
            person.identity_store_arn = arn;
        }
        self
    }

    /// Creates the caller for a service that acts on its own behalf in an account.
    pub fn service(account_id: AccountId, name: &str) -> Self {
        let caller = Self::of(Kind::AwsService, account_id, name.to_owned(), name.to_owned());
        Self { invoked_by: Some(name.to_owned()), ..caller }
    }

    /// Creates the cross-account view of a caller, for the records of the resource owner.
    pub fn other_account(caller: &Self) -> Self {
        Self {
            invoked_by: caller.invoked_by.clone(),
            ..Self::of(Kind::AwsAccount, caller.account_id.clone(), caller.arn.clone(), caller.principal_id.clone())
        }
    }

    /// Creates a caller with the properties that every caller has.
    pub const fn of(kind: Kind, account_id: AccountId, arn: String, principal_id: String) -> Self {
        Self {
            kind,
            principal_id,
            arn,
            account_id,
            access_key_id: None,
            user_name: None,
            session: None,
            invoked_by: None,
            on_behalf_of: None,
            credential_id: None,
            identity_provider: None,
        }
    }

    /// Returns the name in event history: of the user or the session, or `root`; services and other accounts have none.
    pub fn name(&self) -> Option<&str> {
        match self.kind {
            Kind::Root => Some("root"),
            Kind::AssumedRole | Kind::FederatedUser => self.arn.rsplit('/').next(),
            Kind::AwsAccount | Kind::AwsService => None,
            Kind::IamUser | Kind::IdentityCenterUser | Kind::SamlUser | Kind::WebIdentityUser => {
                self.user_name.as_deref()
            }
        }
    }
}

//! Who makes a call, of every kind that CloudTrail tells apart.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, GlobalArn, Partition, Timestamp};

/// The kind of an identity, a record's `userIdentity.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The account itself.
    Root,
    /// A user of IAM.
    IamUser,
    /// A session of a role.
    AssumedRole,
    /// A session that a user or the root gave to somebody else with `GetFederationToken`.
    FederatedUser,
    /// Somebody of another account, as the owner of the resource sees it.
    AwsAccount,
    /// A service that acts by itself.
    AwsService,
    /// A person of IAM Identity Center.
    IdentityCenterUser,
    /// Somebody who shows a SAML assertion for a role's session; on STS records only.
    SamlUser,
    /// Somebody who shows a web identity token for a role's session; on STS records only.
    WebIdentityUser,
}

/// The caller of an operation.
///
/// Every caller has an ARN, a principal id and an account to go by inside the program; which of them a record shows depends on the kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The kind of identity.
    pub kind: Kind,
    /// The unique id, such as `AIDACKCEVSQ6C2EXAMPLE`; for sessions `AROA...:SESSION_NAME`.
    pub principal_id: String,
    /// The ARN of the identity; for services their name, such as `codepipeline.amazonaws.com`.
    pub arn: String,
    /// The account that the identity belongs to or acts in.
    pub account_id: AccountId,
    /// The access key that the call was made with; `None` where none was given.
    pub access_key_id: Option<String>,
    /// The name of a user; sessions of roles have none.
    pub user_name: Option<String>,
    /// What temporary credentials tell of how they came about.
    pub session: Option<Session>,
    /// The service through which the identity calls, or which calls by itself.
    pub invoked_by: Option<String>,
    /// The person of IAM Identity Center on whose behalf the identity calls.
    pub on_behalf_of: Option<OnBehalfOf>,
    /// The id of the credential that a person of IAM Identity Center calls with.
    pub credential_id: Option<String>,
    /// Who vouches for a SAML or web identity.
    pub identity_provider: Option<String>,
}

/// A record's `sessionContext`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What the session was issued from; `None` for the temporary credentials of a user or of the root itself.
    pub issuer: Option<Issuer>,
    /// The web identity for which a role's session was given.
    pub web_identity: Option<WebIdentity>,
    /// When the credentials were issued.
    pub created: Timestamp,
    /// Whether a second factor was shown for them.
    pub mfa_authenticated: bool,
    /// The name that was set with `SourceIdentity` and stays through further roles.
    pub source_identity: Option<String>,
    /// The session tags that stay through further roles, by key.
    #[serde(default)]
    pub transitive_tags: BTreeMap<String, String>,
    /// How many scope-down policies `GetScopedCredentials` put on the session.
    #[serde(default)]
    pub scoped_policies: usize,
    /// Whether the session is one that `AssumeRoot` gave of another account's root.
    #[serde(default)]
    pub is_assumed_root: bool,
    /// The end user on whose behalf the session acts, as a trusted identity propagation context tells.
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
    /// Who issued the token, without the scheme of its URL.
    pub issuer: String,
    /// The ARN of the identity provider that the request federated through.
    pub federated_provider_arn: String,
}

/// A record's `sessionIssuer`: the role, user or root that a session stems from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// `Role`, `IAMUser` or `Root`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The unique id, such as `AROA...`.
    pub principal_id: String,
    /// The IAM ARN, with the path.
    pub arn: String,
    /// The account of the issuer.
    pub account_id: AccountId,
    /// The name of the role or user; the root has none.
    pub user_name: Option<String>,
}

/// A record's `webIdFederationData`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebIdentity {
    /// Who vouches for the identity, such as `arn:aws:iam::111122223333:oidc-provider/example.com`.
    pub provider: String,
    /// Claims such as `example.com:sub`, with their values.
    pub attributes: Vec<(String, String)>,
}

/// A record's `onBehalfOf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnBehalfOf {
    /// The person's id in the identity store.
    pub user_id: String,
    /// The ARN of the identity store.
    pub identity_store_arn: String,
}

impl Session {
    /// Makes a session that was created at a time, and of which nothing else is known.
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
    /// Makes the caller that an IAM user is, in the partition `aws`.
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

    /// Makes the caller that the root of an account is, in the partition `aws`; `alias` is the account's, if it has one.
    pub fn root(account_id: AccountId, access_key_id: Option<String>, alias: Option<String>) -> Self {
        let arn = GlobalArn::iam(Partition::Aws, &account_id, "root").to_string();
        let principal_id = account_id.to_string();
        Self { access_key_id, user_name: alias, ..Self::of(Kind::Root, account_id, arn, principal_id) }
    }

    /// Moves a caller into a partition: its ARNs are then of that one.
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

    /// Makes the caller that a service is which acts by itself in an account.
    pub fn service(account_id: AccountId, name: &str) -> Self {
        let own = Self::of(Kind::AwsService, account_id, name.to_owned(), name.to_owned());
        Self { invoked_by: Some(name.to_owned()), ..own }
    }

    /// Makes the caller that the owner of a resource sees of somebody of another account.
    pub fn other_account(caller: &Self) -> Self {
        Self {
            invoked_by: caller.invoked_by.clone(),
            ..Self::of(Kind::AwsAccount, caller.account_id.clone(), caller.arn.clone(), caller.principal_id.clone())
        }
    }

    /// Makes a caller of what every caller has.
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

    /// Returns the name that event history goes by: the user's, the session's, or `root`; services and other accounts have none.
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

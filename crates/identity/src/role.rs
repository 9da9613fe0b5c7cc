//! Roles: those of the identities file, and those that nobody declared.

use std::collections::BTreeMap;

use aws::caller::{Issuer, Kind, OnBehalfOf, OriginIdentity, Session, WebIdentity};
use aws::{AccountId, Caller, GlobalArn, Partition, Resource, Timestamp};

use crate::{Exception, Identities, principal_id};

/// How long a session may be of a role whose file does not say it, in seconds: as on AWS.
pub(crate) const DURATION_SECONDS: i64 = 3600;

/// How long a session of any role may be, in seconds.
pub(crate) const DURATION_SECONDS_MAX: i64 = 43_200;

/// A role that can be assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    /// The partition that the role was asked for in.
    pub(crate) partition: Partition,
    /// The IAM ARN, with the path.
    pub(crate) arn: String,
    pub(crate) principal_id: String,
    pub(crate) duration_seconds_max: i64,
    /// Who may assume it; `None` is everyone.
    pub(crate) trusts: Option<Vec<String>>,
}

/// What a session of a role has of its own.
#[derive(Default)]
pub(crate) struct Terms {
    pub(crate) session_name: String,
    pub(crate) mfa_authenticated: bool,
    pub(crate) source_identity: Option<String>,
    /// The session tags that further roles inherit.
    pub(crate) transitive_tags: BTreeMap<String, String>,
    pub(crate) web_identity: Option<WebIdentity>,
    /// The service that assumes the role.
    pub(crate) invoked_by: Option<String>,
    /// The person of IAM Identity Center who assumes it.
    pub(crate) on_behalf_of: Option<OnBehalfOf>,
    /// The end user of a trusted identity propagation context.
    pub(crate) origin: Option<OriginIdentity>,
}

impl Role {
    /// Says whether the role trusts somebody of these names: ARNs of any partition, an account, a service, a provider.
    pub(crate) fn trusts(&self, names: &[&str]) -> bool {
        let Some(trusted) = &self.trusts else { return true };
        let is_named = |trusted: &str| names.iter().any(|name| GlobalArn::is_same_but_for_partition(trusted, name));
        trusted.iter().any(|trusted| trusted == "*" || is_named(trusted))
    }

    /// Says whether the role trusts a caller, by its own ARN, its account, or the role or user that it comes from.
    pub(crate) fn trusts_caller(&self, caller: &Caller) -> bool {
        let account = &caller.account_id;
        let root = GlobalArn::iam(self.partition, account, "root").to_string();
        let mut names = vec![caller.arn.as_str()];
        if caller.kind != Kind::AwsService {
            names.extend([account.as_str(), &root]);
        }
        let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
        names.extend(issuer.map(|issuer| issuer.arn.as_str()));
        self.trusts(&names)
    }

    /// Returns the ARN and the unique id that a session of the role goes by.
    pub(crate) fn session_names(&self, session_name: &str) -> (String, String) {
        let Self { account, name, principal_id, partition, .. } = self;
        let arn = GlobalArn::sts(*partition, account, format!("assumed-role/{name}/{session_name}"));
        (arn.to_string(), format!("{principal_id}:{session_name}"))
    }

    /// Makes the caller that a session of the role is.
    pub(crate) fn session(&self, terms: Terms, created: Timestamp) -> Caller {
        let (arn, session_id) = self.session_names(&terms.session_name);
        let issuer = Issuer {
            kind: "Role".to_owned(),
            principal_id: self.principal_id.clone(),
            arn: self.arn.clone(),
            account_id: self.account.clone(),
            user_name: Some(self.name.clone()),
        };
        let session = Session {
            issuer: Some(issuer),
            web_identity: terms.web_identity,
            mfa_authenticated: terms.mfa_authenticated,
            source_identity: terms.source_identity,
            transitive_tags: terms.transitive_tags,
            origin: terms.origin,
            ..Session::new(created)
        };
        Caller {
            session: Some(session),
            invoked_by: terms.invoked_by,
            on_behalf_of: terms.on_behalf_of,
            ..Caller::of(Kind::AssumedRole, self.account.clone(), arn, session_id)
        }
    }

    /// Returns the role as a record's resource.
    pub(crate) fn resource(&self) -> Resource {
        Resource { kind: "AWS::IAM::Role", arn: self.arn.clone(), account: self.account.clone() }
    }
}

impl Identities {
    /// Finds the role of an ARN; an account that declares none has any that is asked for.
    ///
    /// There are no roles of other partitions than the one that the request is for.
    pub(crate) fn role(&self, arn: &str, partition: Partition) -> Result<Option<Role>, Exception> {
        let named = iam(arn, "role").ok_or_else(|| Exception::InvalidArn(arn.to_owned()))?;
        if named.partition != partition {
            return Ok(None);
        }
        let arn = arn.to_owned();
        if let Some(declared) = self.roles.get(&named.account) {
            let found = declared.iter().find(|role| GlobalArn::is_same_but_for_partition(&role.arn, &arn));
            return Ok(found.map(|role| Role { partition, arn, ..role.clone() }));
        }
        let IamName { account, name, .. } = named;
        let principal_id = principal_id("AROA", &account, &name);
        let duration_seconds_max = DURATION_SECONDS_MAX;
        Ok(Some(Role { account, name, partition, arn, principal_id, duration_seconds_max, trusts: None }))
    }
}

/// What an ARN of IAM names.
pub(crate) struct IamName {
    pub(crate) partition: Partition,
    pub(crate) account: AccountId,
    /// The name without its path.
    pub(crate) name: String,
}

/// The length of the name of a role or a provider, in characters.
const NAME_MAX: usize = 128;

/// Reads `arn:PARTITION:iam::ACCOUNT:KIND/[PATH/]NAME`.
pub(crate) fn iam(arn: &str, kind: &str) -> Option<IamName> {
    let arn = GlobalArn::parse(arn).filter(|arn| arn.service == "iam")?;
    let path = arn.resource.strip_prefix(kind)?.strip_prefix('/')?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_sound = |name: &str| (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_name_byte);
    let sound = path.bytes().all(|byte| byte.is_ascii_graphic()) && is_sound(name);
    sound.then_some(IamName { partition: arn.partition, account: arn.account?, name: name.to_owned() })
}

/// Says whether names of IAM can have a byte.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)
}

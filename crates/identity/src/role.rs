//! Roles: the declared ones of the identities file, and any others in accounts that declare none.

use std::collections::BTreeMap;

use aws::caller::{Issuer, Kind, OnBehalfOf, OriginIdentity, Session, WebIdentity};
use aws::{AccountId, Caller, GlobalArn, Partition, Resource, Timestamp};

use crate::{Exception, Identities, principal_id};

/// Default maximum session duration of a role, in seconds; as on AWS.
pub(crate) const DURATION_SECONDS: i64 = 3600;

/// Largest maximum session duration of a role, in seconds.
pub(crate) const DURATION_SECONDS_MAX: i64 = 43_200;

/// A role that can be assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    /// The partition of the request.
    pub(crate) partition: Partition,
    /// The IAM ARN, including the path.
    pub(crate) arn: String,
    pub(crate) principal_id: String,
    pub(crate) duration_seconds_max: i64,
    /// The identities that may assume the role; `None` stands for everyone.
    pub(crate) trusts: Option<Vec<String>>,
}

/// The properties of a session that its role does not determine.
#[derive(Default)]
pub(crate) struct SessionParameters {
    pub(crate) session_name: String,
    pub(crate) mfa_authenticated: bool,
    pub(crate) source_identity: Option<String>,
    /// The session tags that role chains inherit.
    pub(crate) transitive_tags: BTreeMap<String, String>,
    pub(crate) web_identity: Option<WebIdentity>,
    /// The service that assumes the role.
    pub(crate) invoked_by: Option<String>,
    /// The user of IAM Identity Center who assumes the role.
    pub(crate) on_behalf_of: Option<OnBehalfOf>,
    /// The end user of a trusted identity propagation context.
    pub(crate) origin: Option<OriginIdentity>,
}

impl Role {
    /// Returns whether the role trusts one of these names: ARNs of any partition, accounts, services or providers.
    pub(crate) fn trusts(&self, names: &[&str]) -> bool {
        let Some(trusted) = &self.trusts else { return true };
        let is_named = |trusted: &str| names.iter().any(|name| GlobalArn::is_same_except_partition(trusted, name));
        trusted.iter().any(|trusted| trusted == "*" || is_named(trusted))
    }

    /// Returns whether the role trusts a caller by its ARN, by its account, or by the role or user of its session.
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

    /// Returns the ARN and the unique id of a session of the role.
    pub(crate) fn session_names(&self, session_name: &str) -> (String, String) {
        let Self { account, name, principal_id, partition, .. } = self;
        let arn = GlobalArn::sts(*partition, account, format!("assumed-role/{name}/{session_name}"));
        (arn.to_string(), format!("{principal_id}:{session_name}"))
    }

    /// Creates the caller for a session of the role.
    pub(crate) fn session(&self, parameters: SessionParameters, created: Timestamp) -> Caller {
        let (arn, session_id) = self.session_names(&parameters.session_name);
        let issuer = Issuer {
            kind: "Role".to_owned(),
            principal_id: self.principal_id.clone(),
            arn: self.arn.clone(),
            account_id: self.account.clone(),
            user_name: Some(self.name.clone()),
        };
        let session = Session {
            issuer: Some(issuer),
            web_identity: parameters.web_identity,
            mfa_authenticated: parameters.mfa_authenticated,
            source_identity: parameters.source_identity,
            transitive_tags: parameters.transitive_tags,
            origin: parameters.origin,
            ..Session::new(created)
        };
        Caller {
            session: Some(session),
            invoked_by: parameters.invoked_by,
            on_behalf_of: parameters.on_behalf_of,
            ..Caller::of(Kind::AssumedRole, self.account.clone(), arn, session_id)
        }
    }

    /// Returns the role as a resource of a record.
    pub(crate) fn resource(&self) -> Resource {
        Resource { kind: "AWS::IAM::Role", arn: self.arn.clone(), account: self.account.clone() }
    }
}

impl Identities {
    /// Finds the role of an ARN; an account that declares no roles has every role.
    ///
    /// Only roles in the partition of the request exist.
    pub(crate) fn role(&self, arn: &str, partition: Partition) -> Result<Option<Role>, Exception> {
        let named = parse_iam_arn(arn, "role").ok_or_else(|| Exception::InvalidArn(arn.to_owned()))?;
        if named.partition != partition {
            return Ok(None);
        }
        let arn = arn.to_owned();
        if let Some(declared) = self.roles.get(&named.account) {
            let found = declared.iter().find(|role| GlobalArn::is_same_except_partition(&role.arn, &arn));
            return Ok(found.map(|role| Role { partition, arn, ..role.clone() }));
        }
        let IamName { account, name, .. } = named;
        let principal_id = principal_id("AROA", &account, &name);
        let duration_seconds_max = DURATION_SECONDS_MAX;
        Ok(Some(Role { account, name, partition, arn, principal_id, duration_seconds_max, trusts: None }))
    }
}

/// The parts of an IAM ARN.
pub(crate) struct IamName {
    pub(crate) partition: Partition,
    pub(crate) account: AccountId,
    /// The name without its path.
    pub(crate) name: String,
}

/// Maximum length of the name of a role or a provider, in characters.
const NAME_MAX: usize = 128;

/// Parses `arn:PARTITION:iam::ACCOUNT:KIND/[PATH/]NAME`.
pub(crate) fn parse_iam_arn(arn: &str, kind: &str) -> Option<IamName> {
    let arn = GlobalArn::parse(arn).filter(|arn| arn.service == "iam")?;
    let path = arn.resource.strip_prefix(kind)?.strip_prefix('/')?;
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_name = |name: &str| (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_name_byte);
    let is_valid = path.bytes().all(|byte| byte.is_ascii_graphic()) && is_name(name);
    is_valid.then_some(IamName { partition: arn.partition, account: arn.account?, name: name.to_owned() })
}

/// Returns whether a byte can occur in a name of IAM.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)
}

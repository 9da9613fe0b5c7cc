//! Roles: the declared ones of the identities file, and any others in accounts that declare none.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::call::CallContext;
use aws::caller::{Issuer, Kind, OnBehalfOf, OriginIdentity, Session, WebIdentity};
use aws::{AccountId, Call, Caller, Facts, GlobalArn, Partition, Permission, Resource, ResourcePolicy, Timestamp};
use policy::{Principal, Trust, TrustPolicy};

use crate::context_facts::ContextFacts;
use crate::{Exception, Identities, principal_id};

/// Default maximum session duration of a role, in seconds; as on AWS.
pub(crate) const DURATION_SECONDS: i64 = 3600;

/// Largest maximum session duration of a role, in seconds.
pub(crate) const DURATION_SECONDS_MAX: i64 = 43_200;

/// A role that can be assumed.
#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    /// The partition of the request.
    pub(crate) partition: Partition,
    /// The IAM ARN, including the path.
    pub(crate) arn: String,
    pub(crate) principal_id: String,
    pub(crate) duration_seconds_max: i64,
    pub(crate) trusts: Trusts,
}

/// The identities that may assume a role.
#[derive(Clone, Debug)]
pub(crate) enum Trusts {
    /// Everyone, if its own policies allow it.
    Everyone,
    /// ARNs, accounts, services and providers; `*` names everyone.
    Names(Vec<String>),
    /// Those that a trust policy allows.
    Policy(Arc<TrustPolicy>),
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
    /// Returns how the role trusts the caller of a call to perform an action of STS on it; `None` if it does not.
    ///
    /// A caller is named by its ARN, by its account, or by the role or user of its session.
    pub(crate) fn trust_in_caller(&self, call: &Call, action: &str, facts: &Facts) -> Option<ResourcePolicy> {
        let caller = &call.caller;
        let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
        let of_aws = caller.clone().in_partition(Partition::Aws);
        let mut names = vec![caller.arn.as_str(), &of_aws.arn, &caller.principal_id];
        names.extend(issuer.into_iter().flat_map(|issuer| [issuer.arn.as_str(), &issuer.principal_id]));
        let root = GlobalArn::iam(self.partition, &caller.account_id, "root").to_string();
        let is_service = caller.kind == Kind::AwsService;
        match &self.trusts {
            Trusts::Everyone => Some(ResourcePolicy::AllowsAccount),
            Trusts::Names(trusted) if is_trusted(trusted, &names) => Some(ResourcePolicy::AllowsPrincipal),
            Trusts::Names(trusted) if !is_service && is_trusted(trusted, &[caller.account_id.as_str(), &root]) => {
                Some(ResourcePolicy::AllowsAccount)
            }
            Trusts::Names(_) => None,
            Trusts::Policy(policy) if is_service => {
                self.decide(policy, &Principal::Service(&caller.arn), call, action, facts)
            }
            Trusts::Policy(policy) => {
                let principal = Principal::Aws { account: caller.account_id.as_str(), names: &names };
                self.decide(policy, &principal, call, action, facts)
            }
        }
    }

    /// Returns whether the role trusts an identity provider, an ARN or a domain, to perform an action of STS on it.
    pub(crate) fn trusts_provider(&self, provider: &str, call: &Call, action: &str, facts: &Facts) -> bool {
        match &self.trusts {
            Trusts::Everyone => true,
            Trusts::Names(trusted) => is_trusted(trusted, &[provider]),
            Trusts::Policy(policy) => {
                self.decide(policy, &Principal::Federated(provider), call, action, facts).is_some()
            }
        }
    }

    fn decide(
        &self,
        policy: &TrustPolicy,
        principal: &Principal<'_>,
        call: &Call,
        action: &str,
        facts: &Facts,
    ) -> Option<ResourcePolicy> {
        let none = Facts::default();
        let permission = Permission { action, resource: &self.arn, resource_policy: ResourcePolicy::None, facts };
        let context = CallContext::new(call, &permission, &none);
        let facts = ContextFacts(&context);
        match policy.decide(&policy::Request::new(action, &self.arn, &facts), principal)? {
            Trust::Denied => None,
            Trust::Account => Some(ResourcePolicy::AllowsAccount),
            Trust::Principal => Some(ResourcePolicy::AllowsPrincipal),
        }
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

/// Returns whether a list trusts one of these names, with ARNs of any partition.
fn is_trusted(trusted: &[String], names: &[&str]) -> bool {
    let is_named = |trusted: &str| names.iter().any(|name| GlobalArn::is_same_except_partition(trusted, name));
    trusted.iter().any(|trusted| trusted == "*" || is_named(trusted))
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
            return Ok(found.map(|role| Role { partition, arn, ..Role::clone(role) }));
        }
        let IamName { account, name, .. } = named;
        let principal_id = principal_id("AROA", &account, &name);
        let duration_seconds_max = DURATION_SECONDS_MAX;
        Ok(Some(Role { account, name, partition, arn, principal_id, duration_seconds_max, trusts: Trusts::Everyone }))
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

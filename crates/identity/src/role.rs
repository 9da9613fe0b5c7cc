//! Roles: those of the identities file, and those that nobody declared.

use std::collections::BTreeMap;

use aws::caller::{Issuer, Kind, OnBehalfOf, Session, WebIdentity};
use aws::{AccountId, Caller, Resource, Timestamp};

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
}

impl Role {
    /// Says whether the role trusts somebody of these names: ARNs, an account, a service, a provider.
    pub(crate) fn trusts(&self, names: &[&str]) -> bool {
        let Some(trusted) = &self.trusts else { return true };
        trusted.iter().any(|it| it == "*" || names.contains(&it.as_str()))
    }

    /// Says whether the role trusts a caller, by its own ARN, its account, or the role or user that it comes from.
    pub(crate) fn trusts_caller(&self, caller: &Caller) -> bool {
        let account = &caller.account_id;
        let root = format!("arn:aws:iam::{account}:root");
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
        let Self { account, name, principal_id, .. } = self;
        let partition = self.arn.split(':').nth(1).unwrap_or("aws");
        let arn = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}");
        (arn, format!("{principal_id}:{session_name}"))
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
            created,
            mfa_authenticated: terms.mfa_authenticated,
            source_identity: terms.source_identity,
            transitive_tags: terms.transitive_tags,
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
    pub(crate) fn role(&self, arn: &str) -> Result<Option<Role>, Exception> {
        let invalid = || Exception::InvalidArn(arn.to_owned());
        let (account, name) = iam(arn, "role").ok_or_else(invalid)?;
        if let Some(declared) = self.roles.get(&account) {
            return Ok(declared.iter().find(|role| role.arn == arn).cloned());
        }
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let principal_id = principal_id("AROA", &account, &name);
        let duration_seconds_max = DURATION_SECONDS_MAX;
        Ok(Some(Role { account, name, arn: arn.to_owned(), principal_id, duration_seconds_max, trusts: None }))
    }
}

/// Reads `arn:PARTITION:iam::ACCOUNT:KIND/NAME`, the name with its path.
pub(crate) fn iam(arn: &str, kind: &str) -> Option<(AccountId, String)> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = parts.as_slice() else { return None };
    let name = resource.strip_prefix(kind)?.strip_prefix('/')?;
    let allowed = |letter: char| letter.is_ascii_graphic();
    let sound = partition.starts_with("aws") && !name.ends_with('/') && !name.is_empty() && name.chars().all(allowed);
    sound.then_some((account.parse().ok()?, name.to_owned()))
}

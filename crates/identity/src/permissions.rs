//! The permissions of a caller: combines the policies of its user or role with those of its session.

mod cache;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::caller::Kind;
use aws::permission::{self, Request};
use aws::{Authority, Caller, Denial, Permission, ResourcePolicy};
use policy::{Cause, Decision, Document, Grants, PolicyKind, PolicySet};

pub(crate) use self::cache::PermissionCache;
use crate::context_facts::ContextFacts;
use crate::principal::{PrincipalGrants, PrincipalKind};
use crate::session::{self, SessionPolicies};
use crate::{Access, Identities, ManagedPolicy, Sts};

/// The permissions of a caller.
#[derive(Debug)]
pub(crate) struct Permissions {
    account: String,
    /// The policies of the caller, and the same with each of the policies that `GetScopedCredentials` added; all must allow.
    grants: Vec<Grants>,
    /// The tags of the user or role, and those of the session.
    tags: BTreeMap<String, String>,
    federated_provider: Option<String>,
}

impl Sts {
    /// Returns the authority that decides about the permissions of a caller in an access mode.
    ///
    /// It decides in the same way until the end of the call, whatever changes in the meantime. Services may do everything.
    pub fn authority(&self, access: Access, caller: &Caller) -> Result<Arc<dyn Authority>, store::Error> {
        if access != Access::Enforced || caller.kind == Kind::AwsService {
            return Ok(permission::everything());
        }
        Ok(self.permissions(caller)?)
    }

    fn permissions(&self, caller: &Caller) -> Result<Arc<Permissions>, store::Error> {
        let identities = self.identities();
        let key = if caller.session.is_some() { caller.access_key_id.as_deref() } else { None };
        let key = key.unwrap_or(&caller.arn);
        if let Some(permissions) = identities.permissions.caller(key) {
            return Ok(permissions);
        }
        let policies = match caller.session {
            // A session without stored policies, such as one of an earlier version of this program, has no permissions.
            Some(_) => Some(session::policies(self.store(), key)?.unwrap_or_else(SessionPolicies::nothing)),
            None => None,
        };
        let permissions = Arc::new(Permissions::new(&identities, caller, policies));
        identities.permissions.insert_caller(key, Arc::clone(&permissions));
        Ok(permissions)
    }
}

impl Permissions {
    /// Combines the policies of a caller; `session` has those of temporary credentials.
    fn new(identities: &Identities, caller: &Caller, session: Option<SessionPolicies>) -> Self {
        let principal = principal_grants(identities, caller);
        let session = session.unwrap_or_default();
        let find = |arn: &String| identities.principals.managed(arn);
        let attached = session.policy_arns.iter().filter_map(find);
        let set = Arc::new(PolicySet::new(attached.chain(session.policy.as_deref().and_then(parse))));
        // Without session policies a federated user has no permissions.
        let is_restricted = session.is_restricted() || caller.kind == Kind::FederatedUser;
        let identity = Arc::clone(&principal.identity);
        let grants = Grants { identity, boundary: principal.boundary.clone(), session: is_restricted.then_some(set) };
        let scoped =
            |scope: &String| Grants { session: Some(Arc::new(PolicySet::new(parse(scope)))), ..grants.clone() };
        let mut all: Vec<Grants> = session.scopes.iter().map(scoped).collect();
        all.insert(0, grants);
        let mut tags = principal.tags.clone();
        tags.retain(|key, _| !session.tags.keys().any(|other| other.to_lowercase() == key.to_lowercase()));
        tags.extend(session.tags);
        let account = caller.account_id.to_string();
        Self { account, grants: all, tags, federated_provider: session.federated_provider }
    }

    /// Decides by the policies of the caller alone; an explicit deny comes before the lack of an allowing statement.
    fn decide_by_policies(&self, permission: &Permission<'_>, facts: &ContextFacts<'_>) -> Option<policy::Denial> {
        let request = policy::Request::new(permission.action, permission.resource, facts);
        let denials = self.grants.iter().filter_map(|grants| match grants.decide(&request) {
            Decision::Allowed => None,
            Decision::Denied(denial) => Some(denial),
        });
        denials.min_by_key(|denial| denial.cause == Cause::ImplicitDeny)
    }
}

impl Authority for Permissions {
    fn decide(&self, request: &Request<'_>) -> Result<(), Denial> {
        let Request { permission, context } = request;
        let caller = context.caller();
        let Permission { action, resource, .. } = permission;
        // `*` would match an action without a name.
        if action.is_empty() {
            return Err(Denial::implicit(&caller.arn, action, resource));
        }
        let is_own = context.resource_account() == self.account;
        let denial = match self.decide_by_policies(permission, &ContextFacts(*context)) {
            Some(policy::Denial { cause: Cause::ImplicitDeny, .. })
                if is_own && permission.resource_policy == ResourcePolicy::AllowsPrincipal =>
            {
                None
            }
            None if !is_own && permission.resource_policy == ResourcePolicy::None => {
                Some(policy::Denial { cause: Cause::ImplicitDeny, kind: PolicyKind::Resource })
            }
            denial => denial,
        };
        denial.map_or(Ok(()), |denial| {
            let message = denial.message(&caller.arn, action, resource);
            Err(Denial { message })
        })
    }

    fn mentions(&self, prefix: &str) -> bool {
        self.grants.iter().any(|grants| grants.mentions(prefix))
    }

    fn deny_everywhere(&self, action: &str, caller: &Caller) -> Option<Denial> {
        let denial = self.grants.iter().find_map(|grants| grants.deny_everywhere(action))?;
        Some(Denial { message: denial.message(&caller.arn, action, "*") })
    }

    fn principal_tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn federated_provider(&self) -> Option<&str> {
        self.federated_provider.as_deref()
    }
}

/// Returns the policies of the user or role of a caller. The root may do everything in its account.
fn principal_grants(identities: &Identities, caller: &Caller) -> Arc<PrincipalGrants> {
    let issuer = caller.session.as_ref().and_then(|session| session.issuer.as_ref());
    let (kind, account, name, id) = match (caller.kind, issuer) {
        (Kind::Root, _) => return root_grants(identities),
        (Kind::FederatedUser, Some(issuer)) if issuer.kind == "Root" => return root_grants(identities),
        (Kind::IamUser, _) => {
            (PrincipalKind::User, &caller.account_id, caller.user_name.as_deref(), &caller.principal_id)
        }
        (Kind::FederatedUser, Some(issuer)) => {
            (PrincipalKind::User, &issuer.account_id, issuer.user_name.as_deref(), &issuer.principal_id)
        }
        (Kind::AssumedRole, Some(issuer)) => {
            (PrincipalKind::Role, &issuer.account_id, issuer.user_name.as_deref(), &issuer.principal_id)
        }
        _ => return Arc::default(),
    };
    let Some(name) = name else { return Arc::default() };
    let build = || identities.principals.grants(kind, account, name, id);
    identities.permissions.principal(&format!("{kind:?} {account} {} {id}", name.to_lowercase()), build)
}

fn root_grants(identities: &Identities) -> Arc<PrincipalGrants> {
    let everything = "arn:aws:iam::aws:policy/AdministratorAccess";
    identities.permissions.principal("root", || {
        let document = ManagedPolicy::find(everything).map(|managed| Arc::new(managed.parse()));
        PrincipalGrants { identity: Arc::new(PolicySet::new(document)), ..PrincipalGrants::default() }
    })
}

/// Parses the policy of a session. A malformed one allows nothing.
fn parse(text: &str) -> Option<Arc<Document>> {
    let parsed = Document::parse(text);
    parsed.inspect_err(|error| tracing::warn!(%error, "a malformed session policy allows nothing")).ok().map(Arc::new)
}

#[cfg(test)]
pub(crate) mod tests;

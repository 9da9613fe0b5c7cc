//! The combination of a caller's policies into a decision.

use std::fmt;
use std::sync::Arc;

use crate::policy_set::PolicySet;
use crate::request::Request;
use crate::statement::Effect;

/// The policies that apply to a caller.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    /// The policies of a user with its groups, or of a role.
    pub identity: Arc<PolicySet>,
    /// The permissions boundary of the user or role.
    pub boundary: Option<Arc<PolicySet>>,
    /// The session policies. A federated user without session policies has an empty set, which allows nothing.
    pub session: Option<Arc<PolicySet>>,
}

/// Whether a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is.
    Allowed,
    /// It is not.
    Denied(Denial),
}

/// Why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// What denies it.
    pub cause: Cause,
    /// The kind of the policies that deny it.
    pub kind: PolicyKind,
}

/// What denies a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

/// A kind of policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// Policies of users, groups and roles.
    Identity,
    /// The permissions boundary of a user or role.
    Boundary,
    /// Policies of a session.
    Session,
    /// Policies of a resource; a trust policy is that of its role.
    Resource,
}

impl Grants {
    /// Decides about a request.
    ///
    /// An explicit deny in any policy denies. Otherwise the identity policies, the boundary and the session policies must all allow it,
    /// as far as there are any. Of several reasons, the first in this order is returned.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let effects = self.sets().map(|(kind, set)| set.map(|set| (kind, set.decide(request))));
        let deny = |cause, effect| {
            let denying = effects.iter().flatten().find(|(_, decided)| *decided == effect);
            denying.map(|(kind, _)| Decision::Denied(Denial { cause, kind: *kind }))
        };
        let explicit = deny(Cause::ExplicitDeny, Some(Effect::Deny));
        explicit.or_else(|| deny(Cause::ImplicitDeny, None)).unwrap_or(Decision::Allowed)
    }

    /// Returns the denial of an action that the policies allow on no resource, whatever the facts.
    pub fn deny_everywhere(&self, action: &str) -> Option<Denial> {
        let denying = self.sets().into_iter().find(|(_, set)| set.is_some_and(|set| !set.allows_somewhere(action)));
        denying.map(|(kind, _)| Denial { cause: Cause::ImplicitDeny, kind })
    }

    /// Returns whether a policy refers to a context key that begins with a text, such as `aws:ResourceTag/`.
    pub fn mentions(&self, prefix: &str) -> bool {
        self.sets().into_iter().any(|(_, set)| set.is_some_and(|set| set.keys().mentions(prefix)))
    }

    fn sets(&self) -> [(PolicyKind, Option<&PolicySet>); 3] {
        [
            (PolicyKind::Identity, Some(&self.identity)),
            (PolicyKind::Boundary, self.boundary.as_deref()),
            (PolicyKind::Session, self.session.as_deref()),
        ]
    }
}

impl Denial {
    /// Returns the message of AWS's `AccessDenied`. A resource `*` is left out, as AWS does.
    pub fn message(self, caller_arn: &str, action: &str, resource: &str) -> String {
        let on_resource = if resource == "*" { String::new() } else { format!(" on resource: {resource}") };
        let kind = self.kind;
        let reason = match self.cause {
            Cause::ExplicitDeny => format!("with an explicit deny in {} {kind}", kind.article()),
            Cause::ImplicitDeny => format!("because no {kind} allows the {action} action"),
        };
        format!("User: {caller_arn} is not authorized to perform: {action}{on_resource} {reason}")
    }
}

impl PolicyKind {
    fn article(self) -> &'static str {
        if self == Self::Identity { "an" } else { "a" }
    }
}

impl fmt::Display for PolicyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Identity => "identity-based policy",
            Self::Boundary => "permissions boundary",
            Self::Session => "session policy",
            Self::Resource => "resource-based policy",
        })
    }
}

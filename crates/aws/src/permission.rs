//! Permissions: requests for them, the facts about a request, and the authority that decides.
//!
//! A service requests a permission with [`Call::allow`](crate::Call::allow). The call adds the global context keys, and its [`Authority`]
//! decides. **Invariant:** a context key with a value of the operation has that value; the global keys do not replace it.

mod facts;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Debug};
use std::sync::{Arc, LazyLock};

pub use self::facts::{FactValue, Facts};
use crate::{Caller, Failure};

/// The context key of the reference that an operation changes, in lower case.
pub const REFERENCES: &str = "codecommit:references";

/// The prefix of the context keys of the tags of a resource.
pub const RESOURCE_TAG: &str = "aws:ResourceTag/";

/// Decides about the permissions of one caller.
pub trait Authority: Debug + Send + Sync {
    /// Decides about a request of the caller.
    fn decide(&self, request: &Request<'_>) -> Result<(), Denial>;

    /// Returns whether a decision can depend on a context key that begins with a text, such as `aws:ResourceTag/`.
    ///
    /// A service looks up facts that cost a query only if this is so.
    fn mentions(&self, prefix: &str) -> bool;

    /// Returns the denial of an action that the caller may perform on no resource at all, whatever the facts.
    fn deny_everywhere(&self, action: &str, caller: &Caller) -> Option<Denial>;

    /// Returns whether policies decide; without them, everything is allowed.
    fn has_policies(&self) -> bool {
        true
    }

    /// Returns the principal tags: those of the user or role and those of the session.
    fn principal_tags(&self) -> &BTreeMap<String, String>;

    /// Returns the identity provider through which the caller assumed its role.
    fn federated_provider(&self) -> Option<&str> {
        None
    }
}

/// A permission that an operation needs.
#[derive(Clone, Copy, Debug)]
pub struct Permission<'p> {
    /// The action, such as `codecommit:GitPush`.
    pub action: &'p str,
    /// The ARN of the resource, or `*` for an action on no particular resource.
    pub resource: &'p str,
    /// The decision of the resource's own policy.
    pub resource_policy: ResourcePolicy,
    /// The facts that the operation knows.
    pub facts: &'p Facts,
}

/// A permission, with the call that needs it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The permission.
    pub permission: &'r Permission<'r>,
    /// The values of the context keys, and the caller.
    pub context: &'r dyn Context,
}

/// The values of the context keys of a request.
pub trait Context: Debug {
    /// Returns the caller: that of the token in the input, or the signer.
    fn caller(&self) -> &Caller;

    /// Returns the account that owns the resource: that of its ARN, or else that of the call.
    fn resource_account(&self) -> &str;

    /// Returns the value of a context key in lower case, or `None` if the request does not have it.
    fn value(&self, key: &str) -> Option<FactValue<'_>>;
}

/// The decision of a resource's own policy, such as the trust policy of a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResourcePolicy {
    /// There is none: callers of other accounts are denied, and the caller's policies decide about the others.
    #[default]
    None,
    /// It allows the request for the account of the caller, whose policies must allow it as well.
    AllowsAccount,
    /// It allows the request for the caller itself. Within the account of the resource only an explicit deny denies it then.
    AllowsPrincipal,
}

/// A denied permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The message, in AWS's words.
    pub message: String,
}

impl Denial {
    /// The error code in records, and on the wire of AWS query and S3.
    pub const CODE: &str = "AccessDenied";

    /// Creates the denial of an action that nothing allows, without a reason.
    pub fn implicit(caller_arn: &str, action: &str, resource: &str) -> Self {
        let on_resource = if resource == "*" { String::new() } else { format!(" on resource: {resource}") };
        let message = format!("User: {caller_arn} is not authorized to perform: {action}{on_resource}");
        Self { message }
    }

    /// Removes the resource from the message, for callers who must not learn which resource an id belongs to.
    #[must_use]
    pub fn hiding(mut self, resource: &str) -> Self {
        self.message = self.message.replacen(&format!(" on resource: {resource}"), "", 1);
        self
    }

    /// Returns the failure of services that use AWS JSON: `AccessDeniedException`, recorded as `AccessDenied`.
    pub fn json(self) -> Failure {
        Failure { recorded_as: Some(Self::CODE), ..Failure::client("AccessDeniedException", self.message) }
    }

    /// Returns the failure of services that use AWS query, and of S3.
    pub fn query(self) -> Failure {
        Failure { status: 403, ..Failure::client(Self::CODE, self.message) }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Denial {}

/// Returns the action of an operation, such as `codecommit:GetBranch`; `event_source` is that of the records of its service.
pub fn action(event_source: &str, operation: &str) -> String {
    let service = event_source.strip_suffix(".amazonaws.com").unwrap_or(event_source);
    let prefix = if service == "tagging" { "tag" } else { service };
    format!("{prefix}:{operation}")
}

/// Allows everything.
#[derive(Debug)]
struct Everything;

impl Authority for Everything {
    fn decide(&self, _: &Request<'_>) -> Result<(), Denial> {
        Ok(())
    }

    fn mentions(&self, _: &str) -> bool {
        false
    }

    fn deny_everywhere(&self, _: &str, _: &Caller) -> Option<Denial> {
        None
    }

    fn has_policies(&self) -> bool {
        false
    }

    fn principal_tags(&self) -> &BTreeMap<String, String> {
        const { &BTreeMap::new() }
    }
}

/// Returns the authority that allows everything, for access modes without policies and for services.
pub fn everything() -> Arc<dyn Authority> {
    static EVERYTHING: LazyLock<Arc<dyn Authority>> = LazyLock::new(|| Arc::new(Everything));
    Arc::clone(&EVERYTHING)
}

#[cfg(test)]
mod tests;

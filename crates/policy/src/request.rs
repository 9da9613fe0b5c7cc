//! Requests, about which policies decide.

use std::fmt;

use crate::facts::Facts;

/// A request: an action on a resource, and the facts about it.
pub struct Request<'r> {
    /// The action in lower case, as actions compare without case.
    pub(crate) action: String,
    pub(crate) resource: &'r str,
    pub(crate) facts: &'r dyn Facts,
}

impl<'r> Request<'r> {
    /// Creates a request.
    ///
    /// The action is `service:Name`, in any case. The resource is an ARN, or `*` for an action on no particular resource, which only the
    /// pattern `*` matches.
    pub fn new(action: &str, resource: &'r str, facts: &'r dyn Facts) -> Self {
        Self { action: action.to_ascii_lowercase(), resource, facts }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Request");
        fields.field("action", &self.action).field("resource", &self.resource).finish_non_exhaustive()
    }
}

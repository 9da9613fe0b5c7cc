//! The services that speak AWS query: AWS STS and AWS IAM. Nothing else lists them.

use std::sync::Arc;

use aws::operation::Reply;
use aws::{Call, Failure};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use identity::{Iam, SignatureScope, Sts};
use trail::Recording;

use crate::headers;
use crate::state::State;

const STS: trail::Source =
    trail::Source { event_source: identity::EVENT_SOURCE, api_version: Some(identity::API_VERSION) };

const IAM: trail::Source =
    trail::Source { event_source: identity::iam::EVENT_SOURCE, api_version: Some(identity::iam::API_VERSION) };

/// A service that speaks AWS query.
pub(crate) struct QueryService {
    /// The service's names in the scope of signatures.
    pub(crate) signing_names: &'static [&'static str],
    /// `Version` of its forms.
    pub(crate) api_version: &'static str,
    /// The XML namespace of its replies.
    pub(crate) namespace: &'static str,
    /// Whether its resources belong to no region: its calls are recorded in the region of global services of the partition.
    pub(crate) is_global: bool,
    /// The operations that take requests without credentials: a token of an identity provider tells who calls.
    pub(crate) unsigned: &'static [&'static str],
    /// Whether the service has an operation of a name.
    has: fn(&str) -> bool,
    begin: Begin,
}

/// Begins the operation of a name and its record; `None` if the service has no such operation.
type Begin = fn(&State, &str, &Arc<Call>, Result<&[u8], Failure>) -> Option<Recording<Result<Reply, Failure>>>;

/// The first service is that of a request that names none.
static SERVICES: [QueryService; 2] = [
    QueryService {
        signing_names: &["sts"],
        api_version: identity::API_VERSION,
        namespace: identity::NAMESPACE,
        is_global: false,
        unsigned: &["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"],
        has: |name| Sts::operation(name).is_some(),
        begin: |state, name, call, body| Some(state.trail.begin(STS, Sts::operation(name)?, &state.sts, call, body)),
    },
    QueryService {
        signing_names: &["iam"],
        api_version: identity::iam::API_VERSION,
        namespace: identity::iam::NAMESPACE,
        is_global: true,
        unsigned: &[],
        has: |name| Iam::operation(name).is_some(),
        begin: |state, name, call, body| Some(state.trail.begin(IAM, Iam::operation(name)?, &state.iam, call, body)),
    },
];

impl QueryService {
    /// Finds the service of a request: by the scope of its signature, else by the version of its form, else by its action.
    pub(crate) fn of(head: &Parts, form: &[u8], action: Option<&str>) -> &'static Self {
        let parameter = |name: &str, text: &[u8]| {
            form_urlencoded::parse(text).find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        let in_url = || parameter("X-Amz-Credential", head.uri.query().unwrap_or_default().as_bytes());
        let in_header = || {
            let authorization = headers::text(&head.headers, &AUTHORIZATION)?;
            SignatureScope::from_authorization(&authorization)
        };
        let scope = in_header().or_else(|| SignatureScope::parse(&in_url()?));
        let of_scope = scope.and_then(|scope| Self::find(|service| service.signing_names.contains(&&*scope.service)));
        let of_version = || {
            let version = parameter("Version", form)?;
            Self::find(|service| service.api_version == version)
        };
        let of_action = || action.and_then(|action| Self::find(|service| (service.has)(action)));
        of_scope.or_else(of_version).or_else(of_action).unwrap_or(&SERVICES[0])
    }

    fn find(is_wanted: impl Fn(&Self) -> bool) -> Option<&'static Self> {
        SERVICES.iter().find(|service| is_wanted(service))
    }

    /// Begins an operation and its record; `None` if there is no operation of that name.
    pub(crate) fn begin(
        &self,
        state: &State,
        name: &str,
        call: &Arc<Call>,
        body: Result<&[u8], Failure>,
    ) -> Option<Recording<Result<Reply, Failure>>> {
        (self.begin)(state, name, call, body)
    }
}

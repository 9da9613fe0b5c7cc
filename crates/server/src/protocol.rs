//! Which operation of which service a request asks for, and how that service speaks.

use std::borrow::Cow;

use aws::{Failure, query, xml};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;

use crate::headers;
use crate::services::Service;
use crate::state::State;

pub(crate) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const FORM: &str = "application/x-www-form-urlencoded";

/// What a request asks for.
pub(crate) enum RequestedOperation {
    /// An operation of a service that speaks AWS JSON: `PREFIX.NAME`, if it is named.
    Json(Option<String>),
    /// An operation of a service that speaks AWS query, if it is named.
    Query(Option<String>),
}

impl RequestedOperation {
    /// Reads a request: without a target, a form is AWS query.
    pub(crate) fn read(head: &Parts, form: &[u8]) -> Self {
        let target = headers::text(&head.headers, &TARGET);
        if target.is_none() && (head.method == Method::GET || is_form(&head.headers)) {
            return Self::Query(query::action(form));
        }
        Self::Json(target)
    }

    /// The name of the operation, for the log.
    pub(crate) fn operation(&self) -> &str {
        match self {
            Self::Json(target) => target.as_deref().and_then(|target| target.rsplit('.').next()),
            Self::Query(action) => action.as_deref(),
        }
        .unwrap_or("-")
    }

    /// The media type of the replies.
    pub(crate) const fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/x-amz-json-1.1",
            Self::Query(_) => "text/xml",
        }
    }

    /// Writes a failure as the service does.
    pub(crate) fn failure(&self, failure: &Failure, request_id: &str) -> Bytes {
        match self {
            Self::Json(target) => {
                let service = target.as_deref().and_then(Service::of_target);
                failure.to_json(service.map_or("message", |(service, _)| service.message_member))
            }
            Self::Query(_) => xml::failure(failure, identity::NAMESPACE, request_id),
        }
        .into()
    }

    /// Makes the failure of a request for what is no operation.
    ///
    /// It has no name that a record could carry; AWS records no such calls either.
    pub(crate) fn unknown(&self) -> Failure {
        let message: Cow<'_, str> = match self {
            Self::Json(Some(target)) => format!(
                "{target} is not an operation of AWS CodeCommit, AWS CloudTrail or the Resource Groups Tagging API."
            )
            .into(),
            Self::Json(None) => {
                format!("The X-Amz-Target header is missing; write {}.Operation.", codecommit::TARGET_PREFIX).into()
            }
            Self::Query(Some(action)) => {
                let message = format!("Could not find operation {action} for version {}", identity::API_VERSION);
                return Failure::client("InvalidAction", message);
            }
            Self::Query(None) => {
                return Failure::client("MissingAction", "The form has no Action.");
            }
        };
        Failure::client("UnknownOperationException", message)
    }
}

/// Says whether a GET of the root is AWS query's, as old clients send it.
pub(crate) fn is_query(head: &Parts) -> bool {
    head.method == Method::GET && head.uri.query().is_some_and(|it| query::action(it.as_bytes()).is_some())
}

/// How many bytes the body of a request can have: forms are small, whatever the settings say.
pub(crate) fn body_bytes_max(state: &State, head: &Parts) -> u64 {
    let bytes_max = state.settings.body_bytes_max;
    let for_query = head.headers.get(&TARGET).is_none() && is_form(&head.headers);
    if for_query { bytes_max.min(query::FORM_BYTES_MAX) } else { bytes_max }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers::text(headers, &CONTENT_TYPE).is_some_and(|it| it.split(';').next().is_some_and(|it| it.trim() == FORM))
}

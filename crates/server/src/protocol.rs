//! Identifies the service, protocol and operation of a request.

use std::borrow::Cow;

use aws::{Failure, query, xml};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use identity::signature::Protocol;

use crate::headers;
use crate::query_service::QueryService;
use crate::services::Service;
use crate::state::State;

pub(crate) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const FORM: &str = "application/x-www-form-urlencoded";

/// The operation that a request names, by the protocol of its service.
pub(crate) enum RequestedOperation {
    /// AWS JSON: the target `PREFIX.NAME`, if there is one.
    Json(Option<String>),
    /// AWS query: the service, and the action, if there is one.
    Query(&'static QueryService, Option<String>),
}

impl RequestedOperation {
    /// Reads the operation of a request; a form without a target is AWS query. `in_url` tells whether the form is the query of the URL.
    pub(crate) fn read(head: &Parts, in_url: bool, form: &[u8]) -> Self {
        let target = headers::text(&head.headers, &TARGET);
        if target.is_none() && (in_url || head.method == Method::GET || is_form(&head.headers)) {
            let action = query::action(form);
            return Self::Query(QueryService::of(head, form, action.as_deref()), action);
        }
        Self::Json(target)
    }

    /// Returns the protocol, which decides on the form of failures.
    pub(crate) const fn protocol(&self) -> Protocol {
        match self {
            Self::Json(_) => Protocol::Json,
            Self::Query(..) => Protocol::Query,
        }
    }

    /// Returns the names of the services that the request may be signed for.
    pub(crate) fn signing_names(&self) -> &'static [&'static str] {
        match self {
            Self::Json(target) => match target.as_deref().and_then(Service::of_target) {
                Some((service, _)) => service.signing_names,
                None => Service::all_signing_names(),
            },
            Self::Query(service, _) => service.signing_names,
        }
    }

    /// Returns whether the operation takes requests without credentials: a token of an identity provider tells who calls.
    pub(crate) fn may_be_unsigned(&self) -> bool {
        matches!(self, Self::Query(service, Some(action)) if service.unsigned.contains(&action.as_str()))
    }

    /// Returns whether the service has no regions.
    pub(crate) fn is_global(&self) -> bool {
        matches!(self, Self::Query(service, _) if service.is_global)
    }

    /// Returns the name of the operation, for the log.
    pub(crate) fn operation(&self) -> &str {
        match self {
            Self::Json(target) => target.as_deref().and_then(|target| target.rsplit('.').next()),
            Self::Query(_, action) => action.as_deref(),
        }
        .unwrap_or("-")
    }

    /// Returns the media type of replies.
    pub(crate) const fn content_type(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/x-amz-json-1.1",
            Self::Query(..) => "text/xml",
        }
    }

    /// Writes a failure in the form of the service.
    pub(crate) fn failure(&self, failure: &Failure, request_id: &str) -> Bytes {
        match self {
            Self::Json(target) => {
                let service = target.as_deref().and_then(Service::of_target);
                failure.to_json(service.map_or("message", |(service, _)| service.message_member))
            }
            Self::Query(service, _) => xml::failure(failure, service.namespace, request_id),
        }
        .into()
    }

    /// Returns the failure of a request without a known operation.
    ///
    /// It is not recorded: the record would have no event name, and AWS records no such calls either.
    pub(crate) fn unknown(&self) -> Failure {
        let message: Cow<'_, str> = match self {
            Self::Json(Some(target)) => format!(
                "{target} is not an operation of AWS CodeCommit, AWS CloudTrail or the Resource Groups Tagging API."
            )
            .into(),
            Self::Json(None) => {
                format!("The X-Amz-Target header is missing; write {}.Operation.", codecommit::TARGET_PREFIX).into()
            }
            Self::Query(service, Some(action)) => {
                let message = format!("Could not find operation {action} for version {}", service.api_version);
                return Failure::client("InvalidAction", message);
            }
            Self::Query(_, None) => {
                return Failure::client("MissingAction", "The form has no Action.");
            }
        };
        Failure::client("UnknownOperationException", message)
    }
}

/// Returns whether a request is an AWS query in the URL: old clients send it by GET, and a signed URL can be for POST.
pub(crate) fn is_query(head: &Parts) -> bool {
    head.headers.get(&TARGET).is_none() && head.uri.query().is_some_and(|text| query::action(text.as_bytes()).is_some())
}

/// Returns the largest size of a request's body; that of forms is small and has no setting.
pub(crate) fn body_bytes_max(state: &State, head: &Parts) -> u64 {
    let bytes_max = state.settings.body_bytes_max;
    let is_query = head.headers.get(&TARGET).is_none() && is_form(&head.headers);
    if is_query { bytes_max.min(query::FORM_BYTES_MAX) } else { bytes_max }
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = |content_type: &str| content_type.split(';').next().map(|media_type| media_type.trim().to_owned());
    headers::text(headers, &CONTENT_TYPE).and_then(|content_type| media_type(&content_type)).as_deref() == Some(FORM)
}

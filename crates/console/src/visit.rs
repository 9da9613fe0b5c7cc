//! A request of a signed-in reader, and what its page can do.

use std::sync::Arc;

use askama::Template;
use aws::{Call, Failure, Region};
use bytes::Bytes;
use codecommit::CodeCommit;
use http::header::{HOST, ORIGIN};
use http::{HeaderName, Request, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use subtle::ConstantTimeEq;
use trail::{CloudTrail, Source};

use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::session::Reader;
use crate::{Services, cookie, reply, url};

/// Which site's page made the browser send a request.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// CodeCommit, as a service whose calls are recorded.
const CODECOMMIT: Source =
    Source { event_source: codecommit::EVENT_SOURCE, api_version: Some(codecommit::API_VERSION) };

/// A request of a signed-in reader.
pub(crate) struct Visit<'v> {
    pub(crate) services: Services<'v>,
    pub(crate) request: &'v Request<Bytes>,
    pub(crate) reader: Reader,
    /// The region whose resources are shown.
    pub(crate) region: Region,
    /// The parameters of the URL.
    pub(crate) query: Form,
    /// The fields of a sent form.
    pub(crate) form: Form,
}

/// The result of a page: a failure is shown as a page of its own.
pub(crate) type Page = Result<Response<Bytes>, Failure>;

impl Visit<'_> {
    /// Runs an operation of CodeCommit or CloudTrail with its record, and reads its reply.
    pub(crate) fn run<T: DeserializeOwned>(&self, operation: &str, input: &Value) -> Result<T, Failure> {
        let body = self.reply(operation, input)?;
        // Operations without an output have an empty reply.
        let body = if body.is_empty() { b"null".as_slice() } else { body.as_slice() };
        serde_json::from_slice(body).map_err(|error| {
            tracing::error!(operation, %error, "the console cannot read the reply of an operation");
            Failure::internal()
        })
    }

    /// Begins a call of the reader. [`Visit::run`] does it for operations; what AWS has no operation for needs a permission only.
    pub(crate) fn begin(&self) -> Result<Call, Failure> {
        (self.services.begin)(self.reader.caller.clone(), self.region.clone())
    }

    fn reply(&self, operation: &str, input: &Value) -> Result<Vec<u8>, Failure> {
        let Services { trail, cloudtrail, codecommit, .. } = self.services;
        let call = Arc::new(self.begin()?);
        let body = input.to_string().into_bytes();
        let body = Ok(body.as_slice());
        let reply = if let Some(row) = CodeCommit::operation(operation) {
            trail.call(CODECOMMIT, row, codecommit, &call, body)
        } else if let Some(row) = CloudTrail::operation(operation) {
            trail.call(trail::SOURCE, row, cloudtrail, &call, body)
        } else {
            tracing::error!(operation, "the console calls an operation that does not exist");
            Err(Failure::internal())
        };
        Ok(reply?.body)
    }

    /// Returns the address of this page with some parameters changed; an empty value removes a parameter.
    pub(crate) fn address(&self, changes: &[(&str, &str)]) -> String {
        let is_kept = |name: &str| changes.iter().all(|(changed, _)| *changed != name);
        let kept = self.query.pairs().filter(|(name, _)| is_kept(name));
        let parameters: Vec<_> = kept.chain(changes.iter().copied()).collect();
        url::with(self.request.uri().path(), &parameters)
    }

    /// Creates the frame of a page.
    pub(crate) fn frame(&self, title: impl Into<String>, section: Section) -> Frame {
        Frame::new(self, title.into(), section)
    }

    /// Writes a page.
    pub(crate) fn page(&self, template: &impl Template) -> Page {
        let text = template.render().map_err(|error| {
            tracing::error!(%error, "cannot write a page");
            Failure::internal()
        })?;
        let mut response = reply::html(200, text);
        if !cookie::NOTICE.read(self.request.headers()).is_empty() {
            reply::set_cookie(&mut response, &cookie::NOTICE.set("", 0, false));
        }
        Ok(response)
    }

    /// Writes a page with a form; if the form failed, the response has the status of the failure.
    pub(crate) fn form_page(&self, template: &impl Template, failure: Option<&Failure>) -> Page {
        let mut response = self.page(template)?;
        if let Some(failure) = failure {
            *response.status_mut() = StatusCode::from_u16(status(failure)).unwrap_or(StatusCode::BAD_REQUEST);
        }
        Ok(response)
    }

    /// Returns whether the form was sent by a page of the console that this reader has read.
    ///
    /// Browsers name the page that sends a form, and the form has a token that only pages of this reader contain.
    pub(crate) fn is_own_form(&self) -> bool {
        let sent = self.form.raw("csrf");
        is_own_page(self.request) && bool::from(sent.as_bytes().ct_eq(self.reader.form_token.as_bytes()))
    }
}

/// Returns whether a page of this server sent a request.
pub(crate) fn is_own_page(request: &Request<Bytes>) -> bool {
    let value = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (value(FETCH_SITE), value(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = value(HOST).unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, authority)| authority == host)
        }
        (None, None) => false,
    }
}

/// Returns the status of the page that shows a failure: AWS answers nearly all with 400.
pub(crate) fn status(failure: &Failure) -> u16 {
    let name = failure.error_code();
    if name.contains("AccessDenied") {
        403
    } else if name.ends_with("DoesNotExistException") || name.contains("NotFound") {
        404
    } else {
        failure.status
    }
}

/// Returns the sentence that a page shows of the previous one.
pub(crate) fn notice(request: &Request<Bytes>) -> String {
    let value = cookie::NOTICE.read(request.headers());
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

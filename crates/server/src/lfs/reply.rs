//! Replies of Git LFS, which are JSON of its own media type.

use aws::{Denial, Failure};
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response};
use codecommit::Exception;
use codecommit::lfs::LfsError;
use identity::Access;
use serde::Serialize;
use serde_json::json;

use crate::git_serving::Refusal;
use crate::headers;

/// The media type of requests and replies.
pub(super) const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// What asks clients for credentials and browsers not.
const LFS_AUTHENTICATE: HeaderName = HeaderName::from_static("lfs-authenticate");

/// Seconds after which a throttled client tries again; git-lfs gives up without the header.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

const REALM: HeaderValue = HeaderValue::from_static("Basic realm=\"AWS CodeCommit\"");

/// A failed request: its status, and a message for the user.
#[derive(Debug)]
pub(crate) struct LfsFailure {
    pub(super) status: u16,
    pub(super) message: String,
}

impl LfsFailure {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn internal() -> Self {
        Self::of(&Failure::internal())
    }

    /// Requests credentials: the client repeats the request with those that it has, or asks its user.
    pub(super) fn unauthorized(access: Access) -> Self {
        Self::new(401, crate::git_http::credentials_required(access))
    }

    /// Returns the failure of a call.
    pub(super) fn of(failure: &Failure) -> Self {
        let status = match failure.status {
            _ if failure.error_code() == Denial::CODE => 403,
            _ if failure.name == "RepositoryDoesNotExistException" => 404,
            _ if failure.name == "InvalidRepositoryNameException" => 404,
            _ if failure.name == "ThrottlingException" => 429,
            400 => 403,
            status => status,
        };
        Self::new(status, &failure.message)
    }

    /// Writes the reply.
    pub(super) fn reply(&self, request_id: &str) -> Response<Body> {
        let mut response = json_reply(self.status, &json!({ "message": self.message, "request_id": request_id }));
        if self.status == 401 {
            response.headers_mut().insert(LFS_AUTHENTICATE, REALM);
            response.headers_mut().insert(WWW_AUTHENTICATE, REALM);
        }
        if self.status == 429 {
            response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
        }
        response
    }
}

impl From<LfsError> for LfsFailure {
    fn from(error: LfsError) -> Self {
        let status = match error {
            LfsError::Failed(exception) => return exception.into(),
            LfsError::Missing { .. } => 404,
            LfsError::QuotaExceeded { .. } | LfsError::NoSpace => 507,
            LfsError::ObjectTooLarge { .. }
            | LfsError::OtherSize { .. }
            | LfsError::WrongLength { .. }
            | LfsError::WrongContent { .. }
            | LfsError::InvalidLockPath { .. }
            | LfsError::InvalidCursor => 422,
        };
        Self::new(status, error.to_string())
    }
}

impl From<Exception> for LfsFailure {
    fn from(exception: Exception) -> Self {
        Self::of(&exception.into())
    }
}

impl From<Failure> for LfsFailure {
    fn from(failure: Failure) -> Self {
        Self::of(&failure)
    }
}

impl From<store::Error> for LfsFailure {
    fn from(error: store::Error) -> Self {
        Exception::from(error).into()
    }
}

impl From<Refusal> for LfsFailure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchRepository | Refusal::Cut => Self::new(404, refusal.message()),
            Refusal::Failed(failure) | Refusal::NotRecorded(failure) => Self::of(&failure),
        }
    }
}

/// Writes a reply.
pub(super) fn json_reply(status: u16, body: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(body).expect("the keys of a reply are texts");
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, MEDIA_TYPE)
        .body(body.into())
        .expect("the status and the media type are valid")
}

/// Refuses a client that does not accept the media type of replies, and a body of another type.
///
/// Browsers send other types for pages of any origin without asking the server first.
pub(super) fn check_types(head: &Parts) -> Result<(), LfsFailure> {
    let accepted = headers::text(&head.headers, &ACCEPT).unwrap_or_else(|| MEDIA_TYPE.to_owned());
    if !accepted.split(',').any(|range| [MEDIA_TYPE, "application/*", "*/*"].contains(&essence(range).as_str())) {
        return Err(LfsFailure::new(406, format!("The header Accept must be {MEDIA_TYPE}.")));
    }
    let sent = headers::text(&head.headers, &CONTENT_TYPE).unwrap_or_default();
    if head.method == Method::POST && essence(&sent) != MEDIA_TYPE {
        return Err(LfsFailure::new(415, format!("The Content-Type of this request must be {MEDIA_TYPE}.")));
    }
    Ok(())
}

/// Returns a media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

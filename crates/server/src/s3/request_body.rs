//! The body of a request: the content of an object, which is read as it arrives, or a document, which is read whole before the call begins.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws::Failure;
use axum::body::{Body, HttpBody};
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use identity::Access;
use identity::signature::{ChunkSignatures, Payload};
use parking_lot::Mutex;
use s3s::S3Result;
use s3s::crypto::{Checksum as _, Md5};

use super::checksum::{Algorithm, Hasher};
use super::chunked::{Chunked, Trailers};
use super::receive::{self, BodyClaims};
use super::signature::parameters_unsigned;
use crate::body;
use crate::state::State;

/// The largest document: that of a request to delete a thousand keys, or to complete an upload of ten thousand parts.
const DOCUMENT_BYTES_MAX: u64 = 8 << 20;

/// The parameters of a request that puts the content of an object or part.
const CONTENT_PARAMETERS: [&str; 3] = ["partNumber", "uploadId", "x-id"];

/// The body of a request.
pub(super) enum RequestBody {
    /// The content of an object, which was not read yet.
    Content { body: Body, bytes: u64 },
    /// A document.
    Document(Bytes),
}

/// An extension of a request: its document.
#[derive(Clone, Debug)]
pub(super) struct Document(Bytes);

impl Document {
    /// Compares the document with the hashes in the head.
    pub(super) fn check(&self, headers: &HeaderMap) -> S3Result<()> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(sent) = text("content-md5") {
            receive::check_md5(sent)?;
            receive::compare_md5(sent, Md5::checksum(&self.0).as_ref())?;
        }
        for algorithm in Algorithm::ALL {
            if let Some(sent) = text(&algorithm.header()) {
                algorithm.check(sent)?;
                let mut hasher = Hasher::new(algorithm);
                hasher.update(&self.0);
                algorithm.compare(sent, &hasher.finish())?;
            }
        }
        Ok(())
    }
}

/// What an operation did not read of a body.
pub(super) struct Rest(Arc<Mutex<Option<Body>>>);

impl RequestBody {
    /// Reads a document; leaves the content of an object.
    pub(super) async fn read(state: &State, head: &Parts, body: Body) -> Result<Self, Failure> {
        if is_content(head) {
            let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
            let length = text("x-amz-decoded-content-length").or_else(|| text(CONTENT_LENGTH.as_str()));
            return Ok(Self::Content { body, bytes: length.and_then(|length| length.parse().ok()).unwrap_or(0) });
        }
        let received = body::receive(body, DOCUMENT_BYTES_MAX, state.settings.git.timeout, state.spool()).await;
        let document = received.and_then(crate::spool::Spool::into_bytes);
        document.map(Self::Document).map_err(|failure| match failure.status {
            413 => Failure::new("MaxMessageLengthExceeded", "Your request was too big.".to_owned(), 400),
            500.. => failure,
            _ => Failure::new("IncompleteBody", "The request body terminated unexpectedly".to_owned(), 400),
        })
    }

    /// Returns what a signature covers; content is compared with its hash when it was received.
    pub(super) fn payload(&self) -> Payload<'_> {
        match self {
            Self::Content { .. } => Payload::Unread,
            Self::Document(document) => Payload::Bytes(document),
        }
    }

    /// Returns the number of bytes that the client says it sends.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Content { bytes, .. } => *bytes,
            Self::Document(document) => document.len() as u64,
        }
    }

    /// Drains the content of a refused request, so that the client sees the reply instead of a broken connection.
    pub(super) async fn discard(self, headers: &HeaderMap, idle_timeout: Duration) {
        // A client that expects a reply first has sent nothing.
        if let Self::Content { body, .. } = self
            && !headers.contains_key(EXPECT)
        {
            body::discard(body, idle_timeout).await;
        }
    }

    /// Returns the body for the operation, and what is left of it afterwards; prepares the head for content in chunks, whose signatures
    /// `chunks` verifies.
    pub(super) fn into_content(
        self,
        head: &mut Parts,
        idle_timeout: Duration,
        access: Access,
        chunks: Option<ChunkSignatures>,
    ) -> (s3s::Body, Rest) {
        let rest = Arc::new(Mutex::new(None));
        let content = match self {
            Self::Document(document) => {
                head.extensions.insert(Document(document.clone()));
                s3s::Body::from(document)
            }
            Self::Content { body, .. } => {
                let mut claims = BodyClaims::read(&head.headers, idle_timeout, access != Access::Open);
                let body = Body::new(Returned { body: Some(body), rest: Arc::clone(&rest) });
                let body = if chunks.is_some() || receive::is_chunked(&head.headers) {
                    receive::remove_chunked(&mut head.headers);
                    let trailers = Trailers::default();
                    claims.trailers = Some(trailers.clone());
                    Body::from_stream(Chunked::new(body, trailers, chunks))
                } else {
                    body
                };
                head.extensions.insert(claims);
                s3s::Body::http_body_unsync(body)
            }
        };
        (content, Rest(rest))
    }
}

impl Rest {
    /// Drains it, so that the client sees the reply instead of a broken connection.
    pub(super) async fn discard(self, idle_timeout: Duration) {
        let body = self.0.lock().take();
        if let Some(body) = body {
            body::discard(body, idle_timeout).await;
        }
    }
}

/// Tells whether the body of a request is the content of an object or part.
fn is_content(head: &Parts) -> bool {
    let mut path = head.uri.path().trim_start_matches('/').splitn(2, '/');
    let has_key = path.nth(1).is_some_and(|key| !key.is_empty());
    let is_copy = head.headers.contains_key("x-amz-copy-source");
    let of_content = |name: &str| CONTENT_PARAMETERS.contains(&name);
    head.method == Method::PUT
        && has_key
        && !is_copy
        && parameters_unsigned(&head.uri).all(|(name, _)| of_content(&name))
}

/// A body that is returned when an operation drops it before its end.
struct Returned {
    body: Option<Body>,
    rest: Arc<Mutex<Option<Body>>>,
}

impl HttpBody for Returned {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        *self.rest.lock() = self.body.take();
    }
}

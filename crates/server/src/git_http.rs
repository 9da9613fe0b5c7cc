//! Git requests over HTTP, from top to bottom: the same steps as of an API request.

mod path;
mod reply;

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws::Failure;
use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response};
use bytes::Buf;
use flate2::read::MultiGzDecoder;
use git::{Service, Version};
use identity::signature::{Payload, Protocol};
use identity::{AuthenticationError, Credentials, PresentedCredential};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::connection::Peer;
use crate::disconnect::DisconnectGuard;
use crate::git_http::path::Endpoint;
pub(crate) use crate::git_http::path::GitPath;
pub(crate) use crate::git_http::reply::credentials_required;
use crate::git_http::reply::{HttpReply, plain, unauthorized};
use crate::git_serving::{Reply, Session, fetch, push};
use crate::settings::Access;
use crate::spool::Spool;
use crate::state::State;
use crate::{authenticate, blocking, body, headers};

/// The header with the protocol versions that the client supports.
const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");

/// The body of a request.
enum RequestBody {
    /// An advertisement has none.
    None,
    /// The request of a fetch, which is read before it takes a thread, and the permit of the fetch.
    Buffered(Result<Spool, Failure>, OwnedSemaphorePermit),
    /// A push, which is read while it is processed.
    Streamed(body::Reader),
}

/// Serves all paths below `/v1/repos/` and `/ACCOUNT/REGION/v1/repos/`.
pub(crate) async fn serve(state: Arc<State>, peer: Peer, request: Request<Body>) -> Response<Body> {
    // 1. Read the head.
    let (head, body) = request.into_parts();
    let Some(path) = GitPath::parse(head.uri.path()) else {
        return plain(404, "There is nothing here. Repositories are at /v1/repos/NAME; the API is at POST /.");
    };
    let Some(service) = path.service(head.uri.query()) else {
        return plain(
            403,
            "This server speaks Git's smart HTTP protocol only. Use a Git client of version 1.7.9 or later.",
        );
    };
    let allowed = if path.endpoint == Endpoint::Advertisement { Method::GET } else { Method::POST };
    if head.method != allowed {
        let mut refused = plain(405, "This method is not allowed here.");
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_str(allowed.as_str()).expect("a method is a header's text"));
        return refused;
    }
    let expected = format!("application/x-{}-request", service.name());
    if path.endpoint != Endpoint::Advertisement
        && headers::text(&head.headers, &CONTENT_TYPE).as_ref() != Some(&expected)
    {
        // Browsers send other types for pages of any origin without asking the server first.
        return plain(415, &format!("The Content-Type of this request must be {expected}."));
    }
    if state.asks_git_credentials() && lacks_credentials(&head, state.settings.access) {
        return unauthorized(state.settings.access);
    }
    let timeout = state.settings.git.timeout;
    let body = match (path.endpoint, service) {
        (Endpoint::Advertisement, _) => RequestBody::None,
        (Endpoint::Service(_), Service::UploadPack) => {
            let body = body::receive(body, state.settings.body_bytes_max, timeout, state.spool()).await;
            let permit = Arc::clone(&state.fetch_permits).acquire_owned().await;
            RequestBody::Buffered(body, permit.expect("the semaphore is never closed"))
        }
        (Endpoint::Service(_), Service::ReceivePack) => {
            let body = body::Reader::begin(body, timeout).await;
            RequestBody::Streamed(body.with_permit(Arc::clone(&state.push_permits).acquire().await))
        }
    };
    let (sender, response) = oneshot::channel();
    let guard = DisconnectGuard::new();
    let disconnected = guard.flag();
    let is_advertisement = path.endpoint == Endpoint::Advertisement;
    let work = move || {
        // 2. and 3. Authenticate, and begin the call.
        let request = authenticate::Request {
            method: &head.method,
            uri: &head.uri,
            headers: &head.headers,
            bucket: None,
            body: Payload::Unread,
            peer: &peer,
            protocol: Protocol::Git,
            services: &["codecommit"],
            may_be_unsigned: false,
            scope: path.scope,
        };
        let call = match authenticate::begin_call(&state, request) {
            Ok(mut call) => {
                call.interrupts.push(disconnected);
                Arc::new(call)
            }
            Err(refused) => {
                // A client that has disconnected needs no reply.
                let _ = sender.send(refuse(&state, &refused, path.endpoint));
                if let RequestBody::Streamed(body) = body {
                    body.drain();
                }
                return;
            }
        };
        let versions = headers::text(&head.headers, &GIT_PROTOCOL);
        let version = Version::of(versions.as_deref(), &state.git.offers);
        let spill = state.spill.clone();
        let faults = state.failures.of_call();
        let mut reply = HttpReply::new(sender, Arc::clone(&call), service, path.repository.clone(), spill);
        let session =
            Session { state, call, repository_name: path.repository, service, version, protocol: "HTTP", faults };
        // 4. to 6. Find the repository, do the work with its record, respond.
        match body {
            RequestBody::None => session.advertise(&mut reply),
            RequestBody::Buffered(body, _permit) => match body.and_then(Spool::into_bytes) {
                Ok(bytes) => fetch::serve(&session, &mut reply, &mut decompressed(&head, bytes.reader())),
                Err(failure) => reply.refuse(session.record_failure(failure)),
            },
            RequestBody::Streamed(mut body) => {
                push::serve(&session, &mut reply, &mut decompressed(&head, &mut body));
                body.drain();
            }
        }
    };
    // After a panic the sender is dropped, and the client receives an internal error.
    let work = move || drop(catch_unwind(AssertUnwindSafe(work)));
    if is_advertisement {
        blocking::run(work).await;
    } else {
        // The reply starts before the work ends.
        tokio::task::spawn_blocking(work);
    }
    let response = response.await;
    let response = response.unwrap_or_else(|_| plain(500, "The request failed because of an internal error."));
    if is_advertisement { response } else { response.map(|body| guard.attach_to(body)) }
}

/// Responds to credentials that are refused, with a message that `git` shows.
///
/// A password that git's helper made a quarter of an hour ago is asked for again: git shows nothing of a 403 that comes after the
/// advertisement.
fn refuse(state: &State, refused: &AuthenticationError, endpoint: Endpoint) -> Response<Body> {
    if endpoint != Endpoint::Advertisement && refused.is_worth_another_try() {
        return unauthorized(state.settings.access);
    }
    let failure = refused.json();
    plain(if failure.status < 500 { 403 } else { failure.status }, &failure.message)
}

/// Decompresses a body; clients compress requests of more than a kilobyte.
fn decompressed<'b>(head: &Parts, body: impl Read + 'b) -> Box<dyn Read + 'b> {
    match headers::text(&head.headers, &CONTENT_ENCODING).map(|name| name.to_ascii_lowercase()).as_deref() {
        Some("gzip" | "x-gzip") => Box::new(MultiGzDecoder::new(body)),
        _ => Box::new(body),
    }
}

/// Returns whether a request has no credentials that name a caller, or none that could be verified.
///
/// libcurl sends the user name of a URL with an empty password before `git` asks its credential helper, which it does only after a 401.
pub(crate) fn lacks_credentials(head: &Parts, access: Access) -> bool {
    let authorization = headers::text(&head.headers, &AUTHORIZATION);
    let authorization = authorization.as_deref();
    Credentials::read(authorization, None).presented == PresentedCredential::Nothing
        || access != Access::Open && authorization.is_some_and(Credentials::lack_password)
}

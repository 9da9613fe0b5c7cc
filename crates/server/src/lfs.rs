//! Git LFS over HTTP, from top to bottom: the same steps as of an API request.
//!
//! A client asks with its credentials which objects to transfer (`objects/batch`), and transfers each with a token that the answer has.
//! The request for a batch is recorded as the push or pull that it belongs to; transfers are not.

mod batch;
mod download;
mod faults;
mod locks;
mod path;
mod record;
mod reply;
mod token;
mod upload;
mod verify;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws::Call;
use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, Response};
use bytes::Bytes;
use git::{Service, Version};
use identity::AuthenticationError;
use identity::signature::{Payload, Protocol};
use serde::de::DeserializeOwned;

use crate::connection::Peer;
use crate::failures::CallFaults;
use crate::git_serving::Session;
pub(crate) use crate::lfs::path::LfsPath;
use crate::lfs::path::Route;
use crate::lfs::reply::LfsFailure;
pub(crate) use crate::lfs::token::{CallerGrant, GrantedOperation, TOKEN_LIFETIME, Tokens, migrate};
use crate::spool::Spool;
use crate::state::State;
use crate::{api, authenticate, blocking, body, call_log, git_http, headers};

/// Largest body of a request, in bytes; a batch of a thousand objects has about 100 KB.
const BODY_BYTES_MAX: u64 = 4 << 20;

/// A request after its authentication.
struct LfsRequest {
    state: Arc<State>,
    call: Arc<Call>,
    repository_name: String,
    /// The failures on demand that the call can meet, if there are any.
    faults: Option<Arc<CallFaults>>,
}

/// Serves all paths below `info/lfs` of a repository.
pub(crate) async fn serve(state: Arc<State>, peer: Peer, path: LfsPath, request: Request<Body>) -> Response<Body> {
    // 1. Read the head.
    let (head, body) = request.into_parts();
    let allowed = path.route.methods();
    if !allowed.contains(&head.method) {
        body::discard(body, state.settings.git.timeout).await;
        let names = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let mut refused = LfsFailure::new(405, "This method is not allowed here.").reply(&state.clock.id());
        refused.headers_mut().insert(ALLOW, HeaderValue::from_str(&names).expect("methods are a header's text"));
        return refused;
    }
    if let Route::Object(id) = &path.route {
        return match head.method {
            Method::PUT => upload::serve(state, &path, id, &head, body).await,
            _ => download::serve(state, &path, id, &head).await,
        };
    }
    let received = body::receive(body, BODY_BYTES_MAX, state.settings.git.timeout, state.spool()).await;
    let received = received.and_then(Spool::into_bytes).map_err(|failure| {
        // A body that breaks off has no status of its own.
        let status = if failure.status == 400 { 422 } else { failure.status };
        LfsFailure::new(status, format!("The request cannot be read. {}", failure.message))
    });
    let request_id = state.clock.id();
    let work = move || {
        let response =
            reply::check_types(&head).and(received).and_then(|body| respond(&state, &peer, &path, &head, &body));
        response.unwrap_or_else(|failure| failure.reply(&request_id))
    };
    let work = move || {
        let failed = |_panic| LfsFailure::internal().reply("");
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(failed)
    };
    blocking::run(work).await
}

/// Runs a request, whose body was received.
fn respond(
    state: &Arc<State>,
    peer: &Peer,
    path: &LfsPath,
    head: &Parts,
    body: &Bytes,
) -> Result<Response<Body>, LfsFailure> {
    if let Route::Verify = path.route {
        return verify::respond(state, path, head, body);
    }
    // 2. and 3. Authenticate, and begin the call.
    let call = Arc::new(begin(state, peer, path, head, body)?);
    let (repository_name, faults) = (path.repository.clone(), state.failures.of_call());
    let request = LfsRequest { state: Arc::clone(state), call, repository_name, faults };
    // 4. to 6. Do the work with its record, respond.
    let response = match &path.route {
        Route::Batch => batch::respond(&request, body),
        Route::Locks if head.method == Method::GET => locks::list(&request, head.uri.query()),
        Route::Locks => locks::create(&request, body),
        Route::VerifyLocks => locks::verify(&request, body),
        Route::Unlock(id) => locks::remove(&request, id, body),
        // These have no call.
        Route::Object(_) | Route::Verify => Err(LfsFailure::internal()),
    };
    let status = response.as_ref().map_or_else(|failure| failure.status, |response| response.status().as_u16());
    call_log::log(&request.call, path.route.name(), status, None, Some(&path.repository));
    let response = response.unwrap_or_else(|failure| failure.reply(request.call.request_id()));
    Ok(match request.faults.as_ref().and_then(|faults| faults.effect()) {
        Some(effect) => api::affect(response, effect),
        None => response,
    })
}

/// Begins the call of a request with credentials, or with a token that SSH gave out.
fn begin(state: &Arc<State>, peer: &Peer, path: &LfsPath, head: &Parts, body: &Bytes) -> Result<Call, LfsFailure> {
    let authorization = headers::text(&head.headers, &AUTHORIZATION);
    if let Some(token) = token::bearer(authorization.as_deref()) {
        let grant = state.lfs_tokens.caller(token, state.clock.now(), &path.repository)?;
        // Operations that need more than a download's permission are not known before the body is read.
        if grant.operation == GrantedOperation::Download && !path.route.is_reading(head, body) {
            return Err(LfsFailure::new(403, "The token is for downloads only."));
        }
        return authenticate::begin_granted_call(state, &head.headers, peer, grant)
            .map_err(|error| refused(state, &error));
    }
    if state.asks_git_credentials() && git_http::lacks_credentials(head, state.settings.access) {
        return Err(LfsFailure::unauthorized(state.settings.access));
    }
    let request = authenticate::Request {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        bucket: None,
        body: Payload::Unread,
        peer,
        protocol: Protocol::Git,
        services: &["codecommit"],
        may_be_unsigned: false,
        scope: path.scope.clone(),
    };
    authenticate::begin_call(state, request).map_err(|error| refused(state, &error))
}

/// Returns the failure for credentials that are refused; clients ask their users for others only after status 401.
fn refused(state: &State, refused: &AuthenticationError) -> LfsFailure {
    if refused.is_worth_another_try() {
        return LfsFailure::unauthorized(state.settings.access);
    }
    let failure = refused.json();
    LfsFailure::new(if failure.status < 500 { 403 } else { failure.status }, failure.message)
}

impl LfsRequest {
    /// Returns the session of a push or pull that the request belongs to.
    fn session(&self, service: Service) -> Session {
        Session {
            state: Arc::clone(&self.state),
            call: Arc::clone(&self.call),
            repository_name: self.repository_name.clone(),
            service,
            version: Version::V0,
            protocol: "HTTP",
            faults: self.faults.clone(),
        }
    }
}

/// Reads the body of a request.
fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, LfsFailure> {
    let wrong =
        |error: serde_json::Error| LfsFailure::new(422, format!("The request is not what this URL takes: {error}."));
    serde_json::from_slice(body).map_err(wrong)
}

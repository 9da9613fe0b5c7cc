//! Requests of the console, from top to bottom: the same steps as of an API request, with many calls in one request.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws::{Call, Caller, Failure, FaultInjector, Region};
use axum::body::Body;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use console::{FeedOf, LargeFile, Services};
use git::FilePart;

use crate::body::FileBody;
use crate::connection::Peer;
use crate::disconnect::DisconnectGuard;
use crate::failures::CallFaults;
use crate::spool::Spool;
use crate::state::State;
use crate::{api, authenticate, blocking, body, feed_query, headers};

/// The reply if the console is off.
const OFF: &str =
    "The console is off, because the server listens on more than this machine. Start the server with --console yes.\n";

/// Serves all paths below `/_console`.
pub(crate) async fn serve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request<Body>,
) -> Response<Body> {
    if !state.settings.has_console() {
        return (StatusCode::NOT_FOUND, OFF).into_response();
    }
    // 1. Read head and body.
    let (head, body) = request.into_parts();
    let received = body::receive(body, state.settings.body_bytes_max, state.settings.git.timeout, state.spool()).await;
    let body = match received.and_then(Spool::into_bytes) {
        Ok(body) => body,
        Err(failure) => {
            let status = StatusCode::from_u16(failure.status).unwrap_or(StatusCode::BAD_REQUEST);
            return (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], failure.message).into_response();
        }
    };
    let guard = DisconnectGuard::new();
    let disconnected = guard.flag();
    let work = move || {
        // 2. to 5. The page authenticates its reader, and runs its operations.
        let faults: RefCell<Vec<Arc<CallFaults>>> = RefCell::default();
        let begin = |caller: Caller, region: Region| -> Result<Call, Failure> {
            let mut call = begin_call(&state, &head, &peer, caller, region)?;
            call.interrupts.push(Arc::clone(&disconnected));
            let of_call = state.failures.of_call();
            call.faults = of_call.clone().map(|faults| faults as Arc<dyn FaultInjector>);
            faults.borrow_mut().extend(of_call);
            Ok(call)
        };
        let request = Request::from_parts(head.clone(), body);
        let services = services(&state, authenticate::is_secure(&state, &head.headers, &peer), &begin);
        let page = catch_unwind(AssertUnwindSafe(|| console::serve(services, &request)));
        let response = page.map_or_else(|_panic| internal_error(), |response| response.map(Body::from));
        if let Some(FeedOf(account)) = response.extensions().get().cloned() {
            let mut feed = feed_query::respond(&head.uri, &head.headers, Some(account));
            headers::add_missing(feed.headers_mut(), response.headers());
            return feed;
        }
        let response = with_large_file(response);
        // 6. Respond, unless a failure on demand makes the reply late or cuts the connection.
        match faults.borrow().iter().find_map(|faults| faults.effect()) {
            Some(effect) => api::affect(response, effect),
            None => response,
        }
    };
    let response = blocking::run_apart(work).await;
    drop(guard);
    response
}

/// Leads a browser from `/` to the console.
pub(crate) fn lead_to_console(state: &State, head: &Parts) -> Option<Response<Body>> {
    let is_browser = || headers::text(&head.headers, &ACCEPT).is_some_and(|accepted| accepted.contains("text/html"));
    let leads = head.uri.path() == "/" && head.method == Method::GET && is_browser() && state.settings.has_console();
    leads.then(|| (StatusCode::SEE_OTHER, [(LOCATION, format!("{}/", console::ROOT))]).into_response())
}

fn services<'s>(state: &'s State, is_secure: bool, begin: &'s console::BeginCall<'s>) -> Services<'s> {
    Services {
        trail: &state.trail,
        cloudtrail: &state.cloudtrail,
        codecommit: &state.codecommit,
        sts: &state.sts,
        cluster: &state.cluster,
        access: state.settings.access,
        region: &state.settings.region,
        is_secure,
        begin,
    }
}

fn begin_call(state: &State, head: &Parts, peer: &Peer, caller: Caller, region: Region) -> Result<Call, Failure> {
    let headers: &HeaderMap = &head.headers;
    authenticate::begin_console_call(state, headers, peer, caller, region).map_err(|error| {
        tracing::error!(%error, "cannot begin a call of the console");
        Failure::internal()
    })
}

/// Replaces the body of a response by the file that the page names.
fn with_large_file(mut response: Response<Body>) -> Response<Body> {
    if let Some(LargeFile { file, bytes }) = response.extensions_mut().remove() {
        response.headers_mut().insert(CONTENT_LENGTH, bytes.into());
        *response.body_mut() = Body::from_stream(FileBody(FilePart::new(file, 0..bytes)));
    }
    response
}

fn internal_error() -> Response<Body> {
    let message = "The page cannot be written. The server's log has details.\n";
    (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(message.as_bytes())).into_response()
}

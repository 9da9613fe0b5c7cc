//! Routes of paths to services.

use std::sync::Arc;

use aws::{Clock, SystemClock};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State as Shared};
use axum::http::header::{CONNECTION, CONTENT_TYPE, DATE, UPGRADE};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};

use crate::connection::Peer;
use crate::git_http::GitPath;
use crate::lfs::LfsPath;
use crate::settings::TlsMode;
use crate::state::State;
use crate::{api, authenticate, body, client_address, console_http, git_http, lfs, local, origin, protocol, s3};

/// The message for plain HTTP if TLS is required.
const TLS_REQUIRED: &str = "This server requires TLS: use an https:// URL and the certificate authority in the file ca.pem of its data folder.";

pub(crate) fn router(state: Arc<State>) -> Router {
    let clock = Arc::clone(&state.clock);
    // Replies to calls have the request id of their record; other replies get one here.
    let finished = map_response(move |mut response: Response| {
        let id = || HeaderValue::from_str(&clock.id()).expect("a UUID is a valid header value");
        let now = || HeaderValue::from_str(&SystemClock.now().http()).expect("a date is a valid header value");
        response.headers_mut().entry("x-amzn-requestid").or_insert_with(id);
        response.headers_mut().entry(DATE).or_insert_with(now);
        std::future::ready(response)
    });
    Router::new()
        .route("/", post(api::serve).fallback(serve_other))
        .route("/_console", any(console_http::serve))
        .route("/_console/{*path}", any(console_http::serve))
        .route("/_local/health", get(local::health))
        .route("/_local/nodes", get(local::nodes))
        .route("/_local/flush", post(local::flush))
        .route("/_local/digest", post(local::digest))
        .route("/_local/reset", post(local::reset))
        .route("/_local/snapshots", get(local::list_snapshots))
        .route("/_local/snapshots/{name}", post(local::snapshot).delete(local::delete_snapshot))
        .route("/_local/snapshots/{name}/restore", post(local::restore))
        .route("/_local/failures", get(local::list_failures).put(local::set_failures).delete(local::remove_failures))
        .route("/_local/events", get(local::events))
        .route("/_local/ca.pem", get(local::authority))
        .route("/_local/known_hosts", get(local::known_hosts))
        .route("/_local/folders", get(local::folders))
        .route("/_local/sign-in-links", post(local::create_sign_in_link))
        .route("/_local/tokens/{account}/.well-known/openid-configuration", get(local::token_issuer))
        .route("/_local/tokens/{account}/keys", get(local::token_keys))
        .fallback(serve_other)
        .layer(from_fn_with_state(Arc::clone(&state), check_client_of_local))
        .layer(from_fn_with_state(Arc::clone(&state), check_origin))
        .layer(finished)
        // Each route limits its own body.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

/// Rejects plain HTTP if TLS is required, and requests that a web page of another site could make a browser send; adds the CORS
/// headers for allowed pages.
async fn check_origin(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request<Body>,
    next: Next,
) -> Response {
    if state.settings.tls.mode == TlsMode::Require && !authenticate::is_secure(&state, request.headers(), &peer) {
        tracing::debug!(peer = %peer.address, path = request.uri().path(), "rejected a request over plain HTTP");
        let upgrade = [(UPGRADE, "TLS/1.2, HTTP/1.1"), (CONNECTION, "upgrade, close")];
        return (upgrade, reject(&state, request, StatusCode::UPGRADE_REQUIRED, TLS_REQUIRED).await).into_response();
    }
    if let Err(message) = origin::check(request.headers(), &state.settings.allowed_hosts) {
        tracing::warn!(path = request.uri().path(), error = message, "rejected a cross-site request");
        return reject(&state, request, StatusCode::FORBIDDEN, &message).await;
    }
    let headers = origin::reply_headers(request.headers());
    let mut response = if origin::is_preflight(request.method(), request.headers()) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    response.headers_mut().extend(headers);
    response
}

/// Reads the body of a request and answers with a message, in JSON for clients of the API.
async fn reject(state: &State, request: Request<Body>, status: StatusCode, message: &str) -> Response {
    let (head, body) = request.into_parts();
    body::discard(body, state.settings.git.timeout).await;
    if head.uri.path() == "/" {
        let failure = origin::failure(message).to_json("message");
        return (status, [(CONTENT_TYPE, "application/x-amz-json-1.1")], failure).into_response();
    }
    (status, format!("{message}\n")).into_response()
}

/// Rejects requests of other machines to `/_local`, unless access is open or the path is public.
async fn check_client_of_local(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let (path, trusted_proxies) = (request.uri().path(), &state.settings.trusted_proxies);
    let client = client_address::find(peer.address.ip(), request.headers(), trusted_proxies);
    if !client_address::may_use(path, client, state.settings.access) {
        tracing::warn!(path, peer = %peer.address, %client, "rejected a request of another machine");
        let message =
            "Paths below /_local are for clients on the server's own machine when credentials are verified.\n";
        return (StatusCode::FORBIDDEN, message).into_response();
    }
    next.run(request).await
}

/// Serves Git, Git LFS and S3, which have their own paths, and AWS query by GET; all other requests get Git's reply.
async fn serve_other(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    if head.uri.path() == "/" && protocol::is_query(&head) {
        return api::serve(Shared(state), ConnectInfo(peer), Request::from_parts(head, body)).await;
    }
    if let Some(response) = console_http::lead_to_console(&state, &head) {
        return response;
    }
    if let Some(path) = LfsPath::parse(head.uri.path()).filter(|_| state.settings.git.lfs.is_on) {
        return lfs::serve(state, peer, path, Request::from_parts(head, body)).await;
    }
    let for_s3 = GitPath::parse(head.uri.path()).is_none() && s3::is_s3_request(&state, &head);
    let request = Request::from_parts(head, body);
    if for_s3 { s3::serve(state, peer, request).await } else { git_http::serve(state, peer, request).await }
}

//! Routes of paths to services.

use std::net::SocketAddr;
use std::sync::Arc;

use aws::{Clock, SystemClock};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State as Shared};
use axum::http::header::{CONTENT_TYPE, DATE};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::git_http::GitPath;
use crate::state::State;
use crate::{api, body, git_http, local, origin, protocol, s3};

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
        .route("/_local/health", get(local::health))
        .route("/_local/flush", post(local::flush))
        .route("/_local/digest", post(local::digest))
        .route("/_local/reset", post(local::reset))
        .route("/_local/events", get(local::events))
        .route("/_local/tokens/{account}/.well-known/openid-configuration", get(local::token_issuer))
        .route("/_local/tokens/{account}/keys", get(local::token_keys))
        .fallback(serve_other)
        .layer(from_fn_with_state(Arc::clone(&state), check_origin))
        .layer(finished)
        // Each route limits its own body.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

/// Rejects requests that a web page of another site could make a browser send, and adds the CORS headers for allowed pages.
async fn check_origin(Shared(state): Shared<Arc<State>>, request: Request<Body>, next: Next) -> Response {
    if let Err(message) = origin::check(request.headers(), &state.settings.allowed_hosts) {
        let (head, body) = request.into_parts();
        tracing::warn!(path = head.uri.path(), error = message, "rejected a cross-site request");
        body::discard(body, state.settings.git.timeout).await;
        if head.uri.path() == "/" {
            return (
                StatusCode::FORBIDDEN,
                [(CONTENT_TYPE, "application/x-amz-json-1.1")],
                origin::failure(&message).to_json("message"),
            )
                .into_response();
        }
        return (StatusCode::FORBIDDEN, format!("{message}\n")).into_response();
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

/// Serves Git and S3, which have their own paths, and AWS query by GET; all other requests get Git's reply.
async fn serve_other(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    if head.uri.path() == "/" && protocol::is_query(&head) {
        return api::serve(Shared(state), ConnectInfo(peer), Request::from_parts(head, body)).await;
    }
    let for_s3 = GitPath::parse(head.uri.path()).is_none() && s3::is_s3_request(&state, &head);
    let request = Request::from_parts(head, body);
    if for_s3 { s3::serve(state, peer, request).await } else { git_http::serve(state, peer, request).await }
}

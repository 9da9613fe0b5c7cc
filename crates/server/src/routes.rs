//! Which path leads where.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State as Shared};
use axum::http::{HeaderValue, Request};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

use crate::git_http::GitPath;
use crate::state::State;
use crate::{api, asked, git_http, local, s3};

pub(crate) fn router(state: Arc<State>) -> Router {
    let clock = Arc::clone(&state.clock);
    // Calls carry the id of their record; what is no call gets one of its own.
    let identified = map_response(move |mut response: Response| {
        let id = || HeaderValue::from_str(&clock.id()).expect("a UUID is a header's text");
        response.headers_mut().entry("x-amzn-requestid").or_insert_with(id);
        std::future::ready(response)
    });
    Router::new()
        .route("/", post(api::serve).fallback(elsewhere))
        .route("/_local/health", get(local::health))
        .route("/_local/flush", post(local::flush))
        .route("/_local/digest", post(local::digest))
        .route("/_local/reset", post(local::reset))
        .fallback(elsewhere)
        .layer(identified)
        // Each route bounds its own body.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

/// Serves Git and S3, which have paths of their own, and the API where it is asked by GET; what is for neither is answered as
/// by Git.
async fn elsewhere(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    if head.uri.path() == "/" && asked::is_query(&head) {
        return api::serve(Shared(state), ConnectInfo(peer), Request::from_parts(head, body)).await;
    }
    let for_s3 = GitPath::parse(head.uri.path()).is_none() && s3::is_meant(&state, &head);
    let request = Request::from_parts(head, body);
    if for_s3 { s3::serve(state, peer, request).await } else { git_http::serve(state, peer, request).await }
}

//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};

use crate::state::State;
use crate::{api, git_http, local};

pub(crate) fn router(state: Arc<State>) -> Router {
    let clock = Arc::clone(&state.clock);
    // Calls carry the id of their record; what is no call gets one of its own.
    let identified = map_response(move |mut response: Response| {
        let id = || HeaderValue::from_str(&clock.id()).expect("a UUID is a header's text");
        response.headers_mut().entry("x-amzn-requestid").or_insert_with(id);
        std::future::ready(response)
    });
    Router::new()
        .route("/", post(api::serve))
        .route("/_local/health", get(local::health))
        .route("/_local/flush", post(local::flush))
        .route("/_local/reset", post(local::reset))
        .fallback(git_http::serve)
        .layer(identified)
        // Each route bounds its own body.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

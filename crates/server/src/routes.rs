//! Which path leads where.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::state::State;
use crate::{api, git_http, local};

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/", post(api::serve))
        .route("/_local/health", get(local::health))
        .route("/_local/flush", post(local::flush))
        .route("/_local/reset", post(local::reset))
        .fallback(git_http::serve)
        // Each route bounds its own body.
        .layer(DefaultBodyLimit::disable())
        .with_state(state)
}

//! `/_local/failures`: the calls that fail on demand, listed and replaced while the server runs.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::body;
use crate::settings::FailureRule;
use crate::spool::Spool;
use crate::state::State;

/// Maximum size of a list of failures, in bytes.
const LIST_BYTES_MAX: u64 = 1 << 20;

/// Serves `GET /_local/failures`: the failures, each with the number of calls that it has matched.
pub(crate) async fn list_failures(Shared(state): Shared<Arc<State>>) -> Response {
    if let Some(refused) = refuse(&state) {
        return refused;
    }
    Json(state.failures.list()).into_response()
}

/// Serves `PUT /_local/failures`: replaces the failures by those of a JSON list, and lists them.
pub(crate) async fn set_failures(Shared(state): Shared<Arc<State>>, body: Body) -> Response {
    if let Some(refused) = refuse(&state) {
        return refused;
    }
    let received = body::receive(body, LIST_BYTES_MAX, state.settings.git.timeout, state.spool()).await;
    let rules = received.and_then(Spool::into_bytes).map_err(|failure| failure.message);
    let rules =
        rules.and_then(|bytes| serde_json::from_slice::<Vec<FailureRule>>(&bytes).map_err(|error| error.to_string()));
    match rules {
        Ok(rules) => {
            state.failures.replace(rules);
            Json(state.failures.list()).into_response()
        }
        Err(error) => {
            let advice = "Send a JSON list of objects with the members of [[simulate.failure]].";
            message(StatusCode::BAD_REQUEST, &format!("The failures cannot be used: {error}. {advice}"))
        }
    }
}

/// Serves `DELETE /_local/failures`: removes all failures, those of the settings included, until a reset.
pub(crate) async fn remove_failures(Shared(state): Shared<Arc<State>>) -> Response {
    if let Some(refused) = refuse(&state) {
        return refused;
    }
    state.failures.replace(Vec::new());
    Json(json!({ "status": "done" })).into_response()
}

/// Refuses the request unless the settings let clients change the server.
fn refuse(state: &State) -> Option<Response> {
    let advice = "Failures cannot be changed while the server runs. Start it with --allow-reset.";
    (!state.settings.allow_reset).then(|| message(StatusCode::FORBIDDEN, advice))
}

fn message(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

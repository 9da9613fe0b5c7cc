//! Endpoints that AWS does not have: health, nodes, flush, digest, reset, snapshots, events, folders, the certificate authority, SSH's host key, the
//! keys of web identity tokens, and links that sign in to the console.

mod failures;
mod sign_in_links;

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use aws::{AccountId, Timestamp};
use axum::Json;
use axum::extract::{ConnectInfo, Path, State as Shared};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use cluster::Node;
use serde_json::json;

use crate::connection::Peer;
use crate::data_change::{DataChange, DataError};
pub(crate) use crate::local::failures::{list_failures, remove_failures, set_failures};
pub(crate) use crate::local::sign_in_links::create_sign_in_link;
use crate::snapshots::SnapshotName;
use crate::state::State;
use crate::{authenticate, feed_query, headers, snapshots};

/// Serves `GET /_local/health`; status 503 while a database on a server does not answer. One of several nodes says which one it is.
pub(crate) async fn health(Shared(state): Shared<Arc<State>>) -> Response {
    let Some(node) = state.cluster.node_name().map(str::to_owned) else {
        return Json(json!({ "status": "ready" })).into_response();
    };
    let checked = tokio::task::spawn_blocking(move || state.store.check()).await;
    if let Ok(Err(error)) = checked {
        tracing::warn!(%error, "the database does not answer");
        let status = json!({ "status": "degraded", "node": node, "database": error.summary() });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(status)).into_response();
    }
    Json(json!({ "status": "ready", "node": node })).into_response()
}

/// Serves `GET /_local/nodes`: the servers that use the same database on a server, and their roles; none with a database in the data folder.
pub(crate) async fn nodes(Shared(state): Shared<Arc<State>>) -> Response {
    let own = state.cluster.node_name().map(str::to_owned);
    let listed = tokio::task::spawn_blocking(move || state.cluster.nodes().map_err(|error| error.to_string())).await;
    match listed.map_err(|error| error.to_string()).and_then(|listed| listed) {
        Ok(nodes) => Json(json!({ "node": own, "nodes": nodes.iter().map(node).collect::<Vec<_>>() })).into_response(),
        Err(message) => failure(&message),
    }
}

fn node(node: &Node) -> serde_json::Value {
    let time = |millis| Timestamp::from_millis(millis).iso();
    json!({
        "name": node.name,
        "status": node.status.as_str(),
        "version": node.version,
        "address": node.address,
        "started": time(node.started),
        "lastSeen": time(node.seen),
        "clockOffsetMilliseconds": node.clock_offset,
        "roles": node.roles,
    })
}

/// Serves `POST /_local/flush`: delivers log files of all events that are recorded, applies the lifecycle rules of buckets, and tries events
/// for EventBridge that failed again.
pub(crate) async fn flush(Shared(state): Shared<Arc<State>>) -> Response {
    let flush = move || {
        state.event_bridge.flush();
        state.trail.flush()?;
        state.s3_endpoint.apply_lifecycle(&|| false)
    };
    status(tokio::task::spawn_blocking(move || flush().map_err(|error| error.to_string())).await)
}

/// Serves `POST /_local/digest`: delivers log files and their digests before these are due.
pub(crate) async fn digest(Shared(state): Shared<Arc<State>>) -> Response {
    status(tokio::task::spawn_blocking(move || state.trail.digest().map_err(|error| error.to_string())).await)
}

/// Serves `POST /_local/reset`: removes all data, and applies the seed again.
pub(crate) async fn reset(Shared(state): Shared<Arc<State>>) -> Response {
    if_allowed(&state, || DataChange::Reset.requested())
}

/// Serves `POST /_local/snapshots/NAME`: saves all data.
pub(crate) async fn snapshot(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    if_allowed(&state, || with_name(&name, |name| DataChange::Snapshot(name).requested()))
}

/// Serves `POST /_local/snapshots/NAME/restore`: replaces all data by those of a snapshot.
pub(crate) async fn restore(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    if_allowed(&state, || with_name(&name, |name| DataChange::Restore(name).requested()))
}

/// Serves `DELETE /_local/snapshots/NAME`.
pub(crate) async fn delete_snapshot(Shared(state): Shared<Arc<State>>, Path(name): Path<String>) -> Response {
    if_allowed(&state, || {
        with_name(&name, |name| match snapshots::remove(&name, state.data_folder()) {
            Ok(true) => Json(json!({ "status": "done" })).into_response(),
            Ok(false) => DataError::NoSnapshot(name.as_str().to_owned()).into_response(),
            Err(error) => failure(&error.to_string()),
        })
    })
}

/// Serves `GET /_local/snapshots`: the names and times of the snapshots.
pub(crate) async fn list_snapshots(Shared(state): Shared<Arc<State>>) -> Response {
    match snapshots::list(state.data_folder()) {
        Ok(snapshots) => Json(json!({ "snapshots": snapshots })).into_response(),
        Err(error) => failure(&error.to_string()),
    }
}

/// Responds to a request that can remove data, if the settings allow that.
fn if_allowed(state: &State, respond: impl FnOnce() -> Response) -> Response {
    if state.settings.allow_reset {
        return respond();
    }
    let message = "Resetting and restoring are not allowed. Start the server with --allow-reset.";
    (StatusCode::FORBIDDEN, Json(json!({ "message": message }))).into_response()
}

fn with_name(name: &str, respond: impl FnOnce(SnapshotName) -> Response) -> Response {
    name.parse().map_or_else(|message| DataError::InvalidName(message).into_response(), respond)
}

/// Serves `GET /_local/ca.pem`: the certificate of the local certificate authority.
pub(crate) async fn authority(Shared(state): Shared<Arc<State>>) -> Response {
    let Some(pem) = state.certificates.authority_pem() else {
        let message =
            "There is no local certificate authority, because TLS is off or has a certificate of the settings.\n";
        return (StatusCode::NOT_FOUND, message).into_response();
    };
    ([(CONTENT_TYPE, "application/x-pem-file")], pem.to_owned()).into_response()
}

/// Serves `GET /_local/known_hosts`: SSH's host key as a line of a `known_hosts` file, for the host name of the request.
pub(crate) async fn known_hosts(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    let Some(endpoint) = &state.ssh else {
        let message = "There is no host key, because SSH is off. Start the server with --ssh-listen.\n";
        return (StatusCode::NOT_FOUND, message).into_response();
    };
    let host = headers::text(&headers, &HOST).unwrap_or_else(|| endpoint.host());
    let line = format!("{}\n", endpoint.known_hosts(&host));
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response()
}

/// Serves `GET /_local/folders`: the paths of the data and of the trail, for programs on this machine that read the trail's files.
pub(crate) async fn folders(Shared(state): Shared<Arc<State>>) -> Response {
    let absolute = |path: &FilePath| std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    let (data, trail) = (absolute(state.data_folder()), absolute(state.trail_folder()));
    Json(json!({ "data": data.to_string_lossy(), "trail": trail.to_string_lossy() })).into_response()
}

/// Serves `GET /_local/events`: the feed of all accounts.
pub(crate) async fn events(uri: Uri, headers: HeaderMap) -> Response {
    feed_query::respond(&uri, &headers, None)
}

/// Serves `GET /_local/tokens/ACCOUNT/.well-known/openid-configuration`: the location of the keys of web identity tokens.
pub(crate) async fn token_issuer(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(account): Path<AccountId>,
    headers: HeaderMap,
) -> Response {
    let host = headers::text(&headers, &HOST).unwrap_or_default();
    let scheme = authenticate::scheme(&state, &headers, &peer);
    let issuer = format!("{scheme}://{host}/_local/tokens/{account}");
    let configuration = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES384"],
        "claims_supported": ["iss", "aud", "sub", "iat", "exp", "jti", "scope", "subject_mode"],
    });
    Json(configuration).into_response()
}

/// Serves `GET /_local/tokens/ACCOUNT/keys`: the public keys of web identity tokens, the same for every account.
pub(crate) async fn token_keys(Shared(state): Shared<Arc<State>>, Path(_): Path<AccountId>) -> Response {
    match tokio::task::spawn_blocking(move || state.sts.token_keys().map_err(|error| error.to_string())).await {
        Ok(Ok(keys)) => Json(keys).into_response(),
        Ok(Err(message)) => status(Ok(Err(message))),
        Err(error) => status(Err(error)),
    }
}

fn status(result: Result<Result<(), String>, tokio::task::JoinError>) -> Response {
    match result.map_err(|error| error.to_string()).and_then(|result| result) {
        Ok(()) => Json(json!({ "status": "done" })).into_response(),
        Err(message) => failure(&message),
    }
}

fn failure(message: &str) -> Response {
    tracing::error!(error = message, "request below /_local failed");
    (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "message": message }))).into_response()
}

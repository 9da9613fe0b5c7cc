//! The request with which a client makes sure that its upload has arrived.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::headers;
use crate::lfs::parse;
use crate::lfs::path::LfsPath;
use crate::lfs::reply::{LfsFailure, json_reply};
use crate::lfs::token::{self, GrantedOperation};
use crate::state::State;

#[derive(Deserialize)]
struct Verified {
    oid: String,
    size: u64,
}

/// Answers whether the object of the token, which the body names, is there.
pub(super) fn respond(
    state: &Arc<State>,
    path: &LfsPath,
    head: &Parts,
    body: &Bytes,
) -> Result<Response<Body>, LfsFailure> {
    let authorization = headers::text(&head.headers, &AUTHORIZATION);
    let token = token::bearer(authorization.as_deref()).ok_or_else(token::missing)?;
    let grant = state.lfs_tokens.object(token, state.clock.now(), GrantedOperation::Upload, &path.repository)?;
    let object = grant.object().ok_or_else(token::missing)?;
    let Verified { oid, size } = parse(body)?;
    if oid != object.id.to_string() {
        return Err(LfsFailure::new(403, "The token is for another object."));
    }
    state.codecommit.check_lfs_object(&grant.repository_id, &codecommit::lfs::LfsObject { bytes: size, ..object })?;
    Ok(json_reply(200, &json!({ "oid": oid, "size": size })))
}

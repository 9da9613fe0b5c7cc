//! Uploads of objects, each with the token that a batch gave out.
//!
//! A slow client keeps no thread: what it has sent is written in pieces.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use axum::http::Response;
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH};
use axum::http::request::Parts;
use bytes::Bytes;
use codecommit::lfs::{LfsError, LfsUpload};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::lfs::path::LfsPath;
use crate::lfs::reply::LfsFailure;
use crate::lfs::token::{self, GrantedOperation, ObjectGrant};
use crate::state::State;
use crate::{blocking, body, headers};

/// Bytes that are received before they are hashed and written.
const PIECE_BYTES: usize = 512 << 10;

/// Receives an object and stores it.
pub(super) async fn serve(state: Arc<State>, path: &LfsPath, id: &str, head: &Parts, mut body: Body) -> Response<Body> {
    let idle_timeout = state.settings.git.timeout;
    let stored = match granted(&state, path, id, head) {
        Ok(grant) => receive(&state, &grant, head, &mut body).await,
        Err(failure) => Err(failure),
    };
    match stored {
        Ok(()) => Response::new(Body::empty()),
        Err(failure) => {
            tracing::info!(
                repository = path.repository,
                object = id,
                status = failure.status,
                error = failure.message,
                "refused a large file"
            );
            if !body.is_end_stream() {
                body::discard(body, idle_timeout).await;
            }
            failure.reply(&state.clock.id())
        }
    }
}

fn granted(state: &State, path: &LfsPath, id: &str, head: &Parts) -> Result<ObjectGrant, LfsFailure> {
    let authorization = headers::text(&head.headers, &AUTHORIZATION);
    let token = token::bearer(authorization.as_deref()).ok_or_else(token::missing)?;
    let grant = state.lfs_tokens.object(token, state.clock.now(), GrantedOperation::Upload, &path.repository)?;
    if grant.object().is_none_or(|object| object.id.to_string() != id) {
        return Err(LfsFailure::new(403, "The token is for another object."));
    }
    Ok(grant)
}

async fn receive(state: &Arc<State>, grant: &ObjectGrant, head: &Parts, body: &mut Body) -> Result<(), LfsFailure> {
    let object = grant.object().ok_or_else(token::missing)?;
    let announced = headers::text(&head.headers, &CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if let Some(received) = announced.filter(|length| *length != object.bytes) {
        return Err(LfsError::WrongLength { received, expected: object.bytes }.into());
    }
    let codecommit = Arc::clone(&state.codecommit);
    let mut upload = blocking::run(move || codecommit.begin_lfs_upload(object)).await?;
    loop {
        let (pieces, is_end) = next_pieces(body, state.settings.git.timeout).await?;
        upload = blocking::run(move || write(upload, &pieces)).await?;
        if is_end {
            break;
        }
    }
    let (state, repository_id) = (Arc::clone(state), grant.repository_id.clone());
    let now = state.clock.now();
    let finish = move || state.codecommit.finish_lfs_upload(upload, &repository_id, now);
    Ok(blocking::run_apart(finish).await?)
}

fn write(mut upload: LfsUpload, pieces: &[Bytes]) -> Result<LfsUpload, LfsError> {
    pieces.iter().try_for_each(|piece| upload.write(piece))?;
    Ok(upload)
}

/// Receives the next pieces of a body; returns them, and whether the body ends with them.
async fn next_pieces(body: &mut Body, idle_timeout: std::time::Duration) -> Result<(Vec<Bytes>, bool), LfsFailure> {
    let (mut pieces, mut bytes) = (Vec::new(), 0);
    while bytes < PIECE_BYTES {
        let silent = |_| LfsFailure::new(408, format!("The client sent nothing for {idle_timeout:?}."));
        match timeout(idle_timeout, body.frame()).await.map_err(silent)? {
            None => return Ok((pieces, true)),
            Some(Err(error)) => return Err(LfsFailure::new(400, format!("The upload broke off: {error}."))),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    bytes += data.len();
                    pieces.push(data);
                }
            }
        }
    }
    Ok((pieces, false))
}

//! Requests for locks. Listing them needs the permission to pull, all else that to push.

use axum::body::Body;
use axum::http::Response;
use bytes::Bytes;
use codecommit::lfs::{Lock, LockFilter, LockOutcome, LockPage, Unlocking};
use git::Service;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lfs::faults::Reference;
use crate::lfs::reply::{LfsFailure, json_reply};
use crate::lfs::{LfsRequest, parse, record};

/// `eventName` of the changes of locks.
const CREATE: &str = "CreateLfsLock";
const DELETE: &str = "DeleteLfsLock";

#[derive(Deserialize)]
struct NewLock {
    path: String,
    #[serde(rename = "ref")]
    reference: Option<Reference>,
}

#[derive(Deserialize)]
struct Verification {
    cursor: Option<String>,
    limit: Option<usize>,
}

#[derive(Default, Deserialize)]
struct Removal {
    #[serde(default)]
    force: bool,
    #[serde(rename = "ref")]
    reference: Option<Reference>,
}

/// Creates a lock.
pub(super) fn create(request: &LfsRequest, body: &Bytes) -> Result<Response<Body>, LfsFailure> {
    let NewLock { path, reference } = parse(body)?;
    let repository = request.session(Service::ReceivePack).repository()?;
    let locking = request.state.codecommit.prepare_lock(&request.call, &repository, path)?;
    let parameters = json!({ "repositoryName": repository.name, "path": locking.path() });
    let event = || record::locks(CREATE, parameters.clone());
    request.check_faults(CREATE, &repository, reference, event)?;
    let outcome = request.transact(move |transaction| {
        let mut event = record::locks(CREATE, parameters);
        let outcome = locking.apply(transaction);
        match &outcome {
            Ok(LockOutcome::Created(lock)) => event.response_elements = json!({ "lockId": lock.id }),
            Ok(LockOutcome::Held(lock)) => {
                event.failure = Some(aws::Failure::client("InvalidRequestException", held(lock)));
            }
            Err(_) => {}
        }
        (outcome, event)
    })?;
    Ok(match outcome {
        LockOutcome::Created(lock) => json_reply(201, &json!({ "lock": shown(&lock) })),
        LockOutcome::Held(lock) => {
            let (message, request_id) = (held(&lock), request.call.request_id());
            json_reply(409, &json!({ "lock": shown(&lock), "message": message, "request_id": request_id }))
        }
    })
}

/// Lists locks.
pub(super) fn list(request: &LfsRequest, query: Option<&str>) -> Result<Response<Body>, LfsFailure> {
    let mut filter = LockFilter::default();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let value = Some(value.into_owned()).filter(|value| !value.is_empty());
        match name.as_ref() {
            "path" => filter.path = value,
            "id" => filter.id = value,
            "cursor" => filter.cursor = value,
            "limit" => filter.limit = value.and_then(|limit| limit.parse().ok()),
            _ => {}
        }
    }
    let repository = request.session(Service::UploadPack).repository()?;
    let LockPage { locks, next_cursor } = request.state.codecommit.locks(&repository, &filter)?;
    let locks: Vec<Value> = locks.iter().map(shown).collect();
    Ok(page(json!({ "locks": locks }), next_cursor))
}

/// Lists locks by whether they are the caller's; clients ask before a push.
pub(super) fn verify(request: &LfsRequest, body: &Bytes) -> Result<Response<Body>, LfsFailure> {
    let Verification { cursor, limit } = parse(body)?;
    let repository = request.session(Service::UploadPack).repository()?;
    let filter = LockFilter { cursor, limit, ..LockFilter::default() };
    let LockPage { locks, next_cursor } = request.state.codecommit.locks(&repository, &filter)?;
    let (ours, theirs): (Vec<Lock>, Vec<Lock>) =
        locks.into_iter().partition(|lock| lock.owner_arn == request.call.caller.arn);
    let [ours, theirs] = [ours, theirs].map(|locks| locks.iter().map(shown).collect::<Vec<Value>>());
    Ok(page(json!({ "ours": ours, "theirs": theirs }), next_cursor))
}

/// Removes a lock.
pub(super) fn remove(request: &LfsRequest, id: &str, body: &Bytes) -> Result<Response<Body>, LfsFailure> {
    let Removal { force, reference } = if body.is_empty() { Removal::default() } else { parse(body)? };
    let repository = request.session(Service::ReceivePack).repository()?;
    let (call, id) = (std::sync::Arc::clone(&request.call), id.to_owned());
    let parameters = json!({ "repositoryName": repository.name, "lockId": id, "force": force });
    let event = || record::locks(DELETE, parameters.clone());
    request.check_faults(DELETE, &repository, reference, event)?;
    let outcome = request.transact(move |transaction| {
        let mut event = record::locks(DELETE, parameters);
        let outcome = Lock::remove(transaction, &call, &repository.id, &id, force);
        if let Ok(Unlocking::OfOther(_) | Unlocking::Missing) = &outcome {
            let message = "The lock does not exist, or it is another user's.";
            event.failure = Some(aws::Failure::client("InvalidRequestException", message));
        }
        (outcome, event)
    })?;
    match outcome {
        Unlocking::Removed(lock) => Ok(json_reply(200, &json!({ "lock": shown(&lock) }))),
        Unlocking::OfOther(lock) => {
            let message = format!("{} is locked by {}. Remove the lock with --force.", lock.path, lock.owner_name);
            Err(LfsFailure::new(403, message))
        }
        Unlocking::Missing => Err(LfsFailure::new(404, "The repository has no lock with this ID.")),
    }
}

fn page(mut body: Value, next_cursor: Option<String>) -> Response<Body> {
    if let Some(cursor) = next_cursor {
        body["next_cursor"] = cursor.into();
    }
    json_reply(200, &body)
}

fn held(lock: &Lock) -> String {
    format!("{} is locked by {} already.", lock.path, lock.owner_name)
}

fn shown(lock: &Lock) -> Value {
    let Lock { id, path, owner_name, locked, .. } = lock;
    json!({ "id": id, "path": path, "locked_at": locked.iso(), "owner": { "name": owner_name } })
}

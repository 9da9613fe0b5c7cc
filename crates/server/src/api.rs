//! The path of an API request, from top to bottom; no step looks back.

use std::net::SocketAddr;
use std::sync::Arc;

use aws::{Call, Failure};
use axum::body::Body;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{Request, Response};
use bytes::Bytes;
use codecommit::CodeCommit;
use trail::CloudTrail;

use crate::state::State;
use crate::{blocking, body, head};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const CONTENT_JSON: &str = "application/x-amz-json-1.1";
const CODECOMMIT: trail::Source =
    trail::Source { event_source: codecommit::EVENT_SOURCE, api_version: codecommit::API_VERSION };

/// Serves `POST /`.
pub(crate) async fn serve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response<Body> {
    // 1. Read head and body.
    let (head, body) = request.into_parts();
    let body = body::whole(body, state.settings.body_bytes_max, state.settings.git.timeout).await;
    // The rest blocks.
    let answer = blocking::run(move || {
        // 2. and 3. Authenticate, and begin the call.
        let call = Arc::new(head::begin(&state, &head.headers, peer, None));
        // 4. and 5. Find the row, and run it.
        let target = head::text(&head.headers, &TARGET);
        let body = body.as_ref().map(AsRef::as_ref).map_err(Clone::clone);
        let result = run(&state, &call, target.as_deref(), body);
        (call, target, result)
    });
    let (call, target, result) = answer.await;
    // 6. Respond.
    respond(&call, target.as_deref(), result)
}

/// Runs the operation that the target names, of whichever service; the services of AWS JSON have targets of their own.
///
/// What is no operation has no name that a record could carry; AWS records no such calls either.
fn run(state: &State, call: &Arc<Call>, target: Option<&str>, body: Result<&[u8], Failure>) -> Result<Bytes, Failure> {
    let unknown = || Err(unknown(target));
    let Some((prefix, name)) = target.and_then(|target| target.rsplit_once('.')) else { return unknown() };
    let reply = if prefix == codecommit::TARGET_PREFIX {
        let Some(operation) = CodeCommit::operation(name) else { return unknown() };
        let reply = state.trail.call(CODECOMMIT, operation, &state.codecommit, call, body);
        for repository_id in state.codecommit.grown() {
            state.maintenance.note(&repository_id);
        }
        reply
    } else if trail::TARGET_PREFIXES.contains(&prefix) {
        let Some(operation) = CloudTrail::operation(name) else { return unknown() };
        state.trail.call(trail::SOURCE, operation, &state.cloudtrail, call, body)
    } else {
        return unknown();
    };
    Ok(reply?.body.into())
}

fn unknown(target: Option<&str>) -> Failure {
    let message = match target {
        Some(target) => format!("{target} is not an operation of AWS CodeCommit or AWS CloudTrail."),
        None => format!("The X-Amz-Target header is missing; write {}.Operation.", codecommit::TARGET_PREFIX),
    };
    Failure::client("UnknownOperationException", message)
}

fn respond(call: &Call, target: Option<&str>, result: Result<Bytes, Failure>) -> Response<Body> {
    let (status, error, body) = match result {
        Ok(body) => (200, None, body),
        Err(failure) => (failure.status, Some(failure.name.clone()), failure.to_json().into()),
    };
    let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or("-");
    tracing::info!(
        operation,
        status,
        error = error.as_deref(),
        user = %call.caller.arn,
        account = %call.account,
        region = %call.region,
        request_id = call.request_id(),
        "call"
    );
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", call.request_id())
        .header(CONTENT_TYPE, CONTENT_JSON)
        .body(Body::from(body))
        .expect("a request id and a status of ours make a head")
}

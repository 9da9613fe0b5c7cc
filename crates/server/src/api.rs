//! The spine: the path of an API request from top to bottom.

use std::net::SocketAddr;
use std::sync::Arc;

use aws::{Call, Failure};
use axum::body::Body;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Response};
use bytes::Bytes;
use identity::{AuthenticationError, Sts};

use crate::disconnect::DisconnectGuard;
use crate::protocol::{self, RequestedOperation, TARGET};
use crate::services::Service;
use crate::spool::Spool;
use crate::state::State;
use crate::{authenticate, blocking, body, call_log, headers};

const STS: trail::Source =
    trail::Source { event_source: identity::EVENT_SOURCE, api_version: Some(identity::API_VERSION) };

/// Serves `POST /`, and AWS query requests by `GET /`.
pub(crate) async fn serve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response<Body> {
    // 1. Read head and body.
    let (head, body) = request.into_parts();
    let body = if head.method == Method::GET {
        None
    } else {
        let bytes_max = protocol::body_bytes_max(&state, &head);
        Some(body::receive(body, bytes_max, state.settings.git.timeout, state.spool()).await)
    };
    // The rest blocks, and ends early if the client disconnects.
    let guard = DisconnectGuard::new();
    let disconnected = guard.flag();
    let takes_long = headers::text(&head.headers, &TARGET).is_some_and(|target| Service::takes_long(&target));
    let work = move || {
        let query = || Ok(Bytes::copy_from_slice(head.uri.query().unwrap_or_default().as_bytes()));
        let body = body.map_or_else(query, |body| body.and_then(Spool::into_bytes));
        let body = body.as_ref().map(AsRef::as_ref).map_err(Clone::clone);
        let requested = RequestedOperation::read(&head, body.as_ref().copied().unwrap_or_default());
        // 2. and 3. Authenticate, and begin the call.
        let call = match authenticate::begin_call(&state, &head.headers, peer, None) {
            Ok(mut call) => {
                call.interrupts.push(disconnected);
                Arc::new(call)
            }
            Err(refused) => return refuse(&state, &requested, &refused),
        };
        // 4. and 5. Find the row, and run it.
        let result = run(&state, &call, &requested, body);
        // 6. Respond.
        respond(&call, &requested, result)
    };
    let response = if takes_long { blocking::run_apart(work).await } else { blocking::run(work).await };
    drop(guard);
    response
}

/// Runs the requested operation of its service.
fn run(
    state: &State,
    call: &Arc<Call>,
    requested: &RequestedOperation,
    body: Result<&[u8], Failure>,
) -> Result<Bytes, Failure> {
    let unknown = || requested.unknown();
    let reply = match requested {
        // The action is in the body, which is too large or incomplete.
        RequestedOperation::Query(None) if body.is_err() => return Err(body.expect_err("the guard has seen an error")),
        RequestedOperation::Query(action) => {
            let operation = action.as_deref().and_then(Sts::operation).ok_or_else(unknown)?;
            state.trail.call(STS, operation, &state.sts, call, body)
        }
        RequestedOperation::Json(target) => {
            let (service, name) = target.as_deref().and_then(Service::of_target).ok_or_else(unknown)?;
            service.run(state, name, call, body).ok_or_else(unknown)?
        }
    };
    Ok(reply?.body.into())
}

fn respond(call: &Call, requested: &RequestedOperation, result: Result<Bytes, Failure>) -> Response<Body> {
    let (status, error, body) = match result {
        Ok(body) => (200, None, body),
        Err(failure) => (failure.status, Some(failure.name.clone()), requested.failure(&failure, call.request_id())),
    };
    if status >= 500 {
        let resources: Vec<String> = call.resources().into_iter().map(|resource| resource.arn).collect();
        let operation = requested.operation();
        tracing::error!(
            operation,
            ?resources,
            request_id = call.request_id(),
            "call failed; an earlier log line has the reason"
        );
    }
    call_log::log(call, requested.operation(), status, error.as_deref(), None);
    send(requested, status, call.request_id(), body)
}

/// Responds to credentials that identify nobody; such a request is not a call and has no record.
fn refuse(state: &State, requested: &RequestedOperation, refused: &AuthenticationError) -> Response<Body> {
    let failure = match requested {
        RequestedOperation::Json(_) => refused.json(),
        RequestedOperation::Query(_) => refused.query(),
    };
    let request_id = state.clock.id();
    tracing::info!(operation = requested.operation(), error = failure.name, request_id, "rejected the credentials");
    send(requested, failure.status, &request_id, requested.failure(&failure, &request_id))
}

fn send(requested: &RequestedOperation, status: u16, request_id: &str, body: Bytes) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", request_id)
        .header(CONTENT_TYPE, requested.content_type())
        .body(Body::from(body))
        .expect("request ids and statuses are valid header values")
}

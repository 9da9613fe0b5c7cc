//! The spine: the path of an API request from top to bottom.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aws::operation::{Reply, Work};
use aws::{Call, Failure, FaultInjector, Region};
use axum::body::Body;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, Request, Response};
use bytes::Bytes;
use identity::Access;
use identity::signature::{Payload, Protocol};
use store::Durability;
use trail::Recording;

use crate::connection::{self, Delay, Peer};
use crate::disconnect::DisconnectGuard;
use crate::failures::{CallFaults, Effect};
use crate::protocol::{self, RequestedOperation, TARGET};
use crate::services::Service;
use crate::spool::Spool;
use crate::state::State;
use crate::{authenticate, blocking, body, call_log, headers};

/// Serves `POST /`, and AWS query requests by `GET /`.
pub(crate) async fn serve(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
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
    // The first half of the operation blocks, and ends early if the client disconnects.
    let guard = DisconnectGuard::new();
    let disconnected = guard.flag();
    let work = headers::text(&head.headers, &TARGET).and_then(|target| Service::work(&target)).unwrap_or(Work::Files);
    let is_remote = state.store.is_remote();
    let begun = {
        let state = Arc::clone(&state);
        let begin = move || {
            let begun = begin(&state, &head, body, &peer, disconnected);
            if let Begun::Call { recording: Ok(recording), .. } = &begun
                && is_remote
            {
                // This thread waits for a server already.
                recording.commit_if_free();
            }
            begun
        };
        match work {
            // Rows of a file are read faster than a thread is changed.
            Work::Rows if !is_remote => begin(),
            Work::Rows | Work::Files => blocking::run(begin).await,
            Work::Histories => blocking::run_apart(begin).await,
        }
    };
    let (call, requested, faults, recording) = match begun {
        Begun::Call { call, requested, faults, recording } => (call, requested, faults, recording),
        Begun::Refused(response) => return response,
    };
    let result = match recording {
        // The commit waits for the disk.
        Ok(recording) if state.settings.durability == Durability::Full && !is_remote => {
            blocking::run(move || recording.wait()).await.and_then(|result| result)
        }
        Ok(recording) => {
            // Other calls that are ready to run queue their changes now and share the commit.
            tokio::task::yield_now().await;
            recording.await.and_then(|result| result)
        }
        Err(failure) => Err(failure),
    };
    drop(guard);
    // 6. Respond, unless a failure on demand makes the reply late or cuts the connection.
    let response = respond(&call, &requested, result.map(|reply| reply.body.into()));
    match faults.as_ref().and_then(|faults| faults.effect()) {
        Some(effect) => affect(response, effect),
        None => response,
    }
}

/// Makes a response late, or replaces it by the end of the connection.
pub(crate) fn affect(response: Response<Body>, effect: &Effect) -> Response<Body> {
    let mut response = if effect.connection.is_some() { connection::cut() } else { response };
    if let Some(delay) = effect.delay {
        response.extensions_mut().insert(Delay(delay));
    }
    response
}

/// What there is before the commit.
enum Begun {
    /// A call whose first half has run.
    Call {
        call: Arc<Call>,
        requested: RequestedOperation,
        /// The failures on demand that the call can meet, if there are any.
        faults: Option<Arc<CallFaults>>,
        /// The second half and the record; the failure of a request that names no operation.
        recording: Result<Recording<Result<Reply, Failure>>, Failure>,
    },
    /// The response to credentials that are refused, which make no call.
    Refused(Response<Body>),
}

/// Steps 2 to 5, up to the commit.
fn begin(
    state: &State,
    head: &Parts,
    body: Option<Result<Spool, Failure>>,
    peer: &Peer,
    disconnected: Arc<AtomicBool>,
) -> Begun {
    let body = body.map_or_else(|| Ok(Bytes::new()), |body| body.and_then(Spool::into_bytes));
    // The parameters of a query request can be in its URL.
    let in_url = protocol::is_query(head) && body.as_ref().is_ok_and(Bytes::is_empty);
    let input =
        if in_url { Ok(Bytes::copy_from_slice(head.uri.query().unwrap_or_default().as_bytes())) } else { body.clone() };
    let input = input.as_ref().map(AsRef::as_ref).map_err(Clone::clone);
    let requested = RequestedOperation::read(head, in_url, input.as_ref().copied().unwrap_or_default());
    let signed = match (&body, state.settings.access) {
        (Ok(body), _) => body.as_ref(),
        (Err(_), Access::Open) => &[],
        // The signature covers a body that is too large or incomplete, so nothing proves who sent it.
        (Err(failure), Access::Signed | Access::Enforced) => return Begun::Refused(refuse(state, &requested, failure)),
    };
    // 2. and 3. Authenticate, and begin the call.
    let request = authenticate::Request {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        bucket: None,
        body: Payload::Bytes(signed),
        peer,
        protocol: requested.protocol(),
        services: requested.signing_names(),
        may_be_unsigned: requested.may_be_unsigned(),
        scope: None,
    };
    let mut call = match authenticate::begin_call(state, request) {
        Ok(call) => call,
        Err(refused) => {
            let failure = if requested.protocol() == Protocol::Query { refused.query() } else { refused.json() };
            return Begun::Refused(refuse(state, &requested, &failure));
        }
    };
    if requested.is_global() {
        call.region = Region::of_global_services(call.region.partition());
    }
    call.interrupts.push(disconnected);
    let faults = state.failures.of_call();
    call.faults = faults.clone().map(|faults| faults as Arc<dyn FaultInjector>);
    let call = Arc::new(call);
    // 4. and 5. Find the row, and run it.
    let recording = run(state, &call, &requested, input);
    Begun::Call { call, requested, faults, recording }
}

/// Runs the first half of the requested operation, of whichever service.
fn run(
    state: &State,
    call: &Arc<Call>,
    requested: &RequestedOperation,
    body: Result<&[u8], Failure>,
) -> Result<Recording<Result<Reply, Failure>>, Failure> {
    let unknown = || requested.unknown();
    match requested {
        // The action is in the body, which is too large or incomplete.
        RequestedOperation::Query(_, None) if body.is_err() => Err(body.expect_err("the guard has seen an error")),
        RequestedOperation::Query(service, action) => {
            action.as_deref().and_then(|action| service.begin(state, action, call, body)).ok_or_else(unknown)
        }
        RequestedOperation::Json(target) => {
            let (service, name) = target.as_deref().and_then(Service::of_target).ok_or_else(unknown)?;
            service.begin(state, name, call, body).ok_or_else(unknown)
        }
    }
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

/// Responds to a request without a caller; it is not a call and has no record.
fn refuse(state: &State, requested: &RequestedOperation, failure: &Failure) -> Response<Body> {
    let request_id = state.clock.id();
    send(requested, failure.status, &request_id, requested.failure(failure, &request_id))
}

fn send(requested: &RequestedOperation, status: u16, request_id: &str, body: Bytes) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", request_id)
        .header(CONTENT_TYPE, requested.content_type())
        .body(Body::from(body))
        .expect("request ids and statuses are valid header values")
}

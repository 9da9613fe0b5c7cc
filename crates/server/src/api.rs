//! The path of an API request, from top to bottom; no step looks back.

use std::net::SocketAddr;
use std::sync::Arc;

use aws::{Call, Failure};
use axum::body::Body;
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Response};
use bytes::Bytes;
use identity::{Refused, Sts};

use crate::asked::{self, Asked, TARGET};
use crate::presence::Presence;
use crate::services::Service;
use crate::spool::Spool;
use crate::state::State;
use crate::{blocking, body, call_log, head};

const STS: trail::Source =
    trail::Source { event_source: identity::EVENT_SOURCE, api_version: Some(identity::API_VERSION) };

/// Serves `POST /`, and what is AWS query's of `GET /`.
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
        let bytes_max = asked::body_bytes_max(&state, &head);
        Some(body::whole(body, bytes_max, state.settings.git.timeout, state.spool()).await)
    };
    // The rest blocks, and ends early if the client goes.
    let presence = Presence::new();
    let is_gone = presence.is_gone();
    let takes_long = head::text(&head.headers, &TARGET).is_some_and(|target| Service::takes_long(&target));
    let work = move || {
        let query = || Ok(Bytes::copy_from_slice(head.uri.query().unwrap_or_default().as_bytes()));
        let body = body.map_or_else(query, |body| body.and_then(Spool::into_bytes));
        let body = body.as_ref().map(AsRef::as_ref).map_err(Clone::clone);
        let asked = Asked::read(&head, body.as_ref().copied().unwrap_or_default());
        // 2. and 3. Authenticate, and begin the call.
        let call = match head::begin(&state, &head.headers, peer, None) {
            Ok(mut call) => {
                call.interrupts.push(is_gone);
                Arc::new(call)
            }
            Err(refused) => return refuse(&state, &asked, &refused),
        };
        // 4. and 5. Find the row, and run it.
        let result = run(&state, &call, &asked, body);
        // 6. Respond.
        respond(&call, &asked, result)
    };
    let response = if takes_long { blocking::run_apart(work).await } else { blocking::run(work).await };
    drop(presence);
    response
}

/// Runs the operation that is asked for, of whichever service.
fn run(state: &State, call: &Arc<Call>, asked: &Asked, body: Result<&[u8], Failure>) -> Result<Bytes, Failure> {
    let unknown = || asked.unknown();
    let reply = match asked {
        // What names the operation is in the body that is too large or broke off.
        Asked::Query(None) if body.is_err() => return Err(body.expect_err("it was looked at")),
        Asked::Query(action) => {
            let operation = action.as_deref().and_then(Sts::operation).ok_or_else(unknown)?;
            state.trail.call(STS, operation, &state.sts, call, body)
        }
        Asked::Json(target) => {
            let (service, name) = target.as_deref().and_then(Service::of_target).ok_or_else(unknown)?;
            service.run(state, name, call, body).ok_or_else(unknown)?
        }
    };
    Ok(reply?.body.into())
}

fn respond(call: &Call, asked: &Asked, result: Result<Bytes, Failure>) -> Response<Body> {
    let (status, error, body) = match result {
        Ok(body) => (200, None, body),
        Err(failure) => (failure.status, Some(failure.name.clone()), asked.failure(&failure, call.request_id())),
    };
    if status >= 500 {
        let resources: Vec<String> = call.resources().into_iter().map(|resource| resource.arn).collect();
        let operation = asked.operation();
        tracing::error!(
            operation,
            ?resources,
            request_id = call.request_id(),
            "a call failed; an earlier line tells why"
        );
    }
    call_log::log(call, asked.operation(), status, error.as_deref(), None);
    send(asked, status, call.request_id(), body)
}

/// Responds to credentials that name nobody, whose call is none.
fn refuse(state: &State, asked: &Asked, refused: &Refused) -> Response<Body> {
    let failure = match asked {
        Asked::Json(_) => refused.json(),
        Asked::Query(_) => refused.query(),
    };
    let request_id = state.clock.id();
    tracing::info!(operation = asked.operation(), error = failure.name, request_id, "credentials refused");
    send(asked, failure.status, &request_id, asked.failure(&failure, &request_id))
}

fn send(asked: &Asked, status: u16, request_id: &str, body: Bytes) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("x-amzn-requestid", request_id)
        .header(CONTENT_TYPE, asked.content_type())
        .body(Body::from(body))
        .expect("a request id and a status of ours make a head")
}

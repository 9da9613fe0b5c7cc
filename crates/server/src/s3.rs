//! The S3 endpoint: buckets and their objects, read and changed.
//!
//! The crate `s3s` implements the protocol. Requests are passed to it without their signatures: `authenticate` has verified them, or
//! takes them as they are.

mod access;
mod acl;
mod attributes;
mod buckets;
mod checksum;
mod chunked;
mod condition;
mod configuration;
mod copy;
mod endpoint;
mod error_reply;
mod event;
mod fault;
mod host;
mod lifecycle;
mod list;
mod listing;
mod read;
mod receive;
mod request_body;
mod signature;
mod stored;
mod tags;
mod upload;
mod write;

use std::sync::Arc;

use aws::{AccountId, Call, Clock, Failure, Region};
use axum::body::{Body, HttpBody};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT, RANGE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use bucket::Buckets;
use http_body_util::{BodyExt, Collected};
use identity::Access;
use identity::signature::Protocol;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};

use self::access::{OperationSlot, Requester, S3Operation};
pub(crate) use self::endpoint::Endpoint;
use self::event::RequestDetails;
pub(crate) use self::lifecycle::start as start_lifecycle;
use self::request_body::RequestBody;
use self::signature::Signature;
use crate::connection::Peer;
use crate::state::State;
use crate::{authenticate, blocking, call_log, headers};

/// The headers with the id of a request: S3's names, and the name of the other services.
const REQUEST_IDS: [&str; 3] = ["x-amz-request-id", "x-amz-id-2", "x-amzn-requestid"];

/// Creates the implementation over all buckets, which belong to one account, and are in one region unless they were made in another.
pub(crate) fn endpoint(buckets: Arc<Buckets>, owner: AccountId, region: Region, clock: Arc<dyn Clock>) -> Endpoint {
    Endpoint { buckets, owner, region, clock, changes: Arc::default() }
}

/// Creates the service of an endpoint.
pub(crate) fn service(endpoint: Endpoint) -> S3Service {
    let access = access::Access(Arc::clone(&endpoint.buckets));
    let mut builder = S3ServiceBuilder::new(endpoint);
    // `s3s` checks the access only if there is a source of keys; requests are unsigned, so this one has none.
    builder.set_auth(SimpleAuth::new());
    builder.set_access(access);
    builder.build()
}

/// Tells whether a request is for S3: it is signed for S3, or its path or host names a bucket.
pub(crate) fn is_s3_request(state: &State, head: &Parts) -> bool {
    let first = head.uri.path().split('/').nth(1).unwrap_or_default();
    let is_bucket = |name: &str| state.buckets.find(name).is_some();
    Signature::read(head).is_some()
        || is_bucket(first)
        || host::bucket(&head.headers, &state.buckets).is_some_and(|name| is_bucket(&name))
}

/// Serves a request to S3.
pub(crate) async fn serve(state: Arc<State>, peer: Peer, request: Request<Body>) -> Response<Body> {
    // 1. Read the head, and the body unless it is the content of an object.
    let (mut head, body) = request.into_parts();
    let (bucket, signed_uri) = (host::bucket(&head.headers, &state.buckets), head.uri.clone());
    host::to_path(&mut head, &state.buckets);
    let (method, uri) = (head.method.clone(), head.uri.clone());
    let request_body = match RequestBody::read(&state, &head, body).await {
        Ok(body) => body,
        Err(failure) => {
            let request_id = state.clock.id();
            return with_id(error_reply::reply(&failure, HeaderMap::new(), None, None, &request_id), &request_id);
        }
    };
    // 2. and 3. Authenticate, and begin the call.
    let signature = Signature::read(&head);
    if let (Some(signature), Access::Open) = (&signature, state.settings.access) {
        signature.name_caller(&mut head);
    }
    let request = authenticate::Request {
        method: &head.method,
        uri: &signed_uri,
        headers: &head.headers,
        bucket: bucket.as_deref(),
        body: request_body.payload(),
        peer: &peer,
        protocol: Protocol::S3,
        services: &["s3"],
        may_be_unsigned: false,
        scope: None,
    };
    let (call, chunks) = match authenticate::begin_call_in_chunks(&state, request) {
        Ok((call, chunks)) => (Arc::new(call), chunks),
        Err(refused) => {
            request_body.discard(&head.headers, state.settings.git.timeout).await;
            let request_id = state.clock.id();
            return with_id(error_reply::refused(&refused.s3(), &request_id), &request_id);
        }
    };
    // 4. Find the operation, and run it.
    let slot = OperationSlot::default();
    let bytes_in = request_body.bytes();
    let details = head.headers.clone();
    let (timeout, access) = (state.settings.git.timeout, state.settings.access);
    let (content, rest) = request_body.into_content(&mut head, timeout, access, chunks);
    signature::remove(&mut head);
    // HTTP ignores a range that is not valid.
    if headers::text(&head.headers, &RANGE).is_some_and(|range| s3s::dto::Range::parse(&range).is_err()) {
        head.headers.remove(RANGE);
    }
    head.extensions.insert(slot.clone());
    let acl = head.headers.get("x-amz-acl").and_then(|acl| acl.to_str().ok()).map(str::to_owned);
    head.extensions.insert(Requester { call: Arc::clone(&call), owner: state.sts.default_account().clone(), acl });
    let response = run(&state.s3, head, content).await;
    if response.is_err() && !details.contains_key(EXPECT) {
        rest.discard(state.settings.git.timeout).await;
    }
    let operation = slot.take();
    let response = match response {
        Ok(response) if operation.as_ref().is_some_and(|operation| operation.name == attributes::NAME) => {
            Ok(attributes::without_quotes(response).await)
        }
        response => response,
    };
    // 5. Record; a request that is no operation has no name for a record.
    let recorded = match &operation {
        None => Ok(()),
        Some(operation) => {
            let result = response.as_ref().map(|response| if method == Method::GET { length(response) } else { 0 });
            let result = result.map_err(|(failure, _)| failure);
            let owner = state.sts.default_account();
            let request = RequestDetails { uri: &uri, headers: &details, signature: signature.as_ref(), bytes_in };
            let event = event::of(&call, operation, &request, owner, result);
            let (state, call) = (Arc::clone(&state), Arc::clone(&call));
            blocking::run(move || state.trail.record(&call, event)).await
        }
    };
    // 6. Respond.
    let response = recorded.map_err(|_| (error_reply::internal(), HeaderMap::new())).and(response);
    respond(&call, operation.as_ref(), response)
}

/// Runs a request; returns a failure with the headers of its reply.
async fn run(service: &S3Service, head: Parts, content: s3s::Body) -> Result<Response<Body>, (Failure, HeaderMap)> {
    let response = match service.call(Request::from_parts(head, content)).await {
        Ok(response) => response,
        Err(error) => {
            let error: s3s::StdError = error.into();
            tracing::error!(%error, "cannot write a reply of S3");
            return Err((error_reply::internal(), HeaderMap::new()));
        }
    };
    let (mut head, body) = response.into_parts();
    if head.status == StatusCode::NOT_MODIFIED {
        head.headers.remove(CONTENT_TYPE);
        return Ok(Response::from_parts(head, Body::empty()));
    }
    if head.status.is_client_error() || head.status.is_server_error() || head.status.is_redirection() {
        let document = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        let failure = error_reply::read(head.status.as_u16(), &String::from_utf8_lossy(&document));
        head.headers.remove(CONTENT_LENGTH);
        return Err((failure, head.headers));
    }
    Ok(Response::from_parts(head, Body::new(body)))
}

/// Returns the length of a reply's body, or 0 if it is not known before it is sent.
fn length(response: &Response<Body>) -> u64 {
    let header = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    header.or_else(|| response.body().size_hint().exact()).unwrap_or(0)
}

/// Completes a reply, and logs the call.
fn respond(
    call: &Call,
    operation: Option<&S3Operation>,
    response: Result<Response<Body>, (Failure, HeaderMap)>,
) -> Response<Body> {
    let error = response.as_ref().err().map(|(failure, _)| failure.name.clone());
    let response = response.unwrap_or_else(|(failure, headers)| {
        let bucket = operation.and_then(|operation| operation.bucket.as_deref());
        let key = operation.and_then(|operation| operation.key.as_deref());
        error_reply::reply(&failure, headers, bucket, key, call.request_id())
    });
    let name = operation.map_or("-", |operation| operation.name.as_str());
    call_log::log(call, name, response.status().as_u16(), error.as_deref(), None);
    with_id(response, call.request_id())
}

fn with_id(mut response: Response<Body>, request_id: &str) -> Response<Body> {
    let request_id = HeaderValue::from_str(request_id).expect("a UUID is a valid header value");
    for name in REQUEST_IDS {
        response.headers_mut().insert(HeaderName::from_static(name), request_id.clone());
    }
    response
}

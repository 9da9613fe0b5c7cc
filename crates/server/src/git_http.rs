//! The path of a Git request, from top to bottom: the same steps as an API request, in the words of smart HTTP.
//!
//! A request that means something leaves one event: `GET info/refs` without data, the POST that carries a pack with data. Rounds
//! of negotiation, and the empty POST with which a client tries the connection, leave none.

mod event;
mod fetch;
mod path;
mod push;

use std::io::Read;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aws::{Call, Failure};
use axum::body::Body;
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response};
use axum::response::IntoResponse;
use bytes::{Buf, Bytes};
use codecommit::repository::Repository;
use flate2::read::MultiGzDecoder;
use git::{Service, Version};
use identity::{Credentials, Presented};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::disconnect::DisconnectGuard;
pub(crate) use crate::git_http::path::GitPath;
use crate::git_http::path::Wanted;
use crate::spool::Spool;
use crate::state::State;
use crate::{authenticate, blocking, body, call_log, headers};

/// The versions of the protocol that a client speaks.
const GIT_PROTOCOL: HeaderName = HeaderName::from_static("git-protocol");

/// What serves one request on the blocking pool.
struct Exchange {
    state: Arc<State>,
    call: Arc<Call>,
    repository_name: String,
    service: Service,
    version: Version,
    respond: Responder,
}

/// An advertisement that many clients are sent.
struct Advertisement(Arc<Vec<u8>>);

impl AsRef<[u8]> for Advertisement {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// What comes with a request.
enum Input {
    Nothing,
    /// All that a client says when it asks for objects, read before a thread is taken, and the turn of the fetch.
    Whole(Result<Spool, Failure>, OwnedSemaphorePermit),
    /// What is read while it is taken in.
    Stream(body::Reader),
}

/// Where the head of the reply goes, and with it the body that is still to be written.
struct Responder(Option<oneshot::Sender<Response<Body>>>);

/// Serves everything below `/v1/repos/` and `/ACCOUNT/REGION/v1/repos/`.
pub(crate) async fn serve(state: Arc<State>, peer: SocketAddr, request: Request<Body>) -> Response<Body> {
    // 1. Read the head.
    let (head, body) = request.into_parts();
    let Some(path) = GitPath::parse(head.uri.path()) else {
        return plain(404, "There is nothing here. Repositories are at /v1/repos/NAME; the API is at POST /.");
    };
    let Some(service) = path.service(head.uri.query()) else {
        return plain(
            403,
            "This server speaks Git's smart HTTP protocol only. Use a Git client of version 1.7.9 or later.",
        );
    };
    let allowed = if path.wanted == Wanted::Advertisement { Method::GET } else { Method::POST };
    if head.method != allowed {
        let mut refused = plain(405, "This method is not allowed here.");
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_str(allowed.as_str()).expect("a method is a header's text"));
        return refused;
    }
    let expected = format!("application/x-{}-request", service.name());
    if path.wanted != Wanted::Advertisement && headers::text(&head.headers, &CONTENT_TYPE).as_ref() != Some(&expected) {
        // A web page of elsewhere can have a browser send other types without asking.
        return plain(415, &format!("The Content-Type of this request must be {expected}."));
    }
    if state.settings.asks_git_credentials() && is_anonymous(&head) {
        return unauthorized();
    }
    let patience = state.settings.git.timeout;
    let input = match (path.wanted, service) {
        (Wanted::Advertisement, _) => Input::Nothing,
        (Wanted::Service(_), Service::UploadPack) => {
            let body = body::receive(body, state.settings.body_bytes_max, patience, state.spool()).await;
            let turn = Arc::clone(&state.fetch_permits).acquire_owned().await;
            Input::Whole(body, turn.expect("nobody closes it"))
        }
        (Wanted::Service(_), Service::ReceivePack) => {
            let body = body::Reader::begin(body, patience).await;
            Input::Stream(body.with_permit(Arc::clone(&state.push_permits).acquire().await))
        }
    };
    let (sender, response) = oneshot::channel();
    let guard = DisconnectGuard::new();
    let disconnected = guard.flag();
    let short = path.wanted == Wanted::Advertisement;
    let work = move || {
        // 2. and 3. Authenticate, and begin the call.
        let call = match authenticate::begin_call(&state, &head.headers, peer, path.place) {
            Ok(mut call) => {
                call.interrupts.push(disconnected);
                Arc::new(call)
            }
            Err(refused) => {
                let failure = refused.json();
                tracing::info!(error = failure.name, "credentials refused");
                let status = if failure.status < 500 { 403 } else { failure.status };
                // A client that is gone needs no reply.
                let _ = sender.send(plain(status, &failure.message));
                if let Input::Stream(body) = input {
                    body.drain();
                }
                return;
            }
        };
        let respond = Responder(Some(sender));
        let asked = headers::text(&head.headers, &GIT_PROTOCOL);
        let version = Version::of(asked.as_deref(), &state.git.offers);
        let mut exchange = Exchange { state, call, repository_name: path.repository, service, version, respond };
        // 4. to 6. Find the repository, do the work with its record, respond.
        match input {
            Input::Nothing => exchange.advertise(),
            Input::Whole(body, _turn) => match body.and_then(Spool::into_bytes) {
                Ok(bytes) => fetch::serve(exchange, &mut decoded(&head, bytes.reader())),
                Err(failure) => exchange.refuse(failure),
            },
            Input::Stream(mut body) => {
                push::serve(exchange, &mut decoded(&head, &mut body));
                body.drain();
            }
        }
    };
    // Were it to panic, the sender would be dropped, and the client told.
    let work = move || drop(catch_unwind(AssertUnwindSafe(work)));
    if short {
        blocking::run(work).await;
    } else {
        // The reply begins before the work ends.
        tokio::task::spawn_blocking(work);
    }
    let response = response.await;
    let response = response.unwrap_or_else(|_| plain(500, "The request failed because of an internal error."));
    if short { response } else { response.map(|body| guard.attach_to(body)) }
}

impl Exchange {
    /// Finds the repository; where there is none the client is told, and the trail too.
    fn repository(&mut self) -> Option<Repository> {
        match self.state.codecommit.repository(&self.call, &self.repository_name) {
            Ok(repository) => Some(repository),
            Err(exception) => {
                self.refuse(exception.into());
                None
            }
        }
    }

    /// Serves `GET info/refs`.
    fn advertise(mut self) {
        let Some(repository) = self.repository() else { return };
        let advertised = self.state.codecommit.advertise(&repository, self.service, self.version);
        let advertisement = match advertised {
            Ok(advertisement) => advertisement,
            Err(exception) => return self.refuse(exception.into()),
        };
        let event = event::without_data(self.service, &repository.name, Some(&repository));
        match self.state.trail.record(&self.call, event) {
            Ok(()) => self.send(200, "advertisement", Bytes::from_owner(Advertisement(advertisement)).into()),
            Err(failure) => self.send_plain(failure.status, &failure.message),
        }
    }

    /// Records that the request failed, and answers with a status and a sentence.
    fn refuse(&mut self, failure: Failure) {
        let status = match failure.name.as_str() {
            "RepositoryDoesNotExistException" | "InvalidRepositoryNameException" => 404,
            _ if failure.status == 400 => 403,
            _ => failure.status,
        };
        let message = match failure.name.as_str() {
            "RepositoryDoesNotExistException" => self.not_found(),
            _ => failure.message.clone(),
        };
        let mut event = event::without_data(self.service, &self.repository_name, None);
        event.failure = Some(failure);
        match self.state.trail.record(&self.call, event) {
            Ok(()) => self.send_plain(status, &message),
            Err(failure) => self.send_plain(failure.status, &failure.message),
        }
    }

    /// Says where the repository was looked for, and which URL leads to another account or region.
    fn not_found(&self) -> String {
        let Call { account, region, clone_url_base, .. } = &*self.call;
        let name = &self.repository_name;
        let server = clone_url_base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        format!(
            "{name} does not exist in {region} of account {account}. A repository of another account or region has the URL \
             {server}/ACCOUNT/REGION/v1/repos/{name}"
        )
    }

    /// Sends a reply of one of the protocol's content types; `kind` is `advertisement` or `result`.
    fn send(&mut self, status: u16, kind: &str, body: Body) {
        let content_type = format!("application/x-{}-{kind}", self.service.name());
        self.respond(status, &content_type, body);
    }

    fn send_plain(&mut self, status: u16, message: &str) {
        self.respond(status, "text/plain; charset=utf-8", format!("{message}\n").into());
    }

    fn respond(&mut self, status: u16, content_type: &str, body: Body) {
        let call = &self.call;
        call_log::log(call, event::name(self.service), status, None, Some(&self.repository_name));
        let response = Response::builder()
            .status(status)
            .header("x-amzn-requestid", call.request_id())
            .header(CONTENT_TYPE, content_type)
            .body(body)
            .expect("a request id, a status and a content type of ours make a head");
        if let Some(sender) = self.respond.0.take() {
            // A client that is gone needs no reply.
            let _ = sender.send(response);
        }
    }
}

/// Undoes the compression that clients use for requests of more than a kilobyte.
fn decoded<'b>(head: &Parts, body: impl Read + 'b) -> Box<dyn Read + 'b> {
    match headers::text(&head.headers, &CONTENT_ENCODING).map(|name| name.to_ascii_lowercase()).as_deref() {
        Some("gzip" | "x-gzip") => Box::new(MultiGzDecoder::new(body)),
        _ => Box::new(body),
    }
}

/// Tells whether a request has no credentials that name anybody.
fn is_anonymous(head: &Parts) -> bool {
    let authorization = headers::text(&head.headers, &AUTHORIZATION);
    Credentials::read(authorization.as_deref(), None).presented == Presented::Nothing
}

/// Asks for credentials: the client sends the request again with those that it has, or asks its user.
fn unauthorized() -> Response<Body> {
    let mut response = plain(401, "Credentials are required. Any password will do; the user name names the caller.");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"AWS CodeCommit\""));
    response
}

fn plain(status: u16, message: &str) -> Response<Body> {
    let status = axum::http::StatusCode::from_u16(status).expect("our statuses are statuses");
    (status, format!("{message}\n")).into_response()
}

//! Replies to Git requests over HTTP.

use std::sync::Arc;
use std::time::Duration;

use aws::{Call, Failure};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use bytes::Bytes;
use git::Service;
use identity::Access;
use tokio::sync::oneshot;

use crate::body::{self, SpillSpace};
use crate::git_serving::{Refusal, Reply, event};
use crate::{call_log, connection};

/// The reply to one request: its head, with the body that may still be written.
pub(crate) struct HttpReply {
    sender: Option<oneshot::Sender<Response<Body>>>,
    call: Arc<Call>,
    service: Service,
    repository_name: String,
    spill: SpillSpace,
    delay: Option<Duration>,
}

/// An advertisement that many replies share.
struct SharedBytes(Arc<Vec<u8>>);

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl HttpReply {
    pub(crate) fn new(
        sender: oneshot::Sender<Response<Body>>,
        call: Arc<Call>,
        service: Service,
        repository_name: String,
        spill: SpillSpace,
    ) -> Self {
        Self { sender: Some(sender), call, service, repository_name, spill, delay: None }
    }

    /// Sends a reply of one of the protocol's content types; `kind` is `advertisement` or `result`.
    fn send_ok(&mut self, kind: &str, body: Body) {
        let content_type = format!("application/x-{}-{kind}", self.service.name());
        self.send_head(200, &content_type, body);
    }

    fn send_plain(&mut self, status: u16, message: &str) {
        self.send_head(status, "text/plain; charset=utf-8", format!("{message}\n").into());
    }

    fn send_head(&mut self, status: u16, content_type: &str, body: Body) {
        let call = &self.call;
        call_log::log(call, event::name(self.service), status, None, Some(&self.repository_name));
        let mut response = Response::builder()
            .status(status)
            .header("x-amzn-requestid", call.request_id())
            .header(CONTENT_TYPE, content_type)
            .body(body)
            .expect("the request id, the status and the content type are valid");
        if let Some(delay) = self.delay {
            response.extensions_mut().insert(connection::Delay(delay));
        }
        self.respond(response);
    }

    fn respond(&mut self, response: Response<Body>) {
        if let Some(sender) = self.sender.take() {
            // A client that has disconnected needs no reply.
            let _ = sender.send(response);
        }
    }

    /// Returns a message that names the account and region of the request, and the URL of repositories elsewhere.
    fn no_such_repository(&self) -> String {
        let Call { account, region, clone_url_base, .. } = &*self.call;
        let name = &self.repository_name;
        let server = clone_url_base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        format!(
            "{name} does not exist in {region} of account {account}. A repository of another account or region has the URL \
             {server}/ACCOUNT/REGION/v1/repos/{name}"
        )
    }
}

impl Reply for HttpReply {
    fn send_advertisement(&mut self, advertisement: Arc<Vec<u8>>) {
        self.send_ok("advertisement", Bytes::from_owner(SharedBytes(advertisement)).into());
    }

    fn send(&mut self, bytes: Vec<u8>) {
        self.send_ok("result", bytes.into());
    }

    fn start(&mut self) -> body::Writer {
        let (writer, body) = body::channel(&self.spill);
        self.send_ok("result", body);
        writer
    }

    fn delay(&mut self, delay: Duration) {
        self.delay = Some(delay);
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::NoSuchRepository => {
                let message = self.no_such_repository();
                self.send_plain(404, &message);
            }
            Refusal::Failed(failure) => self.send_plain(status(&failure), &failure.message),
            Refusal::NotRecorded(failure) => self.send_plain(failure.status, &failure.message),
            Refusal::Cut => self.start().control().cut_after(0),
        }
    }
}

/// Returns the status of a failed request.
fn status(failure: &Failure) -> u16 {
    match failure.status {
        _ if failure.name == "InvalidRepositoryNameException" => 404,
        // As AWS answers Git clients.
        _ if failure.name == "ThrottlingException" => 429,
        400 => 403,
        status => status,
    }
}

/// Requests credentials: the client repeats the request with those that it has, or asks its user.
pub(crate) fn unauthorized(access: Access) -> Response<Body> {
    let mut response = plain(401, credentials_required(access));
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"AWS CodeCommit\""));
    response
}

/// Returns the message for a request without credentials.
pub(crate) const fn credentials_required(access: Access) -> &'static str {
    match access {
        Access::Open => "Credentials are required. Any password will do; the user name names the caller.",
        Access::Signed | Access::Enforced => {
            "Credentials are required: those of git-remote-codecommit, of the credential helper of the AWS CLI, or Git credentials."
        }
    }
}

/// Creates a reply with a message for the user.
pub(crate) fn plain(status: u16, message: &str) -> Response<Body> {
    let status = StatusCode::from_u16(status).expect("the statuses of this server are valid");
    (status, format!("{message}\n")).into_response()
}

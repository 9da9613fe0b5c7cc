//! Requests to one bucket at an endpoint: their URLs and signatures, and what failed ones say.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::request::Builder;
use ureq::http::{Method, Request, Response, StatusCode};
use ureq::tls::TlsConfig;
use ureq::{Agent, AsSendBody, Body, SendBody};

use super::content::Content;
use super::settings::RemoteSettings;
use super::signature;

/// Time limit of establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Limit of a reply that is kept in memory; a page of a listing has 1,000 keys of up to 1,024 bytes.
const REPLY_BYTES_MAX: u64 = 16 << 20;

/// Characters of an error reply that a message shows.
const REPLY_CHARS_SHOWN: usize = 1_000;

/// Escaped characters in the value of a query: all but those that SigV4 leaves as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Escaped characters in a path, in which a key keeps its slashes.
const ESCAPED_IN_PATH: &AsciiSet = &ESCAPED.remove(b'/');

/// The source of the time in signatures.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Time limits of a request.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Limit of the whole request.
    pub(super) total: Option<Duration>,
    /// Limit of waiting for the endpoint to take or to send the next bytes.
    pub(super) idle: Option<Duration>,
}

/// The client of a bucket.
pub(super) struct Client {
    /// The URL of the bucket, with a slash at its end.
    url: String,
    settings: RemoteSettings,
    agent: Agent,
    clock: Clock,
}

impl Client {
    pub(super) fn new(name: &str, settings: RemoteSettings, clock: Clock, tls: TlsConfig, limits: Limits) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .tls_config(tls)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(limits.total)
            .timeout_per_read(limits.idle)
            .timeout_per_write(limits.idle)
            .user_agent("codecommit-local")
            .build();
        let url = format!("{}/{name}/", settings.endpoint.trim_end_matches('/'));
        Self { url, settings, agent: agent.into(), clock }
    }

    /// Returns the URL of the bucket, with a slash at its end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Begins a request for the bucket.
    pub(super) fn bucket(&self, method: Method, query: &[(&str, &str)]) -> Builder {
        self.request(method, "", query)
    }

    /// Begins a request for an object.
    pub(super) fn object(&self, method: Method, key: &str, query: &[(&str, &str)]) -> io::Result<Builder> {
        if is_path(key) {
            return Ok(self.request(method, key, query));
        }
        let reason = format!("the key '{key}' is not a path: it has an empty part, '.', '..' or a control character");
        Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
    }

    /// Names an object in an error.
    pub(super) fn named(&self, key: &str, error: &io::Error) -> io::Error {
        named(&format!("{}{key}", self.url), error)
    }

    fn request(&self, method: Method, key: &str, query: &[(&str, &str)]) -> Builder {
        let mut url = format!("{}{}", self.url, utf8_percent_encode(key, ESCAPED_IN_PATH));
        for (index, (name, value)) in query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.extend([*name, "="]);
            url.extend(utf8_percent_encode(value, ESCAPED));
        }
        Request::builder().method(method).uri(url)
    }

    /// Asks for the encryption that the settings name.
    pub(super) fn encrypted(&self, mut request: Builder) -> Builder {
        let headers = [
            ("x-amz-server-side-encryption", &self.settings.encryption),
            ("x-amz-server-side-encryption-aws-kms-key-id", &self.settings.kms_key_id),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request
    }

    /// Sends a request, signed if there is an access key; returns the reply of one that succeeds.
    pub(super) fn send(&self, request: Builder, content: Content<'_>) -> io::Result<Response<Body>> {
        let Some(length) = content.length() else { return self.run(request, (), content) };
        let mut reader = content.reader()?;
        self.run(request.header("content-length", length), SendBody::from_reader(&mut reader), content)
    }

    fn run(&self, request: Builder, body: impl AsSendBody, content: Content<'_>) -> io::Result<Response<Body>> {
        let mut request = request.body(body).map_err(io::Error::other)?;
        if let Some((id, secret)) = &self.settings.access_key {
            let access_key = (id.as_str(), secret.reveal());
            signature::sign(&mut request, content.signable()?, access_key, &self.settings.region, (self.clock)())?;
        }
        let name = format!("{} {}", request.method(), request.uri());
        let mut response = self.agent.run(request).map_err(|error| named(&name, &error.into_io()))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let reply = text(&mut response).map_err(|error| named(&name, &error))?;
        let reply: String = reply.chars().take(REPLY_CHARS_SHOWN).collect();
        Err(io::Error::new(kind(status), format!("{name}: HTTP status {status}: {reply}")))
    }
}

/// Reads the text of a reply.
pub(super) fn text(response: &mut Response<Body>) -> io::Result<String> {
    let reply = response.body_mut().with_config().limit(REPLY_BYTES_MAX).read_to_vec().map_err(ureq::Error::into_io)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{name}: {error}"))
}

/// Tells whether a key survives as the path of a URL; a slash at its end makes an object that stands for a folder.
fn is_path(key: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(|c: char| c.is_control());
    key.strip_suffix('/').unwrap_or(key).split('/').all(part)
}

/// Tells a missing bucket or object and a refusal from the failures that may pass.
fn kind(status: StatusCode) -> io::ErrorKind {
    match status {
        StatusCode::NOT_FOUND => io::ErrorKind::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => io::ErrorKind::PermissionDenied,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => io::ErrorKind::Other,
        status if status.is_client_error() => io::ErrorKind::InvalidInput,
        _ => io::ErrorKind::Other,
    }
}

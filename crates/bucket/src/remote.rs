//! Buckets at S3 endpoints: each object is put with one request, which blocks the caller for a limited time.

mod settings;
mod signature;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::Agent;
use ureq::http::{Request, StatusCode};
use ureq::tls::TlsConfig;

pub use self::settings::{RemoteSettings, Secret};
use crate::Bucket;

/// Time limit of establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time limit of one put; deliveries to other buckets and a server that stops wait for it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Limit of the reply to a put.
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// Characters of an error reply that a message shows.
const REPLY_CHARS_SHOWN: usize = 1_000;

/// Escaped characters in a path: all but those that SigV4 leaves as they are, and the slashes of a key.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The source of the time in signatures.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A bucket at an endpoint that speaks S3.
pub struct RemoteBucket {
    url: String,
    settings: RemoteSettings,
    agent: Agent,
    clock: Clock,
}

impl RemoteBucket {
    /// Creates the client of a bucket; nothing is sent before an object is put. `tls` is for endpoints with `https`.
    pub fn new(name: &str, settings: RemoteSettings, clock: Clock, tls: TlsConfig) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .tls_config(tls)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .user_agent("codecommit-local")
            .build();
        let url = format!("{}/{name}/", settings.endpoint.trim_end_matches('/'));
        Self { url, settings, agent: agent.into(), clock }
    }

    /// Builds the request that puts an object; it is signed if there is an access key.
    fn request(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<Request<Vec<u8>>> {
        if !is_path(key) {
            let reason =
                format!("the key '{key}' is not a path: it has an empty part, '.', '..' or a control character");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let mut request = Request::put(format!("{}{}", self.url, utf8_percent_encode(key, ESCAPED)));
        if key.ends_with(".json.gz") {
            request = request.header("content-type", "application/json").header("content-encoding", "gzip");
        }
        let encryption = [
            ("x-amz-server-side-encryption", &self.settings.encryption),
            ("x-amz-server-side-encryption-aws-kms-key-id", &self.settings.kms_key_id),
        ];
        for (name, value) in encryption {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        for (name, value) in metadata {
            request = request.header(format!("x-amz-meta-{name}"), *value);
        }
        let mut request = request.body(content.to_vec()).map_err(io::Error::other)?;
        if let Some((id, secret)) = &self.settings.access_key {
            let access_key = (id.as_str(), secret.reveal());
            signature::sign(&mut request, access_key, &self.settings.region, (self.clock)())?;
        }
        Ok(request)
    }
}

impl Bucket for RemoteBucket {
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()> {
        let request = self.request(key, content, metadata)?;
        let url = request.uri().to_string();
        let failed = |error: ureq::Error| {
            let error = error.into_io();
            io::Error::new(error.kind(), format!("PUT {url}: {error}"))
        };
        let (head, mut body) = self.agent.run(request).map_err(failed)?.into_parts();
        let reply = body.with_config().limit(REPLY_BYTES_MAX).read_to_vec().map_err(failed)?;
        if head.status.is_success() {
            return Ok(());
        }
        let reply: String = String::from_utf8_lossy(&reply).chars().take(REPLY_CHARS_SHOWN).collect();
        Err(io::Error::new(kind(head.status), format!("PUT {url}: HTTP status {}: {reply}", head.status)))
    }
}

/// Tells whether a key survives as the path of a URL; a slash at its end makes an object that stands for a folder.
fn is_path(key: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(|c: char| c.is_control());
    key.strip_suffix('/').unwrap_or(key).split('/').all(part)
}

/// Tells a missing bucket and a refusal from all other failures.
fn kind(status: StatusCode) -> io::ErrorKind {
    match status {
        StatusCode::NOT_FOUND => io::ErrorKind::NotFound,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => io::ErrorKind::PermissionDenied,
        _ => io::ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests;

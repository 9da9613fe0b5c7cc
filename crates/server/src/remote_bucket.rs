//! Buckets that lie elsewhere: log files are put there as to S3.
//!
//! The client is `object_store`, over the HTTP client that carries the messages of triggers. It is asked to put objects and
//! nothing else, and its requests block, so whoever delivers waits here; the time is limited.

use std::fmt;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http_body_util::BodyExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::path::Path;
use object_store::{Attribute, Attributes, ClientOptions, ObjectStore, PutOptions, RetryConfig};
use trail::Bucket;
use ureq::Agent;

use crate::settings;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long an object may take; other buckets wait for it, and a server that stops.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A reply to an object that was put is short.
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// A bucket at an endpoint that speaks as S3 does.
pub(crate) struct RemoteBucket {
    store: AmazonS3,
}

impl RemoteBucket {
    /// Knows how the bucket is reached; nothing is sent before an object is put.
    pub(crate) fn new(name: &str, settings: &settings::RemoteBucket) -> io::Result<Self> {
        // What fails is tried again by whoever delivers.
        let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_endpoint(&settings.endpoint)
            .with_allow_http(true)
            .with_region(settings.region.as_str())
            .with_retry(retry)
            .with_http_connector(Connector);
        builder = match &settings.access_key {
            Some((id, secret)) => builder.with_access_key_id(id).with_secret_access_key(secret.reveal()),
            None => builder.with_skip_signature(true),
        };
        let encryption =
            [("aws_server_side_encryption", &settings.encryption), ("aws_sse_kms_key_id", &settings.kms_key_id)];
        for (key, value) in encryption {
            if let Some(value) = value {
                let key: AmazonS3ConfigKey = key.parse().map_err(io::Error::other)?;
                builder = builder.with_config(key, value);
            }
        }
        Ok(Self { store: builder.build().map_err(io::Error::other)? })
    }
}

impl Bucket for RemoteBucket {
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()> {
        let path = path(key)?;
        let mut attributes = Attributes::new();
        if key.ends_with(".json.gz") {
            attributes.insert(Attribute::ContentType, "application/json".into());
            attributes.insert(Attribute::ContentEncoding, "gzip".into());
        }
        for (name, value) in metadata {
            attributes.insert(Attribute::Metadata((*name).to_owned().into()), (*value).to_owned().into());
        }
        let options = PutOptions { attributes, ..PutOptions::default() };
        finished(self.store.put_opts(&path, content.to_vec().into(), options))?.map_err(failure)?;
        Ok(())
    }
}

/// Returns the path that is exactly this key.
fn path(key: &str) -> io::Result<Path> {
    let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
    let path = Path::parse(key).map_err(|error| invalid(error.to_string()))?;
    // Parsing takes slashes away; one at the end makes an object that stands for a folder.
    let path = if key.ends_with('/') { path.join("") } else { path };
    if path.as_ref() == key { Ok(path) } else { Err(invalid(format!("{key} is no path"))) }
}

/// Runs what never waits without blocking, and so ends when it is first asked.
fn finished<R>(work: impl Future<Output = R>) -> io::Result<R> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Ok(result),
        Poll::Pending => Err(io::Error::other("the client of the bucket waits for something else than its requests")),
    }
}

/// Tells a bucket that is missing or closed from all other failures.
fn failure(error: object_store::Error) -> io::Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => io::ErrorKind::NotFound,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            io::ErrorKind::PermissionDenied
        }
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .user_agent("codecommit-local")
            .build();
        Ok(HttpClient::new(Service(agent.into())))
    }
}

/// Sends requests, and blocks until the reply is there.
struct Service(Agent);

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Service")
    }
}

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = ureq::http::Request::from_parts(head, body.to_vec());
        let (head, mut body) = self.0.run(request).map_err(told)?.into_parts();
        let body = body.with_config().limit(REPLY_BYTES_MAX).read_to_vec().map_err(told)?;
        Ok(HttpResponse::from_parts(head, HttpResponseBody::from(body)))
    }
}

fn told(error: ureq::Error) -> HttpError {
    let kind = match &error {
        ureq::Error::Timeout(_) => HttpErrorKind::Timeout,
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => HttpErrorKind::Connect,
        _ => HttpErrorKind::Request,
    };
    HttpError::new(kind, error)
}

#[cfg(test)]
mod tests;

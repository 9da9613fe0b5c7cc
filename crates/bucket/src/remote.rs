//! Buckets at S3 endpoints: each object is put with one request, which blocks the caller for a limited time.

mod client;
mod content;
#[cfg(test)]
mod endpoint;
mod objects;
mod settings;
mod signature;
mod xml;

use std::io;
use std::time::Duration;

use ureq::http::Method;
use ureq::tls::TlsConfig;

pub use self::client::Clock;
use self::client::{Client, Limits};
use self::content::Content;
pub use self::objects::{RemoteObject, RemoteObjects};
pub use self::settings::{RemoteSettings, Secret};
use crate::Bucket;

/// Time limit of one put; deliveries to other buckets and a server that stops wait for it.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A bucket at an endpoint that speaks S3.
pub struct RemoteBucket(Client);

impl RemoteBucket {
    /// Creates the client of a bucket; nothing is sent before an object is put. `tls` is for endpoints with `https`.
    pub fn new(name: &str, settings: RemoteSettings, clock: Clock, tls: TlsConfig) -> Self {
        Self(Client::new(name, settings, clock, tls, Limits { total: Some(TIMEOUT), idle: None }))
    }
}

impl Bucket for RemoteBucket {
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()> {
        let mut request = self.0.encrypted(self.0.object(Method::PUT, key, &[])?);
        if key.ends_with(".json.gz") {
            request = request.header("content-type", "application/json").header("content-encoding", "gzip");
        }
        for (name, value) in metadata {
            request = request.header(format!("x-amz-meta-{name}"), *value);
        }
        self.0.send(request, Content::Bytes(content)).map(drop)
    }
}

#[cfg(test)]
mod tests;

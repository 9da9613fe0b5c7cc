mod chunks;
mod errors;
mod git;
mod oracle;
mod vectors;
mod version2;

use std::time::Duration;

use aws::{Region, Timestamp};

use super::{Claim, ExpectedScope, Payload, Protocol, RequestParts, SignatureError};
use crate::root_key::SecretKey;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SKEW: Option<Duration> = Some(Duration::from_mins(15));

/// A request as it came.
#[derive(Clone, Debug, Default)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    bucket: Option<String>,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, url: &str, headers: &[(&str, &str)]) -> Self {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let [method, path, query] = [method, path, query].map(str::to_owned);
        Self { method, path, query, headers, bucket: None, body: Vec::new() }
    }

    fn with_body(self, body: &str) -> Self {
        Self { body: body.as_bytes().to_vec(), ..self }
    }

    fn with<R>(&self, run: impl FnOnce(&RequestParts<'_>) -> R) -> R {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        run(&RequestParts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &headers,
            bucket: self.bucket.as_deref(),
            payload: Payload::Bytes(&self.body),
        })
    }

    /// Verifies the signature for a service in all regions; the only access key is `KEY`.
    fn verify(&self, protocol: Protocol, service: &str, now: Timestamp) -> Result<(), SignatureError> {
        self.with(|request| verify(request, protocol, &ExpectedScope { services: &[service], regions: None }, now))
    }
}

fn verify(
    request: &RequestParts<'_>,
    protocol: Protocol,
    expected: &ExpectedScope<'_>,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let Claim::Signature(signature) = Claim::read(protocol, request)? else {
        return Err(SignatureError::Missing);
    };
    let checked = signature.check(expected, SKEW, now)?;
    if signature.access_key_id() != KEY {
        return Err(SignatureError::UnknownKey(signature.access_key_id().to_owned()));
    }
    checked.verify(&SecretKey::new(SECRET), request).map(drop)
}

fn time(text: &str) -> Timestamp {
    Timestamp::from_compact_second(text).expect("the text is a date")
}

fn region(name: &str) -> Region {
    name.parse().expect("the name is that of a region")
}

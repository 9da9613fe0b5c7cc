//! Signed requests: AWS Signature Version 4 in the header, for servers that verify it.

use std::fmt::Write;

use ring::digest::{SHA256, digest};
use ring::hmac;
use ureq::http::Request;

use crate::{Reply, World, model};

/// The time of all signatures; servers whose clock is not that of the tests accept any.
const DATE: &str = "20161214T181914Z";

/// An access key with its secret.
#[derive(Clone, Copy, Debug)]
pub struct AccessKey<'k> {
    /// The id.
    pub id: &'k str,
    /// The secret.
    pub secret: &'k str,
}

impl World {
    /// Calls an operation of AWS JSON with a signature of an access key; `headers` are not signed.
    pub fn call_signed(
        &self,
        key: AccessKey<'_>,
        target: &str,
        region: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let endpoint = self.endpoint();
        let host = endpoint.trim_start_matches("http://");
        let host = headers.iter().find(|(name, _)| *name == "host").map_or(host, |(_, host)| host);
        let authorization = authorization(key, host, target, region, body);
        let mut all = vec![
            ("x-amz-target", target),
            ("x-amz-date", DATE),
            ("content-type", "application/x-amz-json-1.1"),
            ("authorization", &authorization),
        ];
        all.extend_from_slice(headers);
        self.send("POST", "/", &all, body)
    }
}

/// Signs a request for an operation of AWS JSON in the region us-east-1.
pub fn sign(request: Request<Vec<u8>>, key: AccessKey<'_>) -> Request<Vec<u8>> {
    let (mut head, body) = request.into_parts();
    let host = head.uri.authority().expect("the URL has a host").as_str();
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let target = target.expect("the request names its operation");
    let authorization = authorization(key, host, target, "us-east-1", &body);
    for (name, value) in [("x-amz-date", DATE), ("authorization", &authorization)] {
        head.headers.insert(name, value.parse().expect("the text is a valid header value"));
    }
    Request::from_parts(head, body)
}

/// Returns the header with the signature.
fn authorization(key: AccessKey<'_>, host: &str, target: &str, region: &str, body: &[u8]) -> String {
    let service = service_of(target);
    let scope = format!("{}/{region}/{service}/aws4_request", &DATE[..8]);
    let canonical = format!(
        "POST\n/\n\nhost:{host}\nx-amz-date:{DATE}\nx-amz-target:{target}\n\nhost;x-amz-date;x-amz-target\n{}",
        hexadecimal(digest(&SHA256, body).as_ref())
    );
    let to_sign =
        format!("AWS4-HMAC-SHA256\n{DATE}\n{scope}\n{}", hexadecimal(digest(&SHA256, canonical.as_bytes()).as_ref()));
    let parts = [&DATE[..8], region, service, "aws4_request", &to_sign];
    let secret = format!("AWS4{}", key.secret).into_bytes();
    let signature = parts.iter().fold(secret, |key, part| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
    });
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature={}",
        key.id,
        hexadecimal(&signature)
    )
}

/// Returns the service in the scope of a signature.
fn service_of(target: &str) -> &'static str {
    let operation = target.rsplit('.').next().unwrap_or_default();
    if model::is_cloudtrail(operation) {
        "cloudtrail"
    } else if model::is_tagging(operation) {
        "tagging"
    } else {
        "codecommit"
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string never fails");
        text
    })
}

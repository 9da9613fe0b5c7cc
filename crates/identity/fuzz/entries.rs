//! The entry points of the fuzzers; a test calls them with the stored corpus.
//!
//! **Invariant:** no input makes them panic, and none verifies.

use std::time::Duration;

use aws::{Region, Timestamp};
use identity::signature::{Claim, ExpectedScope, Payload, Protocol, RequestParts, SignatureError};
use identity::{PasswordHash, SecretKey};

/// The secret of all access keys; it signed no input.
const SECRET: &str = "a secret that signed nothing";

/// The date of the corpus.
const NOW: &str = "20261128T224900Z";

/// Verifies the credentials of a request: a line `METHOD URL`, a line `name: value` for each header, an empty line, and the body.
pub fn signature(data: &[u8]) {
    let end = data.windows(2).position(|bytes| bytes == b"\n\n");
    let (head, body) = end.map_or((data, &[][..]), |end| (&data[..end], &data[end + 2..]));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (method, url) = first.split_once(' ').unwrap_or(("GET", &first));
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let headers: Vec<(String, &[u8])> = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((String::from_utf8_lossy(&line[..colon]).to_lowercase(), line[colon + 1..].trim_ascii()))
        })
        .collect();
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    for payload in [Payload::Bytes(body), Payload::Unread] {
        let bucket = (body.len() % 2 == 1).then_some("bucket");
        let request = RequestParts { method, path, query, headers: &headers, bucket, payload };
        for protocol in [Protocol::Json, Protocol::Query, Protocol::S3, Protocol::Git] {
            let error = verify(protocol, &request).expect_err("the secret signed no input");
            let texts = [error.to_string(), format!("{error:?}"), error.json().message, error.query().message];
            assert!(texts.iter().all(|text| !text.contains(SECRET)));
            error.s3();
            if let SignatureError::Mismatch(mismatch) = &error {
                mismatch.signed_parts();
            }
        }
    }
}

fn verify(protocol: Protocol, request: &RequestParts<'_>) -> Result<(), SignatureError> {
    let secret = SecretKey::new(SECRET);
    let now = Timestamp::from_compact_second(NOW).expect("the text is a date");
    let skew = Some(Duration::from_mins(15));
    match Claim::read(protocol, request)? {
        Claim::Nothing => Err(SignatureError::Missing),
        Claim::Signature(signature) => {
            let expected = ExpectedScope { services: &["codecommit", "sts", "s3"], regions: None };
            signature.check(&expected, skew, now)?.verify(&secret, request).map(drop)
        }
        Claim::GitPassword(password) => {
            let region: Region = "us-east-1".parse().expect("the name is that of a region");
            password.verify(&secret, request, &[region], skew, now).map(drop)
        }
        Claim::GitCredential(credential) => credential.verify(&PasswordHash::of(SECRET)),
    }
}

//! The content of an object as it is received: written to a file, hashed, and compared with what the client says about it.
//!
//! A piece is written when enough has arrived, so a slow client keeps no thread.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use bucket::{FolderBucket, Incoming};
use bytes::Bytes;
use http_body_util::BodyExt;
use identity::signature::SignatureError;
use s3s::crypto::{Checksum as _, Md5, Sha256};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result};
use tokio::time::timeout;

use super::checksum::{self, Algorithm, Hasher};
use super::chunked::Trailers;
use super::fault::{failed, fault};
use crate::{blocking, headers};

/// Bytes that are collected before they are written.
const PIECE_BYTES: usize = 1 << 20;

/// The largest object that one request puts, and the largest part: 5 GiB.
pub(super) const OBJECT_BYTES_MAX: u64 = 5 << 30;

/// The attribute of the entity tag of an object or part.
pub(super) const ETAG: &str = "etag";

/// An extension of a request: what its head says about a body that is not read yet.
#[derive(Clone, Debug, Default)]
pub(super) struct BodyClaims {
    /// The SHA-256 in hexadecimal that the signature covers.
    pub(super) sha256: Option<String>,
    /// The trailers of a body in chunks.
    pub(super) trailers: Option<Trailers>,
    /// The algorithm of the checksum that the trailers will have.
    pub(super) in_trailer: Option<Algorithm>,
    /// The length of the content.
    pub(super) bytes: Option<u64>,
    /// Time for which a client may send nothing.
    pub(super) idle_timeout: Duration,
}

/// What the members of an input say about its content.
pub(super) struct ContentClaims {
    pub(super) md5: Option<String>,
    pub(super) checksums: Vec<(Algorithm, String)>,
    /// The algorithm that the client wants if it sends no checksum.
    pub(super) algorithm: Option<Algorithm>,
}

/// Content that was received whole, with its entity tag and its checksum as attributes.
pub(super) struct Received {
    pub(super) incoming: Incoming,
    pub(super) attributes: BTreeMap<String, String>,
}

impl BodyClaims {
    /// Reads the claims of a head.
    pub(super) fn read(headers: &HeaderMap, idle_timeout: Duration, verify_hash: bool) -> Self {
        let text = |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_hash = |hash: &&str| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = text("x-amz-decoded-content-length").or_else(|| text("content-length"));
        let sha256 = text("x-amz-content-sha256").filter(is_hash).filter(|_| verify_hash);
        Self {
            sha256: sha256.map(str::to_ascii_lowercase),
            trailers: None,
            in_trailer: text("x-amz-trailer").and_then(|names| names.split(',').find_map(Algorithm::of_header)),
            bytes: length.and_then(|length| length.parse().ok()),
            idle_timeout,
        }
    }
}

/// Tells whether a head announces a body in chunks.
pub(super) fn is_chunked(headers: &HeaderMap) -> bool {
    let has = |name: &'static str, part: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(part))
    };
    has("x-amz-content-sha256", "STREAMING-") || has("content-encoding", "aws-chunked")
}

/// Removes the encoding in chunks from the head of a request whose body was decoded.
pub(super) fn remove_chunked(headers: &mut HeaderMap) {
    let encoding = headers::text(headers, &axum::http::header::CONTENT_ENCODING).unwrap_or_default();
    let kept: Vec<&str> =
        encoding.split(',').map(str::trim).filter(|encoding| !matches!(*encoding, "aws-chunked" | "")).collect();
    headers.remove("content-encoding");
    if let Ok(kept) = HeaderValue::from_str(&kept.join(","))
        && !kept.is_empty()
    {
        headers.insert("content-encoding", kept);
    }
    if let Some(length) = headers.remove("x-amz-decoded-content-length") {
        headers.insert("content-length", length);
    }
}

impl ContentClaims {
    /// Returns the algorithm of the checksum, and its value unless it comes in a trailer or is only computed.
    fn checksum(&self, in_trailer: Option<Algorithm>) -> S3Result<(Algorithm, Option<&str>)> {
        match &self.checksums[..] {
            [] => Ok((in_trailer.or(self.algorithm).unwrap_or(Algorithm::Crc64Nvme), None)),
            [(algorithm, value)] => algorithm.check(value).map(|()| (*algorithm, Some(value.as_str()))),
            _ => {
                let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
                Err(fault(S3ErrorCode::InvalidRequest, message))
            }
        }
    }
}

/// Fails unless the value of `Content-MD5` is an MD5 in base64.
pub(super) fn check_md5(sent: &str) -> S3Result<()> {
    if checksum::decode(sent).is_some_and(|bytes| bytes.len() == 16) {
        return Ok(());
    }
    Err(fault(S3ErrorCode::InvalidDigest, "The Content-MD5 you specified is not valid."))
}

/// Fails unless the value of `Content-MD5` is the computed one.
pub(super) fn compare_md5(sent: &str, computed: &[u8]) -> S3Result<()> {
    if sent == checksum::encode(computed) {
        return Ok(());
    }
    Err(fault(S3ErrorCode::BadDigest, "The Content-MD5 you specified did not match what we received."))
}

/// The hashes of content while it is received.
struct Hashes {
    md5: Md5,
    sha256: Option<Sha256>,
    checksum: Hasher,
}

impl Hashes {
    fn update(&mut self, piece: &[u8]) {
        self.md5.update(piece);
        self.checksum.update(piece);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(piece);
        }
    }
}

/// Receives the content of an object or part into a file of its bucket, which exists; `id` is different each time.
pub(super) async fn receive(
    bucket: FolderBucket,
    id: String,
    body: Option<StreamingBlob>,
    body_claims: BodyClaims,
    claims: ContentClaims,
) -> S3Result<Received> {
    claims.md5.as_deref().map_or(Ok(()), check_md5)?;
    let (algorithm, sent) = claims.checksum(body_claims.in_trailer)?;
    if body_claims.bytes.is_some_and(|bytes| bytes > OBJECT_BYTES_MAX) {
        return Err(too_large());
    }
    let mut incoming = blocking::run(move || bucket.receive(&id)).await.map_err(failed)?;
    let sha256 = body_claims.sha256.as_ref().map(|_| Sha256::new());
    let mut hashes = Hashes { md5: Md5::new(), sha256, checksum: Hasher::new(algorithm) };
    let mut body = body.map_or_else(s3s::Body::empty, s3s::Body::from);
    let (mut pieces, mut bytes): (Vec<Bytes>, usize) = (Vec::new(), 0);
    loop {
        let next = timeout(body_claims.idle_timeout, body.frame()).await.map_err(|_| {
            let message =
                "Your socket connection to the server was not read from or written to within the timeout period.";
            fault(S3ErrorCode::RequestTimeout, message)
        })?;
        let is_end = next.is_none();
        if let Some(frame) = next {
            let frame = frame.map_err(|error| broken(&*error))?;
            let Ok(piece) = frame.into_data() else { continue };
            bytes += piece.len();
            pieces.push(piece);
        }
        if is_end || bytes >= PIECE_BYTES {
            let written = std::mem::take(&mut pieces);
            (incoming, hashes) = blocking::run(move || {
                for piece in written {
                    hashes.update(&piece);
                    incoming.append(&piece)?;
                }
                Ok((incoming, hashes))
            })
            .await
            .map_err(failed)?;
            bytes = 0;
        }
        if is_end {
            break;
        }
        if incoming.bytes() > OBJECT_BYTES_MAX {
            return Err(too_large());
        }
    }
    if body_claims.bytes.is_some_and(|bytes| bytes != incoming.bytes()) {
        return Err(incomplete());
    }
    let md5 = hashes.md5.finalize();
    let computed = hashes.checksum.finish();
    if let (Some(claimed), Some(sha256)) = (&body_claims.sha256, hashes.sha256)
        && aws::hex::encode(sha256.finalize().as_ref()) != *claimed
    {
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        return Err(super::fault::other("XAmzContentSHA256Mismatch", axum::http::StatusCode::BAD_REQUEST, message));
    }
    claims.md5.as_deref().map_or(Ok(()), |sent| compare_md5(sent, md5.as_ref()))?;
    let trailer = body_claims.trailers.as_ref().and_then(|trailers| trailers.get(&algorithm.header()));
    if let Some(sent) = sent.or(trailer.as_deref()) {
        algorithm.check(sent)?;
        algorithm.compare(sent, &computed)?;
    }
    let attributes =
        BTreeMap::from([(ETAG.to_owned(), aws::hex::encode(md5.as_ref())), (algorithm.header(), computed)]);
    Ok(Received { incoming, attributes })
}

/// Converts a failure to read a body, or to verify it.
fn broken(error: &(dyn std::error::Error + 'static)) -> S3Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            let cause = io.get_ref().and_then(|cause| cause.downcast_ref::<SignatureError>());
            if let Some(refused) = cause {
                return fault(S3ErrorCode::SignatureDoesNotMatch, refused.s3().failure.message);
            }
            if io.kind() == std::io::ErrorKind::InvalidData {
                return fault(S3ErrorCode::InvalidRequest, format!("The request cannot be read: {io}."));
            }
        }
        cause = error.source();
    }
    incomplete()
}

fn incomplete() -> S3Error {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    fault(S3ErrorCode::IncompleteBody, message)
}

fn too_large() -> S3Error {
    fault(S3ErrorCode::EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
}

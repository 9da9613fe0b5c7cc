//! The hash of the payload that version 4 signs, and its comparison with the body.

use std::borrow::Cow;

use super::Version4;
use crate::signature::claim::Location;
use crate::signature::mac;
use crate::signature::{Redacted, RequestParts, SignatureError};

/// The value of a payload that is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The value of a payload in chunks without signatures.
const STREAMING_UNSIGNED: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// The value of a payload in chunks with signatures.
pub(super) const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/// The value of a payload in chunks with signatures, also of the trailers.
pub(super) const STREAMING_TRAILERS: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";

/// The values that are no hash.
const OTHER: [&str; 4] = [UNSIGNED, STREAMING_UNSIGNED, STREAMING, STREAMING_TRAILERS];

impl Version4 {
    /// Returns the hash of the payload that the signature covers: that of `x-amz-content-sha256`, or else that of the body.
    ///
    /// A URL of S3 signs `UNSIGNED-PAYLOAD` if it says nothing else.
    pub(super) fn payload_hash<'r>(&self, request: &RequestParts<'r>) -> Result<Cow<'r, str>, SignatureError> {
        let header = request.header("x-amz-content-sha256");
        if !self.is_s3 {
            let computed = || request.payload.hash().map(Cow::Owned);
            return header.or_else(computed).ok_or(SignatureError::UnverifiedBody);
        }
        let is_url = self.location == Location::Url;
        let parameter = || request.parameter("X-Amz-Content-Sha256").filter(|_| is_url).map(Cow::Owned);
        let hash = header.or_else(parameter).or(is_url.then_some(UNSIGNED.into()));
        let hash = hash.ok_or(SignatureError::MissingContentHash)?;
        if mac::hash(&hash).is_none() && !OTHER.contains(&hash.as_ref()) {
            return Err(SignatureError::InvalidContentHash(Redacted(hash.into_owned())));
        }
        Ok(hash)
    }

    /// Compares the signed hash with the body.
    ///
    /// S3 accepts unsigned payloads, and bodies that are not read yet: their hash, or the signatures of their chunks, are verified later. All
    /// other services accept the hash of the body only.
    pub(super) fn check_payload(&self, request: &RequestParts<'_>, hash: &str) -> Result<(), SignatureError> {
        let is_hash = mac::hash(hash).is_some();
        match request.payload.hash() {
            Some(computed) if computed == hash => Ok(()),
            Some(_) if [STREAMING, STREAMING_TRAILERS].contains(&hash) => Err(SignatureError::UnverifiedBody),
            _ if self.is_s3 && !is_hash => Ok(()),
            None if self.is_s3 => Ok(()),
            Some(computed) if self.is_s3 => {
                Err(SignatureError::ContentHashMismatch { claimed: hash.to_owned(), computed })
            }
            _ => Err(SignatureError::UnverifiedBody),
        }
    }
}

//! The comparison of a signature of version 4 with the one that a secret gives.

use aws::hex;
use sha2::{Digest, Sha256};

use super::payload::{STREAMING, STREAMING_TRAILERS};
use super::{ALGORITHM, CheckedVersion4};
use crate::root_key::SecretKey;
use crate::signature::error::Mismatch;
use crate::signature::mac::{self, TERMINATOR};
use crate::signature::{ChunkSignatures, Redacted, RequestParts, SignatureError};

impl CheckedVersion4<'_> {
    /// Verifies the signature of a request and the hash of its payload; returns what verifies a body in signed chunks.
    pub(in crate::signature) fn verify(
        &self,
        secret: &SecretKey,
        request: &RequestParts<'_>,
    ) -> Result<Option<ChunkSignatures>, SignatureError> {
        let signature = self.signature;
        let payload = signature.payload_hash(request)?;
        let canonical = signature.canonical_request(request, &payload);
        let date = self.date.compact_second();
        let (day, region, service) = (&date[..8], self.region.as_str(), self.service);
        let hash = hex::encode(&Sha256::digest(&canonical));
        let scope = format!("{day}/{region}/{service}/{TERMINATOR}");
        let string_to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{hash}");
        let key = mac::signing_key(secret.as_str(), day, region, service);
        if !mac::is_hmac_sha256(&key, string_to_sign.as_bytes(), &signature.signature.0) {
            return Err(SignatureError::Mismatch(Box::new(Mismatch {
                access_key_id: signature.access_key_id().to_owned(),
                string_to_sign: Redacted(string_to_sign),
                signature: signature.signature.clone(),
                canonical_request: Some(Redacted(String::from_utf8_lossy(&canonical).into_owned())),
            })));
        }
        signature.check_payload(request, &payload)?;
        let is_streamed = [STREAMING, STREAMING_TRAILERS].contains(&payload.as_ref());
        let chunks = || ChunkSignatures::new(key, (&date, &scope), &signature.signature, payload == STREAMING_TRAILERS);
        Ok(is_streamed.then(chunks))
    }
}

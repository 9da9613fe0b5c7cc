//! The signatures of a body in chunks. Each continues the one before it, and the first one that of the head.

use std::fmt;

use aws::hex;
use sha2::{Digest, Sha256};

use super::{Redacted, SignatureError, mac};

/// The algorithms of the signatures of chunks and of trailers.
const OF_CHUNK: &str = "AWS4-HMAC-SHA256-PAYLOAD";
const OF_TRAILERS: &str = "AWS4-HMAC-SHA256-TRAILER";

/// Verifies the signatures of a body in chunks, in their order.
pub struct ChunkSignatures {
    key: [u8; 32],
    /// The second and third line of each text that is signed: the date and the scope.
    date_and_scope: String,
    /// The signature before.
    previous: Redacted<String>,
    /// The content of the chunk that is being read.
    content: Sha256,
    has_signed_trailers: bool,
}

impl ChunkSignatures {
    /// Begins with the signature of the head, and its key, date and scope.
    pub(super) fn new(
        key: [u8; 32],
        (date, scope): (&str, &str),
        of_head: &Redacted<String>,
        has_signed_trailers: bool,
    ) -> Self {
        let (date_and_scope, previous) = (format!("{date}\n{scope}"), of_head.clone());
        Self { key, date_and_scope, previous, content: Sha256::new(), has_signed_trailers }
    }

    /// Adds bytes to the content of the chunk.
    pub fn update(&mut self, bytes: &[u8]) {
        self.content.update(bytes);
    }

    /// Verifies the signature of a chunk, all of whose bytes were added.
    pub fn verify_chunk(&mut self, signature: &str) -> Result<(), SignatureError> {
        let (nothing, content) = (Sha256::digest([]), self.content.finalize_reset());
        self.verify(OF_CHUNK, &format!("{}\n{}", hex::encode(&nothing), hex::encode(&content)), signature)
    }

    /// Verifies the signature of the trailers, which have lower-case names and are in their order; there are none unless they are signed.
    pub fn verify_trailers<'t>(
        &mut self,
        trailers: impl Iterator<Item = (&'t str, &'t str)>,
        signature: Option<&str>,
    ) -> Result<(), SignatureError> {
        let lines: String = trailers.flat_map(|(name, value)| [name, ":", value, "\n"]).collect();
        match signature {
            None if !self.has_signed_trailers && lines.is_empty() => Ok(()),
            Some(signature) if self.has_signed_trailers => {
                self.verify(OF_TRAILERS, &hex::encode(&Sha256::digest(&lines)), signature)
            }
            _ => Err(SignatureError::UnverifiedBody),
        }
    }

    fn verify(&mut self, algorithm: &str, hashes: &str, signature: &str) -> Result<(), SignatureError> {
        let to_sign = format!("{algorithm}\n{}\n{}\n{hashes}", self.date_and_scope, self.previous.0);
        if !mac::is_hmac_sha256(&self.key, to_sign.as_bytes(), signature) {
            return Err(SignatureError::UnverifiedBody);
        }
        self.previous = Redacted(signature.to_owned());
        Ok(())
    }
}

impl fmt::Debug for ChunkSignatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkSignatures").finish_non_exhaustive()
    }
}

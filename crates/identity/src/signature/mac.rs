//! Message authentication codes and their comparison in constant time.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

/// The last part of a scope and of the derivation of a signing key.
pub(super) const TERMINATOR: &str = "aws4_request";

/// Computes HMAC-SHA256.
pub(crate) fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    sha256(key, data).finalize().into_bytes().into()
}

/// Derives the key of version 4 that signs the requests of a day (`YYYYMMDD`) for a service in a region.
pub(super) fn signing_key(secret: &str, day: &str, region: &str, service: &str) -> [u8; 32] {
    let secret = format!("AWS4{secret}");
    [day, region, service, TERMINATOR]
        .iter()
        .fold(None, |key: Option<[u8; 32]>, part| {
            let key = key.as_ref().map_or(secret.as_bytes(), |key| key.as_slice());
            Some(hmac_sha256(key, part.as_bytes()))
        })
        .expect("the list has four parts")
}

/// Tells whether a text is the HMAC-SHA256 of data in hexadecimal. Upper-case digits do not match, as no client writes them.
pub(super) fn is_hmac_sha256(key: &[u8], data: &[u8], text: &str) -> bool {
    hash(text).is_some_and(|mac| sha256(key, data).verify_slice(&mac).is_ok())
}

/// Tells whether bytes are the HMAC-SHA1 of data.
pub(super) fn is_hmac_sha1(key: &[u8], data: &[u8], mac: &[u8]) -> bool {
    let computed = Hmac::<Sha1>::new_from_slice(key).expect("a key may have any length");
    computed.chain_update(data).verify_slice(mac).is_ok()
}

/// Reads 64 hexadecimal digits in lower case.
pub(super) fn hash(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

fn sha256(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length").chain_update(data)
}

//! Public keys: verification of a digest's signature, and the file of keys in a bucket.

pub(crate) mod file;

use aws::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A public key, as `ListPublicKeys` returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// PKCS#1 `RSAPublicKey` in DER.
    pub(crate) der: Vec<u8>,
    /// The MD5 of `der` in hexadecimal.
    pub(crate) fingerprint: String,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
}

/// The file of a bucket's keys, in the form of the output of `ListPublicKeys`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyFile {
    public_key_list: Vec<FileEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FileEntry {
    value: String,
    /// As in `eventTime`, or in seconds since the epoch.
    validity_start_time: Value,
    validity_end_time: Value,
    fingerprint: String,
}

impl PublicKey {
    /// Verifies a signature of a text; the signature is in hexadecimal.
    pub(crate) fn verifies(&self, text: &str, signature: &str) -> bool {
        let Ok(key) = rsa::RsaPublicKey::from_pkcs1_der(&self.der) else { return false };
        let signature = from_hex(signature).and_then(|bytes| Signature::try_from(&bytes[..]).ok());
        signature.is_some_and(|signature| VerifyingKey::<Sha256>::new(key).verify(text.as_bytes(), &signature).is_ok())
    }

    /// Writes keys in the form of the file.
    pub(crate) fn to_json(keys: &[Self]) -> Vec<u8> {
        let entry = |key: &Self| FileEntry {
            value: STANDARD.encode(&key.der),
            validity_start_time: key.valid_from.iso().into(),
            validity_end_time: key.valid_until.iso().into(),
            fingerprint: key.fingerprint.clone(),
        };
        let file = KeyFile { public_key_list: keys.iter().map(entry).collect() };
        let mut text = serde_json::to_vec_pretty(&file).expect("all members are texts or numbers");
        text.push(b'\n');
        text
    }

    /// Merges two files of keys; for a key in both, the second one counts. `None` if one of them cannot be read.
    pub(crate) fn merge(before: &[u8], now: &[u8]) -> Option<Vec<u8>> {
        let (before, mut keys) = (Self::from_json(before)?, Self::from_json(now)?);
        let others = before.into_iter().filter(|key| !keys.iter().any(|other| other.fingerprint == key.fingerprint));
        let others: Vec<Self> = others.collect();
        keys.extend(others);
        keys.sort_by(|one, other| (one.valid_from, &one.fingerprint).cmp(&(other.valid_from, &other.fingerprint)));
        Some(Self::to_json(&keys))
    }

    /// Reads a file of keys; the output of `aws cloudtrail list-public-keys` has the same form.
    ///
    /// The fingerprint is computed from the key and not read from the file.
    pub(crate) fn from_json(text: &[u8]) -> Option<Vec<Self>> {
        let file: KeyFile = serde_json::from_slice(text).ok()?;
        let read = |key: FileEntry| {
            let der = STANDARD.decode(key.value).ok()?;
            rsa::RsaPublicKey::from_pkcs1_der(&der).ok()?;
            let time = |time: &Value| match time {
                Value::String(text) => Timestamp::from_iso(text).unwrap_or(Timestamp::from_millis(0)),
                seconds => Timestamp::from_seconds(seconds.as_f64().unwrap_or(0.0)),
            };
            Some(Self {
                fingerprint: fingerprint(&der),
                der,
                valid_from: time(&key.validity_start_time),
                valid_until: time(&key.validity_end_time),
            })
        };
        file.public_key_list.into_iter().map(read).collect()
    }
}

/// Returns the fingerprint by which CloudTrail names a key: the MD5 of the public key in DER, in hexadecimal.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    aws::hex::encode(&Md5::digest(der))
}

/// Returns the SHA-256 of bytes in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    aws::hex::encode(&Sha256::digest(bytes))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

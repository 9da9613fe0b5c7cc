//! A digest file: its key, its content, and the signed text.

use std::io::{self, Read, Write};

use aws::Timestamp;
use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

/// `digestSignatureAlgorithm`, and the metadata `signature-algorithm`.
pub(crate) const SIGNATURE_ALGORITHM: &str = "SHA256withRSA";

/// `hashAlgorithm` and `previousDigestHashAlgorithm`.
pub(crate) const HASH_ALGORITHM: &str = "SHA-256";

/// The content of a digest file; the members are CloudTrail's, in its order.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    pub(crate) aws_account_id: String,
    pub(crate) digest_start_time: String,
    pub(crate) digest_end_time: String,
    pub(crate) digest_s3_bucket: String,
    pub(crate) digest_s3_object: String,
    pub(crate) digest_public_key_fingerprint: String,
    pub(crate) digest_signature_algorithm: String,
    pub(crate) newest_event_time: Option<String>,
    pub(crate) oldest_event_time: Option<String>,
    pub(crate) previous_digest_s3_bucket: Option<String>,
    pub(crate) previous_digest_s3_object: Option<String>,
    pub(crate) previous_digest_hash_value: Option<String>,
    pub(crate) previous_digest_hash_algorithm: Option<String>,
    pub(crate) previous_digest_signature: Option<String>,
    pub(crate) log_files: Vec<LogFile>,
}

/// A log file that a digest covers; the hash is that of the uncompressed content.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogFile {
    pub(crate) s3_bucket: String,
    pub(crate) s3_object: String,
    pub(crate) hash_value: String,
    pub(crate) hash_algorithm: String,
    pub(crate) newest_event_time: String,
    pub(crate) oldest_event_time: String,
}

/// The common part of the digests of one chain.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// The prefix of the trail's keys in the bucket, without a slash at the end.
    pub(crate) prefix: Option<String>,
    /// The account whose log files are covered.
    pub(crate) account: String,
    /// The region whose log files are covered.
    pub(crate) region: String,
    /// The name of the trail.
    pub(crate) name: String,
    pub(crate) home_region: String,
}

impl Series {
    /// Returns the key of the digest whose window ends at `end`.
    ///
    /// `[PREFIX/]AWSLogs/ACCOUNT/CloudTrail-Digest/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail-Digest_REGION_TRAIL_HOME_YYYYMMDDTHHMMSSZ.json.gz`
    pub(crate) fn key(&self, end: Timestamp) -> String {
        let Self { prefix, account, region, name, home_region } = self;
        let prefix = prefix.as_ref().map(|prefix| format!("{prefix}/")).unwrap_or_default();
        let (day, second) = (end.day_folder(), end.compact_second());
        let file = format!("{account}_CloudTrail-Digest_{region}_{name}_{home_region}_{second}.json.gz");
        format!("{prefix}AWSLogs/{account}/CloudTrail-Digest/{region}/{day}/{file}")
    }
}

impl Document {
    /// Writes the content in the form that is hashed: on one line.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("all members are texts")
    }
}

/// Returns the text that is signed for a digest; `hash` is the SHA-256 of its uncompressed content in hexadecimal.
pub(crate) fn signed_text(end: &str, bucket: &str, key: &str, hash: &str, previous_signature: Option<&str>) -> String {
    format!("{end}\n{bucket}/{key}\n{hash}\n{}", previous_signature.unwrap_or("null"))
}

/// Compresses a file's content; the same content gives the same bytes.
pub(crate) fn compress(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::default());
    gzip.write_all(content)?;
    gzip.finish()
}

/// Why a file cannot be expanded; the texts are those of `aws cloudtrail validate-logs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExpandError {
    /// The file cannot be read or expanded.
    #[error("invalid format")]
    Format,
    /// There are bytes after the member.
    #[error("unexpected data after end of compressed stream")]
    Trailing,
}

/// Expands a file that consists of one gzip member.
pub(crate) fn expand(file: impl Read) -> Result<Vec<u8>, ExpandError> {
    let mut content = Vec::new();
    let mut gzip = GzDecoder::new(io::BufReader::new(file));
    gzip.read_to_end(&mut content).map_err(|_| ExpandError::Format)?;
    let mut next = [0];
    match gzip.into_inner().read(&mut next) {
        Ok(0) => Ok(content),
        Ok(_) => Err(ExpandError::Trailing),
        Err(_) => Err(ExpandError::Format),
    }
}

//! Validation without a server: checks the digests and log files in a bucket's folder with its public keys.
//!
//! Chains are followed from the newest digest to the oldest, as by `aws cloudtrail validate-logs`. In addition, each digest must have
//! the hash and signature that the next one names.

mod day;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bucket::{FolderBucket, FolderOptions, Listing};

use crate::digest::document::{Document, LogFile, expand, signed_text};
use crate::public_key::file::PUBLIC_KEYS;
use crate::public_key::{PublicKey, sha256};
use crate::{RESERVED_NAMES, events_path};

/// The length of the end of a digest's key, after its series: `_YYYYMMDDTHHMMSSZ.json.gz`.
const SUFFIX_LENGTH: usize = 25;

/// A result of the validation; files are named by their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The digest has a valid signature.
    ValidDigest(String),
    /// The digest was changed, forged, moved or deleted; with the reason.
    InvalidDigest(String, String),
    /// The log file is unchanged.
    ValidLogFile(String),
    /// The log file was changed or deleted; with the reason.
    InvalidLogFile(String, String),
    /// No digest covers the log file: its digest is not due yet, or validation is off.
    Uncovered(String),
    /// A chain ends at the first time, and the next one begins at the second time.
    Gap(String, String),
    /// A digest is missing or invalid, so none covers the log files delivered between the two times; `None` if no valid digest has the
    /// time.
    NotCovered(Option<String>, Option<String>),
    /// The chain continues in another bucket, or the log file is in one; it is not checked.
    Elsewhere(String),
}

/// Why a folder cannot be validated.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The folder has no files of a trail.
    #[error("'{}' is not a trail folder: it has no files of AWSLogs; name the folder of the server's --trail-dir", .0.display())]
    NoTrail(PathBuf),
    /// There are digests and no public keys.
    #[error("cannot read public keys from '{}'; name a file with the output of aws cloudtrail list-public-keys with --public-keys", .0.display())]
    NoKeys(PathBuf),
    /// The folder cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// A digest as the next one of its chain names it.
struct NamedDigest {
    key: String,
    hash: String,
    signature: String,
}

/// A validation in progress.
struct Validation<'a> {
    bucket: FolderBucket,
    keys: BTreeMap<String, PublicKey>,
    covered: BTreeSet<String>,
    /// Whether the digests before the first given one are not looked for.
    is_part: bool,
    report: &'a mut dyn FnMut(Finding),
}

/// Validates a bucket's folder with its public keys, or with those of another file, and reports each finding.
pub fn verify(folder: &Path, public_keys: Option<&Path>, report: &mut dyn FnMut(Finding)) -> Result<(), VerifyError> {
    let options = FolderOptions { reserved: RESERVED_NAMES, ..FolderOptions::default() };
    let bucket = FolderBucket::new(folder.to_owned(), options);
    let files = keys(&bucket)?;
    let is_file = |kind: &str, key: &str| key.contains("AWSLogs/") && key.contains(kind) && key.ends_with(".json.gz");
    let logs: Vec<&String> = files.iter().filter(|key| is_file("/CloudTrail/", key)).collect();
    let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in files.iter().filter(|key| is_file("/CloudTrail-Digest/", key)) {
        series.entry(series_of(key)).or_default().push(key.clone());
    }
    if logs.is_empty() && series.is_empty() && !events_path(folder).exists() {
        return Err(VerifyError::NoTrail(folder.to_owned()));
    }
    let keys = if series.is_empty() { BTreeMap::new() } else { load_keys(&bucket, public_keys)? };
    let mut validation = Validation { bucket, keys, covered: BTreeSet::new(), is_part: false, report };
    for digests in series.into_values() {
        validation.series(digests);
    }
    for key in logs {
        if !validation.covered.contains(key) {
            (validation.report)(Finding::Uncovered(key.clone()));
        }
    }
    Ok(())
}

/// Validates some digests of one trail, account and region, sorted by their keys, and the log files that they cover; digests before the
/// first one are not looked for.
pub(crate) fn verify_part(
    bucket: FolderBucket,
    public_keys: &[PublicKey],
    digests: Vec<String>,
    report: &mut dyn FnMut(Finding),
) {
    let keys = public_keys.iter().map(|key| (key.fingerprint.clone(), key.clone())).collect();
    Validation { bucket, keys, covered: BTreeSet::new(), is_part: true, report }.series(digests);
}

impl Validation<'_> {
    /// Validates the digests of one trail, account and region; `keys` are sorted, the oldest first.
    fn series(&mut self, mut keys: Vec<String>) {
        let mut expected: Option<NamedDigest> = None;
        // The start of the following chain, once its first digest is found.
        let mut chain_start: Option<String> = None;
        // The start of the following valid digest, and whether digests before it are missing or invalid.
        let (mut covered_from, mut is_broken) = (None, false);
        while let Some(key) = keys.pop() {
            if let Some(missing) = expected.take_if(|digest| digest.key > key) {
                (self.report)(Finding::InvalidDigest(missing.key, "not found".to_owned()));
                is_broken = true;
            }
            let named = expected.take_if(|digest| digest.key == key);
            match self.digest(&key, named.as_ref()) {
                Ok(document) => {
                    if let Some(begin) = chain_start.take() {
                        (self.report)(Finding::Gap(document.digest_end_time.clone(), begin));
                    }
                    if std::mem::take(&mut is_broken) {
                        self.not_covered(Some(&document.digest_end_time), covered_from.as_ref());
                    }
                    (self.report)(Finding::ValidDigest(key));
                    for file in &document.log_files {
                        self.log_file(&document.digest_s3_bucket, file);
                    }
                    covered_from = Some(document.digest_start_time.clone());
                    if expected.is_none() {
                        expected = self.previous(&document);
                        chain_start =
                            document.previous_digest_s3_object.is_none().then_some(document.digest_start_time);
                    }
                }
                Err(problem) => {
                    chain_start = None;
                    is_broken = true;
                    (self.report)(Finding::InvalidDigest(key, problem));
                }
            }
        }
        if self.is_part {
            return;
        }
        if let Some(missing) = expected {
            (self.report)(Finding::InvalidDigest(missing.key, "not found".to_owned()));
            is_broken = true;
        }
        if is_broken {
            self.not_covered(None, covered_from.as_ref());
        }
    }

    /// Reports a time that no valid digest covers, unless the digests around it overlap.
    fn not_covered(&mut self, from: Option<&String>, until: Option<&String>) {
        if from.zip(until).is_none_or(|(from, until)| from < until) {
            (self.report)(Finding::NotCovered(from.cloned(), until.cloned()));
        }
    }

    /// Returns the digest before a digest, if it is in the same bucket.
    fn previous(&mut self, document: &Document) -> Option<NamedDigest> {
        let key = document.previous_digest_s3_object.clone()?;
        if document.previous_digest_s3_bucket.as_ref() != Some(&document.digest_s3_bucket) {
            (self.report)(Finding::Elsewhere(key));
            return None;
        }
        Some(NamedDigest {
            key,
            hash: document.previous_digest_hash_value.clone().unwrap_or_default(),
            signature: document.previous_digest_signature.clone().unwrap_or_default(),
        })
    }

    /// Reads and validates a digest; `named` is its name in the next one.
    fn digest(&self, key: &str, named: Option<&NamedDigest>) -> Result<Document, String> {
        let content = self.content(key)?;
        let document: Document = serde_json::from_slice(&content).map_err(|_| "invalid format")?;
        if document.digest_s3_object != key {
            return Err("has been moved from its original location".to_owned());
        }
        let fingerprint = &document.digest_public_key_fingerprint;
        let public_key =
            self.keys.get(fingerprint).ok_or_else(|| format!("public key not found for fingerprint {fingerprint}"))?;
        let metadata = self.bucket.metadata(key).map_err(|error| format!("its metadata cannot be read: {error}"))?;
        let signature = metadata.get("signature").ok_or("its metadata has no signature")?;
        let hash = sha256(&content);
        let previous = document.previous_digest_signature.as_deref();
        let text = signed_text(&document.digest_end_time, &document.digest_s3_bucket, key, &hash, previous);
        if !public_key.verifies(&text, signature) {
            return Err("signature verification failed".to_owned());
        }
        match named {
            Some(named) if named.hash != hash || named.signature != *signature => {
                Err("it is not the digest that the one after it names".to_owned())
            }
            _ => Ok(document),
        }
    }

    /// Validates a log file.
    fn log_file(&mut self, bucket: &str, file: &LogFile) {
        let key = file.s3_object.clone();
        if file.s3_bucket != bucket {
            return (self.report)(Finding::Elsewhere(key));
        }
        self.covered.insert(key.clone());
        let problem = match self.content(&key) {
            Ok(content) if sha256(&content) == file.hash_value => return (self.report)(Finding::ValidLogFile(key)),
            Ok(_) => "hash value doesn't match".to_owned(),
            Err(problem) => problem,
        };
        (self.report)(Finding::InvalidLogFile(key, problem));
    }

    /// Reads a file and expands it.
    fn content(&self, key: &str) -> Result<Vec<u8>, String> {
        let opened = self.bucket.open(key).map_err(|error| error.to_string())?;
        let (_, file) = opened.ok_or("not found")?;
        expand(file).map_err(|error| error.to_string())
    }
}

fn load_keys(bucket: &FolderBucket, public_keys: Option<&Path>) -> Result<BTreeMap<String, PublicKey>, VerifyError> {
    let path = public_keys.map_or_else(|| bucket.side_path(PUBLIC_KEYS), Path::to_owned);
    let keys = fs::read(&path).ok().and_then(|text| PublicKey::from_json(&text));
    let keys = keys.ok_or(VerifyError::NoKeys(path))?;
    Ok(keys.into_iter().map(|key| (key.fingerprint.clone(), key)).collect())
}

/// Returns the series of a digest, the common part of the digests of one trail, account and region: folder and name without day and time.
fn series_of(key: &str) -> String {
    let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
    let parent = folder.rsplitn(4, '/').nth(3).unwrap_or("");
    format!("{parent}/{}", &name[..name.floor_char_boundary(name.len().saturating_sub(SUFFIX_LENGTH))])
}

/// Lists the keys of all objects in a bucket's folder, sorted.
fn keys(bucket: &FolderBucket) -> Result<Vec<String>, VerifyError> {
    let unreadable = |source| VerifyError::Unreadable { path: bucket.folder().to_owned(), source };
    fs::read_dir(bucket.folder()).map_err(unreadable)?;
    let page = bucket.list(Listing { max: usize::MAX, ..Listing::default() }).map_err(unreadable)?;
    Ok(page.objects.into_iter().map(|object| object.key).collect())
}

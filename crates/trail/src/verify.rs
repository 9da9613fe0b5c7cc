//! Validation without a server: the digests and log files in a bucket's folder are checked against its public keys.
//!
//! Chains are walked from the newest digest to the oldest, as `aws cloudtrail validate-logs` does; that each digest is the one
//! which the next one names is checked besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bucket::{FolderBucket, FolderOptions, Listing};

use crate::digest::document::{Document, LogFile, expand, signed_text};
use crate::public_key::file::PUBLIC_KEYS;
use crate::public_key::{PublicKey, sha256};
use crate::{RESERVED_NAMES, events_path};

/// How many characters of a digest's key follow its series: `_YYYYMMDDTHHMMSSZ.json.gz`.
const KEY_END: usize = 25;

/// What was found out about a file, which is named by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The digest is one that the trail's key signed.
    ValidDigest(String),
    /// The digest was changed, forged, moved or deleted.
    InvalidDigest(String, String),
    /// The log file is as it was delivered.
    ValidLogFile(String),
    /// The log file was changed or deleted.
    InvalidLogFile(String, String),
    /// No digest covers the log file, which is so until the next digest, and where validation is off.
    Uncovered(String),
    /// A chain ended at the first time, and the next one begins at the second.
    Gap(String, String),
    /// A digest is missing or invalid, so that none covers what was delivered after the first time and until the second;
    /// `None` where no valid digest tells the time.
    NotCovered(Option<String>, Option<String>),
    /// The chain or the digest goes on in another bucket, which is not looked at.
    Elsewhere(String),
}

/// Why nothing can be validated.
#[derive(Debug, thiserror::Error)]
pub enum Unverifiable {
    /// Nothing of a trail is in the folder.
    #[error("{} is no folder of a trail: there is nothing of AWSLogs in it; name the folder that --trail-dir names for the server", .0.display())]
    NoTrail(PathBuf),
    /// There are digests, and nothing to check them with.
    #[error("{} cannot be used as public keys; name a file of them with --public-keys: aws cloudtrail list-public-keys prints one", .0.display())]
    NoKeys(PathBuf),
    /// The folder cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// What cannot be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a digest says of the one before it.
struct Expected {
    key: String,
    hash: String,
    signature: String,
}

struct Walk<'a> {
    bucket: FolderBucket,
    keys: BTreeMap<String, PublicKey>,
    covered: BTreeSet<String>,
    report: &'a mut dyn FnMut(Finding),
}

/// Validates all that is in a bucket's folder with its public keys, or with those of another file, and reports each finding.
pub fn verify(folder: &Path, public_keys: Option<&Path>, report: &mut dyn FnMut(Finding)) -> Result<(), Unverifiable> {
    let bucket = FolderBucket::new(folder.to_owned(), FolderOptions { sync: false, reserved: RESERVED_NAMES });
    let files = keys(&bucket)?;
    let is = |kind: &str, key: &str| key.contains("AWSLogs/") && key.contains(kind) && key.ends_with(".json.gz");
    let logs: Vec<&String> = files.iter().filter(|key| is("/CloudTrail/", key)).collect();
    let mut series: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in files.iter().filter(|key| is("/CloudTrail-Digest/", key)) {
        series.entry(series_of(key)).or_default().push(key.clone());
    }
    if logs.is_empty() && series.is_empty() && !events_path(folder).exists() {
        return Err(Unverifiable::NoTrail(folder.to_owned()));
    }
    let keys = if series.is_empty() { BTreeMap::new() } else { load_keys(&bucket, public_keys)? };
    let mut walk = Walk { bucket, keys, covered: BTreeSet::new(), report };
    for digests in series.into_values() {
        walk.series(digests);
    }
    for key in logs {
        if !walk.covered.contains(key) {
            (walk.report)(Finding::Uncovered(key.clone()));
        }
    }
    Ok(())
}

impl Walk<'_> {
    /// Validates the digests of one trail, account and region, the oldest of which is first.
    fn series(&mut self, mut keys: Vec<String>) {
        let mut expected: Option<Expected> = None;
        // Where the chain that follows begins, if it names no digest before it.
        let mut begins: Option<String> = None;
        // Where the valid digest that follows begins, and whether digests before it are missing or invalid.
        let (mut covered_from, mut is_broken) = (None, false);
        while let Some(key) = keys.pop() {
            if let Some(missing) = expected.take_if(|it| it.key > key) {
                (self.report)(Finding::InvalidDigest(missing.key, "not found".to_owned()));
                is_broken = true;
            }
            let named = expected.take_if(|it| it.key == key);
            match self.digest(&key, named.as_ref()) {
                Ok(document) => {
                    if let Some(begin) = begins.take() {
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
                        begins = document.previous_digest_s3_object.is_none().then_some(document.digest_start_time);
                    }
                }
                Err(problem) => {
                    begins = None;
                    is_broken = true;
                    (self.report)(Finding::InvalidDigest(key, problem));
                }
            }
        }
        if let Some(missing) = expected {
            (self.report)(Finding::InvalidDigest(missing.key, "not found".to_owned()));
            is_broken = true;
        }
        if is_broken {
            self.not_covered(None, covered_from.as_ref());
        }
    }

    /// Reports the time that no valid digest covers; there is none where the windows of digests overlap.
    fn not_covered(&mut self, from: Option<&String>, until: Option<&String>) {
        if from.zip(until).is_none_or(|(from, until)| from < until) {
            (self.report)(Finding::NotCovered(from.cloned(), until.cloned()));
        }
    }

    fn previous(&mut self, document: &Document) -> Option<Expected> {
        let key = document.previous_digest_s3_object.clone()?;
        if document.previous_digest_s3_bucket.as_ref() != Some(&document.digest_s3_bucket) {
            (self.report)(Finding::Elsewhere(key));
            return None;
        }
        Some(Expected {
            key,
            hash: document.previous_digest_hash_value.clone().unwrap_or_default(),
            signature: document.previous_digest_signature.clone().unwrap_or_default(),
        })
    }

    fn digest(&self, key: &str, named: Option<&Expected>) -> Result<Document, String> {
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

fn load_keys(bucket: &FolderBucket, public_keys: Option<&Path>) -> Result<BTreeMap<String, PublicKey>, Unverifiable> {
    let path = public_keys.map_or_else(|| bucket.side_path(PUBLIC_KEYS), Path::to_owned);
    let keys = fs::read(&path).ok().and_then(|text| PublicKey::from_json(&text));
    let keys = keys.ok_or(Unverifiable::NoKeys(path))?;
    Ok(keys.into_iter().map(|key| (key.fingerprint.clone(), key)).collect())
}

/// Returns what the digests of one trail, account and region have in common: folder and name without day and time.
fn series_of(key: &str) -> String {
    let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
    let place = folder.rsplitn(4, '/').nth(3).unwrap_or("");
    format!("{place}/{}", &name[..name.floor_char_boundary(name.len().saturating_sub(KEY_END))])
}

/// Lists the keys of all objects in a bucket's folder, sorted.
fn keys(bucket: &FolderBucket) -> Result<Vec<String>, Unverifiable> {
    let unreadable = |source| Unverifiable::Unreadable { path: bucket.folder().to_owned(), source };
    fs::read_dir(bucket.folder()).map_err(unreadable)?;
    let page = bucket.list(Listing { max: usize::MAX, ..Listing::default() }).map_err(unreadable)?;
    Ok(page.objects.into_iter().map(|object| object.key).collect())
}

//! The password that AWS's Git clients generate from a secret: a date, and a signature of version 4 over the host and the path.

use std::borrow::Cow;
use std::time::Duration;

use aws::{Region, Timestamp, hex};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use super::error::{DateRange, SignatureError};
use super::mac::{self, TERMINATOR};
use super::version4::ALGORITHM;
use super::{RequestParts, hmac_sha256};
use crate::root_key::SecretKey;

/// Maximum number of regions that are tried for a password; AWS CodeCommit is in 29.
const REGIONS_MAX: usize = 32;

/// Length of the date, `20161214T181914Z`.
const DATE_LENGTH: usize = 16;

/// The service in the scope.
const SERVICE: &str = "codecommit";

/// The ends of paths that Git appends to the URL of a repository.
const GIT_PATHS: [&str; 3] = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];

/// What git-lfs appends to the URL of a repository, before the paths of its requests.
const LFS_PATH: &str = "/info/lfs";

/// Generates the password for a URL: its path without a slash at the end, and its host, with or without the port.
pub fn make(secret: &SecretKey, host: &str, path: &str, region: &Region, now: Timestamp) -> String {
    let date = now.compact_second();
    let key = mac::signing_key(secret.as_str(), &date[..8], region.as_str(), SERVICE);
    let signature = hmac_sha256(&key, string_to_sign(&date, region, host, path).as_bytes());
    format!("{date}{}", hex::encode(&signature))
}

/// Returns the date of a password; `None` if it does not look generated.
pub(super) fn date(password: &str) -> Option<Timestamp> {
    let (date, signature) = password.split_at_checked(DATE_LENGTH)?;
    mac::hash(signature)?;
    Timestamp::from_compact_second(date)
}

/// Verifies a password and returns its region.
///
/// The AWS CLI signs the host without a port and git-remote-codecommit with it. The AWS CLI gets the path from Git, which decodes
/// it and removes slashes at its end.
pub(super) fn verify(
    password: &str,
    secret: &SecretKey,
    request: &RequestParts<'_>,
    regions: &[Region],
    max_clock_skew: Option<Duration>,
    now: Timestamp,
) -> Result<Region, SignatureError> {
    let timestamp = date(password).ok_or(SignatureError::WrongPassword)?;
    if let Some(skew) = max_clock_skew {
        DateRange { date: timestamp, skew, now }.check()?;
    }
    let (date, signature) = password.split_at(DATE_LENGTH);
    let host = request.header("host").unwrap_or_default();
    let paths: Vec<&str> = signed_paths(request.path).collect();
    let decoded: Vec<Cow<'_, str>> = paths.iter().map(|path| percent_decode_str(path).decode_utf8_lossy()).collect();
    let all_paths = paths.iter().copied().chain(decoded.iter().map(AsRef::as_ref));
    let forms: Vec<_> = all_paths.flat_map(|path| [(&*host, path), (without_port(&host), path)]).collect();
    let matching = regions.iter().take(REGIONS_MAX).find(|region| {
        let key = mac::signing_key(secret.as_str(), &date[..8], region.as_str(), SERVICE);
        forms.iter().enumerate().any(|(index, (host, path))| {
            !forms[..index].contains(&(host, path))
                && mac::is_hmac_sha256(&key, string_to_sign(date, region, host, path).as_bytes(), signature)
        })
    });
    matching.cloned().ok_or(SignatureError::WrongPassword)
}

/// Returns the paths that may be signed for the path of a request: that of the repository.
///
/// git-lfs asks for credentials for the URL of the repository, with the end `.git` that it appends or without, or for that of its own
/// requests.
fn signed_paths(path: &str) -> impl Iterator<Item = &str> {
    let repository = GIT_PATHS.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path).trim_end_matches('/');
    let lfs = path.find(LFS_PATH).filter(|at| matches!(path.as_bytes().get(at + LFS_PATH.len()), None | Some(b'/')));
    let git = lfs.map(|at| &path[..at]);
    let without_end = git.and_then(|git| git.strip_suffix(".git"));
    let lfs = lfs.map(|at| &path[..at + LFS_PATH.len()]);
    let of_lfs = [lfs, git, without_end].into_iter().flatten();
    of_lfs.chain(git.is_none().then_some(repository))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Writes the text that the password signs. It names its date without a `Z`, and the canonical form has no hash of a payload.
fn string_to_sign(date: &str, region: &Region, host: &str, path: &str) -> String {
    let canonical = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let hash = hex::encode(&Sha256::digest(canonical.as_bytes()));
    let (day, time) = (&date[..8], &date[..DATE_LENGTH - 1]);
    format!("{ALGORITHM}\n{time}\n{day}/{region}/{SERVICE}/{TERMINATOR}\n{hash}")
}

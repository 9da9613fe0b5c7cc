//! A log file: its key in AWS's layout, and its content.

use std::io::{self, Write};

use aws::{Clock, Timestamp};
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// Returns a new key of a log file that is delivered at `time`.
///
/// `[PREFIX/]AWSLogs/ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`
pub(crate) fn key(prefix: Option<&str>, account: &str, region: &str, time: Timestamp, clock: &dyn Clock) -> String {
    let (folder, day, minute) = (folder(prefix, account), time.day_folder(), time.compact_minute());
    let unique = unique(clock.background_seed());
    format!("{folder}{region}/{day}/{account}_CloudTrail_{region}_{minute}_{unique}.json.gz")
}

/// Returns the prefix of the keys of an account's log files; it ends in a slash.
pub(crate) fn folder(prefix: Option<&str>, account: &str) -> String {
    account_folder(prefix, account) + "CloudTrail/"
}

/// Returns the prefix of all keys of an account; it ends in a slash.
pub(crate) fn account_folder(prefix: Option<&str>, account: &str) -> String {
    root_folder(prefix) + account + "/"
}

/// Returns the prefix of all keys of trails with a key prefix; it ends in a slash.
pub(crate) fn root_folder(prefix: Option<&str>) -> String {
    let prefix = prefix.map_or_else(String::new, |prefix| format!("{prefix}/"));
    prefix + "AWSLogs/"
}

/// A writer of the content of a log file: `{"Records":[...]}` on one line, in one gzip member.
///
/// The same records give the same bytes.
pub(crate) struct Content {
    gzip: GzEncoder<Vec<u8>>,
    hash: Sha256,
    is_empty: bool,
}

impl Content {
    pub(crate) fn new() -> Self {
        // Records are so repetitive that the fast level loses little, and calls at the same time wait less.
        let gzip = GzBuilder::new().write(Vec::new(), Compression::fast());
        Self { gzip, hash: Sha256::new(), is_empty: true }
    }

    pub(crate) fn push(&mut self, record: &str) -> io::Result<()> {
        self.write(if self.is_empty { b"{\"Records\":[" } else { b"," })?;
        self.is_empty = false;
        self.write(record.as_bytes())
    }

    /// Returns the compressed bytes, and the SHA-256 of the uncompressed content in hexadecimal.
    pub(crate) fn finish(mut self) -> io::Result<(Vec<u8>, String)> {
        if self.is_empty {
            self.write(b"{\"Records\":[")?;
        }
        self.write(b"]}")?;
        Ok((self.gzip.finish()?, aws::hex::encode(&self.hash.finalize())))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.gzip.write_all(bytes)
    }
}

/// Returns sixteen letters and digits.
fn unique(mut seed: u128) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut letter = || {
        let index = usize::try_from(seed % 62).expect("a remainder of 62 fits into usize");
        seed /= 62;
        char::from(LETTERS[index])
    };
    (0..16).map(|_| letter()).collect()
}

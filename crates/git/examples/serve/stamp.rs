//! Detects changes of a file or folder since it was read.

use std::{
    fs::Metadata,
    path::Path,
    time::{Duration, SystemTime},
};

/// The resolution of file times: a change so soon before the read may hide a second one.
const STEP: Duration = Duration::from_millis(50);

/// The metadata of a file or folder when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// `None` if it did not exist.
    seen: Option<Seen>,
    settled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    modified: SystemTime,
    bytes: u64,
    /// The device, the inode and the time of the last change, where the system has them.
    identity: [i64; 4],
}

impl Stamp {
    /// Reads the metadata of `path`; must be called before the file is read.
    pub fn of(path: &Path) -> Self {
        let seen = std::fs::metadata(path).ok().map(|metadata| Seen {
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            bytes: metadata.len(),
            identity: identity(&metadata),
        });
        let settled = seen.as_ref().is_none_or(|seen| seen.modified.elapsed().is_ok_and(|age| age > STEP));
        Self { seen, settled }
    }

    /// Returns whether `path` has not changed since.
    pub fn is_unchanged(&self, path: &Path) -> bool {
        self.settled && Self::of(path).seen == self.seen
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt;
    [metadata.dev().cast_signed(), metadata.ino().cast_signed(), metadata.ctime(), metadata.ctime_nsec()]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i64; 4] {
    [0; 4]
}

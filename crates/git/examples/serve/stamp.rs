//! Telling whether a file or a folder has changed since it was read.

use std::{
    fs::Metadata,
    path::Path,
    time::{Duration, SystemTime},
};

/// File systems count time in steps: what changed that shortly before it was read may change again unseen.
const STEP: Duration = Duration::from_millis(50);

/// What a file or a folder looked like when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Nothing if it was not there.
    seen: Option<Seen>,
    settled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    modified: SystemTime,
    bytes: u64,
    /// The device, the file and the time of its last change, where the system tells them.
    identity: [i64; 4],
}

impl Stamp {
    /// Looks at `path`: to be done before it is read.
    pub fn of(path: &Path) -> Self {
        let seen = std::fs::metadata(path).ok().map(|metadata| Seen {
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            bytes: metadata.len(),
            identity: identity(&metadata),
        });
        let settled = seen.as_ref().is_none_or(|seen| seen.modified.elapsed().is_ok_and(|age| age > STEP));
        Self { seen, settled }
    }

    /// Tells whether what was read then is what is there now.
    pub fn holds(&self, path: &Path) -> bool {
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

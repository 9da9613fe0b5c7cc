//! `events.ndjson`: every record as a line, in the order of the commits.
//!
//! **Invariant:** a record is appended after its commit and before its reply; what a crash kept from the file is appended from
//! the store at the next start, so no line is lost and none is there twice. What a full disk does not take waits in order, and
//! follows once there is room.

mod backwards;
mod repair;
pub(crate) mod retry;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use store::Store;
use worker::Waker;

use crate::events_path;

/// How many bytes of records may wait for a failing disk; with more, calls are refused.
const PENDING_BYTES_MAX: usize = 64 << 20;

pub(crate) struct EventsFile {
    path: PathBuf,
    open: Mutex<Open>,
    /// Whether so much waits that no further records are taken.
    is_full: AtomicBool,
    /// Wakes who appends what waits.
    waker: Waker,
}

struct Open {
    file: File,
    /// What a failing disk has not taken yet; it goes first.
    pending: Vec<u8>,
}

impl EventsFile {
    /// Opens the file and repairs its end.
    pub(crate) fn open(folder: &Path, store: &Store) -> io::Result<Self> {
        let path = events_path(folder);
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(named)?;
        if !file.metadata()?.is_file() {
            return Err(named(io::Error::other("it is no regular file; move it away")));
        }
        let lacked = repair::repair(&mut file, store).map_err(named)?;
        if lacked > 0 {
            tracing::info!(records = lacked, "events.ndjson lacked records; they are appended");
        }
        let open = Mutex::new(Open { file, pending: Vec::new() });
        Ok(Self { path, open, is_full: AtomicBool::new(false), waker: Waker::default() })
    }

    /// Fails if so many records wait for a failing disk that a call must not add another one.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) && self.write_pending()? > PENDING_BYTES_MAX {
            return Err(io::Error::other(format!("too many records wait for {}", self.path.display())));
        }
        Ok(())
    }

    /// Appends a record's line; what the disk does not take waits until it does.
    pub(crate) fn append(&self, line: &str) {
        let mut open = self.lock();
        let waited = !open.pending.is_empty();
        open.pending.extend_from_slice(line.as_bytes());
        if let Err(error) = self.write(&mut open) {
            if !waited {
                tracing::error!(
                    %error, path = %self.path.display(), "a record cannot be appended; it is in the database and follows later"
                );
            }
            self.waker.wake();
        }
    }

    /// Writes what waits, as far as the disk takes it; returns how many bytes still wait.
    pub(crate) fn write_pending(&self) -> io::Result<usize> {
        let mut open = self.lock();
        let before = open.pending.len();
        let written = self.write(&mut open);
        if before > 0 && open.pending.is_empty() {
            tracing::info!(path = %self.path.display(), bytes = before, "the records that waited are appended");
        }
        written.map(|()| open.pending.len())
    }

    fn write(&self, open: &mut Open) -> io::Result<()> {
        let Open { file, pending } = open;
        let mut taken = 0;
        let written = loop {
            if taken == pending.len() {
                break Ok(());
            }
            match file.write(&pending[taken..]) {
                Ok(0) => break Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => taken += written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        pending.drain(..taken);
        self.is_full.store(pending.len() > PENDING_BYTES_MAX, Ordering::Relaxed);
        written
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }

    /// Empties the file.
    pub(crate) fn clear(&self) {
        let mut open = self.lock();
        open.pending.clear();
        if let Err(error) = open.file.set_len(0) {
            tracing::error!(%error, path = %self.path.display(), "the file of records cannot be emptied");
        }
    }
}

//! `events.ndjson`: one line for each record, in the order of the commits.
//!
//! **Invariant:** a record is appended after its commit and before its reply. Records that a crash kept from the file are appended from
//! the store at the next start, so no line is lost or repeated. Records that a full disk does not take stay in memory, in order, and are
//! appended once there is room. With several nodes it is [`shared`].

mod backwards;
mod events;
mod repair;
pub(crate) mod retry;
mod shared;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use store::Store;
use worker::Waker;

pub(crate) use self::events::Events;
use crate::{events_path, with_path};

/// Maximum size of the records in memory that a failing disk has not taken; with more, calls are refused.
const PENDING_BYTES_MAX: usize = 64 << 20;

/// The open file.
pub(crate) struct EventsFile {
    path: PathBuf,
    open: Mutex<Open>,
    /// Whether so many records are pending that calls are refused.
    is_full: AtomicBool,
    /// Wakes the worker that appends pending records.
    waker: Waker,
}

struct Open {
    file: File,
    /// Lines that a failing disk has not taken yet; they are written first.
    pending: Vec<u8>,
}

impl EventsFile {
    /// Opens the file and repairs its end.
    pub(crate) fn open(folder: &Path, store: &Store) -> io::Result<Self> {
        let path = events_path(folder);
        let mut file = open_file(&path)?;
        let appended = repair::repair(&mut file, store).map_err(|error| with_path(&path, &error))?.appended;
        if appended > 0 {
            tracing::info!(records = appended, path = %path.display(), "appended missing records to events.ndjson");
        }
        let open = Mutex::new(Open { file, pending: Vec::new() });
        Ok(Self { path, open, is_full: AtomicBool::new(false), waker: Waker::default() })
    }

    /// Fails if so many records are pending that a call must not add another one.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) && self.write_pending()? > PENDING_BYTES_MAX {
            return Err(io::Error::other(format!(
                "too many records are pending for {}: the disk does not take them",
                self.path.display()
            )));
        }
        Ok(())
    }

    /// Appends the lines of records with one write; what the disk does not take stays pending.
    pub(crate) fn append(&self, lines: &[String]) {
        let mut open = self.lock();
        let was_pending = !open.pending.is_empty();
        for line in lines {
            open.pending.extend_from_slice(line.as_bytes());
        }
        if let Err(error) = self.write(&mut open) {
            if !was_pending {
                tracing::error!(
                    %error, path = %self.path.display(), "cannot append records; they are in the database, will retry"
                );
            }
            self.waker.wake();
        }
    }

    /// Appends pending records as far as the disk takes them; returns the number of bytes that are still pending.
    pub(crate) fn write_pending(&self) -> io::Result<usize> {
        let mut open = self.lock();
        let before = open.pending.len();
        let written = self.write(&mut open);
        if before > 0 && open.pending.is_empty() {
            tracing::info!(path = %self.path.display(), bytes = before, "appended the pending records");
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
            tracing::error!(%error, path = %self.path.display(), "cannot empty events.ndjson");
        }
    }
}

/// Opens the file, and creates it if it does not exist.
fn open_file(path: &Path) -> io::Result<File> {
    let at_path = |error: io::Error| with_path(path, &error);
    let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(at_path)?;
    if !file.metadata().map_err(at_path)?.is_file() {
        return Err(at_path(io::Error::other("it is no regular file; move it away")));
    }
    Ok(file)
}

//! `events.ndjson` of several nodes: the one with the role of delivery appends the records of all, in the order of their commits.
//!
//! **Invariant:** what is appended follows the last record in the file, and is read from the store unless it is known to follow. So the
//! records of other nodes are there, too, and a disk that is full delays them only. A record of the node that appends is in the file before its reply; those of
//! other nodes follow within about a second.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cluster::{Cluster, DATA, Role};
use parking_lot::Mutex;
use store::Store;
use worker::{Error, Stop, Waker, Work, Worker};

use super::{open_file, repair};
use crate::{DELIVERY, events_path, with_path};

/// Time between attempts to append what a disk has not taken.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// The file as one of the nodes sees it.
pub(crate) struct SharedEventsFile {
    path: PathBuf,
    store: Arc<Store>,
    cluster: Cluster,
    role: Role,
    /// `None` while another node appends, and after a failure, which may have left a part of a line.
    open: Mutex<Option<OpenFile>>,
    /// Wakes the worker that appends.
    waker: Waker,
}

/// The file while this node appends.
struct OpenFile {
    file: File,
    /// The term of the role in which it was opened.
    term: u64,
    /// The `seq` of the last record in it.
    last_seq: i64,
    /// The resets until it was opened or emptied.
    resets: i64,
}

impl SharedEventsFile {
    /// Opens the file and appends missing records, if this node has the role.
    pub(crate) fn open(folder: &Path, store: &Arc<Store>, cluster: &Cluster) -> io::Result<Self> {
        let (role, open) = (cluster.role(DELIVERY), Mutex::default());
        let (path, store, cluster) = (events_path(folder), Arc::clone(store), cluster.clone());
        let events = Self { path, store, cluster, role, open, waker: Waker::default() };
        events.catch_up(true)?;
        Ok(events)
    }

    /// Appends records that were committed now, if this node has the role; the worker repeats what fails.
    ///
    /// If no other node has committed records since the last one in the file, nothing is read.
    pub(crate) fn append(&self, lines: &[String], last_seq: Option<i64>) {
        let appended = match last_seq {
            Some(last_seq) if self.append_next(lines, last_seq) => return,
            _ => self.catch_up(false),
        };
        if let Err(error) = appended {
            let path = self.path.display();
            tracing::error!(%error, %path, "cannot append records; they are in the database, will retry");
            self.waker.wake();
        }
    }

    /// Appends lines that follow the file, if they do; the last one has this `seq`.
    ///
    /// They do if there are as many as there are records after the last one in the file: none of the others can be between them.
    fn append_next(&self, lines: &[String], last_seq: i64) -> bool {
        let mut open = self.open.lock();
        let (term, count) = (self.role.term(), i64::try_from(lines.len()).unwrap_or(i64::MAX));
        let Some(current) = open.as_mut().filter(|current| Some(current.term) == term) else { return false };
        if current.last_seq.checked_add(count) != Some(last_seq) {
            return false;
        }
        let is_appended = current.file.write_all(lines.concat().as_bytes()).is_ok();
        current.last_seq = last_seq;
        if !is_appended {
            // A part may be there; the next attempt repairs the end, and fails if the disk still does.
            *open = None;
        }
        is_appended
    }

    /// Appends the records of the store that the file lacks, and begins it anew after a reset by any node.
    ///
    /// Only the worker looks for resets, so that a commit waits for one query.
    fn catch_up(&self, looks_for_reset: bool) -> io::Result<()> {
        let mut open = self.open.lock();
        let Some(term) = self.role.term() else {
            *open = None;
            return Ok(());
        };
        let mut current = match open.take() {
            Some(current) if current.term == term => current,
            _ => self.begin(term)?,
        };
        if looks_for_reset {
            let resets = self.resets()?;
            if resets != current.resets {
                current.file.set_len(0)?;
                (current.last_seq, current.resets) = (0, resets);
            }
        }
        loop {
            let missing = repair::after(current.last_seq, &self.store).map_err(io::Error::other)?;
            let Some((seq, _)) = missing.last() else { break };
            let seq = *seq;
            if !self.role.is_held() {
                return Ok(());
            }
            let lines: String = missing.into_iter().flat_map(|(_, record)| [record, "\n".to_owned()]).collect();
            current.file.write_all(lines.as_bytes()).map_err(|error| with_path(&self.path, &error))?;
            current.last_seq = seq;
        }
        *open = Some(current);
        Ok(())
    }

    /// Opens the file and repairs its end.
    fn begin(&self, term: u64) -> io::Result<OpenFile> {
        let resets = self.resets()?;
        let mut file = open_file(&self.path)?;
        let repaired = repair::repair(&mut file, &self.store).map_err(|error| with_path(&self.path, &error))?;
        if repaired.appended > 0 {
            let (records, path) = (repaired.appended, self.path.display());
            tracing::info!(records, %path, "appended missing records to events.ndjson");
        }
        Ok(OpenFile { file, term, last_seq: repaired.last_seq, resets })
    }

    fn resets(&self) -> io::Result<i64> {
        let resets = self.store.read(|transaction| self.cluster.announced(transaction, DATA));
        resets.map_err(|error: store::Error| io::Error::other(error))
    }

    /// Empties the file after a reset by this node.
    pub(crate) fn clear(&self) {
        // Another node that appends does the same when it learns of the reset.
        *self.open.lock() = None;
        let emptied = open_file(&self.path).and_then(|file| file.set_len(0));
        if let Err(error) = emptied {
            tracing::error!(%error, path = %self.path.display(), "cannot empty events.ndjson");
        }
    }

    /// Starts the worker.
    pub(crate) fn start(self: &Arc<Self>) -> io::Result<Worker> {
        let work = self.role.work(&self.waker, Follow { events: Arc::clone(self), is_failing: false });
        Worker::start("trail-events", self.waker.clone(), work)
    }
}

/// The work of the worker: appends what other nodes have committed.
struct Follow {
    events: Arc<SharedEventsFile>,
    is_failing: bool,
}

impl Work for Follow {
    fn round(&mut self, _stop: &Stop) -> Result<Option<Duration>, Error> {
        match self.events.catch_up(true) {
            Ok(()) => {
                self.is_failing = false;
                Ok(None)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    let path = self.events.path.display();
                    tracing::error!(%error, %path, "cannot append records; they are in the database, will retry");
                }
                Ok(Some(RETRY_INTERVAL))
            }
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        Ok(self.events.catch_up(true)?)
    }
}

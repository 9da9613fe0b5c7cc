//! `events.ndjson`, of one server or of several nodes.

use std::io;
use std::path::Path;
use std::sync::Arc;

use cluster::Cluster;
use store::Store;
use worker::Worker;

use super::EventsFile;
use super::retry;
use super::shared::SharedEventsFile;

/// The file; clones are the same file.
#[derive(Clone)]
pub(crate) enum Events {
    /// This server alone appends its records.
    Own(Arc<EventsFile>),
    /// One of several nodes appends the records of all.
    Shared(Arc<SharedEventsFile>),
}

impl Events {
    /// Opens the file and repairs its end.
    pub(crate) fn open(folder: &Path, store: &Arc<Store>, cluster: &Cluster) -> io::Result<Self> {
        if cluster.is_shared() {
            return Ok(Self::Shared(Arc::new(SharedEventsFile::open(folder, store, cluster)?)));
        }
        Ok(Self::Own(Arc::new(EventsFile::open(folder, store)?)))
    }

    /// Starts the worker that appends what could not be appended at the commit.
    pub(crate) fn start(&self) -> io::Result<Worker> {
        match self {
            Self::Own(file) => retry::start(file),
            Self::Shared(file) => file.start(),
        }
    }

    /// Fails if so many records are pending that a call must not add another one.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self {
            Self::Own(file) => file.check(),
            Self::Shared(_) => Ok(()),
        }
    }

    /// Appends the lines of records that were committed; the last one has this `seq`, if that is known.
    pub(crate) fn append(&self, lines: &[String], last_seq: Option<i64>) {
        match self {
            Self::Own(file) => file.append(lines),
            Self::Shared(file) => file.append(lines, last_seq),
        }
    }

    /// Empties the file.
    pub(crate) fn clear(&self) {
        match self {
            Self::Own(file) => file.clear(),
            Self::Shared(file) => file.clear(),
        }
    }
}

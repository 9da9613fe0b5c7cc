//! Sources of events: the file of a trail, or a running server.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;

use crate::server_trust;

/// Time between checks for new events.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A source of records in the order in which they were written, each a line of JSON.
pub(super) trait Records {
    /// Returns the next record; `None` if there is none yet.
    fn next(&mut self) -> io::Result<Option<String>>;
}

/// `events.ndjson`. A file that was replaced or emptied, by a reset or a rotation, is read from its start.
pub(super) struct TrailFile {
    path: PathBuf,
    file: BufReader<File>,
    /// The read part of a line that is not complete yet.
    partial: Vec<u8>,
    /// The last complete line and its end, to notice a file that was emptied and has grown again.
    last: (u64, Vec<u8>),
}

impl TrailFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::new(File::open(path)?);
        Ok(Self { path: path.to_owned(), file, partial: Vec::new(), last: (0, Vec::new()) })
    }

    /// Opens the file again if it was replaced, or no longer has the last line that was read.
    fn reopen(&mut self) -> io::Result<bool> {
        let Ok(now) = std::fs::metadata(&self.path) else { return Ok(false) };
        let opened = self.file.get_ref().metadata()?;
        let (end, last) = &self.last;
        let mut found = vec![0; last.len()];
        let start = end.saturating_sub(last.len() as u64);
        let is_there = self.file.get_ref().read_exact_at(&mut found, start).is_ok() && found == *last;
        if (now.dev(), now.ino()) == (opened.dev(), opened.ino()) && is_there {
            return Ok(false);
        }
        *self = Self::open(&self.path)?;
        Ok(true)
    }
}

impl Records for TrailFile {
    fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if self.file.read_until(b'\n', &mut self.partial)? == 0 || self.partial.last() != Some(&b'\n') {
                if self.reopen()? {
                    continue;
                }
                return Ok(None);
            }
            let line = std::mem::take(&mut self.partial);
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            self.last = (self.file.stream_position()?, line);
            return Ok(Some(text));
        }
    }
}

/// A running server.
pub(super) struct Endpoint {
    url: String,
    agent: Agent,
    /// The cursor of the last event that was read.
    after: String,
    records: VecDeque<String>,
}

impl Endpoint {
    pub(super) fn new(url: &str) -> io::Result<Self> {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .tls_config(server_trust::tls_for(url)?);
        let url = format!("{}/_local/events", url.trim_end_matches('/'));
        Ok(Self { url, agent: config.build().into(), after: String::new(), records: VecDeque::new() })
    }
}

impl Records for Endpoint {
    fn next(&mut self) -> io::Result<Option<String>> {
        if self.records.is_empty() {
            let failed = |error| io::Error::other(format!("cannot read {}: {error}", self.url));
            let mut reply = self.agent.get(&self.url).query("after", &self.after).call().map_err(failed)?;
            let last = reply.headers().get("codecommit-local-last-event").and_then(|last| last.to_str().ok());
            self.after =
                last.ok_or_else(|| io::Error::other(format!("{} is not codecommit-local", self.url)))?.to_owned();
            let text = reply.body_mut().with_config().limit(u64::MAX).read_to_string().map_err(failed)?;
            self.records = text.lines().map(str::to_owned).collect();
        }
        Ok(self.records.pop_front())
    }
}

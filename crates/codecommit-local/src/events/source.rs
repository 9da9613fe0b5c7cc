//! Sources of events: the file of a trail, or a running server.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use trail::view::Filter;
use ureq::Agent;

use crate::server_trust;

/// Time between checks of a file for new events.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Time for which a server waits for new events before it replies without one.
const WAIT_SECONDS: u64 = 20;

/// Timeout of a request, which includes that time.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A source of records in the order in which they were written, each a line of JSON.
pub(super) trait Records {
    /// Returns the next record; `None` if there is none yet.
    fn next(&mut self) -> io::Result<Option<String>>;

    /// Waits before the next attempt to get a record.
    fn pause(&mut self);

    /// Returns whether a record that [`Records::next`] has not returned has a value of a filter; see [`Filter::values`].
    fn has(&mut self, property: &str, value: &str) -> io::Result<bool>;
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

    fn pause(&mut self) {
        std::thread::sleep(POLL_INTERVAL);
    }

    fn has(&mut self, _: &str, _: &str) -> io::Result<bool> {
        Ok(false)
    }
}

/// A running server, which applies the filter.
pub(super) struct Endpoint {
    url: String,
    agent: Agent,
    filters: Vec<(&'static str, String)>,
    /// The cursor of the last event that was read.
    after: String,
    /// Whether the server waits for new events before it replies.
    waits: bool,
    records: VecDeque<String>,
}

/// A reply of the server: the cursor of the last record that it considers, and records.
type Page = (String, VecDeque<String>);

impl Endpoint {
    pub(super) fn new(url: &str, filter: &Filter) -> io::Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .tls_config(server_trust::tls_for(url)?);
        let url = format!("{}/_local/events", url.trim_end_matches('/'));
        let mut filters: Vec<_> =
            filter.values().into_iter().map(|(property, value)| (parameter(property), value)).collect();
        filters.extend(filter.since.clone().map(|since| ("since", since)));
        filters.extend(filter.until.clone().map(|until| ("until", until)));
        filters.extend(filter.failed.then(|| ("failed", "true".to_owned())));
        filters.extend(filter.writes.then(|| ("writes", "true".to_owned())));
        let (after, records) = (String::new(), VecDeque::new());
        Ok(Self { url, agent: config.build().into(), filters, after, waits: false, records })
    }

    fn get(&self, after: &str, parameters: &[(&str, String)]) -> io::Result<Page> {
        let failed = |reason: String| io::Error::other(format!("cannot read {}: {reason}", self.url));
        let request = self.agent.get(&self.url).query("after", after);
        let request = request.query_pairs(parameters.iter().map(|(name, value)| (*name, value.as_str())));
        let mut reply = request.call().map_err(|error| failed(error.to_string()))?;
        let last = reply.headers().get("codecommit-local-last-event").and_then(|last| last.to_str().ok());
        let (status, last) = (reply.status().as_u16(), last.map(str::to_owned));
        let text = reply.body_mut().with_config().limit(u64::MAX).read_to_string();
        let text = text.map_err(|error| failed(error.to_string()))?;
        match (last, serde_json::from_str::<Value>(&text)) {
            (Some(last), _) => Ok((last, text.lines().map(str::to_owned).collect())),
            (None, Ok(Value::Object(object))) if object.contains_key("message") => {
                Err(failed(object["message"].as_str().unwrap_or_default().to_owned()))
            }
            // Paths below /_local can be forbidden to other machines.
            (None, _) if status == 403 => Err(failed(text.trim().to_owned())),
            _ => Err(io::Error::other(format!("{} is not codecommit-local: it has no feed of events", self.url))),
        }
    }
}

impl Records for Endpoint {
    fn next(&mut self) -> io::Result<Option<String>> {
        while self.records.is_empty() {
            let wait = self.waits.then(|| ("wait", WAIT_SECONDS.to_string()));
            let parameters: Vec<_> = self.filters.iter().cloned().chain(wait).collect();
            let (last, records) = self.get(&self.after, &parameters)?;
            let is_end = records.is_empty() && last == self.after;
            (self.after, self.records) = (last, records);
            if is_end {
                return Ok(None);
            }
        }
        Ok(self.records.pop_front())
    }

    fn pause(&mut self) {
        self.waits = true;
    }

    fn has(&mut self, property: &str, value: &str) -> io::Result<bool> {
        let parameters = [(parameter(property), value.to_owned()), ("limit", "1".to_owned())];
        let mut after = String::new();
        loop {
            let (last, records) = self.get(&after, &parameters)?;
            if !records.is_empty() || last == after {
                return Ok(!records.is_empty());
            }
            after = last;
        }
    }
}

/// Returns the parameter of the feed for a property of [`Filter::values`].
fn parameter(property: &str) -> &'static str {
    match property {
        "name" => "name",
        "user" => "user",
        "repository" => "repository",
        "service" => "service",
        "account" => "account",
        "region" => "region",
        _ => "ip",
    }
}

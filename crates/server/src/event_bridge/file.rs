//! `eventbridge.ndjson`: every event, one a line, in their order.
//!
//! **Invariant:** an event is appended after its commit and before the reply of its call. What a crash or a full disk kept from the
//! file is appended from the store later. The stored position has the length of the file: the ids of the lines after it tell
//! which of the events after it are there already, so no event is lost or repeated.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws::event_bridge::{CommittedEvent, EventSink};
use cluster::LOOK_INTERVAL;
use codecommit::BusPosition;
use parking_lot::Mutex;
use worker::{Stop, Waker, Work};

use super::stream::Stream;
use super::{Ids, Positions, id_of};
use crate::data_folder::with_path;

/// Appended events after which the position is stored and delivered events are removed from the store.
const EVENTS_PER_SAVE: usize = 1_000;

/// The open file.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    /// The name of its position.
    name: String,
    /// Whether other nodes store events, of which nothing tells.
    has_others: bool,
    open: Mutex<Open>,
    /// Wakes the worker that completes the file and stores its position.
    waker: Waker,
    /// Wake the other destinations.
    destinations: Vec<Waker>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// What the file has; its length is that of whole lines.
    position: BusPosition,
    /// Whether the store has events of changes that must be appended before new ones.
    is_behind: bool,
    /// Events that were appended since the position was stored.
    unsaved: usize,
}

impl EventFile {
    /// Opens the file and appends the events after the stored position that it lacks.
    pub(super) fn open(
        path: PathBuf,
        (name, has_others): (String, bool),
        position: &BusPosition,
        stream: &Stream,
        destinations: Vec<Waker>,
    ) -> io::Result<Self> {
        let at_path = |error: io::Error| with_path(&path)(error);
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(at_path)?;
        if !file.metadata().map_err(at_path)?.is_file() {
            return Err(at_path(io::Error::other("it is no regular file; move it away")));
        }
        let (ids, end) = lines_after(&mut file, position.bytes).map_err(at_path)?;
        file.set_len(end).map_err(at_path)?;
        let position = BusPosition { bytes: length(end), ..position.clone() };
        let open = Mutex::new(Open { file, position, is_behind: true, unsaved: 0 });
        let events = Self { path, name, has_others, open, waker: Waker::default(), destinations };
        events.complete(stream, &ids, &Stop::default())?;
        Ok(events)
    }

    pub(super) const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Appends the events of the store that the file lacks; `ids` are those that it has although they are after its position.
    fn complete(&self, stream: &Stream, ids: &Ids, stop: &Stop) -> io::Result<()> {
        while !stop.is_set() {
            let mut open = self.open.lock();
            if !open.is_behind && !stream.follows_records() && !self.has_others {
                return Ok(());
            }
            let steps = stream.after(&open.position).map_err(io::Error::other)?;
            let Some(last) = steps.last() else {
                open.is_behind = false;
                return Ok(());
            };
            let position = last.position.clone();
            let is_new = |json: &String| ids.is_empty() || id_of(json.as_bytes()).is_none_or(|id| !ids.contains(&id));
            let lines: Vec<_> = steps.into_iter().filter_map(|step| step.json).filter(is_new).collect();
            open.append(lines.iter().map(String::as_str)).map_err(with_path(&self.path))?;
            open.position = BusPosition { bytes: open.position.bytes, ..position };
        }
        Ok(())
    }

    /// Empties the file; the next event is the first one after a position.
    pub(super) fn clear(&self, beginning: BusPosition) -> io::Result<()> {
        let mut open = self.open.lock();
        (open.position, open.is_behind, open.unsaved) = (beginning, false, 0);
        open.file.set_len(0).map_err(with_path(&self.path))
    }
}

impl EventSink for EventFile {
    fn take(&self, events: &[CommittedEvent]) {
        let mut open = self.open.lock();
        // The worker may have read them from the store before.
        let new = || events.iter().filter(|event| event.number > open.position.number);
        let (first, last) = (new().next().map(|event| event.number), new().next_back().map(|event| event.number));
        if let (Some(first), Some(last), false) = (first, last, open.is_behind) {
            let after = open.position.number;
            let lines: Vec<_> =
                events.iter().filter(|event| event.number > after).map(|event| event.json.as_str()).collect();
            open.is_behind = first != after + 1;
            if !open.is_behind {
                match open.append(lines.into_iter()) {
                    Ok(()) => open.position.number = last,
                    Err(error) => {
                        let path = self.path.display();
                        tracing::error!(%error, %path, "cannot append events; they are in the database, will retry");
                    }
                }
            }
        }
        if open.is_behind || open.unsaved >= EVENTS_PER_SAVE {
            self.waker.wake();
        }
        drop(open);
        for destination in &self.destinations {
            destination.wake();
        }
    }
}

impl Open {
    /// Appends lines with one write; if that fails, the file keeps none of them.
    fn append<'l>(&mut self, lines: impl Iterator<Item = &'l str>) -> io::Result<()> {
        let (mut text, mut count) = (String::new(), 0);
        for line in lines {
            text.push_str(line);
            text.push('\n');
            count += 1;
        }
        if text.is_empty() {
            return Ok(());
        }
        if self.is_behind {
            // An earlier write may have left a part of a line. A user may have emptied the file meanwhile.
            let end = self.file.metadata()?.len().min(u64::try_from(self.position.bytes).unwrap_or(0));
            self.file.set_len(end)?;
            self.position.bytes = length(end);
        }
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            self.is_behind = true;
            return Err(error);
        }
        self.position.bytes += i64::try_from(text.len()).unwrap_or(i64::MAX);
        self.unsaved += count;
        Ok(())
    }
}

fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Returns the ids of the whole lines after a place in the file, and the end of the last whole line.
///
/// A file that is shorter was emptied or replaced, and is read from its beginning.
fn lines_after(file: &mut File, bytes: i64) -> io::Result<(Ids, u64)> {
    let place = u64::try_from(bytes).unwrap_or(0);
    let mut end = if place <= file.metadata()?.len() { place } else { 0 };
    file.seek(SeekFrom::Start(end))?;
    let (mut reader, mut ids, mut line) = (BufReader::new(file), Ids::new(), Vec::new());
    while reader.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
        end += u64::try_from(line.len()).unwrap_or(u64::MAX);
        ids.extend(id_of(&line));
        line.clear();
    }
    Ok((ids, end))
}

/// Completes the file and stores its position.
pub(super) struct FileWork {
    file: Arc<EventFile>,
    stream: Stream,
    positions: Positions,
}

impl FileWork {
    pub(super) const fn new(file: Arc<EventFile>, stream: Stream, positions: Positions) -> Self {
        Self { file, stream, positions }
    }

    /// Stores the position, after the file is on the disk, and removes the events that every destination has.
    fn save(&self) -> Result<(), worker::Error> {
        let generation = self.positions.generation();
        let (file, position) = {
            let mut open = self.file.open.lock();
            open.unsaved = 0;
            (open.file.try_clone()?, open.position.clone())
        };
        // Not under the lock: calls that are committed wait for it, and the store for them.
        file.sync_data()?;
        self.positions.save(&self.file.name, &position, generation)?;
        Ok(self.positions.remove_delivered()?)
    }
}

impl Work for FileWork {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        self.file.complete(&self.stream, &Ids::new(), stop)?;
        if self.file.open.lock().unsaved >= EVENTS_PER_SAVE {
            self.save()?;
        }
        Ok(self.file.has_others.then_some(LOOK_INTERVAL))
    }

    fn finish(&mut self) -> Result<(), worker::Error> {
        self.save()
    }
}

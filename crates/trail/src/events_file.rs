//! `events.ndjson`: every record as a line, in the order of the commits.
//!
//! **Invariant:** a record is appended after its commit and before its reply; what a crash kept from the file is appended from
//! the store at the next start, so no line is lost and none is there twice.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws::Timestamp;
use serde_json::Value;
use store::Store;

use crate::events_path;

/// How much of the file's end is read at a time in search of the last record that the store knows.
const STEP_BYTES: u64 = 64 * 1024;

/// How many of the records that it lacks are appended at a time, which bounds the memory that it takes.
const RECORDS_AT_A_TIME: i64 = 1_000;

pub(crate) struct EventsFile(Mutex<Open>);

struct Open {
    file: File,
    /// What a failing disk has not taken yet; it goes first with the next record.
    pending: Vec<u8>,
}

impl EventsFile {
    /// Opens the file and repairs its end.
    pub(crate) fn open(folder: &Path, store: &Store) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(events_path(folder))?;
        let mut last_seq = last_known(&mut file, store)?;
        let mut lacked = 0;
        loop {
            let missing = after(last_seq, store).map_err(io::Error::other)?;
            let Some((seq, _)) = missing.last() else { break };
            (last_seq, lacked) = (*seq, lacked + missing.len());
            let lines: String = missing.into_iter().flat_map(|(_, record)| [record, "\n".to_owned()]).collect();
            file.write_all(lines.as_bytes())?;
        }
        if lacked > 0 {
            tracing::info!(records = lacked, "events.ndjson lacked records; they are appended");
        }
        Ok(Self(Mutex::new(Open { file, pending: Vec::new() })))
    }

    /// Appends a record's line.
    pub(crate) fn append(&self, line: &str) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { file, pending } = &mut *open;
        pending.extend_from_slice(line.as_bytes());
        while !pending.is_empty() {
            match file.write(pending) {
                Ok(written) if written > 0 => drop(pending.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                failed => {
                    tracing::error!(?failed, "events.ndjson cannot be written; its records are kept and will follow");
                    return;
                }
            }
        }
    }

    /// Empties the file.
    pub(crate) fn clear(&self) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.pending.clear();
        if let Err(error) = open.file.set_len(0) {
            tracing::error!(%error, "events.ndjson cannot be emptied");
        }
    }
}

/// Reads the next records that the file lacks.
fn after(last_seq: i64, store: &Store) -> Result<Vec<(i64, String)>, store::Error> {
    store.read(|transaction| {
        transaction.query(
            "SELECT seq, record FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            &[last_seq.into(), RECORDS_AT_A_TIME.into()],
            |row| Ok((row.integer(0)?, row.text(1)?)),
        )
    })
}

/// Cuts off a torn last line, and returns the `seq` of the last record in the file that the store knows; 0 if it knows none.
///
/// Lines that the store does not know are left alone: they tell of calls that were acknowledged.
fn last_known(file: &mut File, store: &Store) -> io::Result<i64> {
    let mut start = file.seek(SeekFrom::End(0))?;
    let mut torn_cut = false;
    // What was read already and begins before `start`.
    let mut carried = Vec::new();
    while start > 0 {
        let step = STEP_BYTES.min(start);
        start -= step;
        let mut bytes = vec![0; usize::try_from(step).expect("a step fits into memory")];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        bytes.append(&mut carried);
        if !torn_cut {
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |line_end| line_end + 1);
            bytes.truncate(whole);
            file.set_len(start + whole as u64)?;
            torn_cut = whole > 0;
        }
        let lines_start = if start == 0 {
            0
        } else {
            bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1)
        };
        for line in bytes[lines_start..].split(|byte| *byte == b'\n').rev() {
            if let Some(seq) = seq_of(line, store)? {
                return Ok(seq);
            }
        }
        bytes.truncate(lines_start);
        carried = bytes;
    }
    Ok(0)
}

/// Finds the record of a line by its place, second and id.
fn seq_of(line: &[u8], store: &Store) -> io::Result<Option<i64>> {
    let Ok(record) = serde_json::from_slice::<Value>(line) else { return Ok(None) };
    let text = |name: &str| record[name].as_str();
    let (Some(event_id), Some(account), Some(region), Some(time)) = (
        text("eventID"),
        text("recipientAccountId"),
        text("awsRegion"),
        text("eventTime").and_then(Timestamp::from_iso),
    ) else {
        return Ok(None);
    };
    let found = store.read(|transaction| {
        transaction.query_one(
            "SELECT seq FROM events WHERE account = ?1 AND region = ?2 AND time >= ?3 AND time < ?3 + 1000 AND event_id = ?4",
            &[account.into(), region.into(), time.millis().into(), event_id.into()],
            |row| row.integer(0),
        )
    });
    found.map_err(|error: store::Error| io::Error::other(error))
}

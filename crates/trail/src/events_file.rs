//! `events.ndjson`: every record as a line, in the order of the commits.
//!
//! **Invariant:** a record is appended after its commit and before its reply; what a crash kept from the file is appended from
//! the store at the next start, so no line is lost and none is there twice.

mod backwards;

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use aws::Timestamp;
use serde::Deserialize;
use store::Store;

use self::backwards::Backwards;
use crate::events_path;

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
        let path = events_path(folder);
        let failed =
            |error: io::Error| io::Error::new(error.kind(), format!("cannot open {}: {error}", path.display()));
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path).map_err(failed)?;
        if !file.metadata()?.is_file() {
            return Err(failed(io::Error::other("it is no regular file; move it away")));
        }
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
    let end = backwards::end_of_lines(file)?;
    file.set_len(end)?;
    let any =
        store.read(|transaction| transaction.query_one("SELECT seq FROM events LIMIT 1", &[], |row| row.integer(0)));
    if any.map_err(|error: store::Error| io::Error::other(error))?.is_none() {
        // A store without records knows no line.
        return Ok(0);
    }
    let mut lines = Backwards::new(file, end);
    while let Some(line) = lines.next()? {
        if let Some(seq) = seq_of(&line, store)? {
            return Ok(seq);
        }
    }
    Ok(0)
}

/// The members of a record by which the store finds it.
#[derive(Deserialize)]
struct Place {
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(rename = "recipientAccountId")]
    account: String,
    #[serde(rename = "awsRegion")]
    region: String,
    #[serde(rename = "eventTime")]
    event_time: String,
}

/// Finds the record of a line by its place, second and id.
fn seq_of(line: &[u8], store: &Store) -> io::Result<Option<i64>> {
    let Ok(place) = serde_json::from_slice::<Place>(line) else { return Ok(None) };
    let Some(time) = Timestamp::from_iso(&place.event_time) else { return Ok(None) };
    let found = store.read(|transaction| {
        transaction.query_one(
            "SELECT seq FROM events WHERE account = ?1 AND region = ?2 AND is_data IN (0, 1) AND time >= ?3 AND time < ?3 + 1000 \
             AND event_id = ?4",
            &[
                (&place.account).into(),
                (&place.region).into(),
                time.millis().into(),
                (&place.event_id).into(),
            ],
            |row| row.integer(0),
        )
    });
    found.map_err(|error: store::Error| io::Error::other(error))
}

//! The repair of the end of `events.ndjson` at start: a torn line is cut off, and what the file lacks is appended from the store.

use std::fs::File;
use std::io::{self, Write};

use aws::Timestamp;
use serde::Deserialize;
use store::Store;

use super::backwards::{self, Backwards};

/// How many of the records that it lacks are appended at a time, which bounds the memory that it takes.
const RECORDS_AT_A_TIME: i64 = 1_000;

/// Brings the file to where the store says that it should be; returns how many records it lacked.
pub(super) fn repair(file: &mut File, store: &Store) -> io::Result<usize> {
    let mut last_seq = last_known(file, store)?;
    let mut lacked = 0;
    loop {
        let missing = after(last_seq, store).map_err(io::Error::other)?;
        let Some((seq, _)) = missing.last() else { return Ok(lacked) };
        (last_seq, lacked) = (*seq, lacked + missing.len());
        let lines: String = missing.into_iter().flat_map(|(_, record)| [record, "\n".to_owned()]).collect();
        file.write_all(lines.as_bytes())?;
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

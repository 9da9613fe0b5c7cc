//! Repairs the end of `events.ndjson` at start: removes an incomplete line, and appends missing records from the store.

use std::fs::File;
use std::io::{self, Write};

use aws::Timestamp;
use serde::Deserialize;
use store::Store;

use super::backwards::{self, Backwards};

/// Missing records that are appended at a time, which bounds the memory in use.
const RECORDS_PER_READ: i64 = 1_000;

/// What a repair found and did.
pub(super) struct Repaired {
    /// The number of appended records.
    pub(super) appended: usize,
    /// The `seq` of the last record in the file; 0 if the store has none of them.
    pub(super) last_seq: i64,
}

/// Repairs the file.
pub(super) fn repair(file: &mut File, store: &Store) -> io::Result<Repaired> {
    let mut last_seq = last_known(file, store)?;
    let mut appended = 0;
    loop {
        let missing = after(last_seq, store).map_err(io::Error::other)?;
        let Some((seq, _)) = missing.last() else { return Ok(Repaired { appended, last_seq }) };
        (last_seq, appended) = (*seq, appended + missing.len());
        let lines: String = missing.into_iter().flat_map(|(_, record)| [record, "\n".to_owned()]).collect();
        file.write_all(lines.as_bytes())?;
    }
}

/// Reads the next records after a `seq`.
pub(super) fn after(last_seq: i64, store: &Store) -> Result<Vec<(i64, String)>, store::Error> {
    store.read(|transaction| {
        transaction.query(
            "SELECT seq, record FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            &[last_seq.into(), RECORDS_PER_READ.into()],
            |row| Ok((row.integer(0)?, row.text(1)?)),
        )
    })
}

/// Removes an incomplete last line, and returns the `seq` of the last record in the file that is in the store; 0 if there is none.
///
/// Lines that are not in the store stay: their calls were acknowledged.
fn last_known(file: &mut File, store: &Store) -> io::Result<i64> {
    let end = backwards::end_of_lines(file)?;
    file.set_len(end)?;
    let any =
        store.read(|transaction| transaction.query_one("SELECT seq FROM events LIMIT 1", &[], |row| row.integer(0)));
    if any.map_err(|error: store::Error| io::Error::other(error))?.is_none() {
        // An empty store has the record of no line.
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

/// The members of a record that identify it in the store.
#[derive(Deserialize)]
struct RecordKey {
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(rename = "recipientAccountId")]
    account: String,
    #[serde(rename = "awsRegion")]
    region: String,
    #[serde(rename = "eventTime")]
    event_time: String,
}

/// Finds the record of a line by its account, region, second and id.
fn seq_of(line: &[u8], store: &Store) -> io::Result<Option<i64>> {
    let Ok(key) = serde_json::from_slice::<RecordKey>(line) else { return Ok(None) };
    let Some(time) = Timestamp::from_iso(&key.event_time) else { return Ok(None) };
    let seq = store.read(|transaction| {
        transaction.query_one(
            "SELECT seq FROM events WHERE account = ?1 AND region = ?2 AND is_data IN (0, 1) AND time >= ?3 AND time < ?3 + 1000 \
             AND event_id = ?4",
            &[
                (&key.account).into(),
                (&key.region).into(),
                time.millis().into(),
                (&key.event_id).into(),
            ],
            |row| row.integer(0),
        )
    });
    seq.map_err(|error: store::Error| io::Error::other(error))
}

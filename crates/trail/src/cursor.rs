//! Cursors: positions in the sequence of all records, which readers outside the trail continue from.
//!
//! A cursor is `SEQ:EVENT_ID`: after a reset the numbers start again, and the id tells whether the number still means the same event.
//! The empty cursor is the position before the first record.

use aws::Timestamp;
use store::{Error, Transaction};

/// The size of records, in bytes, after which a page ends.
const PAGE_BYTES: usize = 512 << 10;

/// Records of one query; a record can have 256 KB.
const QUERY_RECORDS: u32 = 8;

/// Records after a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPage {
    /// The cursor of the last record, or the one that the page begins after if there are no records.
    pub cursor: String,
    /// The records in the order of their commits.
    pub records: Vec<StoredRecord>,
}

/// A record in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The position in the sequence of all records, which grows with every record until a reset.
    pub seq: i64,
    /// The cursor of the record.
    pub cursor: String,
    /// The record as JSON, without a newline.
    pub json: String,
    /// Whether it is a data event, which records of version 1.05 do not say.
    pub is_data: bool,
}

/// Reads the next records after a cursor; see [`crate::Trail::records_after`].
pub(crate) fn records_after(transaction: &Transaction, cursor: &str, limit: u32) -> Result<RecordPage, Error> {
    let (seq, id) = cursor.split_once(':').unwrap_or(("0", ""));
    let mut seq: i64 = seq.parse().unwrap_or(0);
    let at_or_after = transaction.query(
        "SELECT seq, event_id FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1",
        &[seq.into()],
        |row| Ok((row.integer(0)?, row.text(1)?)),
    )?;
    match at_or_after.first() {
        Some((other_seq, other_id)) if *other_seq == seq && other_id != id => seq = 0,
        // Retention removes old events, but never the newest one.
        None => seq = 0,
        Some(_) => {}
    }
    let mut page = RecordPage { cursor: if seq == 0 { String::new() } else { cursor.to_owned() }, records: Vec::new() };
    let (mut left, mut bytes) = (limit, 0);
    while left > 0 && bytes < PAGE_BYTES {
        let count = left.min(QUERY_RECORDS);
        let records = some_after(transaction, seq, count)?;
        let Some(last) = records.last() else { break };
        (seq, page.cursor) = (last.seq, last.cursor.clone());
        bytes += records.iter().map(|record| record.json.len()).sum::<usize>();
        left -= count;
        page.records.extend(records);
    }
    Ok(page)
}

fn some_after(transaction: &Transaction, seq: i64, limit: u32) -> Result<Vec<StoredRecord>, Error> {
    transaction.query(
        "SELECT seq, event_id, record, is_data FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        &[seq.into(), i64::from(limit).into()],
        |row| {
            let seq = row.integer(0)?;
            let cursor = format!("{seq}:{}", row.text(1)?);
            Ok(StoredRecord { seq, cursor, json: row.text(2)?, is_data: row.integer(3)? == 1 })
        },
    )
}

/// Reads the cursor before the last records; see [`crate::Trail::cursor_before_last`].
pub(crate) fn before_last(transaction: &Transaction, count: u32) -> Result<String, Error> {
    // There are no gaps between numbers, but before the first record after a removal of old ones.
    let query =
        "SELECT seq, event_id FROM events WHERE seq <= (SELECT MAX(seq) FROM events) - ?1 ORDER BY seq DESC LIMIT 1";
    last_of(transaction, query, &[i64::from(count).into()])
}

/// Reads the cursor before all records since a time; see [`crate::Trail::cursor_before`].
pub(crate) fn before(transaction: &Transaction, time: Timestamp) -> Result<String, Error> {
    // Times do not grow with `seq`: a call has the time of its beginning. The sum keeps SQLite from reading the table in the order of
    // `seq`; it reads the index by time instead, which contains both columns.
    let first =
        transaction.query("SELECT MIN(seq + 0) FROM events WHERE time >= ?1", &[time.millis().into()], |row| {
            row.optional_integer(0)
        })?;
    match first.first().copied().flatten() {
        Some(seq) => last_of(
            transaction,
            "SELECT seq, event_id FROM events WHERE seq < ?1 ORDER BY seq DESC LIMIT 1",
            &[seq.into()],
        ),
        None => before_last(transaction, 0),
    }
}

fn last_of(transaction: &Transaction, query: &str, parameters: &[store::Value<'_>]) -> Result<String, Error> {
    let last = transaction.query(query, parameters, |row| Ok(format!("{}:{}", row.integer(0)?, row.text(1)?)))?;
    Ok(last.into_iter().next().unwrap_or_default())
}

#[cfg(test)]
mod tests;

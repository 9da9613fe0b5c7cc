//! The index: for every value of an attribute, in an account and region, the events that have it, by time.
//!
//! Values are rows of their own, so that an event takes some twenty bytes for each of its values. Ids are random, and a tree of
//! all of them would be written in another place for every event; so they lie in generations of 65,536 events, and whoever looks
//! for one asks each generation.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use store::{Error, Row, Transaction};

use super::attributes::{Attribute, Facts};

/// The events of a generation of ids, as a power of two.
const GENERATION_BITS: u32 = 16;

/// A value of an attribute in a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) attribute: Attribute,
    pub(super) value: String,
}

/// Events that are to be indexed, or no longer.
pub(super) struct Batch {
    /// The `seq` of the last of them.
    pub(super) last_seq: i64,
    /// The time and `seq` of the events of each value.
    values: BTreeMap<Key, Vec<(i64, i64)>>,
    /// The hash and `seq` of each id.
    ids: Vec<(i64, i64)>,
}

struct Entry {
    seq: i64,
    account: String,
    region: String,
    time: i64,
    event_id: String,
    /// `None` for a data event.
    record: Option<String>,
}

/// The columns of [`Entry`]; the records of data events are not read, as nobody can look them up.
const COLUMNS: &str = "seq, account, region, time, event_id, CASE WHEN is_data = 0 THEN record END";

/// Returns up to which `seq` events are indexed.
pub(super) fn reaches(transaction: &Transaction) -> Result<i64, Error> {
    let seq = transaction.query_one("SELECT indexed_seq FROM history", &[], |row| row.integer(0))?;
    seq.ok_or(Error::Damaged("the event history has no row"))
}

/// Empties the index.
pub(super) fn clear(transaction: &Transaction) -> Result<(), Error> {
    transaction.execute_all(
        "DELETE FROM history_index; DELETE FROM history_values; DELETE FROM history_ids; UPDATE history SET indexed_seq = 0",
    )
}

/// Takes events out of the index that are removed in the same transaction.
///
/// They must still be there, as their records tell where they are found; how many there are at a time is the caller's choice.
pub(crate) fn forget(transaction: &Transaction, seqs: RangeInclusive<i64>) -> Result<(), Error> {
    let entries = transaction.query(
        &format!("SELECT {COLUMNS} FROM events WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"),
        &[(*seqs.start()).into(), (*seqs.end()).into()],
        entry,
    )?;
    Batch::of(entries).map_or(Ok(()), |batch| batch.remove(transaction))
}

/// Finds a value's id.
pub(super) fn value_id(transaction: &Transaction, key: &Key) -> Result<Option<i64>, Error> {
    let attribute: &str = key.attribute.into();
    transaction.query_one(
        "SELECT value_id FROM history_values WHERE account = ?1 AND region = ?2 AND attribute = ?3 AND value = ?4",
        &[(&key.account).into(), (&key.region).into(), attribute.into(), (&key.value).into()],
        |row| row.integer(0),
    )
}

/// Finds the events whose ids have the hash of this one: in general that event, or none.
pub(super) fn seqs_of_id(transaction: &Transaction, event_id: &str) -> Result<Vec<i64>, Error> {
    let end = |order: &str| {
        let sql = format!("SELECT generation FROM history_ids ORDER BY generation {order} LIMIT 1");
        transaction.query_one(&sql, &[], |row| row.integer(0))
    };
    let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(Vec::new()) };
    let hash = hash(event_id);
    let mut found = Vec::new();
    for generation in first..=last {
        found.extend(transaction.query(
            "SELECT seq FROM history_ids WHERE generation = ?1 AND hash = ?2",
            &[generation.into(), hash.into()],
            |row| row.integer(0),
        )?);
    }
    Ok(found)
}

impl Batch {
    /// Reads the next events after a `seq`; `None` if there are none.
    pub(super) fn read(transaction: &Transaction, after_seq: i64, limit: usize) -> Result<Option<Self>, Error> {
        let entries = transaction.query(
            &format!("SELECT {COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
            &[after_seq.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
            entry,
        )?;
        Ok(Self::of(entries))
    }

    fn of(entries: Vec<Entry>) -> Option<Self> {
        let mut batch = Self { last_seq: entries.last()?.seq, values: BTreeMap::new(), ids: Vec::new() };
        for Entry { seq, account, region, time, event_id, record } in entries {
            let Some(record) = record else { continue };
            batch.ids.push((hash(&event_id), seq));
            let Some(facts) = Facts::read(&record) else {
                tracing::error!(seq, "a record cannot be read, so it is found by its id alone");
                continue;
            };
            for (attribute, value) in facts.values() {
                let (account, region, value) = (account.clone(), region.clone(), value.to_owned());
                batch.values.entry(Key { account, region, attribute, value }).or_default().push((time, seq));
            }
        }
        Some(batch)
    }

    /// Adds the events to the index.
    pub(super) fn write(&self, transaction: &Transaction) -> Result<(), Error> {
        for (key, events) in &self.values {
            let value_id = match value_id(transaction, key)? {
                Some(value_id) => value_id,
                None => add_value(transaction, key)?,
            };
            for (time, seq) in events {
                transaction.execute(
                    "INSERT INTO history_index (value_id, time, seq) VALUES (?1, ?2, ?3)",
                    &[value_id.into(), (*time).into(), (*seq).into()],
                )?;
            }
        }
        for (hash, seq) in &self.ids {
            transaction.execute(
                "INSERT INTO history_ids (generation, hash, seq) VALUES (?1, ?2, ?3)",
                &[(seq >> GENERATION_BITS).into(), (*hash).into(), (*seq).into()],
            )?;
        }
        transaction.execute("UPDATE history SET indexed_seq = ?1", &[self.last_seq.into()])?;
        Ok(())
    }

    /// Takes the events out of the index, and values that no event has any more.
    fn remove(&self, transaction: &Transaction) -> Result<(), Error> {
        for (key, events) in &self.values {
            let Some(value_id) = value_id(transaction, key)? else { continue };
            for (time, seq) in events {
                transaction.execute(
                    "DELETE FROM history_index WHERE value_id = ?1 AND time = ?2 AND seq = ?3",
                    &[value_id.into(), (*time).into(), (*seq).into()],
                )?;
            }
            transaction.execute(
                "DELETE FROM history_values WHERE value_id = ?1 \
                 AND NOT EXISTS (SELECT 1 FROM history_index WHERE value_id = ?1)",
                &[value_id.into()],
            )?;
        }
        for (hash, seq) in &self.ids {
            transaction.execute(
                "DELETE FROM history_ids WHERE generation = ?1 AND hash = ?2 AND seq = ?3",
                &[(seq >> GENERATION_BITS).into(), (*hash).into(), (*seq).into()],
            )?;
        }
        Ok(())
    }
}

fn entry(row: &Row<'_>) -> Result<Entry, Error> {
    let [account, region] = [row.text(1)?, row.text(2)?];
    let (event_id, record) = (row.text(4)?, row.optional_text(5)?);
    Ok(Entry { seq: row.integer(0)?, account, region, time: row.integer(3)?, event_id, record })
}

fn add_value(transaction: &Transaction, key: &Key) -> Result<i64, Error> {
    let attribute: &str = key.attribute.into();
    transaction.execute(
        "INSERT INTO history_values (account, region, attribute, value) VALUES (?1, ?2, ?3, ?4)",
        &[(&key.account).into(), (&key.region).into(), attribute.into(), (&key.value).into()],
    )?;
    value_id(transaction, key)?.ok_or(Error::Damaged("a value of the event history is not there"))
}

/// FNV-1a over an id.
fn hash(event_id: &str) -> i64 {
    let hash = event_id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

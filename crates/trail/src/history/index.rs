//! The index of event history: for each value of an attribute, in an account and region, the events with it, by time.
//!
//! Values have ids of their own; the module `positions` keeps the events of each. Event ids are random, and each insertion into one tree of
//! all ids would write another page. So they are kept in generations of 65,536 events, and a lookup searches each generation. The columns
//! that are counted are in blocks of their own; see the module `columns`.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;

use aws::stable_hash::fnv1a_64;
use store::{Error, Row, Transaction, Value};

use super::attributes::{Attribute, Facts};
use super::columns::{self, Entry};
use super::positions::{self, Position};
use super::statement::{list, parts};

/// The size of a generation of ids, as a power of two.
const GENERATION_BITS: u32 = 16;

/// A value of an attribute in an account and region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) attribute: Attribute,
    pub(super) value: String,
}

/// Events that are added to the index or removed from it.
pub(super) struct Batch {
    /// The `seq` of the last one.
    pub(super) last_seq: i64,
    /// The events with each value.
    values: BTreeMap<Key, Vec<Position>>,
    /// The hash of the id and the `seq` of each event.
    ids: Vec<(i64, i64)>,
    /// The columns of the events of each account and region, in the order of their `seq`.
    columns: BTreeMap<(String, String), Vec<EventColumns>>,
}

/// The columns of an event, with the values that have ids.
struct EventColumns {
    entry: Entry,
    user: Option<String>,
    name: String,
    repository: Option<String>,
}

/// An event to be indexed.
struct IndexedEvent {
    seq: i64,
    account: String,
    region: String,
    time: i64,
    event_id: String,
    /// `None` for a data event.
    record: Option<String>,
}

/// The columns of [`IndexedEvent`]; the records of data events are not read, as event history finds them by their ids only.
const COLUMNS: &str = "seq, account, region, time, event_id, CASE WHEN is_data = 0 THEN record END";

/// Returns the `seq` of the last indexed event.
pub(super) fn last_indexed(transaction: &Transaction) -> Result<i64, Error> {
    let seq = transaction.query_one("SELECT indexed_seq FROM history", &[], |row| row.integer(0))?;
    seq.ok_or(Error::Damaged("the table history is empty"))
}

/// Empties the index.
pub(super) fn clear(transaction: &Transaction) -> Result<(), Error> {
    transaction.execute_all(
        "DELETE FROM history_index; DELETE FROM history_values; DELETE FROM history_ids; DELETE FROM history_blocks; \
         UPDATE history SET indexed_seq = 0",
    )
}

/// Removes events from the index, before they are removed in the same transaction.
///
/// Their records are needed to find their values; the caller limits the number of events.
pub(crate) fn forget(transaction: &Transaction, seqs: RangeInclusive<i64>) -> Result<(), Error> {
    let entries = transaction.query(
        &format!("SELECT {COLUMNS} FROM events WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"),
        &[(*seqs.start()).into(), (*seqs.end()).into()],
        entry,
    )?;
    Batch::of(entries).map_or(Ok(()), |batch| batch.remove(transaction))
}

/// Returns the id of a value.
pub(super) fn value_id(transaction: &Transaction, key: &Key) -> Result<Option<i64>, Error> {
    let attribute: &str = key.attribute.into();
    transaction.query_one(
        "SELECT value_id FROM history_values WHERE account = ?1 AND region = ?2 AND attribute = ?3 AND value = ?4",
        &[(&key.account).into(), (&key.region).into(), attribute.into(), (&key.value).into()],
        |row| row.integer(0),
    )
}

/// Lists the ids of all values of an attribute in an account and region.
pub(super) fn values(
    transaction: &Transaction,
    (account, region): (&str, &str),
    attribute: Attribute,
) -> Result<Vec<(i64, String)>, Error> {
    let attribute: &str = attribute.into();
    transaction.query(
        "SELECT value_id, value FROM history_values WHERE account = ?1 AND region = ?2 AND attribute = ?3",
        &[account.into(), region.into(), attribute.into()],
        |row| Ok((row.integer(0)?, row.text(1)?)),
    )
}

/// Returns the `seq` of the events whose ids have the same hash as this one: normally of that event alone, or none.
pub(crate) fn seqs_of_id(transaction: &Transaction, event_id: &str) -> Result<Vec<i64>, Error> {
    let end = |order: &str| {
        let sql = format!("SELECT generation FROM history_ids ORDER BY generation {order} LIMIT 1");
        transaction.query_one(&sql, &[], |row| row.integer(0))
    };
    let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(Vec::new()) };
    let hash = hash(event_id);
    let mut seqs = Vec::new();
    for generation in first..=last {
        seqs.extend(transaction.query(
            "SELECT seq FROM history_ids WHERE generation = ?1 AND hash = ?2",
            &[generation.into(), hash.into()],
            |row| row.integer(0),
        )?);
    }
    Ok(seqs)
}

impl Batch {
    /// Returns the number of the events.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Reads the next events after a `seq`; `None` if there are none.
    pub(super) fn read(transaction: &Transaction, after_seq: i64, limit: usize) -> Result<Option<Self>, Error> {
        let entries = transaction.query(
            &format!("SELECT {COLUMNS} FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
            &[after_seq.into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
            entry,
        )?;
        Ok(Self::of(entries))
    }

    fn of(entries: Vec<IndexedEvent>) -> Option<Self> {
        let last_seq = entries.last()?.seq;
        let mut batch = Self { last_seq, values: BTreeMap::new(), ids: Vec::new(), columns: BTreeMap::new() };
        for IndexedEvent { seq, account, region, time, event_id, record } in entries {
            batch.ids.push((hash(&event_id), seq));
            let Some(record) = record else { continue };
            let Some(facts) = Facts::read(&record) else {
                tracing::error!(seq, "cannot read a record; event history finds it by its id only");
                continue;
            };
            for (attribute, value) in facts.values() {
                let (account, region, value) = (account.clone(), region.clone(), value.to_owned());
                batch.values.entry(Key { account, region, attribute, value }).or_default().push((time, seq));
            }
            batch.columns.entry((account, region)).or_default().push(EventColumns::of(&facts, time));
        }
        Some(batch)
    }

    /// Adds the events to the index.
    pub(super) fn write(&self, transaction: &Transaction) -> Result<(), Error> {
        let keys: Vec<&Key> = self.values.keys().collect();
        let mut known = value_ids(transaction, &keys)?;
        let new: Vec<&Key> = keys.into_iter().filter(|key| !known.contains_key(key)).collect();
        add_values(transaction, &new)?;
        known.extend(value_ids(transaction, &new)?);
        let mut value_ids = ValueIds::default();
        for key in self.values.keys() {
            let value_id = *known.get(key).ok_or(Error::Damaged("a new value of the event history has no id"))?;
            value_ids.insert((&key.account, &key.region, key.attribute, &key.value), columns::id(value_id)?);
        }
        positions::add(transaction, self.positions(&known))?;
        let ids: Vec<_> = self.ids.iter().map(|(hash, seq)| [seq >> GENERATION_BITS, *hash, *seq]).collect();
        // A statement for each row would take longer than its row.
        for part in parts(&ids) {
            let sql =
                format!("INSERT INTO history_ids (generation, hash, seq) VALUES {}", list("(?, ?, ?)", part.len()));
            transaction.note(&sql, &part.as_flattened().iter().map(|value| (*value).into()).collect::<Vec<_>>())?;
        }
        for ((account, region), events) in &self.columns {
            let entries: Vec<Entry> = events.iter().map(|event| event.entry(account, region, &value_ids)).collect();
            columns::append(transaction, (account, region), &entries)?;
        }
        transaction.note("UPDATE history SET indexed_seq = ?1", &[self.last_seq.into()])
    }

    /// Removes the events from the index, and then the values without events.
    fn remove(&self, transaction: &Transaction) -> Result<(), Error> {
        let known = value_ids(transaction, &self.values.keys().collect::<Vec<_>>())?;
        positions::remove(transaction, self.positions(&known))?;
        for part in parts(&known.into_values().collect::<Vec<_>>()) {
            let sql = format!(
                "DELETE FROM history_values WHERE value_id IN ({}) \
                 AND NOT EXISTS (SELECT 1 FROM history_index WHERE history_index.value_id = history_values.value_id)",
                list("?", part.len())
            );
            transaction.note(&sql, &part.iter().map(|value_id| (*value_id).into()).collect::<Vec<_>>())?;
        }
        for ((account, region), events) in &self.columns {
            columns::remove_first(transaction, (account, region), events.len())?;
        }
        for (hash, seq) in &self.ids {
            transaction.note(
                "DELETE FROM history_ids WHERE generation = ?1 AND hash = ?2 AND seq = ?3",
                &[(seq >> GENERATION_BITS).into(), (*hash).into(), (*seq).into()],
            )?;
        }
        Ok(())
    }

    /// Returns the position of each event, with the id of each of its values.
    fn positions<'a>(&'a self, known: &'a HashMap<&Key, i64>) -> impl Iterator<Item = (i64, Position)> + 'a {
        let with_ids = self.values.iter().filter_map(|(key, events)| Some((*known.get(key)?, events)));
        with_ids.flat_map(|(value_id, events)| events.iter().map(move |position| (value_id, *position)))
    }
}

/// The ids of the values of a batch, by account, region, attribute and value.
type ValueIds<'a> = HashMap<(&'a str, &'a str, Attribute, &'a str), u32>;

impl EventColumns {
    fn of(facts: &Facts, time: i64) -> Self {
        let entry = Entry {
            time: columns::seconds(time),
            user: 0,
            name: 0,
            repository: 0,
            is_failed: facts.is_failed(),
            is_read_only: facts.read_only == Some(true),
            has_data: facts.has_data,
        };
        let [user, repository] = [facts.username(), facts.repository()].map(|value| value.map(str::to_owned));
        Self { entry, user, name: facts.event_name.clone(), repository }
    }

    /// Returns the entry with the ids of its values.
    fn entry(&self, account: &str, region: &str, value_ids: &ValueIds<'_>) -> Entry {
        let id = |attribute, value: Option<&str>| {
            value.and_then(|value| value_ids.get(&(account, region, attribute, value))).copied().unwrap_or(0)
        };
        Entry {
            user: id(Attribute::Username, self.user.as_deref()),
            name: id(Attribute::EventName, Some(&self.name)),
            repository: id(Attribute::ResourceName, self.repository.as_deref()),
            ..self.entry
        }
    }
}

fn entry(row: &Row<'_>) -> Result<IndexedEvent, Error> {
    let [account, region] = [row.text(1)?, row.text(2)?];
    let (event_id, record) = (row.text(4)?, row.optional_text(5)?);
    Ok(IndexedEvent { seq: row.integer(0)?, account, region, time: row.integer(3)?, event_id, record })
}

/// Returns the ids of those values that have one, with few questions: other writes wait for the answers of a server.
fn value_ids<'a>(transaction: &Transaction, keys: &[&'a Key]) -> Result<HashMap<&'a Key, i64>, Error> {
    let mut value_ids = HashMap::new();
    for part in parts(keys) {
        let questions = (0..part.len()).map(|place| {
            format!("SELECT {place}, value_id FROM history_values WHERE account = ? AND region = ? AND attribute = ? AND value = ?")
        });
        let sql = questions.collect::<Vec<_>>().join(" UNION ALL ");
        let found = transaction
            .query(&sql, &columns_of(part), |row| Ok((row.integer(0)?, row.integer(1)?)))?
            .into_iter()
            .filter_map(|(place, value_id)| Some((*part.get(usize::try_from(place).ok()?)?, value_id)));
        value_ids.extend(found);
    }
    Ok(value_ids)
}

/// Adds values that have no ids.
fn add_values(transaction: &Transaction, keys: &[&Key]) -> Result<(), Error> {
    for part in parts(keys) {
        let rows = list("(?, ?, ?, ?)", part.len());
        let sql = format!("INSERT INTO history_values (account, region, attribute, value) VALUES {rows}");
        transaction.note(&sql, &columns_of(part))?;
    }
    Ok(())
}

fn columns_of<'a>(keys: &[&'a Key]) -> Vec<Value<'a>> {
    let columns = |key: &&'a Key| {
        let attribute: &str = key.attribute.into();
        [Value::from(&key.account), Value::from(&key.region), attribute.into(), Value::from(&key.value)]
    };
    keys.iter().flat_map(columns).collect()
}

/// Returns the hash of an event id under which the index has it.
fn hash(event_id: &str) -> i64 {
    fnv1a_64(event_id.bytes()).cast_signed()
}

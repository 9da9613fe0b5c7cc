//! Search in the index: finds a page of the events with all of several attributes, newest first.
//!
//! The blocks of the rarest attribute are walked, and its events compared with those of the others in the same blocks. **Invariant:** only
//! the records of the found page are read; of an id, also those of the events with the same hash.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use store::{Error, Row, Transaction, Value};

use super::attributes::{Attribute, Facts};
use super::index::{self, Key};
use super::positions::{self, Position};
use super::statement::list;

/// Selects the positions of all management events of an account and region.
pub(super) const EVERYTHING: &str = "SELECT time, seq FROM events WHERE account = ?5 AND region = ?6 AND is_data = 0 \
    AND (time, seq) < (?1, ?2) AND time >= ?3 ORDER BY time DESC, seq DESC LIMIT ?4";

/// Number of blocks of a value that are read at first; each further step reads four times as many.
const BLOCKS: usize = 4;

/// Maximum number of blocks that are read at once.
const BLOCKS_MAX: usize = 64;

/// The filters of a search and its page; times are milliseconds, both ends included.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// The values of each attribute: an event has one of the values of every attribute.
    pub(super) filters: BTreeMap<Attribute, BTreeSet<String>>,
    pub(super) oldest: i64,
    pub(super) newest: i64,
    /// The last event of the previous page.
    pub(super) after: Option<Position>,
    pub(super) size: usize,
}

/// An event of a page.
pub(super) struct FoundRow {
    pub(super) position: Position,
    pub(super) record: String,
}

/// A page of events.
pub(super) struct Page {
    pub(super) rows: Vec<FoundRow>,
    /// Whether there are more events.
    pub(super) is_more: bool,
}

/// Finds a page of events of an account and region.
pub(super) fn find(transaction: &Transaction, scope: (&str, &str), query: &Query) -> Result<Page, Error> {
    let mut positions = match query.filters.get(&Attribute::EventId) {
        Some(ids) => with_ids(transaction, scope, query, ids)?,
        None if query.filters.is_empty() => everything(transaction, scope, query)?,
        None => with_values(transaction, scope, query)?,
    };
    positions.sort_unstable_by(|one, other| other.cmp(one));
    positions.dedup();
    let is_more = positions.len() > query.size;
    positions.truncate(query.size);
    Ok(Page { rows: records(transaction, positions, query.size)?, is_more })
}

/// Reads the records of the events of a page, in their order, with one question: a server takes longer for each than for its rows.
fn records(transaction: &Transaction, positions: Vec<Position>, size: usize) -> Result<Vec<FoundRow>, Error> {
    let Some((_, last)) = positions.last().copied() else { return Ok(Vec::new()) };
    // Pages of a size have the same statement.
    let seqs = positions.iter().map(|(_, seq)| *seq).chain(std::iter::repeat(last)).take(size);
    let values: Vec<Value<'_>> = seqs.map(Value::from).collect();
    let sql = format!("SELECT seq, record FROM events WHERE seq IN ({})", list("?", size));
    let found = transaction.query(&sql, &values, |row| Ok((row.integer(0)?, row.text(1)?)))?;
    let mut found: HashMap<i64, String> = found.into_iter().collect();
    let rows = positions.into_iter().map(|position| {
        let record = found.remove(&position.1).ok_or(Error::Damaged("an event of the index is missing"))?;
        Ok(FoundRow { position, record })
    });
    rows.collect()
}

impl Query {
    /// Returns the position before which the page begins: after the newest requested event, or that of the previous page.
    fn begin(&self) -> Position {
        self.after.unwrap_or((i64::MAX, i64::MAX)).min((self.newest, i64::MAX))
    }

    /// Returns the first parameters of the statements: the range of positions, and the number of events.
    fn range(&self) -> [Value<'static>; 4] {
        let (time, seq) = self.begin();
        let limit = i64::try_from(self.size).unwrap_or(i64::MAX).saturating_add(1);
        [time.into(), seq.into(), self.oldest.into(), limit.into()]
    }
}

fn position(row: &Row<'_>) -> Result<Position, Error> {
    Ok((row.integer(0)?, row.integer(1)?))
}

fn everything(
    transaction: &Transaction,
    (account, region): (&str, &str),
    query: &Query,
) -> Result<Vec<Position>, Error> {
    let values: Vec<Value<'_>> = query.range().into_iter().chain([account.into(), region.into()]).collect();
    transaction.query(EVERYTHING, &values, position)
}

/// Finds events by their ids, and compares their other attributes.
fn with_ids(
    transaction: &Transaction,
    (account, region): (&str, &str),
    query: &Query,
    ids: &BTreeSet<String>,
) -> Result<Vec<Position>, Error> {
    let mut positions = Vec::new();
    for event_id in ids {
        for candidate in index::seqs_of_id(transaction, event_id)? {
            let values = [candidate.into(), event_id.into(), account.into(), region.into()];
            let events = transaction.query(
                "SELECT time, seq, record FROM events \
                 WHERE seq = ?1 AND event_id = ?2 AND account = ?3 AND region = ?4 AND is_data = 0",
                &values,
                |row| Ok((position(row)?, row.text(2)?)),
            )?;
            let matching = events.into_iter().filter(|(position, record)| {
                *position < query.begin() && position.0 >= query.oldest && has_others(query, record)
            });
            positions.extend(matching.map(|(position, _)| position));
        }
    }
    Ok(positions)
}

/// Tells whether a record has a value of every attribute but the id.
fn has_others(query: &Query, record: &str) -> bool {
    let mut others = query.filters.iter().filter(|(attribute, _)| **attribute != Attribute::EventId).peekable();
    if others.peek().is_none() {
        return true;
    }
    let facts = Facts::read(record);
    let values = facts.as_ref().map(Facts::values).unwrap_or_default();
    others.all(|(attribute, wanted)| wanted.iter().any(|value| values.contains(&(*attribute, value.as_str()))))
}

fn with_values(
    transaction: &Transaction,
    (account, region): (&str, &str),
    query: &Query,
) -> Result<Vec<Position>, Error> {
    let mut groups = Vec::new();
    for (attribute, values) in &query.filters {
        let mut value_ids = Vec::new();
        for value in values {
            let (account, region) = (account.to_owned(), region.to_owned());
            let key = Key { account, region, attribute: *attribute, value: value.clone() };
            value_ids.extend(index::value_id(transaction, &key)?);
        }
        if value_ids.is_empty() {
            return Ok(Vec::new());
        }
        groups.push(value_ids);
    }
    let walked = groups.swap_remove(rarest(transaction, &groups, query)?);
    let mut positions = Vec::new();
    for value_id in walked {
        positions.extend(with_value(transaction, value_id, &groups, query)?);
    }
    Ok(positions)
}

/// Returns the index of the group whose values have the fewest blocks.
fn rarest(transaction: &Transaction, groups: &[Vec<i64>], query: &Query) -> Result<usize, Error> {
    let mut rarest = (i64::MAX, 0);
    for (group, value_ids) in groups.iter().enumerate().filter(|_| groups.len() > 1) {
        rarest = rarest.min((positions::count(transaction, value_ids, query.oldest)?, group));
    }
    Ok(rarest.1)
}

/// Finds the newest events with a value that have a value of each other group, too: those of a page and one more.
fn with_value(
    transaction: &Transaction,
    value_id: i64,
    others: &[Vec<i64>],
    query: &Query,
) -> Result<Vec<Position>, Error> {
    let begin = query.begin();
    let (mut found, mut walked, mut count) = (Vec::new(), 0, BLOCKS);
    loop {
        let blocks = positions::newest(transaction, value_id, (query.oldest, begin.0), (count, walked))?;
        let others = seqs_of_groups(transaction, others, &blocks, count)?;
        let candidates = blocks.iter().flat_map(|block| &block.positions).filter(|position| {
            **position < begin && position.0 >= query.oldest && others.iter().all(|seqs| seqs.contains(&position.1))
        });
        found.extend(candidates.copied());
        found.sort_unstable_by(|one: &Position, other| other.cmp(one));
        found.truncate(query.size + 1);
        // The events of the next blocks are not newer than the newest of the last one.
        let is_found = |block: &positions::Block| found.get(query.size).is_some_and(|last| last.0 > block.newest);
        if blocks.len() < count || blocks.last().is_some_and(is_found) {
            return Ok(found);
        }
        walked += count;
        count = (count * 4).min(BLOCKS_MAX);
    }
}

/// Returns the `seq` of the events with a value of each group, in some blocks; `size` is the usual number of blocks.
fn seqs_of_groups(
    transaction: &Transaction,
    groups: &[Vec<i64>],
    blocks: &[positions::Block],
    size: usize,
) -> Result<Vec<HashSet<i64>>, Error> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let seqs = positions::seqs(transaction, &groups.concat(), blocks, size)?;
    let of_group = |group: &Vec<i64>| {
        let seqs = seqs.iter().filter(|(value_id, _)| group.contains(value_id));
        seqs.flat_map(|(_, seqs)| seqs).copied().collect()
    };
    Ok(groups.iter().map(of_group).collect())
}

#[cfg(test)]
mod tests;

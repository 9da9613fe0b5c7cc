//! The positions of the events with a value, in blocks of 1,024 numbers (`seq`).
//!
//! A row has those of one value in one block, so that an event takes ten bytes for each of its values, and no row of its own.
//! **Invariant:** a row has each indexed event of its block with its value, once, and their range of times; without any there is no row.

use std::collections::{BTreeMap, BTreeSet};

use store::{Error, Transaction, Value};

use super::statement::{list, parts};

/// The size of a block, as a power of two.
const BLOCK_BITS: u32 = 10;

/// Size of a position in bytes: of the number in its block, and of the time.
const POSITION_BYTES: usize = 2 + 8;

/// Selects blocks of a value that may have events from `?2` to `?3`, by their newest event.
pub(super) const NEWEST: &str = "SELECT block, newest, positions FROM history_index \
    WHERE value_id = ?1 AND newest >= ?2 AND oldest <= ?3 ORDER BY newest DESC, block DESC LIMIT ?4 OFFSET ?5";

/// The position of an event in the order of a search: its time, then its `seq`.
pub(super) type Position = (i64, i64);

/// The events with a value in a block.
pub(super) struct Block {
    pub(super) number: i64,
    /// The time of the newest one.
    pub(super) newest: i64,
    pub(super) positions: Vec<Position>,
}

/// Positions by the number of their block, and then by the id of their value.
type Blocks = BTreeMap<i64, BTreeMap<i64, Vec<Position>>>;

/// Adds events, each with the id of a value that it has.
pub(super) fn add(transaction: &Transaction, events: impl IntoIterator<Item = (i64, Position)>) -> Result<(), Error> {
    let added = by_block(events);
    let mut blocks = read(transaction, &added)?;
    for (number, values) in added {
        let block = blocks.entry(number).or_default();
        for (value_id, positions) in values {
            block.entry(value_id).or_default().extend(positions);
        }
    }
    write(transaction, &blocks)
}

/// Removes events, each with the id of a value that it has.
pub(super) fn remove(
    transaction: &Transaction,
    events: impl IntoIterator<Item = (i64, Position)>,
) -> Result<(), Error> {
    let removed = by_block(events);
    let mut blocks = read(transaction, &removed)?;
    for (number, values) in &mut blocks {
        for (value_id, positions) in &mut *values {
            let removed: BTreeSet<&Position> = removed[number][value_id].iter().collect();
            positions.retain(|position| !removed.contains(position));
        }
        let emptied: Vec<i64> = values.extract_if(.., |_, positions| positions.is_empty()).map(|(id, _)| id).collect();
        for part in parts(&emptied) {
            let sql = format!("DELETE FROM history_index WHERE block = ? AND value_id IN ({})", list("?", part.len()));
            transaction.note(&sql, &numbers([number].into_iter().chain(part)))?;
        }
    }
    write(transaction, &blocks)
}

/// Returns blocks of a value that may have events from one time to another, both included: those with the newest events first.
///
/// `count` is the maximum number of blocks, after some that are skipped.
pub(super) fn newest(
    transaction: &Transaction,
    value_id: i64,
    (from, until): (i64, i64),
    (count, skipped): (usize, usize),
) -> Result<Vec<Block>, Error> {
    let [count, skipped] = [count, skipped].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    transaction.query(NEWEST, &numbers(&[value_id, from, until, count, skipped]), |row| {
        let number = row.integer(0)?;
        Ok(Block { number, newest: row.integer(1)?, positions: decode(number, &row.blob(2)?).collect() })
    })
}

/// Returns the `seq` of the events with each of some values in some blocks.
///
/// `size` is the number of blocks of which the statement has a list; fewer can be given.
pub(super) fn seqs(
    transaction: &Transaction,
    value_ids: &[i64],
    blocks: &[Block],
    size: usize,
) -> Result<Vec<(i64, Vec<i64>)>, Error> {
    let Some(last) = blocks.last() else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT value_id, block, positions FROM history_index WHERE value_id IN ({}) AND block IN ({})",
        list("?", value_ids.len()),
        list("?", size)
    );
    let blocks = blocks.iter().chain(std::iter::repeat(last)).map(|block| &block.number).take(size);
    transaction.query(&sql, &numbers(value_ids.iter().chain(blocks)), |row| {
        let seqs = decode(row.integer(1)?, &row.blob(2)?).map(|(_, seq)| seq).collect();
        Ok((row.integer(0)?, seqs))
    })
}

/// Counts the blocks of values that may have events from a time on.
pub(super) fn count(transaction: &Transaction, value_ids: &[i64], from: i64) -> Result<i64, Error> {
    let sql = format!(
        "SELECT COUNT(*) FROM history_index WHERE newest >= ? AND value_id IN ({})",
        list("?", value_ids.len())
    );
    let count = transaction.query_one(&sql, &numbers([&from].into_iter().chain(value_ids)), |row| row.integer(0))?;
    Ok(count.unwrap_or(0))
}

fn by_block(events: impl IntoIterator<Item = (i64, Position)>) -> Blocks {
    let mut blocks = Blocks::new();
    for (value_id, position) in events {
        let block = blocks.entry(position.1 >> BLOCK_BITS).or_default();
        block.entry(value_id).or_default().push(position);
    }
    blocks
}

/// Reads the rows of the same blocks and values, as far as there are some.
fn read(transaction: &Transaction, wanted: &Blocks) -> Result<Blocks, Error> {
    let mut blocks = Blocks::new();
    for (number, values) in wanted {
        let value_ids: Vec<i64> = values.keys().copied().collect();
        for part in parts(&value_ids) {
            let sql = format!(
                "SELECT value_id, positions FROM history_index WHERE block = ? AND value_id IN ({})",
                list("?", part.len())
            );
            let rows = transaction.query(&sql, &numbers([number].into_iter().chain(part)), |row| {
                Ok((row.integer(0)?, decode(*number, &row.blob(1)?).collect()))
            })?;
            blocks.entry(*number).or_default().extend(rows);
        }
    }
    Ok(blocks)
}

/// Writes rows, new ones and others.
fn write(transaction: &Transaction, blocks: &Blocks) -> Result<(), Error> {
    for (number, values) in blocks {
        let rows: Vec<_> = values.iter().map(|(value_id, positions)| Row::of(*value_id, positions)).collect();
        for part in parts(&rows) {
            let sql = format!(
                "INSERT INTO history_index (value_id, block, oldest, newest, positions) VALUES {} \
                 ON CONFLICT (value_id, block) DO UPDATE \
                 SET oldest = excluded.oldest, newest = excluded.newest, positions = excluded.positions",
                list("(?, ?, ?, ?, ?)", part.len())
            );
            let values: Vec<Value<'_>> = part.iter().flat_map(|row| row.values(*number)).collect();
            transaction.note(&sql, &values)?;
        }
    }
    Ok(())
}

/// A row of the table but its block.
struct Row {
    value_id: i64,
    oldest: i64,
    newest: i64,
    positions: Vec<u8>,
}

impl Row {
    fn of(value_id: i64, positions: &[Position]) -> Self {
        let times = || positions.iter().map(|(time, _)| *time);
        let (oldest, newest) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        Self { value_id, oldest, newest, positions: encode(positions) }
    }

    fn values(&self, block: i64) -> [Value<'_>; 5] {
        let Self { value_id, oldest, newest, positions } = self;
        [(*value_id).into(), block.into(), (*oldest).into(), (*newest).into(), positions.as_slice().into()]
    }
}

fn encode(positions: &[Position]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(positions.len() * POSITION_BYTES);
    for (time, seq) in positions {
        let in_block = seq & ((1 << BLOCK_BITS) - 1);
        bytes.extend_from_slice(&in_block.to_le_bytes()[..2]);
        bytes.extend(time.to_le_bytes());
    }
    bytes
}

fn decode(block: i64, bytes: &[u8]) -> impl Iterator<Item = Position> {
    bytes.as_chunks::<POSITION_BYTES>().0.iter().map(move |&[low, high, ref time @ ..]| {
        (i64::from_le_bytes(*time), block << BLOCK_BITS | i64::from(u16::from_le_bytes([low, high])))
    })
}

fn numbers<'a>(numbers: impl IntoIterator<Item = &'a i64>) -> Vec<Value<'static>> {
    numbers.into_iter().map(|number| (*number).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_were_written() {
        let block = 7;
        let positions =
            [(0, 7 << 10), (-1, (7 << 10) + 255), (i64::MAX, (7 << 10) + 256), (1_481_739_554_262, (8 << 10) - 1)];
        assert!(positions.iter().all(|(_, seq)| seq >> BLOCK_BITS == block));
        assert!(decode(block, &encode(&positions)).eq(positions));
    }
}

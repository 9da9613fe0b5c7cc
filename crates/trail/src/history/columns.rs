//! Columns of the index: what counts need of each event, in blocks of fixed-size entries, so that a million events are counted in
//! milliseconds.
//!
//! **Invariant:** the entries of an account and region are those of its indexed events, in the order of their `seq`; so the events that
//! are removed, the oldest, are the first entries.

use store::{Error, Transaction};

/// Maximum number of entries of a block; the last block is written again for each batch.
const BLOCK: usize = 1_024;

/// Size of an entry in bytes.
const ENTRY_BYTES: usize = 16;

/// Bits of the event's name beside its id.
const FAILED: u32 = 1 << 31;
const READ_ONLY: u32 = 1 << 30;
const HAS_DATA: u32 = 1 << 29;

/// An event. Texts are ids of `history_values`; 0 is a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Seconds since the epoch.
    pub(super) time: u32,
    pub(super) user: u32,
    pub(super) name: u32,
    pub(super) repository: u32,
    pub(super) is_failed: bool,
    pub(super) is_read_only: bool,
    /// Whether this is a Git request that transferred data.
    pub(super) has_data: bool,
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let flag = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
        let flags = flag(self.is_failed, FAILED) | flag(self.is_read_only, READ_ONLY) | flag(self.has_data, HAS_DATA);
        let mut bytes = [0; ENTRY_BYTES];
        for (part, value) in bytes.chunks_exact_mut(4).zip([self.time, self.user, self.name | flags, self.repository]) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    fn of(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let part = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let name = part(8);
        Self {
            time: part(0),
            user: part(4),
            name: name & !(FAILED | READ_ONLY | HAS_DATA),
            repository: part(12),
            is_failed: name & FAILED != 0,
            is_read_only: name & READ_ONLY != 0,
            has_data: name & HAS_DATA != 0,
        }
    }
}

/// Returns a time in milliseconds as whole seconds that an entry can hold.
pub(super) fn seconds(millis: i64) -> u32 {
    u32::try_from(millis.div_euclid(1_000).max(0)).unwrap_or(u32::MAX)
}

/// Returns an id as an entry holds it.
pub(super) fn id(value_id: i64) -> Result<u32, Error> {
    let id = u32::try_from(value_id).ok().filter(|id| *id < HAS_DATA);
    id.ok_or(Error::Damaged("event history has too many values"))
}

/// Appends entries of an account and region.
pub(super) fn append(
    transaction: &Transaction,
    (account, region): (&str, &str),
    mut entries: &[Entry],
) -> Result<(), Error> {
    let last = transaction.query_one(
        "SELECT id, entries FROM history_blocks WHERE account = ?1 AND region = ?2 ORDER BY id DESC LIMIT 1",
        &[account.into(), region.into()],
        |row| Ok((row.integer(0)?, row.blob(1)?)),
    )?;
    if let Some((id, mut bytes)) = last {
        let (first, rest) = entries.split_at(entries.len().min(BLOCK.saturating_sub(bytes.len() / ENTRY_BYTES)));
        if !first.is_empty() {
            bytes.extend(first.iter().flat_map(|entry| entry.to_bytes()));
            update(transaction, id, &bytes)?;
        }
        entries = rest;
    }
    for block in entries.chunks(BLOCK) {
        let bytes: Vec<u8> = block.iter().flat_map(|entry| entry.to_bytes()).collect();
        let (oldest, newest) = range(&bytes);
        transaction.note(
            "INSERT INTO history_blocks (account, region, oldest, newest, entries) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[account.into(), region.into(), oldest.into(), newest.into(), bytes.as_slice().into()],
        )?;
    }
    Ok(())
}

/// Removes the first entries of an account and region.
pub(super) fn remove_first(
    transaction: &Transaction,
    (account, region): (&str, &str),
    mut count: usize,
) -> Result<(), Error> {
    while count > 0 {
        let first = transaction.query_one(
            "SELECT id, entries FROM history_blocks WHERE account = ?1 AND region = ?2 ORDER BY id LIMIT 1",
            &[account.into(), region.into()],
            |row| Ok((row.integer(0)?, row.blob(1)?)),
        )?;
        let Some((id, bytes)) = first else { return Ok(()) };
        let in_block = bytes.len() / ENTRY_BYTES;
        if in_block <= count {
            transaction.execute("DELETE FROM history_blocks WHERE id = ?1", &[id.into()])?;
        } else {
            update(transaction, id, &bytes[count * ENTRY_BYTES..])?;
        }
        count = count.saturating_sub(in_block);
    }
    Ok(())
}

fn update(transaction: &Transaction, id: i64, bytes: &[u8]) -> Result<(), Error> {
    let (oldest, newest) = range(bytes);
    transaction.note(
        "UPDATE history_blocks SET oldest = ?2, newest = ?3, entries = ?4 WHERE id = ?1",
        &[id.into(), oldest.into(), newest.into(), bytes.into()],
    )
}

/// Returns the times of the oldest and newest entry.
fn range(bytes: &[u8]) -> (i64, i64) {
    let times = || entries(bytes).map(|entry| i64::from(entry.time));
    (times().min().unwrap_or(0), times().max().unwrap_or(0))
}

fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> {
    bytes.as_chunks::<ENTRY_BYTES>().0.iter().map(Entry::of)
}

/// Lists the regions of an account that have events.
pub(super) fn regions(transaction: &Transaction, account: &str) -> Result<Vec<String>, Error> {
    // One step of the index for each region.
    let next = "SELECT region FROM history_blocks WHERE account = ?1 AND region > ?2 ORDER BY region LIMIT 1";
    let mut regions: Vec<String> = Vec::new();
    loop {
        let last = regions.last().map_or("", String::as_str);
        match transaction.query_one(next, &[account.into(), last.into()], |row| row.text(0))? {
            Some(region) => regions.push(region),
            None => return Ok(regions),
        }
    }
}

/// Calls a function with each entry of an account and region from the second `from` to `until`, both included.
pub(super) fn scan(
    transaction: &Transaction,
    (account, region): (&str, &str),
    (from, until): (u32, u32),
    mut each: impl FnMut(Entry),
) -> Result<(), Error> {
    transaction.query(
        "SELECT entries FROM history_blocks WHERE account = ?1 AND region = ?2 AND newest >= ?3 AND oldest <= ?4",
        &[account.into(), region.into(), i64::from(from).into(), i64::from(until).into()],
        |row| {
            let bytes = row.blob(0)?;
            entries(&bytes).filter(|entry| (from..=until).contains(&entry.time)).for_each(&mut each);
            Ok(())
        },
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        for flags in 0..8_u32 {
            let (is_failed, is_read_only, has_data) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
            let (user, name, repository) = (0, HAS_DATA - 1, 7);
            let entry = Entry { time: u32::MAX, user, name, repository, is_failed, is_read_only, has_data };
            assert_eq!(Entry::of(&entry.to_bytes()), entry);
        }
    }

    #[test]
    fn times_outside_of_the_range_of_an_entry_are_moved_to_its_ends() {
        assert_eq!([-1, 999, 1_000, i64::MAX].map(seconds), [0, 0, 1, u32::MAX]);
    }
}

//! Reads all that a seed can say about trails and events, for its export: rows of all accounts and regions, in a fixed order.
//!
//! **Invariant:** nothing is changed: the caller reads a copy of the database.

use store::{Error, Transaction};

use crate::trails::DEFAULT_TRAIL;

/// Events that are read at a time.
const EVENTS_PER_READ: i64 = 1_000;

/// A trail.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of the trail")]
#[derive(Clone, Debug)]
pub struct ExportedTrail {
    /// The account.
    pub account: String,
    /// The home region.
    pub region: String,
    /// The name.
    pub name: String,
    /// The bucket.
    pub bucket: String,
    /// The prefix of keys in the bucket.
    pub prefix: Option<String>,
    /// The name or ARN of the topic.
    pub topic: Option<String>,
    /// Whether it covers all regions.
    pub multi_region: bool,
    /// Whether it has the events of global services.
    pub global_events: bool,
    /// Whether its log files get digests.
    pub validation: bool,
    /// Whether it logs.
    pub logging: bool,
    /// The selectors as stored; empty without own selectors.
    pub selectors: String,
    /// The time of its creation, in milliseconds since 1970.
    pub created: i64,
    /// The tags.
    pub tags: Vec<(String, String)>,
}

/// Lists all trails except the default ones, by account, region and name.
pub fn trails(transaction: &Transaction) -> Result<Vec<ExportedTrail>, Error> {
    let sql = "SELECT id, account, home_region, name, bucket, prefix, topic_name, multi_region, global_events, validation, logging, \
         selectors, created FROM trails WHERE deleted IS NULL AND name <> ?1 ORDER BY account, home_region, name";
    let trails = transaction.query(sql, &[DEFAULT_TRAIL.into()], |row| {
        let trail = ExportedTrail {
            account: row.text(1)?,
            region: row.text(2)?,
            name: row.text(3)?,
            bucket: row.text(4)?,
            prefix: row.optional_text(5)?,
            topic: row.optional_text(6)?.filter(|topic| !topic.is_empty()),
            multi_region: row.integer(7)? == 1,
            global_events: row.integer(8)? == 1,
            validation: row.integer(9)? == 1,
            logging: row.integer(10)? == 1,
            selectors: row.text(11)?,
            created: row.integer(12)?,
            tags: Vec::new(),
        };
        Ok((row.integer(0)?, trail))
    })?;
    let with_tags = |(id, trail): (i64, ExportedTrail)| {
        let sql = "SELECT name, value FROM trail_tags WHERE trail = ?1 ORDER BY name";
        let tags = transaction.query(sql, &[id.into()], |row| Ok((row.text(0)?, row.text(1)?)))?;
        Ok(ExportedTrail { tags, ..trail })
    };
    trails.into_iter().map(with_tags).collect()
}

/// Passes all records to a function, in their order.
pub fn records<E: From<Error>>(
    transaction: &Transaction,
    mut write: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut last = 0;
    loop {
        let sql = "SELECT seq, record FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let values = [last.into(), EVENTS_PER_READ.into()];
        let rows = transaction.query(sql, &values, |row| Ok((row.integer(0)?, row.text(1)?)))?;
        let Some((seq, _)) = rows.last() else { return Ok(()) };
        last = *seq;
        for (_, record) in &rows {
            write(record)?;
        }
    }
}

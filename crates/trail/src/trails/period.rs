//! A period of a trail: the events that it selects, and the bucket that they go to.

use std::ops::RangeInclusive;

use serde_json::Value;
use store::{Error, Row, Transaction};

use super::selectors::Selectors;

/// The columns of [`TrailPeriod::of`].
pub(crate) const COLUMNS: &str =
    "id, trail, account, home_region, bucket, prefix, multi_region, global_events, selectors, first_seq, last_seq";

/// Selects the records of an account and region in a range of `seq`.
///
/// The expressions keep SQLite from the index by time, which it prefers to the range: it would walk through all events of the account.
const RECORDS: &str = "SELECT record, time, is_data FROM events \
    WHERE seq BETWEEN ?3 AND ?4 AND account || '' = ?1 AND region || '' = ?2 ORDER BY seq";

/// Counts the management events of an account and region in a range of `seq`, in the same way.
const COUNT: &str = "SELECT COUNT(*) FROM events \
    WHERE seq BETWEEN ?3 AND ?4 AND account || '' = ?1 AND region || '' = ?2 AND is_data = 0";

/// Global services; their events are recorded in [`GLOBAL_REGION`] since 2021.
const GLOBAL_SOURCES: [&str; 2] = ["iam.amazonaws.com", "sts.amazonaws.com"];

const GLOBAL_REGION: &str = "us-east-1";

/// A row of the table `trail_spans`.
pub(crate) struct TrailPeriod {
    pub(crate) id: i64,
    pub(crate) trail: i64,
    pub(crate) account: String,
    home_region: String,
    pub(crate) bucket: String,
    pub(crate) prefix: Option<String>,
    multi_region: bool,
    global_events: bool,
    selectors: Selectors,
    first_seq: i64,
    last_seq: i64,
}

impl TrailPeriod {
    pub(crate) fn of(row: &Row<'_>) -> Result<Self, Error> {
        Ok(Self {
            id: row.integer(0)?,
            trail: row.integer(1)?,
            account: row.text(2)?,
            home_region: row.text(3)?,
            bucket: row.text(4)?,
            prefix: row.optional_text(5)?,
            multi_region: row.integer(6)? == 1,
            global_events: row.integer(7)? == 1,
            selectors: Selectors::read(&row.text(8)?)?,
            first_seq: row.integer(9)?,
            last_seq: row.optional_integer(10)?.unwrap_or(i64::MAX),
        })
    }

    /// Tells whether the period covers an event by its `seq` and region; [`TrailPeriod::selects`] may still exclude it.
    pub(crate) fn covers(&self, seq: i64, region: &str) -> bool {
        (self.first_seq..=self.last_seq).contains(&seq) && (self.multi_region || self.home_region == region)
    }

    /// Tells whether the selection depends on the records; otherwise it is all management events and no data events.
    pub(crate) fn needs_record(&self) -> bool {
        !self.global_events || self.selectors != Selectors::All
    }

    /// Tells whether the period selects an event that it covers, by its record.
    pub(crate) fn selects(&self, region: &str, is_data: bool, record: &Value) -> bool {
        let is_global = || {
            let source = record["eventSource"].as_str().unwrap_or_default();
            region == GLOBAL_REGION && GLOBAL_SOURCES.contains(&source)
        };
        (self.global_events || !is_global()) && self.selectors.select(is_data, record)
    }

    /// Tells whether the period selects an event that it covers; the record is parsed only if the selection depends on it.
    pub(crate) fn selects_line(&self, region: &str, is_data: bool, record: &str) -> Result<bool, Error> {
        if self.needs_record() { Ok(self.selects(region, is_data, &parse(record)?)) } else { Ok(!is_data) }
    }

    /// Returns the number of selected events of an account and region in a range of `seq`; records are read only if the selection
    /// depends on them.
    pub(crate) fn count_selected(
        &self,
        transaction: &Transaction,
        (account, region): (&str, &str),
        seqs: RangeInclusive<i64>,
    ) -> Result<u64, Error> {
        if self.needs_record() {
            let mut count = 0;
            self.for_each_selected(transaction, (account, region), seqs, |_, _| count += 1)?;
            return Ok(count);
        }
        let count = transaction.query_one(
            COUNT,
            &[account.into(), region.into(), (*seqs.start()).into(), (*seqs.end()).into()],
            |row| row.integer(0),
        )?;
        Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
    }

    /// Calls a function with the record and time of each selected event of an account and region in a range of `seq`, in its order.
    pub(crate) fn for_each_selected(
        &self,
        transaction: &Transaction,
        (account, region): (&str, &str),
        seqs: RangeInclusive<i64>,
        mut each: impl FnMut(&str, i64),
    ) -> Result<(), Error> {
        transaction.query(
            RECORDS,
            &[account.into(), region.into(), (*seqs.start()).into(), (*seqs.end()).into()],
            |row| {
                let record = row.text(0)?;
                if self.selects_line(region, row.integer(2)? == 1, &record)? {
                    each(&record, row.integer(1)?);
                }
                Ok(())
            },
        )?;
        Ok(())
    }
}

/// Parses a record of the store.
pub(crate) fn parse(record: &str) -> Result<Value, Error> {
    serde_json::from_str(record).map_err(|_| Error::Damaged("a record is not JSON"))
}

#[cfg(test)]
mod tests {
    use store::{Durability, Store};

    use super::*;
    use crate::schema;

    #[test]
    fn a_range_of_events_is_read_without_the_others() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
        store.migrate("trail", schema::STEPS).expect("the migrations are valid");
        for query in [RECORDS, COUNT] {
            let plan: Result<Vec<String>, Error> = store.read(|transaction| {
                let values = ["111122223333".into(), "us-east-1".into(), 1.into(), 2.into()];
                transaction.query(&format!("EXPLAIN QUERY PLAN {query}"), &values, |row| row.text(3))
            });
            let plan = plan.expect("the query is valid");
            assert_eq!(plan, ["SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]);
        }
    }
}

//! A span of a trail, as delivery needs it: which events it takes, and where they go.

use serde_json::Value;
use store::{Error, Row};

use super::selectors::Selectors;

/// The columns of [`Span::of`].
pub(crate) const COLUMNS: &str =
    "id, trail, account, home_region, bucket, prefix, multi_region, global_events, selectors, first_seq, last_seq";

/// Services that are not of a region, and whose events are recorded in [`GLOBAL_REGION`] since 2021.
const GLOBAL_SOURCES: [&str; 2] = ["iam.amazonaws.com", "sts.amazonaws.com"];

const GLOBAL_REGION: &str = "us-east-1";

pub(crate) struct Span {
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

impl Span {
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

    /// Tells whether it takes events of a region at that place of the history, of which [`Span::picks`] may refuse some.
    pub(crate) fn covers(&self, seq: i64, region: &str) -> bool {
        (self.first_seq..=self.last_seq).contains(&seq) && (self.multi_region || self.home_region == region)
    }

    /// Tells whether an event's record must be looked into; if not, all management events are taken and no data events.
    pub(crate) fn is_choosy(&self) -> bool {
        !self.global_events || self.selectors != Selectors::All
    }

    /// Tells whether it takes an event of a region that it covers, by its record.
    pub(crate) fn picks(&self, region: &str, is_data: bool, record: &Value) -> bool {
        let is_global = || {
            let source = record["eventSource"].as_str().unwrap_or_default();
            region == GLOBAL_REGION && GLOBAL_SOURCES.contains(&source)
        };
        (self.global_events || !is_global()) && self.selectors.take(is_data, record)
    }
}

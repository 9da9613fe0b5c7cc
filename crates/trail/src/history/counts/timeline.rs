//! Counts by time: in buckets of a range, and by hour of the day.

use std::time::Duration;

use aws::Timestamp;
use store::{Error, Transaction};

use super::{Names, Selection, scan};
use crate::history::attributes::Attribute;
use crate::history::columns::Entry;

/// Maximum number of buckets.
const BUCKETS_MAX: usize = 1_440;

/// Lengths of buckets in seconds; longer ones are whole days.
const LENGTHS: [u32; 13] = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, DAY];

const DAY: u32 = 86_400;

const HOUR: u32 = 3_600;

/// The property of events that separates the series of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The user, as event history names it; empty for services and other callers without a name.
    User,
    /// The name of the event.
    Name,
    /// Whether the call failed: the series are named `succeeded` and `failed`.
    Outcome,
}

/// Numbers of events in buckets of equal length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The begin of the first bucket.
    pub begin: Timestamp,
    /// The length of a bucket.
    pub bucket: Duration,
    /// The number of buckets.
    pub buckets: usize,
    /// The series, the largest first.
    pub series: Vec<Series>,
}

/// The events of a timeline with one value of its dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// The value; `None` for all values that have no series of their own.
    pub value: Option<String>,
    /// The number of events in each bucket.
    pub counts: Vec<u64>,
    /// The number of events.
    pub total: u64,
}

/// The events of a user in the hours of the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatRow {
    /// The user, as event history names it; empty for callers without a name.
    pub user: String,
    /// The number of events that began in each hour, in UTC.
    pub hours: [u64; 24],
    /// The number of events.
    pub total: u64,
}

/// Values of a dimension, numbered.
enum Values {
    Names(Names, fn(&Entry) -> u32),
    Outcomes,
}

impl Values {
    fn read(
        transaction: &Transaction,
        account: &str,
        selection: &Selection<'_>,
        dimension: Dimension,
    ) -> Result<Self, Error> {
        let names = |attribute| Names::read(transaction, account, selection, attribute);
        Ok(match dimension {
            Dimension::User => Self::Names(names(Attribute::Username)?, |entry| entry.user),
            Dimension::Name => Self::Names(names(Attribute::EventName)?, |entry| entry.name),
            Dimension::Outcome => Self::Outcomes,
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Names(names, _) => names.len(),
            Self::Outcomes => 2,
        }
    }

    fn number(&self, entry: &Entry) -> usize {
        match self {
            Self::Names(names, id) => names.number(id(entry)),
            Self::Outcomes => usize::from(entry.is_failed),
        }
    }

    fn name(&self, number: usize) -> String {
        match self {
            Self::Names(names, _) => names.name(number).to_owned(),
            Self::Outcomes => ["succeeded", "failed"][number].to_owned(),
        }
    }
}

pub(super) fn count(
    transaction: &Transaction,
    account: &str,
    selection: &Selection<'_>,
    dimension: Dimension,
    buckets_max: usize,
    series_max: usize,
) -> Result<Timeline, Error> {
    let (from, until) = selection.range();
    let length = bucket_length(until.saturating_sub(from), buckets_max.clamp(1, BUCKETS_MAX));
    let begin = from - from % length;
    let buckets = (until.saturating_sub(begin) / length) as usize + 1;
    let values = Values::read(transaction, account, selection, dimension)?;
    let mut totals = vec![0_u64; values.len()];
    scan(transaction, account, selection, |entry| totals[values.number(&entry)] += 1)?;
    let largest = largest(&totals);
    // With more values than series, the last series has the sum of the others.
    let single = if largest.len() > series_max { series_max.saturating_sub(1) } else { largest.len() };
    let mut series: Vec<Series> = largest[..single]
        .iter()
        .map(|number| Series { value: Some(values.name(*number)), counts: vec![0; buckets], total: totals[*number] })
        .collect();
    if single < largest.len() {
        let total = largest[single..].iter().map(|number| totals[*number]).sum();
        series.push(Series { value: None, counts: vec![0; buckets], total });
    }
    let mut rows = vec![single; values.len()];
    for (row, number) in largest[..single].iter().enumerate() {
        rows[*number] = row;
    }
    if !series.is_empty() {
        scan(transaction, account, selection, |entry| {
            let bucket = ((entry.time - begin) / length) as usize;
            series[rows[values.number(&entry)]].counts[bucket] += 1;
        })?;
    }
    let bucket = Duration::from_secs(u64::from(length));
    Ok(Timeline { begin: Timestamp::from_millis(i64::from(begin) * 1_000), bucket, buckets, series })
}

pub(super) fn count_hours(
    transaction: &Transaction,
    account: &str,
    selection: &Selection<'_>,
    users_max: usize,
) -> Result<Vec<HeatRow>, Error> {
    let names = Names::read(transaction, account, selection, Attribute::Username)?;
    let mut hours = vec![[0_u64; 24]; names.len()];
    scan(transaction, account, selection, |entry| {
        hours[names.number(entry.user)][(entry.time % DAY / HOUR) as usize] += 1;
    })?;
    let totals: Vec<u64> = hours.iter().map(|hours| hours.iter().sum()).collect();
    let rows = largest(&totals).into_iter().take(users_max).map(|number| HeatRow {
        user: names.name(number).to_owned(),
        hours: hours[number],
        total: totals[number],
    });
    Ok(rows.collect())
}

/// Returns the numbers of the values with events, those with the most events first.
fn largest(totals: &[u64]) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..totals.len()).filter(|number| totals[*number] > 0).collect();
    numbers.sort_by_key(|number| std::cmp::Reverse(totals[*number]));
    numbers
}

/// Returns the length of a bucket in seconds; a range that does not begin with a bucket needs one more.
fn bucket_length(seconds: u32, buckets_max: usize) -> u32 {
    let suffices = |length: &u32| (seconds / length) as usize + 2 <= buckets_max;
    LENGTHS.into_iter().find(suffices).unwrap_or_else(|| {
        let whole = u32::try_from(buckets_max - 1).unwrap_or(u32::MAX);
        seconds.checked_div(whole).map_or(u32::MAX, |shortest| (shortest / DAY + 1).saturating_mul(DAY))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_as_short_as_their_number_permits() {
        for (seconds, buckets_max, length) in [
            (0, 1_440, 60),
            (3_600, 1_440, 60),
            (DAY - 61, 1_440, 60),
            (DAY, 1_440, 120),
            (DAY, 100, 900),
            (90 * DAY, 1_440, 7_200),
            (1_000 * DAY, 100, 11 * DAY),
            (DAY, 1, u32::MAX),
        ] {
            assert_eq!(bucket_length(seconds, buckets_max), length, "{seconds} {buckets_max}");
        }
    }
}

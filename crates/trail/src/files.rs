//! Delivered files of a trail, for pages of the console: log files and digests of a day.

use std::time::Duration;

use aws::{Call, Facts, Failure, Timestamp};
use store::{Error, Row, Transaction, Value};

use crate::trails::row::TrailRow;
use crate::trails::validate::TrailReference;
use crate::{Exception, Trail};

/// The permission for the files of a trail.
const ACTION: &str = "cloudtrail:GetTrailStatus";

/// The columns of [`LogFile::of`], of the tables `log_files` and `digests`.
pub(crate) const COLUMNS: &str = "log_files.bucket, log_files.key, log_files.region, delivered, events, oldest, newest, log_files.hash, \
    validated, digests.region, digests.bucket, digests.key, digests.window_end, digests.document IS NULL";

/// A log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The bucket.
    pub bucket: String,
    /// The key of the object in the bucket.
    pub key: String,
    /// The region of its events.
    pub region: String,
    /// The time of delivery; `None` while the file is planned and not written.
    pub delivered: Option<Timestamp>,
    /// The number of its events; `None` until it is written, and for files that an earlier version of the program wrote.
    pub events: Option<u64>,
    /// The times of its first and last event; `None` until it is written.
    pub times: Option<(Timestamp, Timestamp)>,
    /// The SHA-256 of the uncompressed content in hexadecimal; `None` until it is written.
    pub hash: Option<String>,
    /// Whether a digest covers it.
    pub coverage: Coverage,
}

/// Whether a digest covers a log file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The trail had no validation when the file was delivered, or the file is not delivered yet.
    None,
    /// The next digest will cover it.
    Due,
    /// This digest covers it.
    Digest(DigestFile),
}

/// A digest; all digests are signed when they are planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestFile {
    /// The bucket.
    pub bucket: String,
    /// The key of the object in the bucket.
    pub key: String,
    /// The region of the log files that it covers.
    pub region: String,
    /// The end of its window, which is the time of its key.
    pub end: Timestamp,
    /// Whether it is in the bucket; if not, its delivery is retried.
    pub is_written: bool,
}

/// A page of log files, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilePage {
    /// The files.
    pub files: Vec<LogFile>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A trail of the call's account, and a day.
pub(crate) struct TrailDay {
    pub(crate) trail: i64,
    /// The first and last millisecond.
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl LogFile {
    /// Reads a row with [`COLUMNS`].
    pub(crate) fn of(row: &Row<'_>) -> Result<Self, Error> {
        let time = |column| Ok::<_, Error>(row.optional_integer(column)?.map(Timestamp::from_millis));
        let digest = match row.optional_text(11)? {
            Some(_) => Some(DigestFile::of(row, 9)?),
            None => None,
        };
        let coverage = match digest {
            Some(digest) => Coverage::Digest(digest),
            None if row.optional_integer(8)? == Some(1) => Coverage::Due,
            None => Coverage::None,
        };
        Ok(Self {
            bucket: row.text(0)?,
            key: row.text(1)?,
            region: row.text(2)?,
            delivered: time(3)?,
            events: row.optional_integer(4)?.and_then(|events| u64::try_from(events).ok()),
            times: time(5)?.zip(time(6)?),
            hash: row.optional_text(7)?,
            coverage,
        })
    }
}

impl DigestFile {
    /// Reads a digest from five columns: region, bucket, key, end of the window, and whether it is written.
    pub(crate) fn of(row: &Row<'_>, first: usize) -> Result<Self, Error> {
        Ok(Self {
            region: row.text(first)?,
            bucket: row.text(first + 1)?,
            key: row.text(first + 2)?,
            end: Timestamp::from_millis(row.integer(first + 3)?),
            is_written: row.integer(first + 4)? == 1,
        })
    }
}

impl TrailDay {
    /// Finds a trail by its name in the call's region or by its ARN, and the day of a time in UTC.
    ///
    /// Fails if there is no such trail, or if the caller may not read its status.
    pub(crate) fn find(transaction: &Transaction, call: &Call, trail: &str, day: Timestamp) -> Result<Self, Exception> {
        let reference = TrailReference::parse(Some(trail.to_owned()))?;
        let row = TrailRow::read(transaction, call, &reference)?;
        let arn = row.as_ref().map(|row| row.arn.to_string());
        call.allow_action(ACTION, arn.as_deref().unwrap_or("*"), &Facts::default())?;
        let row = row.ok_or_else(|| reference.not_found(call))?;
        let length = i64::try_from(Duration::from_hours(24).as_millis()).expect("a day has few milliseconds");
        let first = day.millis().div_euclid(length) * length;
        Ok(Self { trail: row.id, first, last: first + length - 1 })
    }

    /// Returns the parameters of statements: the trail, and the first and last millisecond.
    pub(crate) fn values(&self) -> [Value<'static>; 3] {
        [self.trail.into(), self.first.into(), self.last.into()]
    }
}

impl Trail {
    /// Lists the log files that a trail delivered on the day of a time in UTC, newest first; the record of the call is not written.
    ///
    /// `trail` is a name or an ARN. Needs the permission `cloudtrail:GetTrailStatus`.
    pub fn log_files(
        &self,
        call: &Call,
        trail: &str,
        day: Timestamp,
        page_token: Option<&str>,
        size: usize,
    ) -> Result<LogFilePage, Failure> {
        let listed = || {
            let after = match page_token {
                Some(token) => parse_token(token).ok_or(Exception::InvalidToken)?,
                None => (i64::MAX, i64::MAX),
            };
            self.store.read(|transaction| {
                log_files(transaction, &TrailDay::find(transaction, call, trail, day)?, after, size)
            })
        };
        listed().map_err(Failure::from)
    }

    /// Lists the digests of a trail whose windows end on the day of a time in UTC, newest first; the record of the call is not written.
    ///
    /// Needs the permission `cloudtrail:GetTrailStatus`.
    pub fn digests(&self, call: &Call, trail: &str, day: Timestamp) -> Result<Vec<DigestFile>, Failure> {
        let listed = self.store.read(|transaction| {
            let day = TrailDay::find(transaction, call, trail, day)?;
            Ok::<_, Exception>(transaction.query(
                "SELECT region, bucket, key, window_end, document IS NULL FROM digests \
                 WHERE trail = ?1 AND window_end BETWEEN ?2 AND ?3 ORDER BY window_end DESC, region",
                &day.values(),
                |row| DigestFile::of(row, 0),
            )?)
        });
        listed.map_err(Failure::from)
    }
}

fn log_files(
    transaction: &Transaction,
    day: &TrailDay,
    after: (i64, i64),
    size: usize,
) -> Result<LogFilePage, Exception> {
    let query = format!(
        "SELECT {COLUMNS}, log_files.id FROM log_files LEFT JOIN digests ON digests.id = log_files.digest \
         WHERE log_files.trail = ?1 AND delivered BETWEEN ?2 AND ?3 AND (delivered, log_files.id) < (?4, ?5) \
         ORDER BY delivered DESC, log_files.id DESC LIMIT ?6"
    );
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    let values = [&day.values()[..], &[after.0.into(), after.1.into(), limit.into()]].concat();
    let mut rows = transaction.query(&query, &values, |row| Ok((LogFile::of(row)?, row.integer(14)?)))?;
    let is_more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| is_more);
    let next = last.map(|(file, id)| format!("{}.{id}", file.delivered.map_or(0, Timestamp::millis)));
    Ok(LogFilePage { files: rows.into_iter().map(|(file, _)| file).collect(), next })
}

fn parse_token(token: &str) -> Option<(i64, i64)> {
    let (delivered, id) = token.split_once('.')?;
    Some((delivered.parse().ok()?, id.parse().ok()?))
}

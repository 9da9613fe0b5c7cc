//! Points in time and the forms in which AWS writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const ISO: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const MEDIUM: &[BorrowedFormatItem<'_>] = format_description!(
    "[month repr:short] [day padding:none], [year] [hour repr:12 padding:none]:[minute]:[second] [period]"
);
const OFFSET: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");
const HTTP: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
const JAVA: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short] [month repr:short] [day] [hour]:[minute]:[second] UTC [year]");
const FOLDER: &[BorrowedFormatItem<'_>] = format_description!("[year]/[month]/[day]");
const SECOND: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");
const MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute]Z");

/// A point in time: milliseconds since 1970-01-01T00:00:00Z, the precision of AWS's replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates a time from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the time as a `SystemTime`; times before 1970 become the epoch.
    pub fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }

    /// Returns the time as a type of the SDK, for a reply.
    pub fn to_wire(self) -> DateTime {
        DateTime::from_millis(self.0)
    }

    /// Creates a time from seconds since the epoch, the form of AWS JSON.
    pub fn from_seconds(seconds: f64) -> Self {
        // Out-of-range times become the nearest of about ten thousand years before or after the epoch.
        Self::from_wire(&DateTime::from_secs_f64(seconds.clamp(-3e11, 3e11)))
    }

    /// Creates a time from a type of the SDK.
    pub fn from_wire(time: &DateTime) -> Self {
        Self(time.to_millis().unwrap_or(i64::MAX))
    }

    /// Writes the form of `eventTime`: `2016-12-14T18:19:15Z`.
    pub fn iso(self) -> String {
        self.format(ISO)
    }

    /// Reads the form of `eventTime`.
    pub fn from_iso(text: &str) -> Option<Self> {
        Self::parse(text, ISO)
    }

    /// Writes the form of dates inside `responseElements`: `Dec 14, 2016 6:19:14 PM`.
    pub fn medium(self) -> String {
        self.format(MEDIUM)
    }

    /// Writes the form of dates in messages of triggers: `2016-12-14T18:19:14.262+0000`.
    pub fn offset(self) -> String {
        self.format(OFFSET)
    }

    /// Writes the form of dates in events of EventBridge, that of Java's `Date`: `Wed Dec 14 18:19:14 UTC 2016`.
    pub fn java(self) -> String {
        self.format(JAVA)
    }

    /// Writes the form of HTTP's `Date`: `Wed, 14 Dec 2016 18:19:14 GMT`.
    pub fn http(self) -> String {
        self.format(HTTP)
    }

    /// Writes the day in the form of a trail's folders: `2016/12/14`.
    pub fn day_folder(self) -> String {
        self.format(FOLDER)
    }

    /// Writes the minute in the form of the names of log files: `20161214T1819Z`.
    pub fn compact_minute(self) -> String {
        self.format(MINUTE)
    }

    /// Writes the second in the form of the names of digests: `20161214T181914Z`.
    pub fn compact_second(self) -> String {
        self.format(SECOND)
    }

    /// Reads the form of `X-Amz-Date`: `20161214T181914Z`.
    pub fn from_compact_second(text: &str) -> Option<Self> {
        Self::parse(text, SECOND)
    }

    /// Reads the form of HTTP's `Date`: `Wed, 14 Dec 2016 18:19:14 GMT`, or with `+0000` as in mails.
    pub fn from_http(text: &str) -> Option<Self> {
        match text.strip_suffix("+0000") {
            Some(begin) => Self::parse(&format!("{begin}GMT"), HTTP),
            None => Self::parse(text, HTTP),
        }
    }

    /// Returns the time that is later by a duration, or the latest one.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the time that is earlier by a duration, or the earliest one.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Returns the beginning of the second, the precision of digests.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000))
    }

    fn parse(text: &str, form: &[BorrowedFormatItem<'_>]) -> Option<Self> {
        let time = PrimitiveDateTime::parse(text, form).ok()?;
        Some(Self(time.assume_utc().unix_timestamp().checked_mul(1_000)?))
    }

    fn format(self, form: &[BorrowedFormatItem<'_>]) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .format(form)
            .expect("a date with a time has every component of these forms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_the_documentation() {
        let time = Timestamp::from_millis(1_481_739_554_262);
        assert_eq!(time.iso(), "2016-12-14T18:19:14Z");
        assert_eq!(Timestamp::from_iso(&time.iso()), Some(Timestamp::from_millis(1_481_739_554_000)));
        assert_eq!(Timestamp::from_iso("yesterday"), None);
        assert_eq!(time.medium(), "Dec 14, 2016 6:19:14 PM");
        assert_eq!(Timestamp::from_seconds(1_481_739_554.262), time);
        assert!(Timestamp::from_seconds(-1e300) < Timestamp::from_millis(0));
        assert!(Timestamp::from_seconds(1e300) > time);
        assert_eq!(time.offset(), "2016-12-14T18:19:14.262+0000");
        assert_eq!(time.to_system_time(), UNIX_EPOCH + Duration::from_millis(1_481_739_554_262));
        assert_eq!(Timestamp::from_millis(-1).to_system_time(), UNIX_EPOCH);
        assert_eq!(time.java(), "Wed Dec 14 18:19:14 UTC 2016");
        assert_eq!(time.http(), "Wed, 14 Dec 2016 18:19:14 GMT");
        assert_eq!(Timestamp::from_millis(i64::MAX).http(), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(Timestamp::from_millis(-1).http(), "Wed, 31 Dec 1969 23:59:59 GMT");
        assert_eq!(time.day_folder(), "2016/12/14");
        assert_eq!(time.compact_minute(), "20161214T1819Z");
        assert_eq!(time.compact_second(), "20161214T181914Z");
        assert_eq!(time.whole_second(), Timestamp::from_millis(1_481_739_554_000));
        assert_eq!(Timestamp::from_compact_second("20161214T181914Z"), Some(time.whole_second()));
        for text in ["Wed, 14 Dec 2016 18:19:14 GMT", "Wed, 14 Dec 2016 18:19:14 +0000"] {
            assert_eq!(Timestamp::from_http(text), Some(time.whole_second()), "{text}");
        }
        assert_eq!(Timestamp::from_http("Wed, 14 Dec 2016 18:19:14 +0100"), None);
        for text in ["", "20161214T181914", "2016-12-14T18:19:14Z", "20161314T181914Z", " 20161214T181914Z"] {
            assert_eq!(Timestamp::from_compact_second(text), None, "{text}");
        }
        let (second, latest) = (Duration::from_secs(1), Timestamp::from_millis(i64::MAX));
        assert_eq!(time.saturating_add(second).saturating_sub(second), time);
        assert_eq!((latest.saturating_add(second), time.saturating_add(Duration::MAX)), (latest, latest));
        assert_eq!(Timestamp::from_millis(0).medium(), "Jan 1, 1970 12:00:00 AM");
    }
}

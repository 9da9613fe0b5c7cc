//! Forms of times, ids and sizes on pages.

use std::fmt::{Display, Formatter, Result};

use askama::filters::HtmlSafe;
use aws::Timestamp;
use serde::Deserialize;

/// A time; templates write it as an element that scripts complete with the reader's zone.
///
/// Replies have it as seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Deserialize)]
#[serde(from = "f64")]
pub(crate) struct Time(pub(crate) Timestamp);

impl From<f64> for Time {
    fn from(seconds: f64) -> Self {
        Self(Timestamp::from_seconds(seconds))
    }
}

impl Display for Time {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        let iso = self.0.iso();
        let shown = iso.replace('T', " ").replace('Z', " UTC");
        write!(formatter, "<time datetime=\"{iso}\">{shown}</time>")
    }
}

impl HtmlSafe for Time {}

/// Returns a time as templates write it; they pass references.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
pub(crate) fn shown_time(time: &Timestamp) -> Time {
    Time(*time)
}

/// Reads the date of an author or committer, such as `1481739554 +0100`.
pub(crate) fn git_date(date: &str) -> Option<Time> {
    let seconds: f64 = date.split_whitespace().next()?.parse().ok()?;
    Some(seconds.into())
}

/// Returns the first eight characters of an object id.
pub(crate) fn short_id(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Returns the first line of a commit message.
pub(crate) fn subject(message: &str) -> &str {
    message.trim_start().lines().next().unwrap_or_default()
}

/// Returns the name of a branch or tag without the beginning of its full name.
pub(crate) fn short_reference(reference: &str) -> &str {
    let names = ["refs/heads/", "refs/tags/"];
    names.iter().find_map(|prefix| reference.strip_prefix(prefix)).unwrap_or(reference)
}

/// Returns the name of a user or of a role's session, which is the end of an ARN.
pub(crate) fn name_of_arn(arn: &str) -> &str {
    arn.rsplit(['/', ':']).next().unwrap_or(arn)
}

/// Returns a number of bytes in a readable unit.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{}.{} KB", bytes >> 10, ((bytes & 1023) * 10) >> 10),
        1_048_576..1_073_741_824 => format!("{}.{} MB", bytes >> 20, ((bytes & 0xF_FFFF) * 10) >> 20),
        _ => format!("{}.{} GB", bytes >> 30, ((bytes & 0x3FFF_FFFF) * 10) >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_one_form() {
        let expected = "<time datetime=\"2016-12-14T18:19:14Z\">2016-12-14 18:19:14 UTC</time>";
        assert_eq!(git_date("1481739554 +0100").map(|time| time.to_string()).as_deref(), Some(expected));
        assert_eq!(git_date("never"), None);
        assert_eq!([size(12), size(1_536), size(5 << 20)], ["12 bytes", "1.5 KB", "5.0 MB"]);
    }
}

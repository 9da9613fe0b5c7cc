//! Conditions and ranges of requests for an object.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use axum::http::header::{ETAG, LAST_MODIFIED};
use axum::http::{HeaderMap, HeaderValue};
use s3s::dto::{ETag, ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::fault::precondition_failed;
use super::stored::Stored;

/// The conditions of a request: the headers `If-Match`, `If-None-Match`, `If-Modified-Since` and `If-Unmodified-Since`.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) matching: Option<ETagCondition>,
    pub(super) none_match: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
}

impl Condition {
    /// Checks the conditions for an object, in the order of RFC 9110: an entity tag takes precedence over a time.
    pub(super) fn check(&self, stored: &Stored) -> S3Result<()> {
        let tag = stored.tag();
        let modified = last_modified(&stored.object);
        let matches = |condition: &ETagCondition, weakly: bool| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(other) if weakly => other.weak_cmp(&tag),
            ETagCondition::ETag(other) => other.strong_cmp(&tag),
        };
        let holds = match (&self.matching, &self.unmodified_since) {
            (Some(condition), _) => matches(condition, false),
            (None, Some(time)) => modified <= *time,
            (None, None) => true,
        };
        if !holds {
            return Err(precondition_failed());
        }
        let is_unchanged = match (&self.none_match, &self.modified_since) {
            (Some(condition), _) => matches(condition, true),
            (None, Some(time)) => modified <= *time,
            (None, None) => false,
        };
        if is_unchanged { Err(not_modified(&tag, &modified)) } else { Ok(()) }
    }
}

/// Returns the time of an object's put in whole seconds, as headers show it.
pub(super) fn last_modified(object: &bucket::Object) -> Timestamp {
    let since = object.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())).into()
}

/// Returns the bytes of an object that a range selects.
pub(super) fn selected(range: s3s::dto::Range, bytes: u64) -> S3Result<Range<u64>> {
    let message = "The requested range is not satisfiable";
    range.check(bytes).map_err(|_| S3Error::with_message(S3ErrorCode::InvalidRange, message))
}

fn not_modified(tag: &ETag, modified: &Timestamp) -> S3Error {
    let mut error = S3Error::new(S3ErrorCode::NotModified);
    let mut headers = HeaderMap::new();
    let mut text = Vec::new();
    if let Ok(tag) = tag.to_http_header() {
        headers.insert(ETAG, tag);
    }
    if modified.format(TimestampFormat::HttpDate, &mut text).is_ok() {
        headers.extend(HeaderValue::from_bytes(&text).ok().map(|text| (LAST_MODIFIED, text)));
    }
    error.set_headers(headers);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Stored {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_481_739_554_262);
        let object = bucket::Object { key: "k".to_owned(), bytes: 10, modified };
        Stored { object, attributes: bucket::Attributes::default() }
    }

    fn outcome(condition: &Condition) -> &'static str {
        match condition.check(&object()) {
            Ok(()) => "sent",
            Err(error) if *error.code() == S3ErrorCode::NotModified => "not modified",
            Err(_) => "refused",
        }
    }

    #[test]
    fn tags_take_precedence_over_times() {
        let same = || Some(ETagCondition::ETag(object().tag()));
        let other = || Some(ETagCondition::ETag(ETag::Strong("other".to_owned())));
        let then = || Some(last_modified(&object().object));
        let before = || Some(Timestamp::from(SystemTime::UNIX_EPOCH));
        let none = Condition::default;
        for (condition, expected) in [
            (none(), "sent"),
            (Condition { matching: same(), ..none() }, "sent"),
            (Condition { matching: Some(ETagCondition::Any), ..none() }, "sent"),
            (Condition { matching: other(), ..none() }, "refused"),
            (Condition { none_match: same(), ..none() }, "not modified"),
            (Condition { none_match: other(), ..none() }, "sent"),
            (Condition { modified_since: then(), ..none() }, "not modified"),
            (Condition { modified_since: before(), ..none() }, "sent"),
            (Condition { unmodified_since: then(), ..none() }, "sent"),
            (Condition { unmodified_since: before(), ..none() }, "refused"),
            (Condition { matching: same(), unmodified_since: before(), ..none() }, "sent"),
            (Condition { none_match: other(), modified_since: then(), ..none() }, "sent"),
        ] {
            assert_eq!(outcome(&condition), expected, "{condition:?}");
        }
    }
}

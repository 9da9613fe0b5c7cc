//! Requests for the feed: their parameters, and the response that asks the connection for it.

use std::time::Duration;

use aws::{AccountId, Timestamp};
use axum::Json;
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use trail::view::{self, Filter};

use crate::headers;

/// Largest number of records in a reply of lines.
const LINES_MAX: usize = 1_000;

/// Largest number of last records with which a reader can begin.
const LAST_MAX: u32 = 1_000;

/// Largest value of `wait`, in seconds.
const WAIT_SECONDS_MAX: u64 = 60;

/// Time after which a reader in the console must connect again, so that its sign-in is checked again.
const CONSOLE_TIME: Duration = Duration::from_mins(1);

/// The parameters of the feed, for the message about others.
const NAMES: &str =
    "after, format, limit, wait, name, user, repository, service, ip, account, region, since, until, failed, writes";

/// A valid request for the feed.
#[derive(Clone, Debug)]
pub(crate) struct FeedQuery {
    filter: Filter,
    /// The account of a reader who may only see its records.
    account: Option<AccountId>,
    pub(crate) start: Start,
    pub(crate) form: Form,
    /// Largest number of records in the reply.
    pub(crate) limit: usize,
}

/// The position of a reader in the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// After the record of a cursor; the empty cursor is before the first record.
    After(String),
    /// Before the records since a time.
    Since(Timestamp),
    /// Before the last records; with none, after the newest record.
    Last(u32),
}

/// The form of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One record per line. If there are none yet, the reply waits for this time.
    Lines { wait: Duration },
    /// Server-sent events, which end after this time.
    Events { lifetime: Option<Duration> },
}

/// Responds to a request for the feed: the connection serves it when nothing of the request uses the data any more.
///
/// With an account, the reader gets only the records of that account.
pub(crate) fn respond(uri: &Uri, headers: &HeaderMap, account: Option<AccountId>) -> Response {
    match FeedQuery::parse(uri.query().unwrap_or_default(), headers, account) {
        Ok(query) => {
            let mut response = StatusCode::OK.into_response();
            response.extensions_mut().insert(query);
            response
        }
        Err(message) => (StatusCode::BAD_REQUEST, Json(json!({ "message": message }))).into_response(),
    }
}

impl FeedQuery {
    fn parse(query: &str, headers: &HeaderMap, account: Option<AccountId>) -> Result<Self, String> {
        let accept = headers::text(headers, &ACCEPT).unwrap_or_default();
        let mut is_stream = accept.to_ascii_lowercase().contains("text/event-stream");
        let (mut filter, mut after, mut limit, mut wait) = (Filter::default(), None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "after" => after = Some(value.into_owned()),
                "format" => is_stream = format(&value)?,
                "limit" => limit = Some(number("limit", &value, 1, LINES_MAX as u64)?),
                "wait" => wait = Some(number("wait", &value, 0, WAIT_SECONDS_MAX)?),
                "name" => add(&mut filter.names, &value),
                "user" => add(&mut filter.users, &value),
                "repository" => add(&mut filter.repositories, &value),
                "service" => add(&mut filter.services, &value),
                "ip" => add(&mut filter.addresses, &value),
                "account" => add(&mut filter.accounts, &value),
                "region" => add(&mut filter.regions, &value),
                "since" => filter.since = Some(time("since", &value)?),
                "until" => filter.until = Some(time("until", &value)?),
                "failed" => filter.failed = flag("failed", &value)?,
                "writes" => filter.writes = flag("writes", &value)?,
                other => return Err(format!("'{other}' is not a parameter of the feed; these are {NAMES}.")),
            }
        }
        if is_stream && wait.is_some() {
            return Err("wait is for replies of lines; a stream of events waits by itself.".to_owned());
        }
        if is_stream && let Some(last) = headers.get("last-event-id").and_then(|last| last.to_str().ok()) {
            after = Some(last.to_owned());
        }
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        Ok(Self {
            start: start(after, filter.since.as_deref())?,
            limit: limit.unwrap_or(if is_stream { usize::MAX } else { LINES_MAX }),
            form: if is_stream {
                Form::Events { lifetime: account.is_some().then_some(CONSOLE_TIME) }
            } else {
                Form::Lines { wait: Duration::from_secs(wait.unwrap_or(0)) }
            },
            filter,
            account,
        })
    }

    /// Returns whether all records pass, so that they need not be parsed.
    pub(crate) fn admits_all(&self) -> bool {
        self.account.is_none() && self.filter.is_empty()
    }

    /// Returns whether the reader gets a record.
    pub(crate) fn admits(&self, record: &Value) -> bool {
        self.account.as_ref().is_none_or(|account| record["recipientAccountId"] == account.as_str())
            && self.filter.admits(record)
    }
}

fn start(after: Option<String>, since: Option<&str>) -> Result<Start, String> {
    match after {
        Some(now) if now == "now" => Ok(Start::Last(0)),
        Some(text) if text.starts_with('-') => match text[1..].parse() {
            Ok(count) if count <= LAST_MAX => Ok(Start::Last(count)),
            _ => Err(format!("after must be a cursor, now, or -1 to -{LAST_MAX} for the last records.")),
        },
        Some(cursor) if !cursor.is_empty() => Ok(Start::After(cursor)),
        _ => Ok(since.and_then(view::earliest).map_or_else(|| Start::After(String::new()), Start::Since)),
    }
}

/// Adds the values of a filter, which are separated by commas.
fn add(values: &mut Vec<String>, text: &str) {
    values.extend(text.split(',').filter(|value| !value.is_empty()).map(str::to_owned));
}

/// Returns whether a format is that of server-sent events.
fn format(value: &str) -> Result<bool, String> {
    match value {
        "ndjson" | "application/x-ndjson" => Ok(false),
        "sse" | "text/event-stream" => Ok(true),
        _ => Err("format must be ndjson, for one record per line, or sse, for server-sent events.".to_owned()),
    }
}

fn number(name: &str, value: &str, min: u64, max: u64) -> Result<u64, String> {
    let number = value.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("{name} must be a whole number from {min} to {max}."))
}

fn flag(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "" | "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(format!("{name} must be true or false.")),
    }
}

fn time(name: &str, value: &str) -> Result<String, String> {
    let advice = "must be a time such as 2016-12-14T18:19:15Z, or its beginning, such as 2016-12-14.";
    if view::is_time(value) { Ok(value.to_owned()) } else { Err(format!("{name} {advice}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<FeedQuery, String> {
        FeedQuery::parse(query, &HeaderMap::new(), None)
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let parsed = |text: &'static str| text.parse().expect("the value is valid");
        pairs.iter().map(|(name, value)| (name.parse().expect("the name is valid"), parsed(value))).collect()
    }

    #[test]
    fn a_request_without_parameters_gets_all_records_as_lines() {
        let query = parse("").expect("nothing is wrong");
        assert_eq!((query.start.clone(), query.limit), (Start::After(String::new()), 1_000));
        assert_eq!(query.form, Form::Lines { wait: Duration::ZERO });
        assert!(query.admits_all() && query.admits(&json!({})));
    }

    #[test]
    fn a_stream_continues_after_the_last_event_of_the_browser() {
        let sent = headers(&[("accept", "text/event-stream"), ("last-event-id", "7:id")]);
        let query = FeedQuery::parse("after=now", &sent, None).expect("nothing is wrong");
        assert_eq!(query.start, Start::After("7:id".to_owned()));
        assert_eq!(query.form, Form::Events { lifetime: None });
        let lines = FeedQuery::parse("after=now&format=ndjson", &sent, None).expect("nothing is wrong");
        assert_eq!(lines.start, Start::Last(0));
        assert_eq!(parse("after=-500").expect("nothing is wrong").start, Start::Last(500));
        let since = parse("since=2016-12-14&format=sse").expect("nothing is wrong");
        let midnight = Timestamp::from_iso("2016-12-14T00:00:00Z").expect("the time is valid");
        assert_eq!(since.start, Start::Since(midnight));
    }

    #[test]
    fn a_reader_with_an_account_gets_its_records_only() {
        let account: AccountId = "111122223333".parse().expect("the account is valid");
        let query = FeedQuery::parse("account=*", &HeaderMap::new(), Some(account)).expect("nothing is wrong");
        assert!(query.admits(&json!({ "recipientAccountId": "111122223333" })));
        assert!(!query.admits(&json!({ "recipientAccountId": "444455556666" })) && !query.admits_all());
    }

    #[test]
    fn a_wrong_parameter_is_refused_with_the_reason() {
        for (query, message) in [
            ("wait=61", "wait must be a whole number from 0 to 60."),
            ("wait=-1", "wait must be a whole number from 0 to 60."),
            ("limit=0", "limit must be a whole number from 1 to 1000."),
            ("limit=99999999999999999999", "limit must be a whole number from 1 to 1000."),
            ("format=xml", "format must be ndjson"),
            ("after=-1001", "after must be a cursor, now, or -1 to -1000"),
            ("failed=maybe", "failed must be true or false."),
            ("since=yesterday", "since must be a time such as 2016-12-14T18:19:15Z"),
            ("until=2016-12-14T18:19:15Z%00", "until must be a time"),
            ("usre=Mary", "'usre' is not a parameter of the feed; these are after, format"),
            ("format=sse&wait=1", "a stream of events waits by itself"),
        ] {
            let refused = parse(query).expect_err("the parameter is wrong");
            assert!(refused.contains(message), "{query}: {refused}");
        }
    }
}

//! `LookupEvents`: lists the events of an account and region, newest first, by one attribute and by time.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aws::{Call, Timestamp, page_token};
use serde::{Deserialize, Serialize};
use store::{Error, Row, Transaction, Value};

use super::attributes::{Attribute, Facts};
use super::index::{self, Key};
use crate::{CloudTrail, Exception};

/// The period that event history covers.
const DAYS: Duration = Duration::from_hours(90 * 24);

/// Maximum and default number of events of a page.
const PAGE_MAX: i32 = 50;

/// Maximum size of an attribute's value in bytes.
const VALUE_BYTES_MAX: usize = 2_000;

/// Selects a page of all management events of an account and region.
pub(super) const EVERYTHING: &str = "SELECT time, seq, record FROM events WHERE account = ?5 AND region = ?6 AND is_data = 0 \
    AND (time, seq) < (?1, ?2) AND time >= ?3 ORDER BY time DESC, seq DESC LIMIT ?4";

/// Selects a page of the events with a value.
pub(super) const BY_VALUE: &str = "SELECT events.time, events.seq, record FROM history_index CROSS JOIN events \
    WHERE value_id = ?5 AND (history_index.time, history_index.seq) < (?1, ?2) AND history_index.time >= ?3 \
    AND events.seq = history_index.seq ORDER BY history_index.time DESC, history_index.seq DESC LIMIT ?4";

/// The input; times are seconds since the epoch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LookupEventsInput {
    lookup_attributes: Option<Vec<LookupAttribute>>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<i32>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct LookupAttribute {
    attribute_key: String,
    attribute_value: String,
}

/// A page of events.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LookupEventsOutput {
    events: Vec<FoundEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// An event; the time is in whole seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FoundEvent {
    event_id: String,
    event_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_key_id: Option<String>,
    event_time: i64,
    event_source: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    resources: Vec<FoundResource>,
    cloud_trail_event: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct FoundResource {
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
}

/// A parsed input; times are milliseconds, both ends included.
struct Query {
    filter: Option<(Attribute, String)>,
    oldest: i64,
    newest: i64,
    /// The time and `seq` of the last event of the previous page.
    after: Option<(i64, i64)>,
    size: i32,
}

/// An event with its position in the order.
struct EventRow {
    time: i64,
    seq: i64,
    record: String,
}

/// Lists a page of events.
pub(crate) fn lookup_events(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: LookupEventsInput,
) -> Result<LookupEventsOutput, Exception> {
    call.allow("*", &aws::Facts::default())?;
    if service.lookup.per_second.is_some_and(|per_second| !service.throttle.admits(call, per_second)) {
        return Err(Exception::Throttling);
    }
    let scope = scope(call, &input);
    let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
    let query = parse(input, &scope, call.time, service.lookup.delay)?;
    let Some(query) = query else { return Ok(LookupEventsOutput { events: Vec::new(), next_token: None }) };
    if query.filter.is_some() {
        service.history.catch_up()?;
    }
    let mut rows = service.store.read(|transaction| find(transaction, call, &query))?;
    let size = usize::try_from(query.size).expect("the size of a page is positive");
    let is_more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().filter(|_| is_more);
    let next_token = last.map(|last| page_token::encode(&scope, format!("{} {}", last.time, last.seq).as_bytes()));
    let events = rows.into_iter().map(found_event).collect::<Result<_, Error>>()?;
    Ok(LookupEventsOutput { events, next_token })
}

/// Returns the arguments that must be the same in the request for the next page; the size of the page may differ.
fn scope(call: &Call, input: &LookupEventsInput) -> Vec<String> {
    let mut scope = vec!["LookupEvents".to_owned(), call.account.to_string(), call.region.to_string()];
    scope.push(format!("{:?} {:?} {:?}", input.start_time, input.end_time, input.event_category));
    if let Some(attribute) = input.lookup_attributes.iter().flatten().next() {
        scope.extend([attribute.attribute_key.clone(), attribute.attribute_value.clone()]);
    }
    scope
}

/// Parses the input; `None` for insights events, as there are none.
fn parse(
    input: LookupEventsInput,
    scope: &[&str],
    now: Timestamp,
    delay: Duration,
) -> Result<Option<Query>, Exception> {
    // AWS uses the first of several attributes and ignores the others.
    let filter = input.lookup_attributes.into_iter().flatten().next().map(filter).transpose()?;
    if let (Some(start), Some(end)) = (input.start_time, input.end_time)
        && start > end
    {
        return Err(Exception::InvalidTimeRange);
    }
    let insights = match input.event_category.as_deref() {
        None => false,
        Some("insight") => true,
        Some(other) => return Err(Exception::InvalidEventCategory { category: other.to_owned() }),
    };
    let size = input.max_results.unwrap_or(PAGE_MAX);
    if !(1..=PAGE_MAX).contains(&size) {
        return Err(Exception::InvalidMaxResults { size });
    }
    let after = input.next_token.map(|token| after(scope, &token).ok_or(Exception::InvalidNextToken)).transpose()?;
    // Events have whole seconds, so the start of a range is rounded up, and its end includes the whole second.
    let seconds = |time: f64| Timestamp::from_seconds(time).millis();
    let start = input.start_time.map_or(i64::MIN, |time| seconds(time.ceil()));
    let end = input.end_time.map_or(i64::MAX, |time| seconds(time.floor()) + 999);
    let before = |time: Duration| now.millis() - i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let visible = if delay.is_zero() { i64::MAX } else { before(delay) };
    Ok((!insights).then_some(Query { filter, oldest: start.max(before(DAYS)), newest: end.min(visible), after, size }))
}

fn filter(attribute: LookupAttribute) -> Result<(Attribute, String), Exception> {
    let invalid = |reason: String| Err(Exception::InvalidLookupAttributes(reason));
    let LookupAttribute { attribute_key, attribute_value } = attribute;
    let Ok(key) = Attribute::from_str(&attribute_key) else {
        return invalid(format!("{attribute_key:?} is not an attribute that events can be looked up by."));
    };
    if attribute_value.is_empty() || attribute_value.len() > VALUE_BYTES_MAX {
        return invalid(format!("The value of {attribute_key} must have between 1 and {VALUE_BYTES_MAX} characters."));
    }
    if key == Attribute::ReadOnly && !["true", "false"].contains(&attribute_value.as_str()) {
        return invalid("The value of ReadOnly must be true or false.".to_owned());
    }
    Ok((key, attribute_value))
}

fn after(scope: &[&str], token: &str) -> Option<(i64, i64)> {
    let position = String::from_utf8(page_token::decode(scope, token)?).ok()?;
    let (time, seq) = position.split_once(' ')?;
    Some((time.parse().ok()?, seq.parse().ok()?))
}

/// Reads the events of a page, and one more if there is one.
fn find(transaction: &Transaction, call: &Call, query: &Query) -> Result<Vec<EventRow>, Error> {
    let (account, region) = (call.account.as_str(), call.region.as_str());
    // The position after the newest requested event, or after the previous page.
    let (time, seq) = query.after.unwrap_or((i64::MAX, i64::MAX)).min((query.newest, i64::MAX));
    let range = [time.into(), seq.into(), query.oldest.into(), i64::from(query.size + 1).into()];
    match &query.filter {
        None => {
            let values: Vec<Value<'_>> = range.into_iter().chain([account.into(), region.into()]).collect();
            transaction.query(EVERYTHING, &values, event_row)
        }
        Some((Attribute::EventId, event_id)) => {
            let mut events = Vec::new();
            for candidate in index::seqs_of_id(transaction, event_id)? {
                let values = [candidate.into(), event_id.into(), account.into(), region.into()];
                events.extend(transaction.query(
                    "SELECT time, seq, record FROM events WHERE seq = ?1 AND event_id = ?2 AND account = ?3 AND region = ?4",
                    &values,
                    event_row,
                )?);
            }
            events.retain(|event| (event.time, event.seq) < (time, seq) && event.time >= query.oldest);
            Ok(events)
        }
        Some((attribute, value)) => {
            let key =
                Key { account: account.into(), region: region.into(), attribute: *attribute, value: value.clone() };
            let Some(value_id) = index::value_id(transaction, &key)? else { return Ok(Vec::new()) };
            let values: Vec<Value<'_>> = range.into_iter().chain([value_id.into()]).collect();
            transaction.query(BY_VALUE, &values, event_row)
        }
    }
}

fn event_row(row: &Row<'_>) -> Result<EventRow, Error> {
    Ok(EventRow { time: row.integer(0)?, seq: row.integer(1)?, record: row.text(2)? })
}

/// Builds the output of an event.
fn found_event(event: EventRow) -> Result<FoundEvent, Error> {
    let facts = Facts::read(&event.record).ok_or(Error::Damaged("a record cannot be read"))?;
    Ok(FoundEvent {
        read_only: facts.read_only(),
        access_key_id: facts.access_key_id().map(str::to_owned),
        username: facts.username().map(str::to_owned),
        event_id: facts.event_id,
        event_name: facts.event_name,
        event_time: event.time.div_euclid(1_000),
        event_source: facts.event_source,
        resources: facts
            .resources
            .into_iter()
            .map(|resource| FoundResource { resource_type: resource.kind, resource_name: resource.arn })
            .collect(),
        cloud_trail_event: event.record,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_481_739_554_262;

    fn range(start: Option<f64>, end: Option<f64>, delay: u64) -> (i64, i64) {
        let input = LookupEventsInput {
            lookup_attributes: None,
            start_time: start,
            end_time: end,
            event_category: None,
            max_results: None,
            next_token: None,
        };
        let query = parse(input, &[], Timestamp::from_millis(NOW), Duration::from_secs(delay));
        let query = query.expect("the input is valid").expect("the category is management events");
        (query.oldest, query.newest)
    }

    #[test]
    fn history_goes_back_ninety_days_and_ends_where_events_are_visible() {
        let ninety_days_ago = NOW - 90 * 24 * 60 * 60 * 1_000;
        assert_eq!(range(None, None, 0), (ninety_days_ago, i64::MAX));
        assert_eq!(range(Some(0.0), None, 15), (ninety_days_ago, NOW - 15_000));
        let later = range(Some(1_481_739_000.0), Some(1_481_739_100.0), 15);
        assert_eq!(later, (1_481_739_000_000, 1_481_739_100_999));
    }

    #[test]
    fn a_range_includes_both_ends_as_whole_seconds() {
        assert_eq!(range(Some(1_481_739_000.001), Some(1_481_739_000.001), 0), (1_481_739_001_000, 1_481_739_000_999));
        assert_eq!(range(Some(1_481_739_000.0), Some(1_481_739_000.9), 0), (1_481_739_000_000, 1_481_739_000_999));
    }
}

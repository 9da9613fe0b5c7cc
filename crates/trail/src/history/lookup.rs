//! `LookupEvents`: the events of an account and region, newest first, by one attribute and by time.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use aws::{Call, Timestamp, page_token};
use serde::{Deserialize, Serialize};
use store::{Error, Row, Transaction, Value};

use super::attributes::{Attribute, Facts};
use super::index::{self, Key};
use crate::{CloudTrail, Exception};

/// How far back event history goes.
const DAYS: Duration = Duration::from_hours(90 * 24);

/// How many events a page has at most, and where the caller does not say.
const PAGE_MAX: i32 = 50;

/// The most bytes of an attribute's value.
const VALUE_BYTES_MAX: usize = 2_000;

/// A page of all management events of a place.
pub(super) const EVERYTHING: &str = "SELECT time, seq, record FROM events WHERE account = ?5 AND region = ?6 AND is_data = 0 \
    AND (time, seq) < (?1, ?2) AND time >= ?3 ORDER BY time DESC, seq DESC LIMIT ?4";

/// A page of the events of a value.
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
    events: Vec<Found>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// An event; the time is in whole seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
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

/// What is asked for; times are milliseconds, both ends included.
struct Query {
    filter: Option<(Attribute, String)>,
    oldest: i64,
    newest: i64,
    /// The time and `seq` of the last event of the page before.
    after: Option<(i64, i64)>,
    size: i32,
}

/// An event's place in the order, and its record.
struct Placed {
    time: i64,
    seq: i64,
    record: String,
}

/// Looks events up.
pub(crate) fn lookup_events(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: LookupEventsInput,
) -> Result<LookupEventsOutput, Exception> {
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
    let mut placed = service.store.read(|transaction| find(transaction, call, &query))?;
    let size = usize::try_from(query.size).expect("a page's size was checked");
    let more = placed.len() > size;
    placed.truncate(size);
    let last = placed.last().filter(|_| more);
    let next_token = last.map(|last| page_token::encode(&scope, format!("{} {}", last.time, last.seq).as_bytes()));
    let events = placed.into_iter().map(found).collect::<Result<_, Error>>()?;
    Ok(LookupEventsOutput { events, next_token })
}

/// All that must be the same in the request for the next page, which may be of another size.
fn scope(call: &Call, input: &LookupEventsInput) -> Vec<String> {
    let mut scope = vec!["LookupEvents".to_owned(), call.account.to_string(), call.region.to_string()];
    scope.push(format!("{:?} {:?} {:?}", input.start_time, input.end_time, input.event_category));
    if let Some(attribute) = input.lookup_attributes.iter().flatten().next() {
        scope.extend([attribute.attribute_key.clone(), attribute.attribute_value.clone()]);
    }
    scope
}

/// Reads what is asked for; `None` are the insights, of which there are none.
fn parse(
    input: LookupEventsInput,
    scope: &[&str],
    now: Timestamp,
    delay: Duration,
) -> Result<Option<Query>, Exception> {
    // Of several attributes the first counts, and AWS does not look at the others.
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
    // Events have whole seconds, so a range begins with the second that follows and ends with the one that has begun.
    let seconds = |time: f64| Timestamp::from_seconds(time).millis();
    let start = input.start_time.map_or(i64::MIN, |time| seconds(time.ceil()));
    let end = input.end_time.map_or(i64::MAX, |time| seconds(time.floor()) + 999);
    let before = |time: Duration| now.millis() - i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let visible = if delay.is_zero() { i64::MAX } else { before(delay) };
    Ok((!insights).then_some(Query { filter, oldest: start.max(before(DAYS)), newest: end.min(visible), after, size }))
}

fn filter(attribute: LookupAttribute) -> Result<(Attribute, String), Exception> {
    let wrong = |what: String| Err(Exception::InvalidLookupAttributes(what));
    let LookupAttribute { attribute_key, attribute_value } = attribute;
    let Ok(key) = Attribute::from_str(&attribute_key) else {
        return wrong(format!("{attribute_key:?} is not an attribute that events can be looked up by."));
    };
    if attribute_value.is_empty() || attribute_value.len() > VALUE_BYTES_MAX {
        return wrong(format!("The value of {attribute_key} must have between 1 and {VALUE_BYTES_MAX} characters."));
    }
    if key == Attribute::ReadOnly && !["true", "false"].contains(&attribute_value.as_str()) {
        return wrong("The value of ReadOnly must be true or false.".to_owned());
    }
    Ok((key, attribute_value))
}

fn after(scope: &[&str], token: &str) -> Option<(i64, i64)> {
    let place = String::from_utf8(page_token::decode(scope, token)?).ok()?;
    let (time, seq) = place.split_once(' ')?;
    Some((time.parse().ok()?, seq.parse().ok()?))
}

/// Finds the events of a page, and one more if there is one.
fn find(transaction: &Transaction, call: &Call, query: &Query) -> Result<Vec<Placed>, Error> {
    let (account, region) = (call.account.as_str(), call.region.as_str());
    // The place after the newest that is asked for, if it is not in a later page.
    let (time, seq) = query.after.unwrap_or((i64::MAX, i64::MAX)).min((query.newest, i64::MAX));
    let range = [time.into(), seq.into(), query.oldest.into(), i64::from(query.size + 1).into()];
    match &query.filter {
        None => {
            let values: Vec<Value<'_>> = range.into_iter().chain([account.into(), region.into()]).collect();
            transaction.query(EVERYTHING, &values, placed)
        }
        Some((Attribute::EventId, event_id)) => {
            let mut found = Vec::new();
            for candidate in index::seqs_of_id(transaction, event_id)? {
                let values = [candidate.into(), event_id.into(), account.into(), region.into()];
                found.extend(transaction.query(
                    "SELECT time, seq, record FROM events WHERE seq = ?1 AND event_id = ?2 AND account = ?3 AND region = ?4",
                    &values,
                    placed,
                )?);
            }
            found.retain(|event| (event.time, event.seq) < (time, seq) && event.time >= query.oldest);
            Ok(found)
        }
        Some((attribute, value)) => {
            let key =
                Key { account: account.into(), region: region.into(), attribute: *attribute, value: value.clone() };
            let Some(value_id) = index::value_id(transaction, &key)? else { return Ok(Vec::new()) };
            let values: Vec<Value<'_>> = range.into_iter().chain([value_id.into()]).collect();
            transaction.query(BY_VALUE, &values, placed)
        }
    }
}

fn placed(row: &Row<'_>) -> Result<Placed, Error> {
    Ok(Placed { time: row.integer(0)?, seq: row.integer(1)?, record: row.text(2)? })
}

/// Shows an event.
fn found(event: Placed) -> Result<Found, Error> {
    let facts = Facts::read(&event.record).ok_or(Error::Damaged("a record"))?;
    Ok(Found {
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
        let query = query.expect("nothing is wrong").expect("management events are asked for");
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
    fn both_ends_of_a_range_are_in_it_as_whole_seconds() {
        assert_eq!(range(Some(1_481_739_000.001), Some(1_481_739_000.001), 0), (1_481_739_001_000, 1_481_739_000_999));
        assert_eq!(range(Some(1_481_739_000.0), Some(1_481_739_000.9), 0), (1_481_739_000_000, 1_481_739_000_999));
    }
}

//! `LookupEvents`: lists the events of an account and region, newest first, by one attribute and by time.
//!
//! Pages of the console run the same operation with several attributes at once: [`search_events`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws::{Call, Timestamp, page_token};
use serde::{Deserialize, Serialize};
use store::Error;

use super::attributes::{ANY_FAILURE, Attribute, Facts, HAS_DATA};
use super::positions::Position;
use super::search::{self, FoundRow, Query};
use crate::{CloudTrail, Exception};

/// The period that event history covers.
const DAYS: Duration = Duration::from_hours(90 * 24);

/// Maximum and default number of events of a page.
const PAGE_MAX: i32 = 50;

/// Maximum size of an attribute's value in bytes.
const VALUE_BYTES_MAX: usize = 2_000;

/// Maximum number of attributes of a search.
const ATTRIBUTES_MAX: usize = 50;

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

/// The input of [`search_events`]: that of `LookupEvents`, with all its attributes used, and filters that AWS does not have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SearchEventsInput {
    #[serde(flatten)]
    lookup: LookupEventsInput,
    /// The error code is one of these.
    #[serde(default)]
    error_codes: Vec<String>,
    /// The call failed.
    #[serde(default)]
    failed_only: bool,
    /// The call is a Git request that transferred data: a push or pull, and not the request for references before it.
    #[serde(default)]
    with_data_only: bool,
}

/// The members of [`SearchEventsInput`] that `LookupEvents` does not have, in record form.
pub(crate) const SEARCH_MEMBERS: &[&str] = &["errorCodes", "failedOnly", "withDataOnly"];

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

/// Filters of a search that `LookupEvents` does not have.
type OwnFilters = Vec<(Attribute, String)>;

/// Lists a page of events by the first attribute of the input.
pub(crate) fn lookup_events(
    service: &CloudTrail,
    call: &Arc<Call>,
    mut input: LookupEventsInput,
) -> Result<LookupEventsOutput, Exception> {
    call.allow("*", &aws::Facts::default())?;
    if service.lookup.per_second.is_some_and(|per_second| !service.throttle.admits(call, per_second)) {
        return Err(Exception::Throttling);
    }
    // AWS uses the first of several attributes and ignores the others.
    input.lookup_attributes.iter_mut().for_each(|attributes| attributes.truncate(1));
    let scope = scope("LookupEvents", call, &input, &[]);
    find(service, call, input, Vec::new(), &scope, service.lookup.delay)
}

/// Lists a page of events with all attributes of the input: of several values of one attribute, any.
///
/// The limit and the delay of lookups do not apply.
pub(crate) fn search_events(
    service: &CloudTrail,
    call: &Arc<Call>,
    input: SearchEventsInput,
) -> Result<LookupEventsOutput, Exception> {
    call.allow("*", &aws::Facts::default())?;
    let SearchEventsInput { lookup, error_codes, failed_only, with_data_only } = input;
    let failed_only = failed_only && error_codes.is_empty();
    let mut own: OwnFilters = error_codes.into_iter().map(|code| (Attribute::ErrorCode, code)).collect();
    own.extend(failed_only.then(|| (Attribute::ErrorCode, ANY_FAILURE.to_owned())));
    own.extend(with_data_only.then(|| (Attribute::HasData, HAS_DATA.to_owned())));
    let scope = scope("SearchEvents", call, &lookup, &own);
    find(service, call, lookup, own, &scope, Duration::ZERO)
}

/// Lists a page of events; `scope` is that of page tokens.
fn find(
    service: &CloudTrail,
    call: &Call,
    input: LookupEventsInput,
    own: OwnFilters,
    scope: &[String],
    delay: Duration,
) -> Result<LookupEventsOutput, Exception> {
    let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
    let query = parse(input, own, &scope, call.time, delay)?;
    let Some(query) = query else { return Ok(LookupEventsOutput { events: Vec::new(), next_token: None }) };
    if !query.filters.is_empty() {
        service.history.catch_up()?;
    }
    let (account, region) = (call.account.as_str(), call.region.as_str());
    let page = service.store.read(|transaction| search::find(transaction, (account, region), &query))?;
    let last = page.rows.last().filter(|_| page.is_more).map(|row| row.position);
    let next_token = last.map(|(time, seq)| page_token::encode(&scope, format!("{time} {seq}").as_bytes()));
    let events = page.rows.into_iter().map(found_event).collect::<Result<_, Error>>()?;
    Ok(LookupEventsOutput { events, next_token })
}

/// Returns the arguments that must be the same in the request for the next page; the size of the page may differ.
fn scope(name: &str, call: &Call, input: &LookupEventsInput, own: &[(Attribute, String)]) -> Vec<String> {
    let mut scope = vec![name.to_owned(), call.account.to_string(), call.region.to_string()];
    scope.push(format!("{:?} {:?} {:?}", input.start_time, input.end_time, input.event_category));
    let attributes = input.lookup_attributes.iter().flatten();
    scope.extend(attributes.flat_map(|attribute| [attribute.attribute_key.clone(), attribute.attribute_value.clone()]));
    scope.extend(own.iter().flat_map(|(attribute, value)| [format!("{attribute:?}"), value.clone()]));
    scope
}

/// Parses the input; `None` for insights events, as there are none.
fn parse(
    input: LookupEventsInput,
    own: OwnFilters,
    scope: &[&str],
    now: Timestamp,
    delay: Duration,
) -> Result<Option<Query>, Exception> {
    let attributes = input.lookup_attributes.unwrap_or_default();
    if attributes.len() + own.len() > ATTRIBUTES_MAX {
        let reason = format!("A search has at most {ATTRIBUTES_MAX} values of attributes.");
        return Err(Exception::InvalidLookupAttributes(reason));
    }
    let mut filters = BTreeMap::<_, BTreeSet<_>>::new();
    for (attribute, value) in attributes.into_iter().map(filter).collect::<Result<Vec<_>, _>>()?.into_iter().chain(own)
    {
        filters.entry(attribute).or_default().insert(value);
    }
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
    let size = usize::try_from(size).expect("the size of a page is positive");
    Ok((!insights).then_some(Query { filters, oldest: start.max(before(DAYS)), newest: end.min(visible), after, size }))
}

fn filter(attribute: LookupAttribute) -> Result<(Attribute, String), Exception> {
    let invalid = |reason: String| Err(Exception::InvalidLookupAttributes(reason));
    let LookupAttribute { attribute_key, attribute_value } = attribute;
    let Some(key) = Attribute::of_lookup(&attribute_key) else {
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

fn after(scope: &[&str], token: &str) -> Option<Position> {
    let position = String::from_utf8(page_token::decode(scope, token)?).ok()?;
    let (time, seq) = position.split_once(' ')?;
    Some((time.parse().ok()?, seq.parse().ok()?))
}

/// Builds the output of an event.
fn found_event(event: FoundRow) -> Result<FoundEvent, Error> {
    let facts = Facts::read(&event.record).ok_or(Error::Damaged("a record cannot be read"))?;
    Ok(FoundEvent {
        read_only: facts.read_only(),
        access_key_id: facts.access_key_id().map(str::to_owned),
        username: facts.username().map(str::to_owned),
        event_id: facts.event_id,
        event_name: facts.event_name,
        event_time: event.position.0.div_euclid(1_000),
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
        let query = parse(input, Vec::new(), &[], Timestamp::from_millis(NOW), Duration::from_secs(delay));
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

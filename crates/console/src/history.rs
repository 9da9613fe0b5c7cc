//! Searches in event history by the parameters of a page.

use std::sync::Arc;

use aws::{Failure, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use trail::CloudTrail;

use crate::event::Event;
use crate::form::Form;
use crate::visit::Visit;

/// The attributes that a search can have, by their names in URLs and in event history, with their labels.
pub(crate) const ATTRIBUTES: [(&str, &str); 7] = [
    ("Username", "User name"),
    ("EventName", "Event name"),
    ("ResourceName", "Resource name"),
    ("ResourceType", "Resource type"),
    ("EventSource", "Event source"),
    ("AccessKeyId", "Access key"),
    ("EventId", "Event ID"),
];

/// Maximum number of events of a page, as of `LookupEvents`.
const PAGE_MAX: u64 = 50;

/// A search: each member narrows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    /// Names and values of attributes.
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) error_codes: Vec<String>,
    pub(crate) failed_only: bool,
    /// Only Git requests that transferred data.
    pub(crate) with_data_only: bool,
    /// `writes`, `reads` or `all`.
    pub(crate) access: &'static str,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) size: u64,
    pub(crate) token: Option<String>,
}

/// A page of events.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    pub(crate) events: Vec<Event>,
    pub(crate) next_token: Option<String>,
}

impl Search {
    /// Reads the search of a page's parameters. Without any filter it shows writes, as the console of AWS does.
    pub(crate) fn of(query: &Form) -> Result<Self, Failure> {
        let mut attributes = Vec::new();
        for (name, _) in ATTRIBUTES {
            attributes.extend(query.all(name).map(|value| (name.to_owned(), value.to_owned())));
        }
        let error_codes: Vec<String> = query.all("ErrorCode").map(str::to_owned).collect();
        let failed_only = query.has("failed");
        let is_filtered = !attributes.is_empty() || !error_codes.is_empty() || failed_only;
        let access = match query.get("access") {
            "writes" => "writes",
            "reads" => "reads",
            "" if !is_filtered => "writes",
            _ => "all",
        };
        Ok(Self {
            attributes,
            error_codes,
            failed_only,
            with_data_only: false,
            access,
            start: time(query.get("start"))?,
            end: time(query.get("end"))?,
            size: query.get("size").parse().ok().filter(|size| (1..=PAGE_MAX).contains(size)).unwrap_or(PAGE_MAX),
            token: query.optional("token").map(str::to_owned),
        })
    }

    /// Returns the first value of an attribute; empty if the search has none.
    pub(crate) fn value(&self, attribute: &str) -> &str {
        self.attributes.iter().find(|(name, _)| name == attribute).map_or("", |(_, value)| value)
    }

    /// Runs the search; it leaves the record of a `LookupEvents`.
    pub(crate) fn run(&self, visit: &Visit<'_>) -> Result<Found, Failure> {
        let services = visit.services;
        let call = Arc::new(visit.begin()?);
        let body = self.input().to_string().into_bytes();
        let operation = CloudTrail::search_events();
        let reply = services.trail.call(trail::SOURCE, operation, services.cloudtrail, &call, Ok(&body))?;
        serde_json::from_slice(&reply.body).map_err(|error| {
            tracing::error!(%error, "the console cannot read a page of event history");
            Failure::internal()
        })
    }

    fn input(&self) -> Value {
        let attribute = |name: &str, value: &str| json!({ "AttributeKey": name, "AttributeValue": value });
        let mut attributes: Vec<Value> = self.attributes.iter().map(|(name, value)| attribute(name, value)).collect();
        match self.access {
            "writes" => attributes.push(attribute("ReadOnly", "false")),
            "reads" => attributes.push(attribute("ReadOnly", "true")),
            _ => {}
        }
        let mut input = json!({ "MaxResults": self.size });
        if !attributes.is_empty() {
            input["LookupAttributes"] = attributes.into();
        }
        let seconds = |time: Timestamp| json!(time.to_wire().as_secs_f64());
        for (name, value) in [("StartTime", self.start), ("EndTime", self.end)] {
            if let Some(time) = value {
                input[name] = seconds(time);
            }
        }
        if let Some(token) = &self.token {
            input["NextToken"] = token.as_str().into();
        }
        if !self.error_codes.is_empty() {
            input["ErrorCodes"] = self.error_codes.clone().into();
        }
        for (name, is_set) in [("FailedOnly", self.failed_only), ("WithDataOnly", self.with_data_only)] {
            if is_set {
                input[name] = true.into();
            }
        }
        input
    }
}

/// Finds an event of the reader's region by its id; `None` if event history has none.
pub(crate) fn event(visit: &Visit<'_>, id: &str) -> Result<Option<Event>, Failure> {
    let attributes = vec![("EventId".to_owned(), id.to_owned())];
    let search = Search { attributes, access: "all", size: 1, ..Search::default() };
    Ok(search.run(visit)?.events.pop())
}

/// Reads a time of a form or a link in UTC, such as `2026-01-31T12:00`; an empty text is no time.
pub(crate) fn time(text: &str) -> Result<Option<Timestamp>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let complete = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    };
    let time = Timestamp::from_iso(&complete);
    let invalid = || {
        Failure::client(
            "InvalidTimeRangeException",
            format!("The time {text} is not valid; write it as 2026-01-31T12:00:00Z."),
        )
    };
    time.map(Some).ok_or_else(invalid)
}

/// Returns a time as the value of an input of type `datetime-local`, in UTC; empty without a time.
pub(crate) fn input_value(time: Option<Timestamp>) -> String {
    time.map(|time| time.iso().trim_end_matches('Z').to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_forms_and_links_are_in_utc() {
        for text in ["2026-01-31T12:00", "2026-01-31T12:00:00", "2026-01-31T12:00:00Z"] {
            let time = time(text).expect("the time is valid");
            assert_eq!(input_value(time), "2026-01-31T12:00:00", "{text}");
        }
        assert_eq!(time("").expect("no time is valid"), None);
        assert!(time("yesterday").is_err());
    }

    #[test]
    fn a_search_without_filters_is_for_writes() {
        let search = |query: &str| Search::of(&Form::parse(query.as_bytes())).expect("the query is valid");
        assert_eq!(search("").access, "writes");
        assert_eq!(search("access=all").access, "all");
        let one = search("Username=Mary_Major&failed=1&size=900&start=2026-01-31");
        assert_eq!((one.access, one.size, one.value("Username")), ("all", 50, "Mary_Major"));
        let expected = json!({
            "LookupAttributes": [{ "AttributeKey": "Username", "AttributeValue": "Mary_Major" }],
            "MaxResults": 50, "StartTime": 1_769_817_600.0, "FailedOnly": true,
        });
        assert_eq!(one.input(), expected);
    }
}

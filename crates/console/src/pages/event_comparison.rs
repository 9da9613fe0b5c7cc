//! Two or three events side by side, with the members that differ marked.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;

use crate::event::Event;
use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::history;
use crate::pages::events;
use crate::visit::{Page, Visit};

/// Maximum number of events.
const EVENTS_MAX: usize = 3;

#[derive(Template)]
#[template(path = "event_comparison.html")]
struct ComparisonPage {
    frame: Frame,
    events: Vec<Event>,
    /// The ids that were not found.
    missing: Vec<String>,
    lines: Vec<Line>,
    differing: usize,
    csv: String,
    json: String,
    only_differing: bool,
    /// The address with all members, or with those that differ only.
    other: String,
}

/// A member of the records.
struct Line {
    path: String,
    /// The values in the order of the events; `None` where the member is missing.
    values: Vec<Option<String>>,
}

impl Line {
    fn differs(&self) -> bool {
        self.values.iter().any(|value| *value != self.values[0])
    }
}

/// Shows the comparison.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    let (mut events, mut missing) = (Vec::new(), Vec::new());
    let mut ids: Vec<&str> = visit.query.all("id").collect();
    ids.dedup();
    for id in ids.into_iter().take(EVENTS_MAX) {
        match history::event(visit, id)? {
            Some(event) => events.push(event),
            None => missing.push(id.to_owned()),
        }
    }
    let lines = compare(&events);
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header: Vec<&str> = ["member"].into_iter().chain(events.iter().map(Event::id)).collect();
            let row = |line: &Line| {
                let values = line.values.iter().map(|value| value.clone().unwrap_or_default());
                std::iter::once(line.path.clone()).chain(values).collect()
            };
            return Ok(export::csv("comparison", &header, lines.iter().map(row)));
        }
        Format::Json => return Ok(export::json("comparison", &events::records(&events))),
    }
    let differing = lines.iter().filter(|line| line.differs()).count();
    let only_differing = visit.query.has("differing");
    visit.page(&ComparisonPage {
        frame: visit.frame("Compare events", Section::Events),
        csv: visit.address(&[("format", "csv")]),
        json: visit.address(&[("format", "json")]),
        other: visit.address(&[("differing", if only_differing { "" } else { "1" })]),
        lines: lines.into_iter().filter(|line| !only_differing || line.differs()).collect(),
        events,
        missing,
        differing,
        only_differing,
    })
}

/// Returns the members of all records, in the order of the first record that has them.
fn compare(events: &[Event]) -> Vec<Line> {
    let mut order: Vec<String> = Vec::new();
    let mut values: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        for (path, value) in members(&event.record) {
            let row = values.entry(path.clone()).or_insert_with(|| {
                order.push(path);
                vec![None; events.len()]
            });
            row[index] = Some(value);
        }
    }
    order.into_iter().map(|path| Line { values: values.remove(&path).unwrap_or_default(), path }).collect()
}

/// Lists the texts, numbers and empty values of a record with their paths.
fn members(record: &Value) -> Vec<(String, String)> {
    let mut members = Vec::new();
    let mut pending = vec![(String::new(), record)];
    while let Some((path, value)) = pending.pop() {
        let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match value {
            // The stack is read from its end, so the last member comes first.
            Value::Object(object) if !object.is_empty() => {
                pending.extend(object.iter().rev().map(|(name, member)| (inner(name), member)));
            }
            Value::Array(items) if !items.is_empty() => {
                let indexed = items.iter().enumerate().rev();
                pending.extend(indexed.map(|(index, item)| (format!("{path}[{index}]"), item)));
            }
            Value::String(text) => members.push((path, text.clone())),
            other => members.push((path, other.to_string())),
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_differ_or_are_missing_are_marked() {
        let event = |record| Event { username: String::new(), record };
        let one = json!({ "a": 1, "b": { "c": ["x", "y"] }, "same": null });
        let other = json!({ "a": 2, "b": { "c": ["x"] }, "same": null, "new": "z" });
        let lines = compare(&[event(one), event(other)]);
        let found: Vec<_> = lines.iter().map(|line| (line.path.as_str(), line.differs())).collect();
        assert_eq!(found, [("a", true), ("b.c[0]", false), ("b.c[1]", true), ("same", false), ("new", true)]);
    }
}

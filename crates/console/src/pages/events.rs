//! Event history: a search by any attributes, with columns to choose.

use askama::Template;
use serde_json::{Value, json};

use crate::event::{COLUMNS, Cell, Event};
use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::history::{self, ATTRIBUTES, Search};
use crate::json_tree::JsonTree;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    frame: Frame,
    fields: Vec<Field>,
    error_code: String,
    search: Search,
    start: String,
    end: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// The event whose detail is shown below the table.
    detail: Option<Event>,
    first: Option<String>,
    next: Option<String>,
    csv: String,
    json: String,
}

/// A field of the form.
struct Field {
    name: &'static str,
    label: &'static str,
    /// The values of the attribute, one for each input.
    values: Vec<String>,
}

struct Column {
    name: &'static str,
    label: &'static str,
    is_shown: bool,
}

struct Row {
    id: String,
    name: String,
    class: &'static str,
    cells: Vec<Cell>,
    /// The address of this page with the detail of the event.
    detail: String,
}

/// Shows a page of event history.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    let search = Search::of(&visit.query)?;
    let found = search.run(visit)?;
    let columns = columns(visit);
    let shown: Vec<&Column> = columns.iter().filter(|column| column.is_shown).collect();
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header: Vec<_> = shown.iter().map(|column| column.name).collect();
            let row = |event: &Event| shown.iter().map(|column| event.cell(column.name).text).collect();
            return Ok(export::csv("events", &header, found.events.iter().map(row)));
        }
        Format::Json => return Ok(export::json("events", &records(&found.events))),
    }
    let rows = found.events.iter().map(|event| Row {
        id: event.id().to_owned(),
        name: event.name().to_owned(),
        class: event.class(),
        cells: shown.iter().map(|column| event.cell(column.name)).collect(),
        detail: visit.address(&[("event", event.id())]) + "#detail",
    });
    let rows = rows.collect();
    let selected = visit.query.get("event");
    let detail = found.events.iter().find(|event| event.id() == selected).cloned();
    let fields = ATTRIBUTES.map(|(name, label)| {
        let mut values: Vec<String> =
            search.attributes.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect();
        if values.is_empty() {
            values.push(String::new());
        }
        Field { name, label, values }
    });
    let next = found.next_token.map(|token| visit.address(&[("token", &token), ("event", "")]));
    visit.page(&EventsPage {
        frame: visit.frame("Event history", Section::Events),
        fields: fields.into(),
        error_code: search.error_codes.first().cloned().unwrap_or_default(),
        start: history::input_value(search.start),
        end: history::input_value(search.end),
        first: search.token.as_ref().map(|_| visit.address(&[("token", ""), ("event", "")])),
        csv: visit.address(&[("format", "csv")]),
        json: visit.address(&[("format", "json")]),
        columns,
        rows,
        detail,
        next,
        search,
    })
}

/// Returns records in the form of a log file.
pub(crate) fn records(events: &[Event]) -> Value {
    json!({ "Records": events.iter().map(|event| &event.record).collect::<Vec<_>>() })
}

fn columns(visit: &Visit<'_>) -> Vec<Column> {
    let is_chosen = visit.query.has("column");
    let columns = COLUMNS.iter().map(|(name, label, is_default)| Column {
        name,
        label,
        is_shown: if is_chosen { visit.query.all("column").any(|chosen| chosen == *name) } else { *is_default },
    });
    columns.collect()
}

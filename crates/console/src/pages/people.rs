//! The people of the account: first and last event, and numbers of pushes, pulls, failures and repositories.

use std::time::Duration;

use askama::Template;
use serde_json::{Value, json};
use trail::Person;

use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::pages::timeline::Filter;
use crate::plot;
use crate::url;
use crate::visit::{Page, Visit};

/// The range without one in the URL: that of event history.
const RANGE: Duration = Duration::from_hours(90 * 24);

#[derive(Template)]
#[template(path = "people.html")]
struct PeoplePage {
    frame: Frame,
    filter: Filter,
    rows: Vec<Row>,
    csv: String,
    json: String,
}

struct Row {
    name: String,
    person: Person,
    /// Links of a person with a name.
    links: Option<Links>,
}

/// The pages of a person's events.
struct Links {
    events: String,
    writes: String,
    failures: String,
    pushes: String,
}

/// Shows the people.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    let call = visit.begin()?;
    let filter = Filter::of(visit, call.time, RANGE)?;
    let people = visit.services.trail.people(&call, &filter.selection())?;
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header = ["user", "first", "last", "events", "writes", "pushes", "pulls", "failures", "repositories"];
            let row = |person: &Person| {
                let Person { user, first, last, events, writes, failures, pushes, pulls, repositories } = person;
                let counts = [events, writes, pushes, pulls, failures].map(u64::to_string);
                let texts = [user.clone(), first.iso(), last.iso()];
                texts.into_iter().chain(counts).chain([repositories.to_string()]).collect()
            };
            return Ok(export::csv("people", &header, people.iter().map(row)));
        }
        Format::Json => {
            let row = |person: &Person| {
                json!({
                    "user": person.user, "first": person.first.iso(), "last": person.last.iso(), "events": person.events,
                    "writes": person.writes, "pushes": person.pushes, "pulls": person.pulls, "failures": person.failures,
                    "repositories": person.repositories,
                })
            };
            return Ok(export::json("people", &people.iter().map(row).collect::<Vec<Value>>().into()));
        }
    }
    let links = |user: &str| {
        let events = |others: &[(&str, &str)]| filter.events_in_range(&[&[("Username", user)], others].concat());
        Links {
            events: events(&[]),
            writes: events(&[("access", "writes")]),
            failures: events(&[("failed", "1")]),
            pushes: url::with(&url::page("pushes"), &[("Username", user)]),
        }
    };
    let rows = people.into_iter().map(|person| Row {
        name: plot::name(Some(&person.user)).to_owned(),
        links: (!person.user.is_empty()).then(|| links(&person.user)),
        person,
    });
    visit.page(&PeoplePage {
        rows: rows.collect(),
        frame: visit.frame("People", Section::People),
        csv: visit.address(&[("format", "csv")]),
        json: visit.address(&[("format", "json")]),
        filter,
    })
}

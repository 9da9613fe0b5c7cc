//! Pushes: which reference of which repository was pushed by whom, from which commit to which.

use std::collections::HashMap;

use askama::Template;
use serde_json::{Value, json};
use trail::ReferenceChange;

use crate::event::Event;
use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::history::{self, Search};
use crate::url;
use crate::visit::{Page, Visit};

/// The id of a deleted reference in records.
const NULL_ID: &str = "0000000000000000000000000000000000000000";

#[derive(Template)]
#[template(path = "pushes.html")]
struct PushesPage {
    frame: Frame,
    search: Search,
    start: String,
    end: String,
    updates: Vec<Update>,
    first: Option<String>,
    next: Option<String>,
    csv: String,
    json: String,
}

/// One reference of a push.
struct Update {
    event: Event,
    repository: String,
    reference: String,
    /// The commit of the reference before; `None` if the push created it, or changed nothing.
    from: Option<String>,
    /// Whether the pushed commit does not contain the one before.
    is_forced: bool,
    /// The pushed commit; `None` if the reference was deleted.
    to: Option<String>,
}

impl Update {
    /// Returns the URL of the comparison of both commits.
    fn comparison(&self) -> Option<String> {
        let (from, to) = self.from.as_ref().zip(self.to.as_ref()).filter(|(from, to)| from != to)?;
        Some(url::repository_with(&self.repository, "compare", &[("before", from), ("after", to)]))
    }

    fn pushes_of_user(&self) -> String {
        url::with(&url::page("pushes"), &[("Username", &self.event.username)])
    }

    fn commit(&self, id: &str) -> String {
        url::repository_with(&self.repository, "commit", &[("id", id)])
    }
}

/// Shows the pushes.
pub(crate) fn show(visit: &Visit<'_>) -> Page {
    let mut search = Search::of(&visit.query)?;
    search.attributes.retain(|(name, _)| name == "Username" || name == "ResourceName");
    search.access = "all";
    search.with_data_only = true;
    let mut pushes = search.clone();
    pushes.attributes.push(("EventName".to_owned(), "GitPush".to_owned()));
    let found = pushes.run(visit)?;
    let ids: Vec<&str> = found.events.iter().map(Event::id).collect();
    let changes = visit.services.trail.reference_changes(&visit.begin()?, &ids)?;
    let updates = updates(&found.events, &changes);
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header = ["time", "user", "repository", "reference", "from", "to", "forced", "error", "event_id"];
            let row = |update: &Update| {
                let event = &update.event;
                vec![
                    event.member("eventTime").to_owned(),
                    event.caller(),
                    update.repository.clone(),
                    update.reference.clone(),
                    update.from.clone().unwrap_or_default(),
                    update.to.clone().unwrap_or_default(),
                    update.is_forced.to_string(),
                    event.error().to_owned(),
                    event.id().to_owned(),
                ]
            };
            return Ok(export::csv("pushes", &header, updates.iter().map(row)));
        }
        Format::Json => {
            let row = |update: &Update| {
                json!({
                    "time": update.event.member("eventTime"), "user": update.event.caller(), "repository": update.repository,
                    "reference": update.reference, "from": update.from, "to": update.to, "forced": update.is_forced, "error": update.event.error(),
                    "eventId": update.event.id(),
                })
            };
            return Ok(export::json("pushes", &updates.iter().map(row).collect::<Vec<Value>>().into()));
        }
    }
    visit.page(&PushesPage {
        frame: visit.frame("Pushes", Section::Pushes),
        start: history::input_value(search.start),
        end: history::input_value(search.end),
        first: search.token.as_ref().map(|_| visit.address(&[("token", "")])),
        next: found.next_token.map(|token| visit.address(&[("token", &token)])),
        csv: visit.address(&[("format", "csv")]),
        json: visit.address(&[("format", "json")]),
        search,
        updates,
    })
}

/// Lists the references of pushes, which are newest first.
fn updates(pushes: &[Event], changes: &HashMap<String, Vec<ReferenceChange>>) -> Vec<Update> {
    let of_push = |event: &Event| {
        let changes = changes.get(event.id()).map_or(&[][..], Vec::as_slice);
        let references = event.record["requestParameters"]["references"].as_array().into_iter().flatten();
        let update = |reference: &Value| {
            let text = |name: &str| reference[name].as_str().unwrap_or_default().to_owned();
            let (name, commit) = (text("ref"), text("commit"));
            let change = changes.iter().find(|change| change.name == name);
            Update {
                event: event.clone(),
                repository: event.repository(),
                from: change.and_then(|change| change.old.clone()),
                is_forced: change.is_some_and(|change| change.is_forced),
                to: (commit != NULL_ID).then_some(commit),
                reference: name,
            }
        };
        references.map(update).collect::<Vec<_>>()
    };
    pushes.iter().flat_map(of_push).collect()
}

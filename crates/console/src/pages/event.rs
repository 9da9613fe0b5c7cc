//! One event: its members, its record, its locations, and the command that makes the same call.

use askama::Template;
use trail::{Coverage, EventLocation};

use crate::command_line;
use crate::event::{Event, Resource};
use crate::export::{self, Format};
use crate::frame::{Frame, Section};
use crate::history;
use crate::json_tree::JsonTree;
use crate::pages::failure;
use crate::text::Time;
use crate::url;
use crate::visit::{Page, Visit};

/// The members of the record that the page shows: their names and labels.
const MEMBERS: [(&str, &str); 9] = [
    ("eventSource", "Event source"),
    ("awsRegion", "AWS region"),
    ("sourceIPAddress", "Source IP address"),
    ("userAgent", "User agent"),
    ("errorCode", "Error code"),
    ("errorMessage", "Error message"),
    ("requestID", "Request ID"),
    ("eventID", "Event ID"),
    ("recipientAccountId", "Account"),
];

/// Time before and after an event that the link to its neighbours covers, in milliseconds.
const AROUND: i64 = 30 * 60 * 1_000;

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    event: Event,
    members: Vec<(&'static str, String)>,
    resources: Vec<Resource>,
    commits: Vec<(String, String)>,
    repository: String,
    user_url: Option<String>,
    key_url: Option<String>,
    /// Links to further events: label and URL.
    more: Vec<(&'static str, String)>,
    command: Option<String>,
    locations: Vec<EventLocation>,
    text: String,
    json: String,
}

/// Shows an event.
pub(crate) fn show(visit: &Visit<'_>, id: &str) -> Page {
    let found = history::event(visit, id)?;
    let call = visit.begin()?;
    let event = match found {
        Some(event) => Some(event),
        // Data events and events of other regions are not in the event history of this region.
        None => visit.services.trail.find_record(&call, id)?.and_then(|line| Event::parse(&line)),
    };
    let Some(event) = event else { return Ok(failure::not_found(visit)) };
    if Format::of(visit.query.get("format")) == Format::Json {
        return Ok(export::json("event", &event.record));
    }
    let locations = visit.services.trail.locations(&call, id)?;
    let members = MEMBERS.iter().map(|(name, label)| (*label, event.member(name).to_owned()));
    let repository = event.repository();
    let commits = if repository.is_empty() { Vec::new() } else { event.commits() };
    let commits =
        commits.into_iter().map(|commit| (url::repository_with(&repository, "commit", &[("id", &commit)]), commit));
    let events = |attribute, value: &str| (!value.is_empty()).then(|| url::events_of(attribute, value));
    visit.page(&EventPage {
        frame: visit.frame(format!("{} event", event.name()), Section::Events),
        members: members.filter(|(_, value)| !value.is_empty()).collect(),
        resources: event.resources(),
        commits: commits.collect(),
        user_url: events("Username", &event.username),
        key_url: events("AccessKeyId", event.access_key()),
        more: more(&event, &repository),
        command: command_line::of(&event.record),
        text: format!("{:#}", event.record),
        json: visit.address(&[("format", "json")]),
        locations,
        repository,
        event,
    })
}

/// Returns links to the events with the same values.
fn more(event: &Event, repository: &str) -> Vec<(&'static str, String)> {
    let mut links = Vec::new();
    for (label, attribute, value) in [
        ("Events of this user", "Username", event.username.as_str()),
        ("Events of this access key", "AccessKeyId", event.access_key()),
        ("Events with this name", "EventName", event.name()),
        ("Events of this repository", "ResourceName", repository),
        ("Events with this error", "ErrorCode", event.member("errorCode")),
    ] {
        if !value.is_empty() {
            links.push((label, url::events_of(attribute, value)));
        }
    }
    if let Some(Time(time)) = event.time() {
        let at = |offset: i64| aws::Timestamp::from_millis(time.millis() + offset).iso();
        let parameters = [("access", "all"), ("start", &at(-AROUND)), ("end", &at(AROUND))];
        links.push(("Events in the 30 minutes before and after", url::with(&url::page("events"), &parameters)));
    }
    links
}

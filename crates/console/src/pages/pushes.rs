//! Pushes: which reference of which repository was pushed by whom, from which commit to which.

use std::collections::HashMap;

use askama::Template;
use serde_json::{Value, json};

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
    /// The commit of the reference before, if an older push of the page has it.
    from: Option<String>,
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
    let updates = updates(&found.events);
    match Format::of(visit.query.get("format")) {
        Format::Page => {}
        Format::Csv => {
            let header = ["time", "user", "repository", "reference", "from", "to", "error", "event_id"];
            let row = |update: &Update| {
                let event = &update.event;
                vec![
                    event.member("eventTime").to_owned(),
                    event.caller(),
                    update.repository.clone(),
                    update.reference.clone(),
                    update.from.clone().unwrap_or_default(),
                    update.to.clone().unwrap_or_default(),
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
                    "reference": update.reference, "from": update.from, "to": update.to, "error": update.event.error(),
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
fn updates(pushes: &[Event]) -> Vec<Update> {
    let mut updates = Vec::new();
    // The last known commit of each reference; older pushes come later, so the list is built from its end.
    let mut last: HashMap<(String, String), String> = HashMap::new();
    for event in pushes.iter().rev() {
        let repository = event.repository();
        let references = event.record["requestParameters"]["references"].as_array();
        for reference in references.into_iter().flatten().rev() {
            let text = |name: &str| reference[name].as_str().unwrap_or_default().to_owned();
            let (name, commit) = (text("ref"), text("commit"));
            let key = (repository.clone(), name.clone());
            let from = last.get(&key).cloned().filter(|from| from != NULL_ID);
            if !event.is_failed() {
                last.insert(key, commit.clone());
            }
            let to = (commit != NULL_ID).then_some(commit);
            updates.push(Update { event: event.clone(), repository: repository.clone(), reference: name, from, to });
        }
    }
    updates.reverse();
    updates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_before_a_push_is_that_of_the_push_before() {
        let push = |id: &str, commit: &str, error: Option<&str>| {
            let mut record = json!({
                "eventID": id, "eventName": "GitPush",
                "resources": [{ "type": "AWS::CodeCommit::Repository", "ARN": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo" }],
                "requestParameters": { "references": [{ "ref": "refs/heads/main", "commit": commit }] },
            });
            if let Some(error) = error {
                record["errorCode"] = error.into();
            }
            Event { username: "Mary_Major".to_owned(), record }
        };
        let (one, two) = ("1".repeat(40), "2".repeat(40));
        let pushes = [
            push("4", NULL_ID, None),
            push("3", &two, None),
            push("2", &"3".repeat(40), Some("InvalidRequestException")),
            push("1", &one, None),
        ];
        let found: Vec<_> =
            updates(&pushes).into_iter().map(|update| (update.event.id().to_owned(), update.from, update.to)).collect();
        let id = |id: &str| id.to_owned();
        assert_eq!(found[0], (id("4"), Some(two.clone()), None));
        assert_eq!(found[1], (id("3"), Some(one.clone()), Some(two)));
        assert_eq!(found[3], (id("1"), None, Some(one)));
    }
}

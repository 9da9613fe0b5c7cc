//! The triggers of a repository, and their test.

use askama::Template;
use aws::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::frame::{Frame, Section};
use crate::visit::{Page, Visit};
use crate::{reply, url};

/// The events that can start a trigger, with their labels.
const EVENTS: [(&str, &str); 4] = [
    ("all", "All events"),
    ("updateReference", "Push to an existing branch"),
    ("createReference", "Creation of a branch or tag"),
    ("deleteReference", "Deletion of a branch or tag"),
];

#[derive(Template)]
#[template(path = "triggers.html")]
struct TriggersPage<'p> {
    frame: Frame,
    failure: Option<&'p Failure>,
    name: &'p str,
    triggers: Vec<Trigger>,
    /// The values of the form.
    edited: Trigger,
    /// The name of the trigger that the form replaces; empty if it adds one.
    replaced: String,
    events: &'static [(&'static str, &'static str)],
    tested: Option<Tested>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Trigger {
    name: String,
    destination_arn: String,
    #[serde(default)]
    custom_data: String,
    #[serde(default)]
    branches: Vec<String>,
    events: Vec<String>,
}

impl Trigger {
    fn has_event(&self, event: &str) -> bool {
        self.events.iter().any(|found| found == event)
    }
}

#[derive(Deserialize)]
struct Triggers {
    triggers: Vec<Trigger>,
}

/// The outcome of a test.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tested {
    successful_executions: Vec<String>,
    failed_executions: Vec<Failed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    trigger: String,
    #[serde(default)]
    failure_message: String,
}

/// Shows the triggers; the parameter `edit` names the one that the form shows.
pub(crate) fn show(visit: &Visit<'_>, name: &str) -> Page {
    let triggers = triggers(visit, name)?;
    let edited = triggers.iter().find(|trigger| trigger.name == visit.query.raw("edit")).cloned();
    let replaced = edited.as_ref().map(|trigger| trigger.name.clone()).unwrap_or_default();
    write(visit, name, triggers, edited.unwrap_or_default(), replaced, None, None)
}

/// Sets, deletes or tests a trigger, as the field `do` says.
pub(crate) fn change(visit: &Visit<'_>, name: &str) -> Page {
    let before = triggers(visit, name)?;
    let (form, replaced) = (&visit.form, visit.form.raw("replaced").to_owned());
    let others = || before.iter().filter(|trigger| trigger.name != replaced).cloned();
    let put = |triggers: Vec<Trigger>| {
        visit.run::<Value>("PutRepositoryTriggers", &json!({ "repositoryName": name, "triggers": triggers }))
    };
    let edited = Trigger {
        name: form.get("name").to_owned(),
        destination_arn: form.get("destination").to_owned(),
        custom_data: form.get("data").to_owned(),
        branches: form.get("branches").split_whitespace().map(str::to_owned).collect(),
        events: form.all("event").map(str::to_owned).collect(),
    };
    let result = match form.get("do") {
        "set" => put(others().chain([edited.clone()]).collect()).map(|_| "The trigger was set."),
        "delete" => put(others().collect()).map(|_| "The trigger was deleted."),
        "test" => {
            let tested: Vec<_> = before.iter().filter(|trigger| trigger.name == replaced).cloned().collect();
            let input = json!({ "repositoryName": name, "triggers": tested });
            match visit.run("TestRepositoryTriggers", &input) {
                Ok(tested) => {
                    return write(visit, name, before, Trigger::default(), String::new(), None, Some(tested));
                }
                Err(failure) => Err(failure),
            }
        }
        _ => Err(Failure::new("", "The form does not say what to do with the trigger.", 400)),
    };
    match result {
        Ok(notice) => Ok(reply::done(&url::repository(name, "triggers"), notice)),
        Err(failure) => write(visit, name, before, edited, replaced, Some(&failure), None),
    }
}

/// Returns the URL of the page whose form shows a trigger.
pub(crate) fn form_of(repository: &str, trigger: &str) -> String {
    url::repository_with(repository, "triggers", &[("edit", trigger)])
}

fn triggers(visit: &Visit<'_>, name: &str) -> Result<Vec<Trigger>, Failure> {
    let found: Triggers = visit.run("GetRepositoryTriggers", &json!({ "repositoryName": name }))?;
    Ok(found.triggers)
}

fn write(
    visit: &Visit<'_>,
    name: &str,
    triggers: Vec<Trigger>,
    edited: Trigger,
    replaced: String,
    failure: Option<&Failure>,
    tested: Option<Tested>,
) -> Page {
    let frame = visit.frame(format!("Triggers of {name}"), Section::Repositories).of_repository(name, "triggers");
    let page = TriggersPage { frame, failure, name, triggers, edited, replaced, events: &EVENTS, tested };
    visit.form_page(&page, failure)
}

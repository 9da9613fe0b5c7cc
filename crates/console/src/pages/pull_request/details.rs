//! The first page of a pull request: description, merge options, approvals, or how it ended.

use askama::Template;
use askama::filters::Safe;
use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use super::PullRequestHead;
use super::approvals::Evaluation;
use super::merge::MergeOptions;
use crate::frame::Frame;
use crate::markdown::{self, Origin};
use crate::pull_request::{self, PullRequestState};
use crate::reply;
use crate::text::{self, Time};
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_details.html")]
struct DetailsPage {
    frame: Frame,
    head: PullRequestHead,
    /// The description as HTML.
    description: Safe<String>,
    /// How an open one can be merged.
    options: Option<Result<MergeOptions, Failure>>,
    /// Whether the rules of an open one are satisfied.
    evaluation: Option<Result<Evaluation, Failure>>,
    /// Who ended a closed one, and when.
    ending: Option<Result<Ending, Failure>>,
    failure: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ending {
    event_date: Time,
    actor_arn: String,
}

impl Ending {
    fn actor(&self) -> &str {
        text::name_of_arn(&self.actor_arn)
    }
}

/// Shows a pull request.
pub(crate) fn details(visit: &Visit<'_>, id: &str) -> Page {
    show(visit, id, None)
}

/// Closes a pull request.
pub(crate) fn close(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let input = json!({ "pullRequestId": id, "pullRequestStatus": "CLOSED" });
    match visit.run::<Value>("UpdatePullRequestStatus", &input) {
        Ok(_) => {
            let notice = format!("Pull request {id} was closed.");
            Ok(reply::done(&pull_request::url_of(repository, id, ""), &notice))
        }
        Err(failure) => show(visit, id, Some(failure)),
    }
}

fn show(visit: &Visit<'_>, id: &str, failure: Option<Failure>) -> Page {
    let head = PullRequestHead::read(visit, id, "")?;
    let pull_request = &head.pull_request;
    let is_open = pull_request.is_open();
    let options = is_open.then(|| MergeOptions::read(visit, pull_request.target()));
    let has_rules = is_open && !pull_request.approval_rules.is_empty();
    let evaluation = has_rules.then(|| Evaluation::read(visit, pull_request));
    let ending = (!is_open).then(|| ending(visit, id, pull_request.state()));
    let ending = ending.and_then(Result::transpose);
    let origin = Origin { repository: head.repository(), reference: &pull_request.target().source_commit, folder: "" };
    let description = markdown::html(&pull_request.description, origin);
    let page = DetailsPage { frame: head.frame(visit), head, description, options, evaluation, ending, failure };
    visit.form_page(&page, page.failure.as_ref())
}

/// Reads the event that ended a pull request.
fn ending(visit: &Visit<'_>, id: &str, state: PullRequestState) -> Result<Option<Ending>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Events {
        pull_request_events: Vec<Ending>,
    }
    let kind = if state == PullRequestState::Merged {
        "PULL_REQUEST_MERGE_STATE_CHANGED"
    } else {
        "PULL_REQUEST_STATUS_CHANGED"
    };
    let input = json!({ "pullRequestId": id, "pullRequestEventType": kind });
    let events: Events = visit.run("DescribePullRequestEvents", &input)?;
    Ok(events.pull_request_events.into_iter().last())
}

//! Title and description of a pull request.

use askama::Template;
use aws::Failure;
use serde_json::{Value, json};

use super::PullRequestHead;
use crate::frame::Frame;
use crate::pull_request::{self, PullRequest};
use crate::reply;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_edit.html")]
struct EditPage {
    frame: Frame,
    head: PullRequestHead,
    title: String,
    description: String,
    failure: Option<Failure>,
}

/// Shows the form.
pub(crate) fn form(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "")?;
    let PullRequest { title, description, .. } = head.pull_request.clone();
    visit.page(&EditPage { frame: head.frame(visit), head, title, description, failure: None })
}

/// Changes what differs.
pub(crate) fn edit(visit: &Visit<'_>, repository: &str, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "")?;
    let (title, description) = (visit.form.get("title").to_owned(), visit.form.text("description"));
    match update(visit, &head.pull_request, &title, &description) {
        Ok(()) => {
            let notice = format!("Pull request {id} was changed.");
            Ok(reply::done(&pull_request::url_of(repository, id, ""), &notice))
        }
        Err(failure) => {
            let page = EditPage { frame: head.frame(visit), head, title, description, failure: Some(failure) };
            visit.form_page(&page, page.failure.as_ref())
        }
    }
}

fn update(visit: &Visit<'_>, current: &PullRequest, title: &str, description: &str) -> Result<(), Failure> {
    if title != current.title {
        let input = json!({ "pullRequestId": current.id, "title": title });
        visit.run::<Value>("UpdatePullRequestTitle", &input)?;
    }
    if description != current.description.replace("\r\n", "\n") {
        let input = json!({ "pullRequestId": current.id, "description": description });
        visit.run::<Value>("UpdatePullRequestDescription", &input)?;
    }
    Ok(())
}

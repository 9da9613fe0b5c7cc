//! The creation of a pull request.

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::form::Form;
use crate::frame::{Frame, Section};
use crate::pull_request;
use crate::reference::{self, BRANCHES};
use crate::reply;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_create.html")]
struct CreatePage<'p> {
    frame: Frame,
    repository: &'p str,
    branches: Vec<String>,
    failure: Option<Failure>,
    /// What was typed, or the parameters of the URL.
    form: &'p Form,
}

/// Shows the form; parameters of the URL fill its fields.
pub(crate) fn form(visit: &Visit<'_>, repository: &str) -> Page {
    show(visit, repository, &visit.query, None)
}

/// Creates a pull request.
pub(crate) fn create(visit: &Visit<'_>, repository: &str) -> Page {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct CreateReply {
        pull_request: Created,
    }
    #[derive(Deserialize)]
    struct Created {
        #[serde(rename = "pullRequestId")]
        id: String,
    }
    let form = &visit.form;
    let mut target = json!({ "repositoryName": repository, "sourceReference": form.get("source") });
    if let Some(destination) = form.optional("destination") {
        target["destinationReference"] = destination.into();
    }
    let mut input = json!({ "title": form.get("title"), "targets": [target] });
    let description = form.text("description");
    if !description.is_empty() {
        input["description"] = description.into();
    }
    match visit.run::<CreateReply>("CreatePullRequest", &input) {
        Ok(CreateReply { pull_request: Created { id } }) => {
            let notice = format!("Pull request {id} was created.");
            Ok(reply::done(&pull_request::url_of(repository, &id, ""), &notice))
        }
        Err(failure) => show(visit, repository, form, Some(failure)),
    }
}

fn show(visit: &Visit<'_>, repository: &str, form: &Form, failure: Option<Failure>) -> Page {
    let branches = reference::suggestions(visit, repository, BRANCHES)?;
    let frame = visit.frame("Create a pull request", Section::Repositories).of_repository(repository, "pull-requests");
    let page = CreatePage { frame, repository, branches, failure, form };
    visit.form_page(&page, page.failure.as_ref())
}

//! The list of repositories, and their creation.

use std::collections::HashMap;

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::frame::{Frame, Section};
use crate::text::Time;
use crate::visit::{Page, Visit};
use crate::{reply, url};

/// Repositories of a page; each costs a call for its open pull requests.
const PAGE_SIZE: usize = 50;

#[derive(Template)]
#[template(path = "repositories.html")]
struct RepositoriesPage {
    frame: Frame,
    /// The part of the names that the reader searches for.
    searched: String,
    repositories: Vec<Row>,
    /// The number of repositories that the search finds, of which the page shows some.
    count: usize,
    next: Option<String>,
}

struct Row {
    metadata: Metadata,
    /// The number of open pull requests, or `+` after the number of the first page.
    open: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    repository_name: String,
    #[serde(default)]
    repository_description: String,
    last_modified_date: Time,
    clone_url_http: String,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "repositoryName")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    repositories: Vec<Named>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    repositories: Vec<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullRequests {
    pull_request_ids: Vec<String>,
    next_token: Option<String>,
}

/// Shows the repositories.
pub(crate) fn list(visit: &Visit<'_>) -> Page {
    let searched = visit.query.get("q").to_lowercase();
    let start: usize = visit.query.get("start").parse().unwrap_or(0);
    let mut names = all_names(visit)?;
    names.retain(|name| name.to_lowercase().contains(&searched));
    let count = names.len();
    let names: Vec<String> = names.into_iter().skip(start).take(PAGE_SIZE).collect();
    let mut metadata: HashMap<String, Metadata> = HashMap::new();
    if !names.is_empty() {
        let found: Found = visit.run("BatchGetRepositories", &json!({ "repositoryNames": names }))?;
        metadata.extend(found.repositories.into_iter().map(|found| (found.repository_name.clone(), found)));
    }
    let found: Vec<Metadata> = names.iter().filter_map(|name| metadata.remove(name)).collect();
    let rows = found.into_iter().map(|metadata| {
        let open = open_pull_requests(visit, &metadata.repository_name)?;
        Ok(Row { metadata, open })
    });
    let repositories = rows.collect::<Result<_, Failure>>()?;
    let end = start + PAGE_SIZE;
    let next =
        (count > end).then(|| url::with(&url::page("repositories"), &[("q", &searched), ("start", &end.to_string())]));
    let frame = visit.frame("Repositories", Section::Repositories);
    visit.page(&RepositoriesPage { frame, searched, repositories, count, next })
}

/// Creates a repository.
pub(crate) fn create(visit: &Visit<'_>) -> Page {
    let name = visit.form.get("name");
    let mut input = json!({ "repositoryName": name });
    if let Some(description) = visit.form.optional("description") {
        input["repositoryDescription"] = description.into();
    }
    let _: serde_json::Value = visit.run("CreateRepository", &input)?;
    Ok(reply::done(&url::repository(name, "code"), &format!("The repository {name} was created.")))
}

/// Returns the names of all repositories, sorted.
fn all_names(visit: &Visit<'_>) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    let mut input = json!({ "sortBy": "repositoryName", "order": "ascending" });
    loop {
        let list: List = visit.run("ListRepositories", &input)?;
        names.extend(list.repositories.into_iter().map(|repository| repository.name));
        let Some(token) = list.next_token else { return Ok(names) };
        input["nextToken"] = token.into();
    }
}

fn open_pull_requests(visit: &Visit<'_>, name: &str) -> Result<String, Failure> {
    let input = json!({ "repositoryName": name, "pullRequestStatus": "OPEN" });
    let list: PullRequests = visit.run("ListPullRequests", &input)?;
    let more = if list.next_token.is_some() { "+" } else { "" };
    Ok(format!("{}{more}", list.pull_request_ids.len()))
}

//! Pull requests of all repositories, the repositories with the last changes first.

use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use super::{PAGE_SIZE, PullRequestRow, PullRequestsPage, rows};
use crate::frame::Section;
use crate::pull_request::{self, PullRequestFilter};
use crate::url;
use crate::visit::{Page, Visit};

/// Repositories whose pull requests are listed for one page, at most.
const REPOSITORIES_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryPage {
    repositories: Vec<RepositoryName>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryName {
    repository_name: String,
}

/// Position in the listing: a page of repositories, one of them, and a page of its pull requests.
struct ListPosition {
    repositories: Option<String>,
    index: usize,
    pull_requests: Option<String>,
}

/// Shows the pull requests. The API lists those of one repository, so this goes through repositories until the page is full.
pub(crate) fn all(visit: &Visit<'_>) -> Page {
    let (filter, name) = PullRequestFilter::parse(visit.query.get("filter"));
    let mut position = ListPosition {
        repositories: visit.query.optional("repositories").map(str::to_owned),
        index: visit.query.get("index").parse().unwrap_or(0),
        pull_requests: visit.query.optional("token").map(str::to_owned),
    };
    let (mut ids, mut unread) = (Vec::new(), None);
    let mut reply = repositories(visit, position.repositories.as_deref())?;
    let mut visited = 0;
    let next = loop {
        let Some(RepositoryName { repository_name }) = reply.repositories.get(position.index) else {
            let Some(token) = reply.next_token else { break None };
            reply = repositories(visit, Some(&token))?;
            position = ListPosition { repositories: Some(token), index: 0, pull_requests: None };
            continue;
        };
        if ids.len() == PAGE_SIZE || visited == REPOSITORIES_MAX {
            break Some(position);
        }
        visited += 1;
        let size = PAGE_SIZE - ids.len();
        match pull_request::list(visit, repository_name, filter, size, position.pull_requests.as_deref()) {
            Ok(listed) => {
                ids.extend(listed.ids);
                position.pull_requests = listed.next_token;
            }
            Err(failure) => {
                unread = unread.map_or(Some((1, failure)), |(count, first)| Some((count + 1, first)));
                position.pull_requests = None;
            }
        }
        if position.pull_requests.is_none() {
            position.index += 1;
        }
    };
    let mut rows = rows(visit, pull_request::batch(visit, &ids)?);
    let activity = |row: &PullRequestRow| row.pull_request.last_activity_date.0;
    rows.sort_by_key(|row| std::cmp::Reverse(activity(row)));
    let page = url::page("pull-requests");
    let next = next.map(|position| {
        let index = position.index.to_string();
        let repositories = position.repositories.unwrap_or_default();
        let token = position.pull_requests.unwrap_or_default();
        url::with(&page, &[("filter", name), ("repositories", &repositories), ("index", &index), ("token", &token)])
    });
    let frame = visit.frame("Pull requests", Section::PullRequests);
    visit.page(&PullRequestsPage { frame, repository: None, page, filter: name, rows, next, unread })
}

fn repositories(visit: &Visit<'_>, token: Option<&str>) -> Result<RepositoryPage, Failure> {
    let mut input = json!({ "sortBy": "lastModifiedDate", "order": "descending" });
    if let Some(token) = token {
        input["nextToken"] = token.into();
    }
    visit.run("ListRepositories", &input)
}

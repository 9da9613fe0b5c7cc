//! Lists of pull requests: of a repository, and of all.

mod all;
mod create;

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

pub(crate) use self::all::all;
pub(crate) use self::create::{create, form};
use crate::frame::{Frame, Section};
use crate::pull_request::{self, PullRequest, PullRequestFilter};
use crate::url;
use crate::visit::{Page, Visit};

/// Pull requests of a page.
const PAGE_SIZE: usize = 25;

#[derive(Template)]
#[template(path = "pull_requests.html")]
struct PullRequestsPage<'p> {
    frame: Frame,
    /// `None` on the page of all repositories.
    repository: Option<&'p str>,
    /// The URL of the page without parameters.
    page: String,
    filter: &'static str,
    rows: Vec<PullRequestRow>,
    next: Option<String>,
    /// Repositories that could not be read, with the failure of the first.
    unread: Option<(usize, Failure)>,
}

struct PullRequestRow {
    pull_request: PullRequest,
    approval: ApprovalStatus,
}

/// Whether the approval rules of a pull request are satisfied.
enum ApprovalStatus {
    /// It has no rules, or is closed.
    None,
    Pending,
    Satisfied,
    Overridden,
    Unknown,
}

impl ApprovalStatus {
    /// Returns the class of the badge and its text.
    fn badge(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::None => None,
            Self::Pending => Some(("pending", "approval pending")),
            Self::Satisfied => Some(("approved", "approved")),
            Self::Overridden => Some(("approved", "rules overridden")),
            Self::Unknown => Some(("warning", "approval unknown")),
        }
    }
}

/// Shows the pull requests of a repository.
pub(crate) fn list(visit: &Visit<'_>, repository: &str) -> Page {
    let (filter, name) = PullRequestFilter::parse(visit.query.get("filter"));
    let listed = pull_request::list(visit, repository, filter, PAGE_SIZE, visit.query.optional("token"))?;
    let rows = rows(visit, pull_request::batch(visit, &listed.ids)?);
    let page = url::repository(repository, "pull-requests");
    let next = listed.next_token.map(|token| url::with(&page, &[("filter", name), ("token", &token)]));
    let frame = visit
        .frame(format!("Pull requests of {repository}"), Section::Repositories)
        .of_repository(repository, "pull-requests");
    let repository = Some(repository);
    visit.page(&PullRequestsPage { frame, repository, page, filter: name, rows, next, unread: None })
}

/// Reads the state of approval of those that are open and have rules.
fn rows(visit: &Visit<'_>, pull_requests: Vec<PullRequest>) -> Vec<PullRequestRow> {
    let row = |pull_request: PullRequest| {
        let has_rules = pull_request.is_open() && !pull_request.approval_rules.is_empty();
        let approval = if has_rules { approval(visit, &pull_request) } else { ApprovalStatus::None };
        PullRequestRow { pull_request, approval }
    };
    pull_requests.into_iter().map(row).collect()
}

fn approval(visit: &Visit<'_>, pull_request: &PullRequest) -> ApprovalStatus {
    #[derive(Deserialize)]
    struct Reply {
        evaluation: Evaluation,
    }
    #[derive(Deserialize)]
    struct Evaluation {
        approved: bool,
        overridden: bool,
    }
    let input = json!({ "pullRequestId": pull_request.id, "revisionId": pull_request.revision_id });
    match visit.run("EvaluatePullRequestApprovalRules", &input) {
        Ok(Reply { evaluation: Evaluation { overridden: true, .. } }) => ApprovalStatus::Overridden,
        Ok(Reply { evaluation: Evaluation { approved: true, .. } }) => ApprovalStatus::Satisfied,
        Ok(_) => ApprovalStatus::Pending,
        Err(_) => ApprovalStatus::Unknown,
    }
}

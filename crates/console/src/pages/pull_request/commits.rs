//! Commits of a pull request: those that the source has and the merge base has not.

use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::PullRequestHead;
use crate::commit::Commit;
use crate::frame::Frame;
use crate::text;
use crate::visit::{Page, Visit};

/// Commits of a page, as on AWS.
pub(crate) const PAGE_SIZE: usize = 35;

#[derive(Template)]
#[template(path = "pull_request_commits.html")]
struct CommitsPage {
    frame: Frame,
    head: PullRequestHead,
    commits: Vec<Commit>,
    count: u64,
    next: Option<String>,
}

/// Commits that only the source of two commits has.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceCommits {
    #[serde(rename = "sourceCommits")]
    pub(crate) commits: Vec<Commit>,
    #[serde(rename = "sourceCommitCount")]
    pub(crate) count: u64,
    #[serde(rename = "destinationCommitCount")]
    pub(crate) missing: u64,
    next_token: Option<String>,
}

impl SourceCommits {
    /// Reads a page; the parameter `token` of the page's URL chooses it.
    pub(crate) fn read(
        visit: &Visit<'_>,
        repository: &str,
        source: &str,
        destination: &str,
    ) -> Result<Self, aws::Failure> {
        let mut input = json!({
            "repositoryName": repository,
            "sourceCommitSpecifier": source,
            "destinationCommitSpecifier": destination,
            "maxResults": PAGE_SIZE,
        });
        if let Some(token) = visit.query.optional("token") {
            input["nextToken"] = token.into();
        }
        visit.run("GetCommitsFromMergeBase", &input)
    }

    /// Returns the URL of the next page; commits of the destination, which follow in the listing, are not shown.
    pub(crate) fn next(&self, visit: &Visit<'_>) -> Option<String> {
        let token = self.next_token.as_deref().filter(|_| self.commits.len() == PAGE_SIZE)?;
        Some(visit.address(&[("token", token)]))
    }
}

/// Shows the commits.
pub(crate) fn commits(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "commits")?;
    let target = head.pull_request.target();
    let found = SourceCommits::read(visit, &target.repository, &target.source_commit, target.base_commit())?;
    let next = found.next(visit);
    let SourceCommits { commits, count, .. } = found;
    visit.page(&CommitsPage { frame: head.frame(visit), head, commits, count, next })
}

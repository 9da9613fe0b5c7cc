//! Differences of a pull request, with comments on lines.

use askama::Template;
use aws::Failure;

use super::PullRequestHead;
use crate::comments::Comments;
use crate::comparison::Comparison;
use crate::differences::Differences;
use crate::frame::Frame;
use crate::pull_request::PullRequest;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_changes.html")]
struct ChangesPage {
    frame: Frame,
    head: PullRequestHead,
    differences: Differences,
    comments: Comments,
}

/// Shows the differences between the merge base and the source, and the comments.
pub(crate) fn changes(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "changes")?;
    let mut comments = comments(visit, &head.pull_request)?;
    let differences = Differences::load(visit, &comparison(&head.pull_request), Some(&mut comments))?;
    visit.page(&ChangesPage { frame: head.frame(visit), head, differences, comments })
}

/// Reads the comments; new ones are on the merge base and the source.
pub(super) fn comments(visit: &Visit<'_>, pull_request: &PullRequest) -> Result<Comments, Failure> {
    Comments::of_pull_request(visit, &pull_request.id, &comparison(pull_request))
}

fn comparison(pull_request: &PullRequest) -> Comparison<'_> {
    let target = pull_request.target();
    Comparison { repository: &target.repository, before: target.base_commit(), after: &target.source_commit }
}

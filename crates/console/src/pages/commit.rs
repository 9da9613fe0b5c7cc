//! One commit: message, people, parents, differences and comments.

use askama::Template;
use serde::Deserialize;
use serde_json::json;

use crate::comments::Comments;
use crate::commit::Commit;
use crate::comparison::Comparison;
use crate::differences::Differences;
use crate::frame::{Frame, Section};
use crate::text;
use crate::url;
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "commit.html")]
struct CommitPage<'p> {
    frame: Frame,
    repository: &'p str,
    commit: &'p Commit,
    /// The parent that the commit is compared with; empty for the first commit of a history.
    parent: &'p str,
    differences: Differences,
    comments: Comments,
}

impl CommitPage<'_> {
    fn commit_url(&self, id: &str, parent: &str) -> String {
        url::repository_with(self.repository, "commit", &[("id", id), ("parent", parent)])
    }

    /// Returns the URL of a page of the repository at this commit.
    fn page(&self, page: &str) -> String {
        url::repository_with(self.repository, page, &[("ref", &self.commit.commit_id)])
    }
}

#[derive(Deserialize)]
struct CommitReply {
    commit: Commit,
}

/// Shows a commit: `GetCommit`, `GetDifferences` to a parent, `GetBlobDifferences` of the shown files, and
/// `GetCommentsForComparedCommit`. The parameter `parent` chooses another parent than the first.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let input = json!({ "repositoryName": repository, "commitId": visit.query.get("id") });
    let CommitReply { commit } = visit.run("GetCommit", &input)?;
    let chosen = visit.query.get("parent");
    let parent = commit.parents.iter().find(|parent| *parent == chosen).or(commit.parents.first());
    let parent = parent.map(String::as_str).unwrap_or_default();
    let comparison = Comparison { repository, before: parent, after: &commit.commit_id };
    let mut comments = Comments::of_commits(visit, &comparison)?;
    let differences = Differences::load(visit, &comparison, Some(&mut comments))?;
    let title = format!("Commit {}", text::short_id(&commit.commit_id));
    let frame = visit.frame(title, Section::Repositories).of_repository(repository, "commits");
    visit.page(&CommitPage { frame, repository, commit: &commit, parent, differences, comments })
}

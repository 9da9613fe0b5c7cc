//! The commits of a branch, with the graph of their parents; or the versions of a file.

use std::collections::HashMap;

use askama::Template;
use askama::filters::Safe;
use serde::Deserialize;
use serde_json::json;

use crate::chooser::Chooser;
use crate::commit::Commit;
use crate::frame::{Frame, Section};
use crate::visit::{Page, Visit};
use crate::{graph, url};

/// Commits of a page, as AWS shows them.
const COMMITS: usize = 35;

#[derive(Template)]
#[template(path = "commits.html")]
struct CommitsPage<'p> {
    frame: Frame,
    repository: &'p str,
    path: &'p str,
    chooser: Chooser,
    rows: Vec<CommitRow>,
    first: Option<String>,
    next: Option<String>,
}

struct CommitRow {
    graph: Safe<String>,
    commit: Commit,
    /// The path that the file had in this commit, if the page shows the versions of a file.
    path: Option<String>,
}

impl CommitsPage<'_> {
    fn url(&self, id: &str) -> String {
        url::repository_with(self.repository, "commit", &[("id", id)])
    }

    /// Returns the URL of the files of a commit, or of a file in it.
    fn code(&self, id: &str, path: &str) -> String {
        url::repository_with(self.repository, "code", &[("ref", id), ("path", path)])
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HistoryReply {
    commits: Vec<Commit>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileHistoryReply {
    revision_dag: Vec<FileRevision>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileRevision {
    commit: Commit,
    path: String,
    #[serde(default)]
    revision_children: Vec<String>,
}

/// Shows the commits of the parameter `ref`: `GetReferences` and `GetCommitHistory`, or `ListFileCommitHistory` if `path` is a file.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let (reference, path) = (visit.query.get("ref"), visit.query.raw("path").trim_matches('/'));
    let chooser = Chooser::load(visit, repository, "commits", reference)?;
    let mut input = json!({ "repositoryName": repository, "maxResults": COMMITS });
    if !reference.is_empty() {
        input["commitSpecifier"] = reference.into();
    }
    let token = visit.query.get("commits");
    if !token.is_empty() {
        input["nextToken"] = token.into();
    }
    let (rows, next_token) = if path.is_empty() {
        let reply: HistoryReply = visit.run("GetCommitHistory", &input)?;
        (of_history(reply.commits), reply.next_token)
    } else {
        input["filePath"] = path.into();
        let reply: FileHistoryReply = visit.run("ListFileCommitHistory", &input)?;
        (of_file(reply.revision_dag), reply.next_token)
    };
    let title = if path.is_empty() { "Commits".to_owned() } else { format!("History of {path}") };
    let frame = visit.frame(title, Section::Repositories).of_repository(repository, "commits");
    let next = next_token.map(|token| visit.address(&[("commits", &token)]));
    let first = (!token.is_empty()).then(|| visit.address(&[("commits", "")]));
    visit.page(&CommitsPage { frame, repository, path, chooser, rows, first, next })
}

fn of_history(commits: Vec<Commit>) -> Vec<CommitRow> {
    let drawn = graph::draw(commits.iter().map(|commit| (commit.commit_id.as_str(), commit.parents.as_slice())));
    drawn.into_iter().zip(commits).map(|(graph, commit)| CommitRow { graph, commit, path: None }).collect()
}

/// The parents of a version are the older versions whose `revisionChildren` name it.
fn of_file(revisions: Vec<FileRevision>) -> Vec<CommitRow> {
    let mut older: HashMap<&str, Vec<String>> = HashMap::new();
    for revision in &revisions {
        for child in &revision.revision_children {
            older.entry(child).or_default().push(revision.commit.commit_id.clone());
        }
    }
    let ids = revisions.iter().map(|revision| revision.commit.commit_id.as_str());
    let drawn = graph::draw(ids.map(|id| (id, older.get(id).map(Vec::as_slice).unwrap_or_default())));
    let rows = drawn.into_iter().zip(revisions);
    rows.map(|(graph, FileRevision { commit, path, .. })| CommitRow { graph, commit, path: Some(path) }).collect()
}

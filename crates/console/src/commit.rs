//! Commits, as replies have them.

use std::collections::HashMap;

use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::text::{self, Time};
use crate::visit::Visit;

/// Maximum number of commits that one call returns.
const BATCH_MAX: usize = 100;

/// A commit.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of replies")]
pub(crate) struct Commit {
    pub(crate) commit_id: String,
    #[serde(default)]
    pub(crate) parents: Vec<String>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) author: Signature,
    #[serde(default)]
    pub(crate) committer: Signature,
}

/// Name, address and time of an author or committer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    date: String,
}

impl Signature {
    pub(crate) fn time(&self) -> Option<Time> {
        text::git_date(&self.date)
    }
}

impl Commit {
    /// Returns the first line of the message, or a text that says that there is none.
    pub(crate) fn subject(&self) -> &str {
        match text::subject(&self.message) {
            "" => "(no message)",
            subject => subject,
        }
    }

    /// Returns the message after its first line.
    pub(crate) fn body(&self) -> &str {
        let message = self.message.trim();
        message.split_once('\n').map_or("", |(_, body)| body.trim())
    }
}

/// Reads commits by their ids, with one call for each hundred; ids without a commit are left out.
pub(crate) fn batch<'i>(
    visit: &Visit<'_>,
    repository: &str,
    ids: impl IntoIterator<Item = &'i str>,
) -> Result<HashMap<String, Commit>, Failure> {
    #[derive(Deserialize)]
    struct Reply {
        commits: Vec<Commit>,
    }
    let mut ids: Vec<&str> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = HashMap::with_capacity(ids.len());
    for ids in ids.chunks(BATCH_MAX) {
        let reply: Reply = visit.run("BatchGetCommits", &json!({ "repositoryName": repository, "commitIds": ids }))?;
        found.extend(reply.commits.into_iter().map(|commit| (commit.commit_id.clone(), commit)));
    }
    Ok(found)
}

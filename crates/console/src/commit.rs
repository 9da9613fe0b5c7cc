//! A commit, as replies have it.

use serde::Deserialize;

use crate::text::{self, Time};

/// A commit.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are those of replies")]
pub(crate) struct Commit {
    pub(crate) commit_id: String,
    #[serde(default)]
    pub(crate) tree_id: String,
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

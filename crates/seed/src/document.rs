//! The file `seed.toml`: what a seed says beside its folders.

mod commit_id;
mod date;
mod fault;
mod names;
mod pull_request;
mod resource;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use aws::{AccountId, Region};
use serde::{Deserialize, Serialize};
use toml::Spanned;

pub(crate) use date::Date;
pub(crate) use pull_request::{
    ApprovalRuleEntry, CommentEntry, FileVersion, MergeOption, PullRequestEntry, ReplyEntry, Status,
};
pub(crate) use resource::{TemplateEntry, TrailEntry};

use crate::Error;

/// The name of the file in the folder of a seed.
pub(crate) const FILE: &str = "seed.toml";

/// The content of `seed.toml`.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Document {
    /// The times of the events that the history begins with.
    #[serde(skip_serializing)]
    pub(crate) event_times: EventTimes,
    #[serde(skip_serializing)]
    pub(crate) defaults: Defaults,
    #[serde(rename = "repository", skip_serializing_if = "Vec::is_empty")]
    pub(crate) repositories: Vec<RepositoryEntry>,
    #[serde(rename = "approval-rule-template", skip_serializing_if = "Vec::is_empty")]
    pub(crate) templates: Vec<TemplateEntry>,
    #[serde(rename = "pull-request", skip_serializing_if = "Vec::is_empty")]
    pub(crate) pull_requests: Vec<PullRequestEntry>,
    #[serde(rename = "trail", skip_serializing_if = "Vec::is_empty")]
    pub(crate) trails: Vec<TrailEntry>,
}

/// The times of the events that the history begins with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EventTimes {
    /// They are as in the records.
    #[default]
    AsRecorded,
    /// They are moved so that the last event is now.
    EndNow,
}

/// What entries have that do not say otherwise.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Defaults {
    /// The date of everything without a date of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date: Option<Date>,
    /// The user who creates what has no author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// The author of the commits of plain folders: `Name <email>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit_author: Option<Spanned<String>>,
    /// The message of the commits of plain folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit_message: Option<String>,
}

/// A repository.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RepositoryEntry {
    pub(crate) name: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountId>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Region>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_branch: Option<Spanned<String>>,
    /// The ARN, alias or id of the encryption key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encryption_key: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) triggers: Vec<TriggerEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
}

/// A trigger of a repository.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TriggerEntry {
    pub(crate) name: String,
    /// The ARN of the topic or function.
    pub(crate) destination: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) events: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) branches: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) custom_data: Option<String>,
}

/// A file `seed.toml` with its text, for the lines of faults.
#[derive(Debug)]
pub(crate) struct DocumentFile {
    pub(crate) path: PathBuf,
    text: String,
    pub(crate) content: Document,
}

impl DocumentFile {
    /// Reads the file; one that does not exist is empty.
    pub(crate) fn read(path: PathBuf, must_exist: bool) -> Result<Self, Error> {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => String::new(),
            Err(error) => return Err(Error::path(&path, format!("{error}; check the path and its permissions"))),
        };
        Self::parse(path, text)
    }

    fn parse(path: PathBuf, text: String) -> Result<Self, Error> {
        match toml::from_str(&text) {
            Ok(content) => Ok(Self { path, text, content }),
            Err(error) => {
                let (line, reason) = fault::describe(&text, &error);
                Err(Error::Line { path, line, reason })
            }
        }
    }

    /// Creates the fault of a value of the file.
    pub(crate) fn fault(&self, span: Range<usize>, reason: impl Into<String>) -> Error {
        Error::Line { path: self.path.clone(), line: fault::line_of(&self.text, span.start), reason: reason.into() }
    }

    /// Returns the folder of the file.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

#[cfg(test)]
mod tests;

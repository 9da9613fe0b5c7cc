//! Pull requests in `seed.toml`, with their comments, approval rules and approvals.

use aws::{AccountId, Region};
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::{Date, names};

/// A pull request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PullRequestEntry {
    pub(crate) repository: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<AccountId>,
    #[serde(default, deserialize_with = "names::parsed", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<Region>,
    /// The short name of the branch to merge.
    pub(crate) source: String,
    /// The short name of the branch to merge into; `None` is the default branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) destination: Option<String>,
    pub(crate) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    #[serde(default)]
    pub(crate) status: Status,
    /// The time of the merge or closing, and who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merge_option: Option<MergeOption>,
    /// The commits of a merged or closed pull request whose branches have moved since, or are gone.
    #[serde(default, with = "super::commit_id", skip_serializing_if = "Option::is_none")]
    pub(crate) source_commit: Option<git::ObjectId>,
    #[serde(default, with = "super::commit_id", skip_serializing_if = "Option::is_none")]
    pub(crate) destination_commit: Option<git::ObjectId>,
    /// The commit of a merge that is in the history of the destination.
    #[serde(default, with = "super::commit_id", skip_serializing_if = "Option::is_none")]
    pub(crate) merge_commit: Option<git::ObjectId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) approval_rules: Vec<ApprovalRuleEntry>,
    /// Names of the users who approve it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) approvals: Vec<String>,
    /// Name of the user who overrides the approval rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overridden_by: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) comments: Vec<CommentEntry>,
}

/// The status of a pull request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Open,
    Closed,
    Merged,
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MergeOption {
    FastForward,
    Squash,
    ThreeWay,
}

impl MergeOption {
    /// Returns the option as on the wire.
    pub(crate) fn wire(self) -> &'static str {
        match self {
            Self::FastForward => "FAST_FORWARD_MERGE",
            Self::Squash => "SQUASH_MERGE",
            Self::ThreeWay => "THREE_WAY_MERGE",
        }
    }
}

/// An approval rule of a pull request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ApprovalRuleEntry {
    pub(crate) name: String,
    /// The content as JSON, as in the API.
    pub(crate) content: String,
}

/// A comment on a pull request.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CommentEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    /// The text; a comment without one is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    /// The path of the file that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// The line of the file; the first is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
    #[serde(default)]
    pub(crate) version: FileVersion,
    /// The commits that it compares, if they are not those of the pull request.
    #[serde(default, with = "super::commit_id", skip_serializing_if = "Option::is_none")]
    pub(crate) before_commit: Option<git::ObjectId>,
    #[serde(default, with = "super::commit_id", skip_serializing_if = "Option::is_none")]
    pub(crate) after_commit: Option<git::ObjectId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replies: Vec<ReplyEntry>,
}

/// A reply to a comment or to another reply.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReplyEntry {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<Date>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) replies: Vec<ReplyEntry>,
}

/// The version of a file in which a line is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FileVersion {
    Before,
    #[default]
    After,
}

impl FileVersion {
    /// Returns the version as on the wire.
    pub(crate) fn wire(self) -> &'static str {
        match self {
            Self::Before => "BEFORE",
            Self::After => "AFTER",
        }
    }
}

impl PullRequestEntry {
    /// Returns whether the entry names its commits, so that its branches need not exist.
    pub(crate) fn is_past(&self) -> bool {
        self.source_commit.is_some() || self.destination_commit.is_some() || self.merge_commit.is_some()
    }

    /// Lists the commits that the entry names.
    pub(crate) fn commits(&self) -> impl Iterator<Item = git::ObjectId> {
        let own = [self.source_commit, self.destination_commit, self.merge_commit];
        let commented = self.comments.iter().flat_map(|comment| [comment.before_commit, comment.after_commit]);
        own.into_iter().chain(commented).flatten()
    }
}

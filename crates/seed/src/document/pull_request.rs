//! Pull requests in `seed.toml`, with their comments, approval rules and approvals.

use aws::{AccountId, Region};
use serde::Deserialize;
use toml::Spanned;

use super::{Date, names};

/// A pull request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct PullRequestEntry {
    pub(crate) repository: Spanned<String>,
    #[serde(default, deserialize_with = "names::parsed")]
    pub(crate) account: Option<AccountId>,
    #[serde(default, deserialize_with = "names::parsed")]
    pub(crate) region: Option<Region>,
    /// The short name of the branch to merge.
    pub(crate) source: String,
    /// The short name of the branch to merge into; `None` is the default branch.
    pub(crate) destination: Option<String>,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) created: Option<Date>,
    #[serde(default)]
    pub(crate) status: Status,
    /// The time of the merge or closing, and who did it.
    pub(crate) ended: Option<Date>,
    pub(crate) ended_by: Option<String>,
    pub(crate) merge_option: Option<MergeOption>,
    /// The commits of a merged or closed pull request whose branches have moved since, or are gone.
    #[serde(default, deserialize_with = "names::commit")]
    pub(crate) source_commit: Option<git::ObjectId>,
    #[serde(default, deserialize_with = "names::commit")]
    pub(crate) destination_commit: Option<git::ObjectId>,
    /// The commit of a merge that is in the history of the destination.
    #[serde(default, deserialize_with = "names::commit")]
    pub(crate) merge_commit: Option<git::ObjectId>,
    #[serde(default)]
    pub(crate) approval_rules: Vec<ApprovalRuleEntry>,
    /// Names of the users who approve it.
    #[serde(default)]
    pub(crate) approvals: Vec<String>,
    /// Name of the user who overrides the approval rules.
    pub(crate) overridden_by: Option<String>,
    #[serde(default)]
    pub(crate) comments: Vec<CommentEntry>,
}

/// The status of a pull request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    #[default]
    Open,
    Closed,
    Merged,
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ApprovalRuleEntry {
    pub(crate) name: String,
    /// The content as JSON, as in the API.
    pub(crate) content: String,
}

/// A comment on a pull request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct CommentEntry {
    pub(crate) author: Option<String>,
    /// The text; a comment without one is deleted.
    pub(crate) content: Option<String>,
    pub(crate) created: Option<Date>,
    /// The path of the file that it is about.
    pub(crate) file: Option<String>,
    /// The line of the file; the first is 1.
    pub(crate) line: Option<u32>,
    #[serde(default)]
    pub(crate) version: FileVersion,
    /// The commits that it compares, if they are not those of the pull request.
    #[serde(default, deserialize_with = "names::commit")]
    pub(crate) before_commit: Option<git::ObjectId>,
    #[serde(default, deserialize_with = "names::commit")]
    pub(crate) after_commit: Option<git::ObjectId>,
    #[serde(default)]
    pub(crate) replies: Vec<ReplyEntry>,
}

/// A reply to a comment or to another reply.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ReplyEntry {
    pub(crate) author: Option<String>,
    pub(crate) content: Option<String>,
    pub(crate) created: Option<Date>,
    #[serde(default)]
    pub(crate) replies: Vec<ReplyEntry>,
}

/// The version of a file in which a line is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
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

//! Pull requests as replies show them.

use aws::Failure;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::text::{self, Time};
use crate::url;
use crate::visit::Visit;

/// A pull request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullRequest {
    #[serde(rename = "pullRequestId")]
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) last_activity_date: Time,
    pub(crate) creation_date: Time,
    #[serde(rename = "pullRequestStatus")]
    status: String,
    pub(crate) author_arn: String,
    #[serde(rename = "pullRequestTargets")]
    targets: [PullRequestTarget; 1],
    pub(crate) revision_id: String,
    #[serde(default)]
    pub(crate) approval_rules: Vec<ApprovalRule>,
}

/// The branches of a pull request and their commits.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PullRequestTarget {
    #[serde(rename = "repositoryName")]
    pub(crate) repository: String,
    pub(crate) source_reference: String,
    pub(crate) destination_reference: String,
    pub(crate) source_commit: String,
    pub(crate) destination_commit: String,
    merge_base: Option<String>,
    merge_metadata: MergeMetadata,
}

/// What a merge did.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MergeMetadata {
    is_merged: bool,
    #[serde(default)]
    pub(crate) merge_commit_id: String,
    #[serde(default)]
    merge_option: String,
}

/// An approval rule of a pull request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalRule {
    #[serde(rename = "approvalRuleName")]
    pub(crate) name: String,
    #[serde(rename = "approvalRuleContent")]
    pub(crate) content: String,
    #[serde(rename = "ruleContentSha256")]
    pub(crate) content_sha256: String,
    #[serde(rename = "originApprovalRuleTemplate")]
    pub(crate) template: Option<OriginTemplate>,
}

/// The template that a rule comes from.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OriginTemplate {
    #[serde(rename = "approvalRuleTemplateName")]
    pub(crate) name: String,
}

/// Where a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullRequestState {
    Open,
    Merged,
    Closed,
}

impl PullRequestState {
    /// Returns the word for it, which is also the class of its badge.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
        }
    }
}

impl PullRequest {
    /// Returns the branches.
    pub(crate) fn target(&self) -> &PullRequestTarget {
        let [target] = &self.targets;
        target
    }

    pub(crate) fn state(&self) -> PullRequestState {
        match (self.status.as_str(), self.target().merge_metadata.is_merged) {
            ("OPEN", _) => PullRequestState::Open,
            (_, true) => PullRequestState::Merged,
            (_, false) => PullRequestState::Closed,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state() == PullRequestState::Open
    }

    /// Returns what the merge did, if there was one.
    pub(crate) fn merge(&self) -> Option<&MergeMetadata> {
        Some(&self.target().merge_metadata).filter(|metadata| metadata.is_merged)
    }

    /// Returns the name of the author.
    pub(crate) fn author(&self) -> &str {
        text::name_of_arn(&self.author_arn)
    }

    /// Returns the URL of one of its pages; an empty name stands for the first.
    pub(crate) fn url(&self, page: &str) -> String {
        url_of(&self.target().repository, &self.id, page)
    }
}

impl PullRequestTarget {
    /// Returns the name of the source branch.
    pub(crate) fn source(&self) -> &str {
        text::short_reference(&self.source_reference)
    }

    /// Returns the name of the destination branch.
    pub(crate) fn destination(&self) -> &str {
        text::short_reference(&self.destination_reference)
    }

    /// Returns the commit that the source is compared with: the merge base, or the destination without one.
    pub(crate) fn base_commit(&self) -> &str {
        self.merge_base.as_deref().unwrap_or(&self.destination_commit)
    }
}

impl MergeMetadata {
    /// Returns the strategy in words; a merge by a push has none.
    pub(crate) fn strategy(&self) -> &'static str {
        match self.merge_option.as_str() {
            "FAST_FORWARD_MERGE" => "fast-forward merge",
            "SQUASH_MERGE" => "squash merge",
            "THREE_WAY_MERGE" => "three-way merge",
            _ => "push",
        }
    }
}

/// Returns the URL of a page of a pull request.
pub(crate) fn url_of(repository: &str, id: &str, page: &str) -> String {
    let path = format!("pull-requests/{}/{page}", url::escape(id));
    url::repository(repository, path.trim_end_matches('/'))
}

/// Reads a pull request.
pub(crate) fn get(visit: &Visit<'_>, id: &str) -> Result<PullRequest, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        pull_request: PullRequest,
    }
    let reply: Reply = visit.run("GetPullRequest", &json!({ "pullRequestId": id }))?;
    Ok(reply.pull_request)
}

/// Reads up to a hundred pull requests by their ids, in the order of the ids.
pub(crate) fn batch(visit: &Visit<'_>, ids: &[String]) -> Result<Vec<PullRequest>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        pull_requests: Vec<PullRequest>,
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let reply: Reply = visit.run("BatchGetPullRequests", &json!({ "pullRequestIds": ids, "throwIfClosed": false }))?;
    Ok(reply.pull_requests)
}

/// A page of ids of pull requests.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdPage {
    #[serde(rename = "pullRequestIds")]
    pub(crate) ids: Vec<String>,
    pub(crate) next_token: Option<String>,
}

/// Lists ids of pull requests of a repository, the most recently active first.
pub(crate) fn list(
    visit: &Visit<'_>,
    repository: &str,
    filter: PullRequestFilter,
    size: usize,
    token: Option<&str>,
) -> Result<IdPage, Failure> {
    let mut input = json!({ "repositoryName": repository, "maxResults": size });
    if let Some(status) = filter.status {
        input["pullRequestStatus"] = status.into();
    }
    if filter.is_mine {
        input["authorArn"] = Value::from(visit.reader.caller.arn.as_str());
    }
    if let Some(token) = token {
        input["nextToken"] = token.into();
    }
    visit.run("ListPullRequests", &input)
}

/// Selection of pull requests by status and author.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PullRequestFilter {
    /// `OPEN` or `CLOSED`; `None` for both.
    status: Option<&'static str>,
    is_mine: bool,
}

impl PullRequestFilter {
    /// Labels and parameters of the filters; those of the reader's own pull requests follow the others.
    pub(crate) const ALL: [(&'static str, &'static str); 6] = [
        ("Open", "open"),
        ("Closed", "closed"),
        ("All", "all"),
        ("My open", "my-open"),
        ("My closed", "my-closed"),
        ("My", "mine"),
    ];

    /// Parses the parameter of a filter; open ones are the default, as on AWS.
    pub(crate) fn parse(parameter: &str) -> (Self, &'static str) {
        let (_, name) = Self::ALL.into_iter().find(|(_, name)| *name == parameter).unwrap_or(Self::ALL[0]);
        let (status, is_mine) = match name {
            "closed" => (Some("CLOSED"), false),
            "all" => (None, false),
            "my-open" => (Some("OPEN"), true),
            "my-closed" => (Some("CLOSED"), true),
            "mine" => (None, true),
            _ => (Some("OPEN"), false),
        };
        (Self { status, is_mine }, name)
    }
}

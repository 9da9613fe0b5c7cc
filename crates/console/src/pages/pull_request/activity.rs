//! What happened to a pull request, and its comments.

use askama::Template;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use super::{PullRequestHead, changes};
use crate::comments::Comments;
use crate::frame::Frame;
use crate::text::{self, Time};
use crate::visit::{Page, Visit};

#[derive(Template)]
#[template(path = "pull_request_activity.html")]
struct ActivityPage {
    frame: Frame,
    head: PullRequestHead,
    events: Vec<PullRequestEvent>,
    next: Option<String>,
    comments: Comments,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PullRequestEvent {
    event_date: Time,
    #[serde(rename = "pullRequestEventType")]
    kind: String,
    actor_arn: String,
    #[serde(rename = "pullRequestCreatedEventMetadata")]
    created: Option<CreatedMetadata>,
    #[serde(rename = "pullRequestSourceReferenceUpdatedEventMetadata")]
    updated: Option<UpdatedMetadata>,
    #[serde(rename = "pullRequestMergedStateChangedEventMetadata")]
    merged: Option<MergedMetadata>,
    #[serde(rename = "approvalRuleEventMetadata")]
    rule: Option<RuleMetadata>,
    #[serde(rename = "approvalStateChangedEventMetadata")]
    approval: Option<ApprovalMetadata>,
    #[serde(rename = "approvalRuleOverriddenEventMetadata")]
    overridden: Option<OverriddenMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedMetadata {
    source_commit_id: String,
}

/// AWS names the tip of the destination "before", and that of the source "after".
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdatedMetadata {
    after_commit_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergedMetadata {
    merge_metadata: MergedCommit,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergedCommit {
    merge_commit_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleMetadata {
    approval_rule_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApprovalMetadata {
    approval_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OverriddenMetadata {
    override_status: String,
}

impl PullRequestEvent {
    fn actor(&self) -> &str {
        text::name_of_arn(&self.actor_arn)
    }

    /// Returns what the actor did, as the rest of a sentence.
    fn deed(&self) -> String {
        let rule = || self.rule.as_ref().map(|rule| rule.approval_rule_name.as_str()).unwrap_or_default();
        let is = |status: Option<&str>| status == Some("REVOKE");
        match self.kind.as_str() {
            "PULL_REQUEST_CREATED" => "created the pull request".to_owned(),
            "PULL_REQUEST_STATUS_CHANGED" => "closed the pull request".to_owned(),
            "PULL_REQUEST_SOURCE_REFERENCE_UPDATED" => "updated the source branch".to_owned(),
            "PULL_REQUEST_MERGE_STATE_CHANGED" => "merged the pull request".to_owned(),
            "PULL_REQUEST_APPROVAL_RULE_CREATED" => format!("created the approval rule {}", rule()),
            "PULL_REQUEST_APPROVAL_RULE_UPDATED" => format!("changed the approval rule {}", rule()),
            "PULL_REQUEST_APPROVAL_RULE_DELETED" => format!("deleted the approval rule {}", rule()),
            "PULL_REQUEST_APPROVAL_RULE_OVERRIDDEN" => {
                let status = self.overridden.as_ref().map(|overridden| overridden.override_status.as_str());
                if is(status) { "revoked the override of the rules" } else { "overrode the approval rules" }.to_owned()
            }
            "PULL_REQUEST_APPROVAL_STATE_CHANGED" => {
                let status = self.approval.as_ref().map(|approval| approval.approval_status.as_str());
                if is(status) { "revoked the approval" } else { "approved the pull request" }.to_owned()
            }
            other => other.to_owned(),
        }
    }

    /// Returns the commit that the event is about.
    fn commit(&self) -> Option<&str> {
        let created = self.created.as_ref().map(|created| created.source_commit_id.as_str());
        let updated = self.updated.as_ref().map(|updated| updated.after_commit_id.as_str());
        let merged = self.merged.as_ref().and_then(|merged| merged.merge_metadata.merge_commit_id.as_deref());
        created.or(updated).or(merged)
    }
}

/// Shows the events and comments.
pub(crate) fn activity(visit: &Visit<'_>, id: &str) -> Page {
    let head = PullRequestHead::read(visit, id, "activity")?;
    let (events, next) = events(visit, id)?;
    let comments = changes::comments(visit, &head.pull_request)?;
    visit.page(&ActivityPage { frame: head.frame(visit), head, events, next, comments })
}

fn events(visit: &Visit<'_>, id: &str) -> Result<(Vec<PullRequestEvent>, Option<String>), Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct EventPage {
        #[serde(rename = "pullRequestEvents")]
        events: Vec<PullRequestEvent>,
        next_token: Option<String>,
    }
    let mut input = json!({ "pullRequestId": id });
    if let Some(token) = visit.query.optional("token") {
        input["nextToken"] = token.into();
    }
    let EventPage { events, next_token } = visit.run("DescribePullRequestEvents", &input)?;
    Ok((events, next_token.map(|token| visit.address(&[("token", &token)]))))
}

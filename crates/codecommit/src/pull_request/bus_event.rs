//! Events of the type `CodeCommit Pull Request State Change`.
//!
//! Members and texts are those of events that were published; the guide's examples have older texts of some.

use aws::{Call, Timestamp};
use aws_sdk_codecommit::types::{
    ApprovalRuleEventMetadata, ApprovalRuleOverriddenEventMetadata as Override,
    ApprovalStateChangedEventMetadata as ApprovalState, PullRequestEvent, PullRequestEventType as Kind,
};
use serde::Serialize;
use store::{Error, Transaction};

use crate::approval_rule::content;
use crate::event_bridge::{self, console_url};
use crate::pull_request::row::PullRequest;

const DETAIL_TYPE: &str = "CodeCommit Pull Request State Change";

/// The detail, with its members in AWS's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StateChange<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_rule_content_sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_rule_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_rule_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_status: Option<&'a str>,
    author: &'a str,
    caller_user_arn: &'a str,
    creation_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    destination_commit: String,
    destination_reference: String,
    event: &'static str,
    /// `True` or `False`.
    is_merged: &'static str,
    last_modified_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_option: Option<&'a str>,
    notification_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    override_status: Option<&'a str>,
    pull_request_id: String,
    /// `Open` or `Closed`.
    pull_request_status: &'static str,
    repository_names: [&'a str; 1],
    revision_id: &'a str,
    source_commit: String,
    source_reference: String,
    title: &'a str,
}

/// Emits the event for a change; the end of a pull request has its own functions here, as it has several changes.
///
/// Approvals, overrides and rules have the time of the last activity before them, as on AWS.
pub(super) fn emit(
    transaction: &Transaction,
    call: &Call,
    pull_request: &PullRequest,
    kind: &Kind,
    change: &PullRequestEvent,
) -> Result<(), Error> {
    if call.event_sink.is_none() {
        return Ok(());
    }
    let rule = change.approval_rule_event_metadata.as_ref();
    let rule_name = rule.and_then(ApprovalRuleEventMetadata::approval_rule_name).unwrap_or_default();
    let approval = change.approval_state_changed_event_metadata.as_ref().and_then(ApprovalState::approval_status);
    let overriding = change.approval_rule_overridden_event_metadata.as_ref().and_then(Override::override_status);
    let (event, modified, text) = match kind {
        Kind::PullRequestCreated => (
            "pullRequestCreated",
            call.time,
            format!(
                "A pull request was created with the following ID: {}. The title of the pull request is: {}.",
                pull_request.id(),
                pull_request.title
            ),
        ),
        Kind::PullRequestSourceReferenceUpdated => (
            "pullRequestSourceBranchUpdated",
            call.time,
            format!(
                "The pull request was updated with one or more commits to the source branch: {}.",
                pull_request.source
            ),
        ),
        Kind::PullRequestApprovalRuleCreated => (
            "pullRequestApprovalRuleCreated",
            pull_request.active,
            format!("An approval rule has been created with the following name: {rule_name}."),
        ),
        Kind::PullRequestApprovalRuleUpdated => (
            "pullRequestApprovalRuleUpdated",
            pull_request.active,
            format!(
                "The content of an approval rule has been updated for the pull request. \
                 The name of the updated rule is: {rule_name}."
            ),
        ),
        Kind::PullRequestApprovalRuleDeleted => (
            "pullRequestApprovalRuleDeleted",
            pull_request.active,
            format!("An approval rule has been deleted: {rule_name} was deleted."),
        ),
        Kind::PullRequestApprovalRuleOverridden => (
            "pullRequestApprovalRuleOverridden",
            pull_request.active,
            format!(
                "An override event has occurred for the approval rules for this pull request. Override status: {}.",
                overriding.map(AsRef::as_ref).unwrap_or_default()
            ),
        ),
        Kind::PullRequestApprovalStateChanged => (
            "pullRequestApprovalStateChanged",
            pull_request.active,
            format!(
                "A user has changed their approval state for the pull request. State change: {}.",
                approval.map(AsRef::as_ref).unwrap_or_default()
            ),
        ),
        _ => return Ok(()),
    };
    let mut detail = StateChange::new(call, pull_request, event, modified, &text);
    if let Some(rule) = rule {
        detail.approval_rule_content_sha256 = rule.approval_rule_content().map(content::sha256);
        detail.approval_rule_id = rule.approval_rule_id();
        detail.approval_rule_name = rule.approval_rule_name();
    }
    detail.approval_status = approval.map(AsRef::as_ref);
    detail.override_status = overriding.map(AsRef::as_ref);
    detail.store(transaction, call, pull_request)
}

/// Emits the event of a pull request that was closed and not merged.
pub(super) fn emit_closed(transaction: &Transaction, call: &Call, pull_request: &PullRequest) -> Result<(), Error> {
    let text = "The pull request status has been updated. The status is closed.";
    let detail = StateChange::new(call, pull_request, "pullRequestStatusChanged", call.time, text);
    detail.store(transaction, call, pull_request)
}

/// Emits the event of a pull request that was merged; AWS emits no other one for its closing.
pub(super) fn emit_merged(transaction: &Transaction, call: &Call, pull_request: &PullRequest) -> Result<(), Error> {
    let text = "The pull request merge status has been updated. The status is merged.";
    let detail = StateChange::new(call, pull_request, "pullRequestMergeStatusUpdated", call.time, text);
    detail.store(transaction, call, pull_request)
}

impl<'a> StateChange<'a> {
    fn new(
        call: &'a Call,
        pull_request: &'a PullRequest,
        event: &'static str,
        modified: Timestamp,
        text: &str,
    ) -> Self {
        let (id, repository, caller) = (pull_request.id().to_string(), &pull_request.repository.name, &call.caller.arn);
        let action = if event == "pullRequestCreated" { "Created" } else { "Updated" };
        let url = console_url(call, repository, &format!("pull-requests/{id}"));
        let notification_body = format!(
            "A pull request event occurred in the following AWS CodeCommit repository: {repository}. User: {caller}. \
             Event: {action}. Pull request name: {id}. Additional information: {text} \
             For more information, go to the AWS CodeCommit console {url}."
        );
        let merged = pull_request.merged.as_ref();
        Self {
            approval_rule_content_sha256: None,
            approval_rule_id: None,
            approval_rule_name: None,
            approval_status: None,
            author: &pull_request.author,
            caller_user_arn: caller,
            creation_date: pull_request.created.java(),
            description: pull_request.description.as_deref(),
            destination_commit: pull_request.destination_commit.to_string(),
            destination_reference: pull_request.destination.to_string(),
            event,
            is_merged: if merged.is_some() { "True" } else { "False" },
            last_modified_date: modified.java(),
            merge_option: merged.and_then(|merged| merged.option.as_deref()),
            notification_body,
            override_status: None,
            pull_request_id: id,
            pull_request_status: if pull_request.is_open { "Open" } else { "Closed" },
            repository_names: [repository],
            revision_id: &pull_request.revision_id,
            source_commit: pull_request.source_commit.to_string(),
            source_reference: pull_request.source.to_string(),
            title: &pull_request.title,
        }
    }

    fn store(self, transaction: &Transaction, call: &Call, pull_request: &PullRequest) -> Result<(), Error> {
        event_bridge::emit(transaction, call, DETAIL_TYPE, &[pull_request.repository.arn().to_string()], [self])
    }
}

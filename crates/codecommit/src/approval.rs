//! Approvals of pull requests and overrides of their approval rules; each belongs to one revision.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_pull_request_approval_states::{
    GetPullRequestApprovalStatesInput, GetPullRequestApprovalStatesOutput,
};
use aws_sdk_codecommit::operation::get_pull_request_override_state::{
    GetPullRequestOverrideStateInput, GetPullRequestOverrideStateOutput,
};
use aws_sdk_codecommit::operation::override_pull_request_approval_rules::OverridePullRequestApprovalRulesInput;
use aws_sdk_codecommit::operation::update_pull_request_approval_state::UpdatePullRequestApprovalStateInput;
use aws_sdk_codecommit::types::{
    Approval, ApprovalRuleOverriddenEventMetadata, ApprovalState, ApprovalStateChangedEventMetadata, OverrideStatus,
    PullRequestEvent, PullRequestEventType,
};
use store::{Error, Transaction};

use crate::approval_rule::content::APPROVALS_MAX;
use crate::pull_request::{self, PullRequest, PullRequestId, event};
use crate::{Change, CodeCommit, Exception, name};

/// Approves a revision or revokes the approval.
///
/// Setting the current state again is a no-op and leaves `lastActivityDate` unchanged.
pub(crate) fn update_state(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: UpdatePullRequestApprovalStateInput,
) -> Result<Change<()>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let revision_id = revision_id(input.revision_id)?;
    let state = match input.approval_state {
        None => return Err(Exception::ApprovalStateRequired),
        Some(state) if state.as_str().is_empty() => return Err(Exception::ApprovalStateRequired),
        Some(state @ (ApprovalState::Approve | ApprovalState::Revoke)) => state,
        Some(state) => return Err(Exception::InvalidApprovalState { state: state.as_str().to_owned() }),
    };
    pull_request::find(service, call, id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = pull_request::get_open(transaction, &call, id)?;
        check_current(&pull_request, &revision_id)?;
        let approver = &call.caller.arn;
        if *approver == pull_request.author {
            return Err(Exception::PullRequestCannotBeApprovedByAuthor);
        }
        let approvers = approvers(transaction, &pull_request, &revision_id)?;
        let is_approved = approvers.contains(approver);
        let is_approval = state == ApprovalState::Approve;
        if is_approval == is_approved {
            return Ok(());
        }
        if is_approval && approvers.len() >= APPROVALS_MAX {
            return Err(Exception::MaximumNumberOfApprovalsExceeded { limit: APPROVALS_MAX });
        }
        let [account, region, number] = pull_request.key();
        let statement = if is_approval {
            "INSERT INTO approvals (account, region, pull_request, revision_id, approver) VALUES (?1, ?2, ?3, ?4, ?5)"
        } else {
            "DELETE FROM approvals \
             WHERE account = ?1 AND region = ?2 AND pull_request = ?3 AND revision_id = ?4 AND approver = ?5"
        };
        transaction.execute(statement, &[account, region, number, (&revision_id).into(), approver.into()])?;
        let metadata =
            ApprovalStateChangedEventMetadata::builder().revision_id(revision_id).approval_status(state).build();
        let event = PullRequestEvent::builder().approval_state_changed_event_metadata(metadata);
        let kind = &PullRequestEventType::PullRequestApprovalStateChanged;
        event::add(transaction, &call, &mut pull_request, kind, event)
    }))
}

/// Lists the approvals of a revision; an unknown revision has none.
pub(crate) fn get_states(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetPullRequestApprovalStatesInput,
) -> Result<GetPullRequestApprovalStatesOutput, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let revision_id = revision_id(input.revision_id)?;
    let pull_request = pull_request::find(service, call, id)?;
    let approvers = service.store.read(|transaction| approvers(transaction, &pull_request, &revision_id))?;
    let approval = |arn: String| Approval::builder().user_arn(arn).approval_state(ApprovalState::Approve).build();
    let approvals = approvers.into_iter().map(approval).collect();
    Ok(GetPullRequestApprovalStatesOutput::builder().set_approvals(Some(approvals)).build())
}

/// Overrides the approval rules of a revision or revokes the override.
///
/// Revoking an override that does not exist is a no-op; overriding twice is an error.
pub(crate) fn override_rules(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: OverridePullRequestApprovalRulesInput,
) -> Result<Change<()>, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let revision_id = revision_id(input.revision_id)?;
    let status = match input.override_status {
        None => return Err(Exception::OverrideStatusRequired),
        Some(status) if status.as_str().is_empty() => return Err(Exception::OverrideStatusRequired),
        Some(status @ (OverrideStatus::Override | OverrideStatus::Revoke)) => status,
        Some(status) => return Err(Exception::InvalidOverrideStatus { status: status.as_str().to_owned() }),
    };
    pull_request::find(service, call, id)?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        let mut pull_request = pull_request::get_open(transaction, &call, id)?;
        check_current(&pull_request, &revision_id)?;
        let is_overridden = overrider(transaction, &pull_request, &revision_id)?.is_some();
        let [account, region, number] = pull_request.key();
        match (status == OverrideStatus::Override, is_overridden) {
            (true, true) => return Err(Exception::OverrideAlreadySet),
            (false, false) => return Ok(()),
            (true, false) => transaction.execute(
                "INSERT INTO approval_overrides (account, region, pull_request, revision_id, overrider) \
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                &[account, region, number, (&revision_id).into(), (&call.caller.arn).into()],
            )?,
            (false, true) => transaction.execute(
                "DELETE FROM approval_overrides \
                 WHERE account = ?1 AND region = ?2 AND pull_request = ?3 AND revision_id = ?4",
                &[account, region, number, (&revision_id).into()],
            )?,
        };
        let metadata =
            ApprovalRuleOverriddenEventMetadata::builder().revision_id(revision_id).override_status(status).build();
        let event = PullRequestEvent::builder().approval_rule_overridden_event_metadata(metadata);
        let kind = &PullRequestEventType::PullRequestApprovalRuleOverridden;
        event::add(transaction, &call, &mut pull_request, kind, event)
    }))
}

/// Returns whether the rules of a revision are overridden, and by whom.
pub(crate) fn get_override_state(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetPullRequestOverrideStateInput,
) -> Result<GetPullRequestOverrideStateOutput, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let revision_id = revision_id(input.revision_id)?;
    let pull_request = pull_request::find(service, call, id)?;
    let overrider = service.store.read(|transaction| overrider(transaction, &pull_request, &revision_id))?;
    let output = GetPullRequestOverrideStateOutput::builder().overridden(overrider.is_some());
    Ok(output.set_overrider(overrider).build())
}

/// Parses the id of a revision: sixty-four hexadecimal digits.
pub(crate) fn revision_id(id: Option<String>) -> Result<String, Exception> {
    let id = name::required(id, Exception::RevisionIdRequired)?;
    if id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(id)
    } else {
        Err(Exception::InvalidRevisionId { id })
    }
}

/// Fails if the revision is not the current one.
pub(crate) fn check_current(pull_request: &PullRequest, revision_id: &str) -> Result<(), Exception> {
    if pull_request.revision_id == revision_id {
        Ok(())
    } else {
        Err(Exception::RevisionNotCurrent { id: revision_id.to_owned() })
    }
}

/// Returns the ARNs of the callers who approve a revision.
pub(crate) fn approvers(
    transaction: &Transaction,
    pull_request: &PullRequest,
    revision_id: &str,
) -> Result<Vec<String>, Error> {
    let [account, region, number] = pull_request.key();
    transaction.query(
        "SELECT approver FROM approvals \
         WHERE account = ?1 AND region = ?2 AND pull_request = ?3 AND revision_id = ?4 ORDER BY approver",
        &[account, region, number, revision_id.into()],
        |row| row.text(0),
    )
}

/// Returns the ARN of the caller who overrode the rules of a revision.
pub(crate) fn overrider(
    transaction: &Transaction,
    pull_request: &PullRequest,
    revision_id: &str,
) -> Result<Option<String>, Error> {
    let [account, region, number] = pull_request.key();
    transaction.query_one(
        "SELECT overrider FROM approval_overrides \
         WHERE account = ?1 AND region = ?2 AND pull_request = ?3 AND revision_id = ?4",
        &[account, region, number, revision_id.into()],
        |row| row.text(0),
    )
}

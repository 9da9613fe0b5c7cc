//! Evaluation of the approval rules of a pull request.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::evaluate_pull_request_approval_rules::{
    EvaluatePullRequestApprovalRulesInput, EvaluatePullRequestApprovalRulesOutput,
};
use aws_sdk_codecommit::types::Evaluation;
use store::Transaction;

use crate::approval_rule::{Content, row};
use crate::pull_request::{self, PullRequest, PullRequestId};
use crate::{CodeCommit, Exception, approval};

pub(crate) fn evaluate(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: EvaluatePullRequestApprovalRulesInput,
) -> Result<EvaluatePullRequestApprovalRulesOutput, Exception> {
    let id = PullRequestId::parse(input.pull_request_id)?;
    let revision_id = approval::revision_id(input.revision_id)?;
    let pull_request = pull_request::find(service, call, id)?;
    approval::check_current(&pull_request, &revision_id)?;
    let (overridden, [satisfied, not_satisfied]) = service.store.read(|transaction| {
        let overrider = approval::overrider(transaction, &pull_request, &revision_id)?;
        Ok::<_, Exception>((overrider.is_some(), rules(transaction, &pull_request)?))
    })?;
    let evaluation = Evaluation::builder()
        .approved(not_satisfied.is_empty())
        .overridden(overridden)
        .set_approval_rules_satisfied(Some(satisfied))
        .set_approval_rules_not_satisfied(Some(not_satisfied))
        .build();
    Ok(EvaluatePullRequestApprovalRulesOutput::builder().evaluation(evaluation).build())
}

/// Fails if the rules of a pull request are neither satisfied nor overridden.
pub(crate) fn check_satisfied(transaction: &Transaction, pull_request: &PullRequest) -> Result<(), Exception> {
    let [_, not_satisfied] = rules(transaction, pull_request)?;
    if not_satisfied.is_empty() || approval::overrider(transaction, pull_request, &pull_request.revision_id)?.is_some()
    {
        Ok(())
    } else {
        Err(Exception::PullRequestApprovalRulesNotSatisfied { id: pull_request.id().to_string() })
    }
}

/// Returns the names of the rules that the approvals of the current revision satisfy, and of those that they do not.
fn rules(transaction: &Transaction, pull_request: &PullRequest) -> Result<[Vec<String>; 2], Exception> {
    let approvers = approval::approvers(transaction, pull_request, &pull_request.revision_id)?;
    let [mut satisfied, mut not_satisfied] = [Vec::new(), Vec::new()];
    for rule in row::of_pull_request(transaction, pull_request)? {
        let is_satisfied = Content::from_stored(rule.content)?.is_satisfied_by(&approvers);
        if is_satisfied { &mut satisfied } else { &mut not_satisfied }.push(rule.name);
    }
    Ok([satisfied, not_satisfied])
}

//! Merges of pull requests: the destination branch is updated, and the pull request is closed as merged.

use std::sync::Arc;

use aws::{Call, Facts};
use aws_sdk_codecommit::operation::merge_pull_request_by_fast_forward::{
    MergePullRequestByFastForwardInput, MergePullRequestByFastForwardOutput,
};
use aws_sdk_codecommit::operation::merge_pull_request_by_squash::{
    MergePullRequestBySquashInput, MergePullRequestBySquashOutput,
};
use aws_sdk_codecommit::operation::merge_pull_request_by_three_way::{
    MergePullRequestByThreeWayInput, MergePullRequestByThreeWayOutput,
};
use aws_sdk_codecommit::types;
use git::ObjectId;
use store::Transaction;

use crate::merge::{self, MergeStrategy, MergeTips, Plan, merge_input};
use crate::name::{self, RepositoryName};
use crate::pull_request::{self, PullRequest, PullRequestId, bus_event, follow, row};
use crate::ref_edit::{PreviousValue, RefEdit, Rejection};
use crate::ref_transaction::RefTransaction;
use crate::{Change, CodeCommit, Exception, approval_rule};

/// The pull request to merge, as the caller names it.
struct MergeRequest {
    id: PullRequestId,
    repository: RepositoryName,
    /// Required tip of the source branch, if the caller gives one.
    source_commit: Option<ObjectId>,
}

pub(crate) fn by_fast_forward(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergePullRequestByFastForwardInput,
) -> Result<Change<MergePullRequestByFastForwardOutput>, Exception> {
    let request = MergeRequest::parse(input.pull_request_id, input.repository_name, input.source_commit_id)?;
    let change = merge(service, call, request, MergeStrategy::FastForward, None)?;
    Ok(Box::new(|transaction| {
        Ok(MergePullRequestByFastForwardOutput::builder().pull_request(change(transaction)?).build())
    }))
}

pub(crate) fn by_squash(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergePullRequestBySquashInput,
) -> Result<Change<MergePullRequestBySquashOutput>, Exception> {
    let request = MergeRequest::parse(input.pull_request_id, input.repository_name, input.source_commit_id)?;
    let change = merge(
        service,
        call,
        request,
        MergeStrategy::Squash,
        Some(&Plan::parse(MergeStrategy::Squash, merge_input!(input))?),
    )?;
    Ok(Box::new(|transaction| Ok(MergePullRequestBySquashOutput::builder().pull_request(change(transaction)?).build())))
}

pub(crate) fn by_three_way(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergePullRequestByThreeWayInput,
) -> Result<Change<MergePullRequestByThreeWayOutput>, Exception> {
    let request = MergeRequest::parse(input.pull_request_id, input.repository_name, input.source_commit_id)?;
    let change = merge(
        service,
        call,
        request,
        MergeStrategy::ThreeWay,
        Some(&Plan::parse(MergeStrategy::ThreeWay, merge_input!(input))?),
    )?;
    Ok(Box::new(|transaction| {
        Ok(MergePullRequestByThreeWayOutput::builder().pull_request(change(transaction)?).build())
    }))
}

impl MergeRequest {
    fn parse(id: Option<String>, repository: Option<String>, source_commit: Option<String>) -> Result<Self, Exception> {
        let source_commit = source_commit.filter(|id| !id.is_empty());
        Ok(Self {
            id: PullRequestId::parse(id)?,
            repository: RepositoryName::parse(repository)?,
            source_commit: source_commit.map(|id| name::commit_id(Some(id))).transpose()?,
        })
    }

    /// Returns the pull request if the database allows its merge; checked before the merge and again in the transaction.
    fn mergeable(&self, transaction: &Transaction, call: &Call) -> Result<PullRequest, Exception> {
        let pull_request = row::get(transaction, call, self.id)?;
        if pull_request.repository.name != self.repository.as_str() {
            let (name, id) = (self.repository.to_string(), self.id.to_string());
            return Err(Exception::RepositoryNotAssociatedWithPullRequest { name, id });
        }
        if !pull_request.is_open {
            return Err(Exception::PullRequestAlreadyClosed { id: self.id.to_string() });
        }
        let tip = pull_request.source_commit;
        if self.source_commit.is_some_and(|id| id != tip) {
            return Err(Exception::TipOfSourceReferenceIsDifferent { tip: tip.to_string() });
        }
        approval_rule::check_satisfied(transaction, &pull_request)?;
        Ok(pull_request)
    }
}

/// Merges a pull request; `plan` is `None` for a fast-forward.
fn merge(
    service: &CodeCommit,
    call: &Arc<Call>,
    request: MergeRequest,
    strategy: MergeStrategy,
    plan: Option<&Plan>,
) -> Result<Change<types::PullRequest>, Exception> {
    if call.has_policies()
        && let Some(pull_request) = service.store.read(|transaction| row::read(transaction, call, request.id))?
        && pull_request.repository.name == request.repository.as_str()
    {
        call.add_facts(Facts::default().with_reference(pull_request.destination.to_string()));
    }
    let repository = service.find(call, &request.repository)?;
    let writer = service.bounded_writer(call, &repository)?;
    let pull_request = service.store.read(|transaction| request.mergeable(transaction, call))?;
    let tips = tips(&pull_request);
    let (commit_id, base) = if let Some(plan) = plan {
        let message = format!("Merge pull request {}: {}", pull_request.id(), pull_request.title);
        let merged = plan.execute((service, call), &writer, tips, &message)?;
        (merged.commit_id, merged.base)
    } else {
        merge::check_fast_forward(writer.objects(), tips)?;
        (tips.source, tips.destination)
    };
    let edit = RefEdit::branch(pull_request.destination, PreviousValue::MustExistAndMatch(tips.destination), commit_id);
    let references = RefTransaction::prepare(service, call, &repository, std::slice::from_ref(&edit))?;
    let references = references.of_merge(merge::origin(plan, tips, base));
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        writer.keep_until_committed(transaction);
        let mut pull_request = request.mergeable(transaction, &call)?;
        if self::tips(&pull_request) != tips {
            return Err(Exception::ConcurrentReferenceUpdate { reference: pull_request.destination.to_string() });
        }
        // It is closed first, so that it does not follow the update of its own branch.
        follow::close_as_merged(transaction, &call, &mut pull_request, Some(strategy.option().as_str()), commit_id)?;
        match references.apply_one(transaction, edit)? {
            Ok(()) => {}
            Err(Rejection::NoRepository) => {
                return Err(Exception::RepositoryDoesNotExist { name: request.repository.to_string() });
            }
            Err(_) => {
                return Err(Exception::ConcurrentReferenceUpdate { reference: pull_request.destination.to_string() });
            }
        }
        merge::record(transaction, &repository, tips, commit_id)?;
        bus_event::emit_merged(transaction, &call, &pull_request)?;
        pull_request::describe(transaction, &pull_request)
    }))
}

fn tips(pull_request: &PullRequest) -> MergeTips {
    MergeTips { source: pull_request.source_commit, destination: pull_request.destination_commit }
}

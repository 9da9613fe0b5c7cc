//! The three merges of pull requests: the destination moves through the door, and the pull request is closed as merged.

use std::sync::Arc;

use aws::Call;
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

use crate::merge::{self, Plan, Tips, Way, wish};
use crate::name::{self, RepositoryName};
use crate::pull_request::{self, PullRequest, PullRequestId, follow, row};
use crate::push::{self, Door, Expected, Move, Refusal};
use crate::{Change, CodeCommit, Exception, approval_rule};

/// What a caller wants merged.
struct Asked {
    id: PullRequestId,
    repository: RepositoryName,
    /// What the source's tip must be, if the caller says it.
    source_commit: Option<ObjectId>,
}

pub(crate) fn by_fast_forward(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergePullRequestByFastForwardInput,
) -> Result<Change<MergePullRequestByFastForwardOutput>, Exception> {
    let asked = Asked::parse(input.pull_request_id, input.repository_name, input.source_commit_id)?;
    let change = merge(service, call, asked, Way::FastForward, None)?;
    Ok(Box::new(|transaction| {
        Ok(MergePullRequestByFastForwardOutput::builder().pull_request(change(transaction)?).build())
    }))
}

pub(crate) fn by_squash(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergePullRequestBySquashInput,
) -> Result<Change<MergePullRequestBySquashOutput>, Exception> {
    let asked = Asked::parse(input.pull_request_id, input.repository_name, input.source_commit_id)?;
    let change = merge(service, call, asked, Way::Squash, Some(Plan::parse(Way::Squash, wish!(input))?))?;
    Ok(Box::new(|transaction| Ok(MergePullRequestBySquashOutput::builder().pull_request(change(transaction)?).build())))
}

pub(crate) fn by_three_way(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergePullRequestByThreeWayInput,
) -> Result<Change<MergePullRequestByThreeWayOutput>, Exception> {
    let asked = Asked::parse(input.pull_request_id, input.repository_name, input.source_commit_id)?;
    let change = merge(service, call, asked, Way::ThreeWay, Some(Plan::parse(Way::ThreeWay, wish!(input))?))?;
    Ok(Box::new(|transaction| {
        Ok(MergePullRequestByThreeWayOutput::builder().pull_request(change(transaction)?).build())
    }))
}

impl Asked {
    fn parse(id: Option<String>, repository: Option<String>, source_commit: Option<String>) -> Result<Self, Exception> {
        let source_commit = source_commit.filter(|id| !id.is_empty());
        Ok(Self {
            id: PullRequestId::parse(id)?,
            repository: RepositoryName::parse(repository)?,
            source_commit: source_commit.map(|id| name::commit_id(Some(id))).transpose()?,
        })
    }

    /// Gets the pull request if it can be merged as far as the tables know: before the merge, and once more with it.
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

/// Merges; a fast-forward has no plan.
fn merge(
    service: &CodeCommit,
    call: &Arc<Call>,
    asked: Asked,
    way: Way,
    plan: Option<Plan>,
) -> Result<Change<types::PullRequest>, Exception> {
    let repository = service.find(call, &asked.repository)?;
    let writer = service.bounded_writer(call, &repository)?;
    let pull_request = service.store.read(|transaction| asked.mergeable(transaction, call))?;
    let tips = tips(&pull_request);
    let commit_id = if let Some(plan) = plan {
        let message = format!("Merge pull request {}: {}", pull_request.id(), pull_request.title);
        plan.make((service, call), &writer, tips, &message)?.commit_id
    } else {
        merge::fast_forward(writer.objects(), tips)?;
        tips.source
    };
    let new = Move::branch(pull_request.destination, Expected::At(tips.destination), commit_id);
    let door = Door::open(service, call, &repository, std::slice::from_ref(&new))?;
    let call = Arc::clone(call);
    Ok(Box::new(move |transaction| {
        writer.keep_until_committed(transaction);
        let mut pull_request = asked.mergeable(transaction, &call)?;
        if self::tips(&pull_request) != tips {
            return Err(Exception::ConcurrentReferenceUpdate { reference: pull_request.destination.to_string() });
        }
        // Closed first, so that it does not follow its own merge.
        follow::merge(transaction, &call, &mut pull_request, Some(way.option().as_str()), commit_id)?;
        match push::one(transaction, &door, new)? {
            Ok(()) => {}
            Err(Refusal::NoRepository) => {
                return Err(Exception::RepositoryDoesNotExist { name: asked.repository.to_string() });
            }
            Err(_) => {
                return Err(Exception::ConcurrentReferenceUpdate { reference: pull_request.destination.to_string() });
            }
        }
        merge::record(transaction, &repository, tips, commit_id)?;
        pull_request::describe(transaction, &pull_request)
    }))
}

fn tips(pull_request: &PullRequest) -> Tips {
    Tips { source: pull_request.source_commit, destination: pull_request.destination_commit }
}

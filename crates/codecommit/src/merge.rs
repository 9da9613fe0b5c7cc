//! Merges: of branches, and of commits for nobody's branch; what can be merged, and what was.

mod conflicts;
mod describe;
mod empty_folders;
mod ends;
mod look;
mod plan;
mod resolution;
mod rules;
mod versions;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::create_unreferenced_merge_commit::{
    CreateUnreferencedMergeCommitInput, CreateUnreferencedMergeCommitOutput,
};
use aws_sdk_codecommit::operation::get_merge_commit::{GetMergeCommitInput, GetMergeCommitOutput};
use aws_sdk_codecommit::operation::get_merge_options::{GetMergeOptionsInput, GetMergeOptionsOutput};
use aws_sdk_codecommit::operation::merge_branches_by_fast_forward::{
    MergeBranchesByFastForwardInput, MergeBranchesByFastForwardOutput,
};
use aws_sdk_codecommit::operation::merge_branches_by_squash::{
    MergeBranchesBySquashInput, MergeBranchesBySquashOutput,
};
use aws_sdk_codecommit::operation::merge_branches_by_three_way::{
    MergeBranchesByThreeWayInput, MergeBranchesByThreeWayOutput,
};

pub(crate) use self::describe::{batch_describe_conflicts, describe_conflicts, get_conflicts};
use self::ends::Ends;
use self::look::Look;
pub(crate) use self::plan::{Merged, Plan, Tips, Wish, fast_forward, record, wish};
use self::rules::Rules;
pub(crate) use self::rules::Way;
use crate::name::RepositoryName;
use crate::push::{self, Door, Expected, Move, Refusal};
use crate::{Change, CodeCommit, Exception};

pub(crate) fn branches_by_fast_forward(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergeBranchesByFastForwardInput,
) -> Result<Change<MergeBranchesByFastForwardOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, input.target_branch)?;
    let change = merge_branches(service, call, &name, &ends, None)?;
    Ok(Box::new(move |transaction| {
        let Merged { commit_id, tree_id, .. } = change(transaction)?;
        let output = MergeBranchesByFastForwardOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

pub(crate) fn branches_by_squash(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergeBranchesBySquashInput,
) -> Result<Change<MergeBranchesBySquashOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, input.target_branch)?;
    let change = merge_branches(service, call, &name, &ends, Some(Plan::parse(Way::Squash, wish!(input))?))?;
    Ok(Box::new(move |transaction| {
        let Merged { commit_id, tree_id, .. } = change(transaction)?;
        let output = MergeBranchesBySquashOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

pub(crate) fn branches_by_three_way(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergeBranchesByThreeWayInput,
) -> Result<Change<MergeBranchesByThreeWayOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, input.target_branch)?;
    let change = merge_branches(service, call, &name, &ends, Some(Plan::parse(Way::ThreeWay, wish!(input))?))?;
    Ok(Box::new(move |transaction| {
        let Merged { commit_id, tree_id, .. } = change(transaction)?;
        let output = MergeBranchesByThreeWayOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

/// Makes a merge commit that no reference leads to: it is found by its id alone, until upkeep removes it.
pub(crate) fn create_unreferenced(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreateUnreferencedMergeCommitInput,
) -> Result<Change<CreateUnreferencedMergeCommitOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let way = Way::parse_committing(input.merge_option)?;
    let plan = Plan::parse(way, wish!(input))?;
    let repository = service.find(call, &name)?;
    let writer = service.bounded_writer(call, &repository)?;
    let objects = Arc::clone(writer.objects());
    let tips = ends.resolve(service.references(&repository)?.as_ref(), &objects)?;
    let message = ends.message();
    let Merged { commit_id, tree_id, .. } = plan.make((service, call), &writer, tips, &message)?;
    let now = call.time.to_system_time();
    Ok(Box::new(move |transaction| {
        writer.keep_until_committed(transaction);
        record(transaction, &repository, tips, commit_id)?;
        // Without the note the commit only stays longer.
        transaction.after_commit(move || drop(objects.let_go(now)));
        let output = CreateUnreferencedMergeCommitOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

/// Lists the ways in which commits can be merged without help.
pub(crate) fn get_options(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetMergeOptionsInput,
) -> Result<GetMergeOptionsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let rules = Rules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let look = Look::take(service, call, &name, &ends, rules, None)?;
    let possible = Way::ALL.into_iter().filter(|way| match way {
        Way::FastForward => look.can_fast_forward,
        Way::Squash | Way::ThreeWay => look.conflicts.is_empty(),
    });
    let output = GetMergeOptionsOutput::builder()
        .set_merge_options(Some(possible.map(Way::option).collect()))
        .source_commit_id(look.tips.source.to_string())
        .destination_commit_id(look.tips.destination.to_string())
        .base_commit_id(look.base.to_string());
    Ok(output.build().expect("what is required was set"))
}

/// Finds the commit that the last merge of two commits made; where none was made by the API, the one that a client pushed
/// to the destination.
pub(crate) fn get_commit(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetMergeCommitInput,
) -> Result<GetMergeCommitOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    Rules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let repository = service.find(call, &name)?;
    let objects = service.bounded_objects(call, &repository)?;
    let tips = ends.resolve(service.references(&repository)?.as_ref(), &objects)?;
    let mut reader = objects.reader();
    let base = reader.merge_bases(&tips.destination, &tips.source)?.first().copied();
    let made = service.store.read(|transaction| plan::recorded(transaction, &repository, tips))?;
    let merged = match made {
        // What nobody refers to is not kept for ever.
        Some(made) => Some(made).filter(|id| matches!(reader.kind(id), Ok(Some(_)))),
        None => Some(reader.commit(&tips.destination)?)
            .filter(|commit| commit.parents.iter().skip(1).any(|parent| *parent == tips.source))
            .map(|_| tips.destination),
    };
    let output = GetMergeCommitOutput::builder()
        .source_commit_id(tips.source.to_string())
        .destination_commit_id(tips.destination.to_string())
        .set_base_commit_id(base.map(|base| base.to_string()))
        .set_merged_commit_id(merged.map(|merged| merged.to_string()));
    Ok(output.build())
}

/// Merges into a branch; a fast-forward has no plan.
fn merge_branches(
    service: &CodeCommit,
    call: &Arc<Call>,
    name: &RepositoryName,
    ends: &Ends,
    plan: Option<Plan>,
) -> Result<Change<Merged>, Exception> {
    let repository = service.find(call, name)?;
    let writer = service.bounded_writer(call, &repository)?;
    let objects = writer.objects();
    let references = service.references(&repository)?;
    let tips = ends.resolve(&references, objects)?;
    let branch = ends.branch(&references)?;
    let at = references.find(&branch).ok_or(Exception::BranchNameRequired)?.target;
    // The branch can be behind the destination, but nothing that it has may get lost.
    if !objects.is_ancestor(&at, &tips.destination)? {
        return Err(Exception::ConcurrentReferenceUpdate { reference: branch.to_string() });
    }
    let merged = if let Some(plan) = plan {
        plan.make((service, call), &writer, tips, &ends.message())?
    } else {
        if objects.reader().merge_bases(&tips.destination, &tips.source)?.is_empty() {
            return Err(Exception::TipsDivergenceExceeded);
        }
        fast_forward(objects, tips)?;
        let tree_id = objects.reader().commit(&tips.source)?.tree;
        Merged { commit_id: tips.source, tree_id, base: tips.destination }
    };
    let moves = [Move::branch(branch, Expected::At(at), merged.commit_id)];
    let door = Door::open(service, call, &repository, &moves)?;
    let name = name.clone();
    Ok(Box::new(move |transaction| {
        writer.keep_until_committed(transaction);
        let [it] = moves;
        let branch = it.name.to_string();
        match push::one(transaction, &door, it)? {
            Ok(()) => {}
            Err(Refusal::NoRepository) => return Err(Exception::RepositoryDoesNotExist { name: name.to_string() }),
            Err(_) => return Err(Exception::ConcurrentReferenceUpdate { reference: branch }),
        }
        record(transaction, &repository, tips, merged.commit_id)?;
        Ok(merged)
    }))
}

//! Merges: of branches, and of commits for nobody's branch; what can be merged, and what was.

mod conflicts;
mod empty_folders;
mod ends;
mod plan;
mod resolution;
mod rules;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::create_unreferenced_merge_commit::{
    CreateUnreferencedMergeCommitInput, CreateUnreferencedMergeCommitOutput,
};
use aws_sdk_codecommit::operation::merge_branches_by_fast_forward::{
    MergeBranchesByFastForwardInput, MergeBranchesByFastForwardOutput,
};
use aws_sdk_codecommit::operation::merge_branches_by_squash::{
    MergeBranchesBySquashInput, MergeBranchesBySquashOutput,
};
use aws_sdk_codecommit::operation::merge_branches_by_three_way::{
    MergeBranchesByThreeWayInput, MergeBranchesByThreeWayOutput,
};

use self::ends::Ends;
pub(crate) use self::plan::{Merged, Plan, Tips, Wish, fast_forward, record};
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
    let change = merge_branches(service, call, &name, ends, None)?;
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
    let wish = Wish {
        level: input.conflict_detail_level,
        strategy: input.conflict_resolution_strategy,
        author_name: input.author_name,
        email: input.email,
        message: input.commit_message,
        keep_empty_folders: input.keep_empty_folders.unwrap_or(false),
        resolution: input.conflict_resolution,
    };
    let change = merge_branches(service, call, &name, ends, Some(Plan::parse(Way::Squash, wish)?))?;
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
    let wish = Wish {
        level: input.conflict_detail_level,
        strategy: input.conflict_resolution_strategy,
        author_name: input.author_name,
        email: input.email,
        message: input.commit_message,
        keep_empty_folders: input.keep_empty_folders.unwrap_or(false),
        resolution: input.conflict_resolution,
    };
    let change = merge_branches(service, call, &name, ends, Some(Plan::parse(Way::ThreeWay, wish)?))?;
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
    let wish = Wish {
        level: input.conflict_detail_level,
        strategy: input.conflict_resolution_strategy,
        author_name: input.author_name,
        email: input.email,
        message: input.commit_message,
        keep_empty_folders: input.keep_empty_folders.unwrap_or(false),
        resolution: input.conflict_resolution,
    };
    let plan = Plan::parse(way, wish)?;
    let repository = service.find(call, &name)?;
    let objects = service.objects(&repository)?;
    let hold = objects.hold();
    let tips = ends.resolve(service.references(&repository)?.as_ref(), &objects)?;
    let message = ends.message();
    let Merged { commit_id, tree_id, .. } = plan.make((service, call), (&objects, &hold), tips, &message)?;
    Ok(Box::new(move |transaction| {
        let _hold = hold;
        record(transaction, &repository, tips, commit_id)?;
        let output = CreateUnreferencedMergeCommitOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

/// Merges into a branch; a fast-forward has no plan.
fn merge_branches(
    service: &CodeCommit,
    call: &Arc<Call>,
    name: &RepositoryName,
    ends: Ends,
    plan: Option<Plan>,
) -> Result<Change<Merged>, Exception> {
    let repository = service.find(call, name)?;
    let objects = service.objects(&repository)?;
    let hold = objects.hold();
    let references = service.references(&repository)?;
    let tips = ends.resolve(&references, &objects)?;
    let branch = ends.branch(&references)?;
    let at = references.find(&branch).ok_or(Exception::BranchNameRequired)?.target;
    // The branch can be behind the destination, but nothing that it has may get lost.
    if !objects.is_ancestor(&at, &tips.destination)? {
        return Err(Exception::ConcurrentReferenceUpdate { reference: branch.to_string() });
    }
    let merged = match plan {
        Some(plan) => plan.make((service, call), (&objects, &hold), tips, &ends.message())?,
        None => {
            fast_forward(&objects, tips)?;
            let tree_id = objects.reader().commit(&tips.source)?.tree;
            Merged { commit_id: tips.source, tree_id, base: tips.destination }
        }
    };
    let moves = [Move::branch(branch, Expected::At(at), merged.commit_id)];
    let door = Door::open(service, call, &repository, &moves)?;
    let name = name.clone();
    Ok(Box::new(move |transaction| {
        let _hold = hold;
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

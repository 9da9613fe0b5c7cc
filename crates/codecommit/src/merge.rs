//! Merges: of branches, unreferenced merge commits, merge options, conflicts, and earlier merges.

mod conflicts;
mod describe_conflicts;
mod empty_folders;
mod plan;
mod preview;
mod resolution;
mod rules;
mod specifiers;
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

pub(crate) use self::describe_conflicts::{batch_describe_conflicts, describe_conflicts, get_conflicts};
pub(crate) use self::plan::{
    MergeInput, MergeResult, MergeTips, Plan, check_fast_forward, merge_input, origin, record,
};
use self::preview::MergePreview;
use self::rules::ConflictRules;
pub(crate) use self::rules::MergeStrategy;
use self::specifiers::MergeSpecifiers;
use crate::name::RepositoryName;
use crate::ref_edit::{PreviousValue, RefEdit, Rejection};
use crate::ref_transaction::{RefTransaction, bus_event};
use crate::{Change, CodeCommit, Exception, maintenance};

pub(crate) fn branches_by_fast_forward(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: MergeBranchesByFastForwardInput,
) -> Result<Change<MergeBranchesByFastForwardOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers =
        MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, input.target_branch)?;
    let change = merge_branches(service, call, &name, &specifiers, None)?;
    Ok(Box::new(move |transaction| {
        let MergeResult { commit_id, tree_id, .. } = change(transaction)?;
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
    let specifiers =
        MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, input.target_branch)?;
    let change = merge_branches(
        service,
        call,
        &name,
        &specifiers,
        Some(&Plan::parse(MergeStrategy::Squash, merge_input!(input))?),
    )?;
    Ok(Box::new(move |transaction| {
        let MergeResult { commit_id, tree_id, .. } = change(transaction)?;
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
    let specifiers =
        MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, input.target_branch)?;
    let change = merge_branches(
        service,
        call,
        &name,
        &specifiers,
        Some(&Plan::parse(MergeStrategy::ThreeWay, merge_input!(input))?),
    )?;
    Ok(Box::new(move |transaction| {
        let MergeResult { commit_id, tree_id, .. } = change(transaction)?;
        let output = MergeBranchesByThreeWayOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

/// Creates a merge commit without a reference: only its id leads to it, until maintenance prunes it.
pub(crate) fn create_unreferenced(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: CreateUnreferencedMergeCommitInput,
) -> Result<Change<CreateUnreferencedMergeCommitOutput>, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers = MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let strategy = MergeStrategy::parse_committing(input.merge_option)?;
    let plan = Plan::parse(strategy, merge_input!(input))?;
    specifiers.add_to_facts(service, call, &name)?;
    let repository = service.find(call, &name)?;
    let writer = service.bounded_writer(call, &repository)?;
    let objects = Arc::clone(writer.objects());
    let tips = specifiers.resolve(service.references(&repository)?.as_ref(), &objects)?;
    let message = specifiers.default_message();
    let MergeResult { commit_id, tree_id, base } = plan.execute((service, call), &writer, tips, &message)?;
    let (call, origin) = (Arc::clone(call), origin(Some(&plan), tips, base));
    Ok(Box::new(move |transaction| {
        writer.keep_until_committed(transaction);
        record(transaction, &repository, tips, commit_id)?;
        bus_event::emit_unreferenced(transaction, &call, &repository, &origin, commit_id)?;
        maintenance::mark_unreachable(transaction, &objects, &repository.id, call.time)?;
        let output = CreateUnreferencedMergeCommitOutput::builder();
        Ok(output.commit_id(commit_id.to_string()).tree_id(tree_id.to_string()).build())
    }))
}

/// Lists the merge options that need no conflict resolution.
pub(crate) fn get_options(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetMergeOptionsInput,
) -> Result<GetMergeOptionsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers = MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let rules = ConflictRules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let preview = MergePreview::compute(service, call, &name, &specifiers, rules, None)?;
    let possible = MergeStrategy::ALL.into_iter().filter(|strategy| match strategy {
        MergeStrategy::FastForward => preview.can_fast_forward,
        MergeStrategy::Squash | MergeStrategy::ThreeWay => preview.conflicts.is_empty(),
    });
    let output = GetMergeOptionsOutput::builder()
        .set_merge_options(Some(possible.map(MergeStrategy::option).collect()))
        .source_commit_id(preview.tips.source.to_string())
        .destination_commit_id(preview.tips.destination.to_string())
        .base_commit_id(preview.base.to_string());
    Ok(output.build().expect("the required members are set"))
}

/// Returns the commit of the last merge of two commits: one created by the API, else the destination if it is a pushed merge of
/// the source.
pub(crate) fn get_commit(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetMergeCommitInput,
) -> Result<GetMergeCommitOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers = MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    ConflictRules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    specifiers.add_to_facts(service, call, &name)?;
    let repository = service.find(call, &name)?;
    let objects = service.bounded_objects(call, &repository)?;
    let tips = specifiers.resolve(service.references(&repository)?.as_ref(), &objects)?;
    let mut reader = objects.reader();
    let base = reader.merge_bases(&tips.destination, &tips.source)?.first().copied();
    let recorded = service.store.read(|transaction| plan::recorded(transaction, &repository, tips))?;
    let merged = match recorded {
        // An unreferenced commit may have been pruned.
        Some(commit) => Some(commit).filter(|id| matches!(reader.kind(id), Ok(Some(_)))),
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

/// Merges into a branch; `plan` is `None` for a fast-forward.
fn merge_branches(
    service: &CodeCommit,
    call: &Arc<Call>,
    name: &RepositoryName,
    specifiers: &MergeSpecifiers,
    plan: Option<&Plan>,
) -> Result<Change<MergeResult>, Exception> {
    specifiers.add_to_facts(service, call, name)?;
    let repository = service.find(call, name)?;
    let writer = service.bounded_writer(call, &repository)?;
    let objects = writer.objects();
    let references = service.references(&repository)?;
    let tips = specifiers.resolve(&references, objects)?;
    let branch = specifiers.branch(&references)?;
    let tip = references.find(&branch).ok_or(Exception::BranchNameRequired)?.target;
    // The branch may be behind the destination, but none of its commits may get lost.
    if !objects.is_ancestor(&tip, &tips.destination)? {
        return Err(Exception::ConcurrentReferenceUpdate { reference: branch.to_string() });
    }
    let merged = if let Some(plan) = plan {
        plan.execute((service, call), &writer, tips, &specifiers.default_message())?
    } else {
        if objects.reader().merge_bases(&tips.destination, &tips.source)?.is_empty() {
            return Err(Exception::TipsDivergenceExceeded);
        }
        check_fast_forward(objects, tips)?;
        let tree_id = objects.reader().commit(&tips.source)?.tree;
        MergeResult { commit_id: tips.source, tree_id, base: tips.destination }
    };
    let edit = RefEdit::branch(branch, PreviousValue::MustExistAndMatch(tip), merged.commit_id);
    let references = RefTransaction::prepare(service, call, &repository, std::slice::from_ref(&edit))?;
    let references = references.of_merge(origin(plan, tips, merged.base));
    let name = name.clone();
    Ok(Box::new(move |transaction| {
        writer.keep_until_committed(transaction);
        let branch = edit.name.to_string();
        match references.apply_one(transaction, edit)? {
            Ok(()) => {}
            Err(Rejection::NoRepository) => return Err(Exception::RepositoryDoesNotExist { name: name.to_string() }),
            Err(_) => return Err(Exception::ConcurrentReferenceUpdate { reference: branch }),
        }
        record(transaction, &repository, tips, merged.commit_id)?;
        Ok(merged)
    }))
}

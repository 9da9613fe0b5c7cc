//! Execution of merges: the caller's options, and the merge commit.
//!
//! [`Plan::parse`] parses the options of any merge operation. [`Plan::execute`] merges two commits and adds the objects. The
//! operation then updates the reference with a [`RefTransaction`](crate::ref_transaction::RefTransaction), and calls [`record`]
//! in the same transaction. A fast-forward needs no plan: [`check_fast_forward`] checks it.

use aws::Call;
use aws_sdk_codecommit::types::{ConflictDetailLevelTypeEnum, ConflictResolution, ConflictResolutionStrategyTypeEnum};
use git::ObjectId;
use store::Transaction;

use super::conflicts::Sides;
use super::empty_folders;
use super::resolution::ConflictResolutions;
use super::rules::{self, ConflictRules, MergeStrategy};
use crate::authorship::Authorship;
use crate::maintenance::Writer;
use crate::ref_transaction::bus_event::{CommitOrigin, MergeOrigin};
use crate::repository::Repository;
use crate::{CodeCommit, Exception, column};

/// Options of a merge that creates a commit.
pub(crate) struct Plan {
    strategy: MergeStrategy,
    rules: ConflictRules,
    authorship: Authorship,
    keep_empty_folders: bool,
    resolution: ConflictResolutions,
}

/// Members that the inputs of all merge operations share, besides the commits.
#[derive(Default)]
pub(crate) struct MergeInput {
    pub(crate) level: Option<ConflictDetailLevelTypeEnum>,
    pub(crate) strategy: Option<ConflictResolutionStrategyTypeEnum>,
    pub(crate) author_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) keep_empty_folders: bool,
    pub(crate) resolution: Option<ConflictResolution>,
}

/// Moves the [`MergeInput`] out of an operation's input; the inputs have these members, but no common type.
macro_rules! merge_input {
    ($input:ident) => {
        $crate::merge::MergeInput {
            level: $input.conflict_detail_level,
            strategy: $input.conflict_resolution_strategy,
            author_name: $input.author_name,
            email: $input.email,
            message: $input.commit_message,
            keep_empty_folders: $input.keep_empty_folders.unwrap_or(false),
            resolution: $input.conflict_resolution,
        }
    };
}
pub(crate) use merge_input;

/// Commits of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MergeTips {
    pub(crate) source: ObjectId,
    pub(crate) destination: ObjectId,
}

/// Result of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MergeResult {
    pub(crate) commit_id: ObjectId,
    pub(crate) tree_id: ObjectId,
    /// Newest of the best common ancestors.
    pub(crate) base: ObjectId,
}

impl Plan {
    /// Parses the options; `strategy` is not a fast-forward, which creates no commit.
    pub(crate) fn parse(strategy: MergeStrategy, input: MergeInput) -> Result<Self, Exception> {
        let rules = ConflictRules::parse(input.level, input.strategy)?;
        Ok(Self {
            strategy,
            rules,
            authorship: Authorship::parse(input.author_name, input.email, input.message)?,
            keep_empty_folders: input.keep_empty_folders,
            resolution: ConflictResolutions::parse(input.resolution, rules.strategy)?,
        })
    }

    /// Merges two commits and adds the merge commit with its objects; no reference changes.
    ///
    /// `writer` must be opened before the commits are looked up, and kept until a reference points to the new commit.
    /// `default_message` is used if the caller gave none. If the destination already contains the source, no commit is created
    /// and the destination is the result. Fails with `ManualMergeRequired` if conflicts are left, with
    /// `TipsDivergenceExceeded` if the commits have no common ancestor, and if a limit of merges is exceeded.
    pub(crate) fn execute(
        &self,
        (service, call): (&CodeCommit, &Call),
        writer: &Writer,
        MergeTips { source, destination }: MergeTips,
        default_message: &str,
    ) -> Result<MergeResult, Exception> {
        let mut reader = writer.objects().reader();
        let limits = service.settings.merge;
        let merged = reader.merge(&destination, &source, &self.rules.options(limits));
        let merged = merged.map_err(|error| rules::exception(error, &limits))?;
        let base = merged.base.ok_or(Exception::TipsDivergenceExceeded)?;
        let before = reader.commit(&destination)?.tree;
        if base == source {
            return Ok(MergeResult { commit_id: destination, tree_id: before, base });
        }
        let sides = Sides::new(&mut reader, [base, destination, source])?;
        let (edits, mut new) = self.resolution.apply(&mut reader, &sides, self.rules.strategy, &merged)?;
        new.extend(merged.objects);
        let mut tree_id = merged.tree;
        if !edits.is_empty() {
            tree_id = reader.imagine_edited(&tree_id, &edits)?;
        }
        if self.keep_empty_folders {
            let (edits, file) = empty_folders::keep(&mut reader, before, tree_id, limits.items_max)?;
            new.extend(file);
            tree_id = reader.imagine_edited(&tree_id, &edits)?;
        }
        new.extend(reader.imagined(&tree_id));
        let parents =
            if self.strategy == MergeStrategy::Squash { vec![destination] } else { vec![destination, source] };
        new.push(self.authorship.commit(call, tree_id, parents, default_message).to_object());
        let ids = writer.add(&new)?;
        let commit_id = *ids.last().expect("the commit is the last object");
        Ok(MergeResult { commit_id, tree_id, base })
    }
}

/// Describes a merge for the events of its result; `plan` is `None` for a fast-forward.
pub(crate) fn origin(plan: Option<&Plan>, tips: MergeTips, base: ObjectId) -> MergeOrigin {
    let strategy = plan.map_or(MergeStrategy::FastForward, |plan| plan.strategy);
    let commit = |plan: &Plan| CommitOrigin {
        base,
        conflict_details_level: plan.rules.level(),
        conflict_resolution_strategy: plan.rules.strategy(),
    };
    MergeOrigin {
        option: strategy.option().to_string(),
        source: tips.source,
        destination: tips.destination,
        commit: plan.map(commit),
    }
}

/// Fails with `ManualMergeRequired` unless the destination is an ancestor of the source.
pub(crate) fn check_fast_forward(objects: &git::Repository, tips: MergeTips) -> Result<(), Exception> {
    if objects.is_ancestor(&tips.destination, &tips.source)? { Ok(()) } else { Err(Exception::ManualMergeRequired) }
}

/// Records the result of a merge for `GetMergeCommit`; a later merge of the same commits replaces it.
pub(crate) fn record(
    transaction: &Transaction,
    repository: &Repository,
    tips: MergeTips,
    commit_id: ObjectId,
) -> Result<(), Exception> {
    transaction.execute(
        "INSERT INTO merges (repository_id, destination, source, merged) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (repository_id, destination, source) DO UPDATE SET merged = excluded.merged",
        &[
            (&repository.id).into(),
            tips.destination.as_slice().into(),
            tips.source.as_slice().into(),
            commit_id.as_slice().into(),
        ],
    )?;
    Ok(())
}

/// Returns the commit of the last recorded merge of two commits.
pub(super) fn recorded(
    transaction: &Transaction,
    repository: &Repository,
    tips: MergeTips,
) -> Result<Option<ObjectId>, Exception> {
    let found = transaction.query_one(
        "SELECT merged FROM merges WHERE repository_id = ?1 AND destination = ?2 AND source = ?3",
        &[(&repository.id).into(), tips.destination.as_slice().into(), tips.source.as_slice().into()],
        |row| column::object_id(row, 0),
    )?;
    Ok(found)
}

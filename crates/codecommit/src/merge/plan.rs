//! Merging a source into a destination: what the caller wants, and the commit that comes of it.
//!
//! [`Plan::parse`] reads what the caller gives of a merge, whatever operation it comes by. [`Plan::make`] merges two commits
//! by it and adds the objects. The reference is the caller's to move, through the door; in the same transaction
//! [`record`] notes what was merged into what. A fast-forward needs no plan: [`fast_forward`] checks it.

use aws::Call;
use aws_sdk_codecommit::types::{ConflictDetailLevelTypeEnum, ConflictResolution, ConflictResolutionStrategyTypeEnum};
use git::ObjectId;
use store::Transaction;

use super::conflicts::Sides;
use super::empty_folders;
use super::resolution::Resolution;
use super::rules::{self, Rules, Way};
use crate::authorship::Authorship;
use crate::maintenance::Writer;
use crate::repository::Repository;
use crate::{CodeCommit, Exception};

/// A merge that makes a commit, as its caller wants it.
pub(crate) struct Plan {
    way: Way,
    rules: Rules,
    authorship: Authorship,
    keep_empty_folders: bool,
    resolution: Resolution,
}

/// What a caller gives of a merge besides the commits.
#[derive(Default)]
pub(crate) struct Wish {
    pub(crate) level: Option<ConflictDetailLevelTypeEnum>,
    pub(crate) strategy: Option<ConflictResolutionStrategyTypeEnum>,
    pub(crate) author_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) keep_empty_folders: bool,
    pub(crate) resolution: Option<ConflictResolution>,
}

/// Takes the [`Wish`] out of an operation's input: the inputs of all merges have these members, and no type in common.
macro_rules! wish {
    ($input:ident) => {
        $crate::merge::Wish {
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
pub(crate) use wish;

/// The two commits of a merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tips {
    pub(crate) source: ObjectId,
    pub(crate) destination: ObjectId,
}

/// A merge that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    pub(crate) commit_id: ObjectId,
    pub(crate) tree_id: ObjectId,
    /// The newest of the best common ancestors.
    pub(crate) base: ObjectId,
}

impl Plan {
    /// Reads what a caller gives; `way` is not a fast-forward, which makes no commit.
    pub(crate) fn parse(way: Way, wish: Wish) -> Result<Self, Exception> {
        let rules = Rules::parse(wish.level, wish.strategy)?;
        Ok(Self {
            way,
            rules,
            authorship: Authorship::parse(wish.author_name, wish.email, wish.message)?,
            keep_empty_folders: wish.keep_empty_folders,
            resolution: Resolution::parse(wish.resolution, rules.strategy)?,
        })
    }

    /// Merges two commits and adds the merge commit with all that it needs; no reference is moved.
    ///
    /// `writer` is made before the commits are looked up, and kept until a reference leads to the new one.
    /// The message is for callers who gave none. Where the destination has all that the source has, nothing is made, and the
    /// destination is the result. Fails with `ManualMergeRequired` where conflicts are left, with `TipsDivergenceExceeded`
    /// where the commits have nothing in common, and where a limit of merges is exceeded.
    pub(crate) fn make(
        &self,
        (service, call): (&CodeCommit, &Call),
        writer: &Writer,
        Tips { source, destination }: Tips,
        default_message: &str,
    ) -> Result<Merged, Exception> {
        let mut reader = writer.objects().reader();
        let limits = service.settings.merge;
        let merged = reader.merge(&destination, &source, &self.rules.options(limits));
        let merged = merged.map_err(|error| rules::given_up(error, &limits))?;
        let base = merged.base.ok_or(Exception::TipsDivergenceExceeded)?;
        let before = reader.commit(&destination)?.tree;
        if base == source {
            return Ok(Merged { commit_id: destination, tree_id: before, base });
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
        let parents = if self.way == Way::Squash { vec![destination] } else { vec![destination, source] };
        new.push(self.authorship.commit(call, tree_id, parents, default_message).to_object());
        let ids = writer.add(&new)?;
        let commit_id = *ids.last().expect("the commit was added");
        Ok(Merged { commit_id, tree_id, base })
    }
}

/// Fails with `ManualMergeRequired` unless the destination can move to the source's commit without losing one.
pub(crate) fn fast_forward(objects: &git::Repository, tips: Tips) -> Result<(), Exception> {
    if objects.is_ancestor(&tips.destination, &tips.source)? { Ok(()) } else { Err(Exception::ManualMergeRequired) }
}

/// Notes what was merged into what, for those who ask later; of several merges of two commits, the last.
pub(crate) fn record(
    transaction: &Transaction,
    repository: &Repository,
    tips: Tips,
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

/// Finds what came of the last merge of two commits that the API made.
pub(super) fn recorded(
    transaction: &Transaction,
    repository: &Repository,
    tips: Tips,
) -> Result<Option<ObjectId>, Exception> {
    let found = transaction.query_one(
        "SELECT merged FROM merges WHERE repository_id = ?1 AND destination = ?2 AND source = ?3",
        &[(&repository.id).into(), tips.destination.as_slice().into(), tips.source.as_slice().into()],
        |row| ObjectId::try_from(row.blob(0)?.as_slice()).map_err(|_| store::Error::Damaged("an object id")),
    )?;
    Ok(found)
}

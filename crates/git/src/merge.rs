//! Merging two commits, with the same result as Git.
//!
//! The trees of both sides are compared with that of their best common ancestor, renamed files and folders are detected,
//! and files that both sides changed are merged line by line. If there are several best common ancestors, they are merged
//! first, and the result, with its conflict markers, serves as the ancestor. gitoxide's own merge omits these markers, and
//! so merges some histories cleanly in which Git finds conflicts; only its comparison of lines is used here.
//!
//! **Invariant:** trees and conflicted paths are those of `git merge-tree --write-tree`.

mod budget;
mod content;
mod entry;
mod folder_moves;
mod folders;
mod histogram;
mod lines;
mod names;
mod pairs;
mod renames;
mod resolve;
pub(crate) mod similarity;
mod text;
mod walk;

use std::{collections::BTreeMap, iter::Rev, vec::IntoIter};

use bstr::BString;
use gix::{ObjectId, hash::oid};

use crate::{
    Error, FileVersion, Kind, Object,
    history::{History, Node},
    merge_base,
    reader::Reader,
};
use budget::Budget;
pub use budget::MergeLimits;
pub use lines::{ChangedBy, LINES_MAX, TextPart, TextVersions, can_compare};
pub use text::Favor;

/// Options of a merge.
#[derive(Debug, Clone)]
pub struct MergeOptions {
    /// Whether files that both sides changed are merged line by line, and renames are followed. Otherwise such files conflict.
    pub by_line: bool,
    /// The side whose lines are used where both sides changed them.
    pub favor: Favor,
    /// The names of our side and theirs in conflict markers.
    pub labels: [BString; 2],
    /// The limits of time and memory.
    pub limits: MergeLimits,
}

impl Default for MergeOptions {
    fn default() -> Self {
        let labels = ["ours".into(), "theirs".into()];
        Self { by_line: true, favor: Favor::default(), labels, limits: MergeLimits::default() }
    }
}

/// The result of merging two commits.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The newest of the best common ancestors; `None` if the histories are unrelated.
    pub base: Option<ObjectId>,
    /// The merged tree; conflicting files contain conflict markers.
    pub tree: ObjectId,
    /// The new objects of the tree; they were not added to the repository.
    pub objects: Vec<Object>,
    /// The conflicts, by path in the merged tree.
    pub conflicts: BTreeMap<BString, Conflict>,
    /// Whether the merge is clean. A merge without conflicting paths is not clean if the new folder of some files is unclear.
    pub is_clean: bool,
}

/// A path that conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path that the file would have if no other entry were in its place.
    pub path: BString,
    /// The versions of the ancestor, our side and their side; for a renamed file, each from its own path.
    pub versions: [Option<FileVersion>; 3],
    /// The version in the merged tree.
    pub merged: Option<FileVersion>,
    /// Whether both sides changed the content.
    pub content: bool,
    /// Whether both sides changed the mode.
    pub mode: bool,
}

/// A failure to merge two commits.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// An object cannot be read.
    #[error(transparent)]
    Read(Error),
    /// The time limit was exceeded.
    #[error("the merge takes too long")]
    Time,
    /// The files together are too large.
    #[error("the files to merge are too large")]
    Content,
    /// Too many entries differ.
    #[error("too many files differ")]
    Items,
}

impl From<Error> for MergeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Time => Self::Time,
            error => Self::Read(error),
        }
    }
}

impl Reader {
    /// Merges two commits. The new objects are visible to this reader only.
    pub fn merge(&mut self, ours: &oid, theirs: &oid, options: &MergeOptions) -> Result<Merged, MergeError> {
        let interrupt = self.interrupt().or_after(options.limits.time);
        let before = self.replace_interrupt(interrupt);
        let merged = self.merge_until_interrupted(ours, theirs, options);
        self.replace_interrupt(before);
        merged
    }

    fn merge_until_interrupted(
        &mut self,
        ours: &oid,
        theirs: &oid,
        options: &MergeOptions,
    ) -> Result<Merged, MergeError> {
        let mut history = History::default();
        let (ours, theirs) = (history.node(ours), history.node(theirs));
        for node in [ours, theirs] {
            history.load(node, self)?;
        }
        let budget = Budget::new(&options.limits, self.interrupt().clone());
        budget.time()?;
        let mut merger = Merger { reader: self, options, budget };
        let bases = merge_base::best(merger.reader, &mut history, ours, theirs)?;
        let base = bases.first().map(|base| history.id(*base));
        let labels = options.labels.clone();
        let outcome = merger.merge_commits(&mut history, PendingMerge::new(ours, theirs, bases, labels))?;
        let objects = self.imagined(&outcome.tree);
        let MergedTrees { tree, conflicts, is_clean } = outcome;
        Ok(Merged { base, tree, objects, conflicts, is_clean })
    }
}

/// A running merge.
struct Merger<'m> {
    reader: &'m mut Reader,
    options: &'m MergeOptions,
    budget: Budget,
}

/// The result of merging three trees.
struct MergedTrees {
    tree: ObjectId,
    conflicts: BTreeMap<BString, Conflict>,
    is_clean: bool,
}

/// The input of merging three trees.
#[derive(Clone, Copy)]
struct TreeMerge<'s> {
    /// The trees of the ancestor, our side and theirs.
    trees: [ObjectId; 3],
    labels: &'s [BString; 2],
    /// The depth of nested merges of ancestors; 0 for the merge of the two given commits.
    depth: usize,
}

/// Two commits whose best common ancestors are being merged.
struct PendingMerge {
    ours: Node,
    theirs: Node,
    labels: [BString; 2],
    /// The remaining ancestors to merge into `base`, the oldest first.
    bases: Rev<IntoIter<Node>>,
    /// The merge of the ancestors so far.
    base: Option<Node>,
}

impl PendingMerge {
    /// Starts with two commits and their best common ancestors, the newest first.
    fn new(ours: Node, theirs: Node, bases: Vec<Node>, labels: [BString; 2]) -> Self {
        let mut bases = bases.into_iter().rev();
        let base = bases.next();
        Self { ours, theirs, labels, bases, base }
    }
}

impl Merger<'_> {
    /// Merges two commits. Their best common ancestors are merged first, one after another from the oldest on.
    fn merge_commits(&mut self, history: &mut History, commits: PendingMerge) -> Result<MergedTrees, MergeError> {
        let mut open = vec![commits];
        loop {
            self.budget.time()?;
            let depth = open.len() - 1;
            let last = &mut open[depth];
            if let Some(one) = last.base
                && let Some(next) = last.bases.next()
            {
                let inner = merge_base::best(self.reader, history, one, next)?;
                let labels = ["Temporary merge branch 1".into(), "Temporary merge branch 2".into()];
                open.push(PendingMerge::new(one, next, inner, labels));
                continue;
            }
            let PendingMerge { ours, theirs, ref labels, base, .. } = *last;
            let base = match base {
                Some(base) => history.tree(base),
                None => self.reader.imagine(Object { kind: Kind::Tree, data: Vec::new() })?,
            };
            let trees = [base, history.tree(ours), history.tree(theirs)];
            let outcome = self.merge_trees(TreeMerge { trees, labels, depth })?;
            open.pop();
            let Some(above) = open.last_mut() else { return Ok(outcome) };
            above.base = Some(history.add_virtual(outcome.tree, &[ours, theirs]));
        }
    }
}

//! Merging two commits, as Git does it.
//!
//! The trees of both sides are compared with that of their best common ancestor, renamed files and folders are found, and
//! what both sides changed is merged line by line. Where several best common ancestors are, they are merged first, and
//! what comes out, marks of conflicts and all, is the ancestor. gitoxide's own merge leaves such marks out, and so it
//! takes histories for clean in which Git finds conflicts; its differences of lines are what this is built on.
//!
//! **Invariant:** trees and conflicted paths are those of `git merge-tree --write-tree`.

mod budget;
mod content;
mod entry;
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

/// How two commits are merged.
#[derive(Debug, Clone)]
pub struct MergeOptions {
    /// Whether files that both sides changed are merged line by line, and renamed ones followed. Else such files conflict.
    pub by_line: bool,
    /// Whose lines are taken where both sides changed them.
    pub favor: Favor,
    /// How our side and theirs are called where a conflict is marked.
    pub labels: [BString; 2],
    /// How much the merge may cost.
    pub limits: MergeLimits,
}

impl Default for MergeOptions {
    fn default() -> Self {
        let labels = ["ours".into(), "theirs".into()];
        Self { by_line: true, favor: Favor::default(), labels, limits: MergeLimits::default() }
    }
}

/// Two commits that were merged.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The newest of the best common ancestors; none if the two have nothing in common.
    pub base: Option<ObjectId>,
    /// The tree, in which conflicts are marked.
    pub tree: ObjectId,
    /// The objects that the tree needs and the repository has not; nothing was added to it.
    pub objects: Vec<Object>,
    /// What conflicts, by the path at which the tree has it.
    pub conflicts: BTreeMap<BString, Conflict>,
    /// Whether nothing is left to decide; without conflicting paths, this can be where a folder's new files belong.
    pub is_clean: bool,
}

/// A path that conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path that it would have if nothing were in its way.
    pub path: BString,
    /// What the ancestor, our side and their side have; what was renamed is looked up under its other name.
    pub versions: [Option<FileVersion>; 3],
    /// What the tree has, if it has anything.
    pub merged: Option<FileVersion>,
    /// Whether both sides changed what is in the file.
    pub content: bool,
    /// Whether both sides changed its mode.
    pub mode: bool,
}

/// Why two commits were not merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// An object cannot be read.
    #[error(transparent)]
    Read(Error),
    /// It took too long.
    #[error("the merge takes too long")]
    Time,
    /// The files are too large together.
    #[error("the files to merge are too large")]
    Content,
    /// The trees have too many entries that differ.
    #[error("there are too many files to compare")]
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
    /// Merges two commits; the reader sees the merged objects, and nobody else does.
    pub fn merge(&mut self, ours: &oid, theirs: &oid, options: &MergeOptions) -> Result<Merged, MergeError> {
        let interrupt = self.interrupt().or_after(options.limits.time);
        let before = self.replace_interrupt(interrupt);
        let merged = self.merge_in_time(ours, theirs, options);
        self.replace_interrupt(before);
        merged
    }

    fn merge_in_time(&mut self, ours: &oid, theirs: &oid, options: &MergeOptions) -> Result<Merged, MergeError> {
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
        let outcome = merger.commits(&mut history, PendingMerge::new(ours, theirs, bases, labels))?;
        let objects = self.imagined(&outcome.tree);
        let MergedTrees { tree, conflicts, is_clean } = outcome;
        Ok(Merged { base, tree, objects, conflicts, is_clean })
    }
}

/// One merge on its way.
struct Merger<'m> {
    reader: &'m mut Reader,
    options: &'m MergeOptions,
    budget: Budget,
}

/// What came of merging three trees.
struct MergedTrees {
    tree: ObjectId,
    conflicts: BTreeMap<BString, Conflict>,
    is_clean: bool,
}

/// What three trees are merged for.
#[derive(Clone, Copy)]
struct TreeMerge<'s> {
    /// The trees of the ancestor, our side and theirs.
    trees: [ObjectId; 3],
    labels: &'s [BString; 2],
    /// How many merges of ancestors lead here; 0 where the commits are merged that were asked for.
    depth: usize,
}

/// Two commits whose best common ancestors are being merged.
struct PendingMerge {
    ours: Node,
    theirs: Node,
    labels: [BString; 2],
    /// The ancestors that are still to be merged into `base`, the oldest first.
    bases: Rev<IntoIter<Node>>,
    /// What the ancestors came to so far.
    base: Option<Node>,
}

impl PendingMerge {
    /// Begins with two commits and their best common ancestors, the newest first.
    fn new(ours: Node, theirs: Node, bases: Vec<Node>, labels: [BString; 2]) -> Self {
        let mut bases = bases.into_iter().rev();
        let base = bases.next();
        Self { ours, theirs, labels, bases, base }
    }
}

impl Merger<'_> {
    /// Merges two commits. Their ancestors are merged first: the oldest comes first, and each next one is merged into what
    /// the ones before it gave.
    fn commits(&mut self, history: &mut History, commits: PendingMerge) -> Result<MergedTrees, MergeError> {
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
            let outcome = self.trees(TreeMerge { trees, labels, depth })?;
            open.pop();
            let Some(above) = open.last_mut() else { return Ok(outcome) };
            above.base = Some(history.invent(outcome.tree, &[ours, theirs]));
        }
    }
}

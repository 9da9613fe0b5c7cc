//! A walk back from several commits, the newest first, that marks each commit with what leads to it.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use crate::{
    Error,
    history::{History, Node},
    reader::Reader,
};

/// Marks of a commit, one bit each.
pub(crate) type Marks = u8;

/// The commits that were reached, with their marks.
pub(crate) struct Paint {
    reached: HashMap<Node, Reached>,
    /// Commits of the same second leave in the order in which they were reached.
    queue: BinaryHeap<(i64, Reverse<usize>, Node)>,
    queued: usize,
    /// Tells whether a queued commit with these marks keeps the walk going.
    is_open: fn(Marks) -> bool,
    /// The number of queued commits that keep the walk going.
    open: usize,
}

#[derive(Default)]
struct Reached {
    marks: Marks,
    is_queued: bool,
}

impl Paint {
    /// Creates a walk that goes on as long as `is_open` holds for the marks of a queued commit.
    pub(crate) fn new(is_open: fn(Marks) -> bool) -> Self {
        Self { reached: HashMap::new(), queue: BinaryHeap::new(), queued: 0, is_open, open: 0 }
    }

    /// Reads a commit and marks it; a commit with new marks is queued.
    pub(crate) fn mark(
        &mut self,
        reader: &mut Reader,
        history: &mut History,
        node: Node,
        marks: Marks,
    ) -> Result<(), Error> {
        history.load(node, reader)?;
        let reached = self.reached.entry(node).or_default();
        let all = reached.marks | marks;
        if all == reached.marks {
            return Ok(());
        }
        if reached.is_queued {
            self.open -= usize::from((self.is_open)(reached.marks));
        } else {
            reached.is_queued = true;
            self.queued += 1;
            self.queue.push((history.seconds(node), Reverse(self.queued), node));
        }
        self.open += usize::from((self.is_open)(all));
        reached.marks = all;
        Ok(())
    }

    /// Marks the parents of a commit.
    pub(crate) fn mark_parents(
        &mut self,
        reader: &mut Reader,
        history: &mut History,
        node: Node,
        marks: Marks,
    ) -> Result<(), Error> {
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            self.mark(reader, history, parent, marks)?;
        }
        Ok(())
    }

    /// Takes the newest commit from the queue; `None` at the end of the walk.
    pub(crate) fn next(&mut self) -> Option<(Node, Marks)> {
        if self.open == 0 {
            return None;
        }
        let (_, _, node) = self.queue.pop()?;
        let reached = self.reached.get_mut(&node).expect("each queued commit has marks");
        reached.is_queued = false;
        self.open -= usize::from((self.is_open)(reached.marks));
        Some((node, reached.marks))
    }

    /// Returns the marks of a commit.
    pub(crate) fn marks(&self, node: Node) -> Marks {
        self.reached.get(&node).map_or(0, |reached| reached.marks)
    }

    /// Lists all commits that were reached, with their marks.
    pub(crate) fn into_marks(self) -> impl Iterator<Item = (Node, Marks)> {
        self.reached.into_iter().map(|(node, reached)| (node, reached.marks))
    }
}

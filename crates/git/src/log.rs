//! The history of a commit, as `git log` lists it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use gix::{ObjectId, hash::oid};

use crate::{
    Error,
    history::{History, Node},
    merge_base,
    reader::Reader,
};

/// A walk back from a commit: the newest commit first, by commit time.
pub struct Log {
    history: History,
    seen: HashSet<Node>,
    /// Commits of the same second are listed in the order in which they were reached.
    queue: BinaryHeap<(i64, Reverse<usize>, Node)>,
    /// The commits to list; `None` for all.
    only: Option<HashSet<Node>>,
}

impl Log {
    /// Starts at a commit, which is listed first.
    pub fn new(reader: &mut Reader, tip: &oid) -> Result<Self, Error> {
        let mut history = History::default();
        let tip = history.node(tip);
        Self::of(reader, history, tip, None)
    }

    fn of(reader: &mut Reader, history: History, tip: Node, only: Option<HashSet<Node>>) -> Result<Self, Error> {
        let mut log = Self { history, seen: HashSet::new(), queue: BinaryHeap::new(), only };
        log.reach(reader, tip)?;
        Ok(log)
    }

    /// Returns the next commit.
    pub fn next(&mut self, reader: &mut Reader) -> Result<Option<ObjectId>, Error> {
        let Some((_, _, node)) = self.queue.pop() else { return Ok(None) };
        for at in 0..self.history.parents(node).len() {
            let parent = self.history.parents(node)[at];
            self.reach(reader, parent)?;
        }
        Ok(Some(self.history.id(node)))
    }

    fn reach(&mut self, reader: &mut Reader, node: Node) -> Result<(), Error> {
        let listed = self.only.as_ref().is_none_or(|only| only.contains(&node));
        if listed && self.seen.insert(node) {
            self.history.load(node, reader)?;
            self.queue.push((self.history.seconds(node), Reverse(self.seen.len()), node));
        }
        Ok(())
    }
}

impl Reader {
    /// Lists the ancestors of `one` that are not ancestors of `two`, and those of `two` that are not ancestors of `one`.
    pub fn sides(&mut self, one: &oid, two: &oid) -> Result<[Vec<ObjectId>; 2], Error> {
        let mut sides = [Vec::new(), Vec::new()];
        for (side, (tip, other)) in sides.iter_mut().zip([(one, two), (two, one)]) {
            let mut history = History::default();
            let (tip, other) = (history.node(tip), history.node(other));
            let only = merge_base::only(self, &mut history, tip, other)?;
            let mut log = Log::of(self, history, tip, Some(only))?;
            while let Some(id) = log.next(self)? {
                side.push(id);
            }
        }
        Ok(sides)
    }
}

//! Whether one commit comes before another.

use std::collections::{BinaryHeap, HashMap};

use gix::hash::oid;

use crate::{
    Error, Kind, Repository,
    history::{History, Node},
};

/// What leads to a commit.
const FROM_NEW: u8 = 1;
const FROM_OLD: u8 = 2;

impl Repository {
    /// Tells whether the commit `old` is `new` or comes before it, as it does when a branch is moved without loss.
    ///
    /// Reads the commits that lie between the two and what they have in common; fails if one of them is no commit.
    pub fn is_ancestor(&self, old: &oid, new: &oid) -> Result<bool, Error> {
        let mut reader = self.reader();
        for id in [old, new] {
            match reader.kind(id)? {
                Some(Kind::Commit) => {}
                Some(_) => return Err(Error::Malformed { id: id.to_owned(), reason: "it is of another kind" }),
                None => return Err(reader.missing(id)),
            }
        }
        let mut history = History::default();
        let (old, new) = (history.node(old), history.node(new));
        let mut walk = Walk::default();
        for (node, from) in [(old, FROM_OLD), (new, FROM_NEW)] {
            history.load(node, &mut reader)?;
            walk.reach(node, from, history.seconds(node));
        }
        // What only `new` leads to is what `old` may still be found below.
        while walk.only_new > 0 {
            let Some((_, node)) = walk.queue.pop() else { break };
            let from = walk.leave(node);
            if node == old && from & FROM_NEW != 0 {
                return Ok(true);
            }
            for at in 0..history.parents(node).len() {
                let parent = history.parents(node)[at];
                history.load(parent, &mut reader)?;
                walk.reach(parent, from, history.seconds(parent));
            }
        }
        Ok(walk.marks.get(&old).is_some_and(|marks| marks.from & FROM_NEW != 0))
    }
}

#[derive(Default)]
struct Marks {
    from: u8,
    is_queued: bool,
}

/// Commits that were reached, the newest first.
#[derive(Default)]
struct Walk {
    marks: HashMap<Node, Marks>,
    queue: BinaryHeap<(i64, Node)>,
    /// The number of commits in the queue that only `new` leads to.
    only_new: usize,
}

impl Walk {
    /// Marks a commit, and queues it if that is news.
    fn reach(&mut self, node: Node, from: u8, seconds: i64) {
        let marks = self.marks.entry(node).or_default();
        let both = marks.from | from;
        if both == marks.from {
            return;
        }
        self.only_new -= usize::from(marks.is_queued && marks.from == FROM_NEW);
        self.only_new += usize::from(both == FROM_NEW);
        marks.from = both;
        if !marks.is_queued {
            marks.is_queued = true;
            self.queue.push((seconds, node));
        }
    }

    /// Takes a commit's marks when it leaves the queue.
    fn leave(&mut self, node: Node) -> u8 {
        let marks = self.marks.get_mut(&node).expect("what is queued is marked");
        marks.is_queued = false;
        self.only_new -= usize::from(marks.from == FROM_NEW);
        marks.from
    }
}

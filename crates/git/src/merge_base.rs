//! The best common ancestors of two commits.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use gix::{ObjectId, hash::oid};

use crate::{
    Error,
    history::{History, Node},
    reader::Reader,
};

/// What leads to a commit.
const ONE: u8 = 1;
const TWO: u8 = 2;
/// The commit comes before a common one, so it is no best one.
const STALE: u8 = 4;

impl Reader {
    /// Finds the common ancestors of two commits that no other one leads to, the newest first; a commit is its own.
    ///
    /// None if the two have nothing in common, several where branches were merged crosswise.
    pub fn merge_bases(&mut self, one: &oid, two: &oid) -> Result<Vec<ObjectId>, Error> {
        let mut history = History::default();
        let (one, two) = (history.node(one), history.node(two));
        let found = best(self, &mut history, one, two)?;
        Ok(found.into_iter().map(|node| history.id(node)).collect())
    }
}

/// Finds the best common ancestors of two commits, the newest first; of those of one second, the one that Git finds first.
pub(crate) fn best(reader: &mut Reader, history: &mut History, one: Node, two: Node) -> Result<Vec<Node>, Error> {
    if one == two {
        return Ok(vec![one]);
    }
    let mut found = paint(reader, history, &[one], &[two])?;
    // Clocks that go wrong can make an ancestor look new, and a walk that stops early takes it for a best one.
    let mut at = 0;
    while found.len() > 1 && at < found.len() {
        let others: Vec<_> = found.iter().copied().filter(|other| *other != found[at]).collect();
        if paint(reader, history, &[found[at]], &others)?.contains(&found[at]) {
            found.remove(at);
        } else {
            at += 1;
        }
    }
    found.sort_by_key(|node| Reverse(history.seconds(*node)));
    Ok(found)
}

/// Walks back from both sides, the newest commits first, until all that is left comes before what was found.
fn paint(reader: &mut Reader, history: &mut History, one: &[Node], two: &[Node]) -> Result<Vec<Node>, Error> {
    let (walk, mut common) = walk(reader, history, one, two)?;
    common.retain(|node| walk.marks[node].marks & STALE == 0);
    common.dedup();
    Ok(common)
}

/// Finds the commits that lead to `one` and not to `two`.
pub(crate) fn only(reader: &mut Reader, history: &mut History, one: Node, two: Node) -> Result<HashSet<Node>, Error> {
    if one == two {
        return Ok(HashSet::new());
    }
    let (walk, _) = walk(reader, history, &[one], &[two])?;
    Ok(walk.marks.into_iter().filter(|(_, marked)| marked.marks == ONE).map(|(node, _)| node).collect())
}

fn walk(reader: &mut Reader, history: &mut History, one: &[Node], two: &[Node]) -> Result<(Walk, Vec<Node>), Error> {
    let mut walk = Walk::default();
    for (nodes, mark) in [(one, ONE), (two, TWO)] {
        for node in nodes {
            history.load(*node, reader)?;
            walk.reach(*node, mark, history.seconds(*node));
        }
    }
    let mut common = Vec::new();
    while walk.fresh > 0 {
        reader.go_on()?;
        let Some((_, _, node)) = walk.queue.pop() else { break };
        let mut marks = walk.leave(node);
        if marks == ONE | TWO {
            common.push(node);
            marks |= STALE;
        }
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            history.load(parent, reader)?;
            walk.reach(parent, marks, history.seconds(parent));
        }
    }
    Ok((walk, common))
}

#[derive(Default)]
struct Walk {
    marks: HashMap<Node, Marked>,
    /// Those of one second leave in the order in which they came.
    queue: BinaryHeap<(i64, Reverse<usize>, Node)>,
    came: usize,
    /// The number of queued commits that are not stale.
    fresh: usize,
}

#[derive(Default)]
struct Marked {
    marks: u8,
    is_queued: bool,
}

impl Walk {
    fn reach(&mut self, node: Node, marks: u8, seconds: i64) {
        let marked = self.marks.entry(node).or_default();
        let all = marked.marks | marks;
        if all == marked.marks {
            return;
        }
        let fresh = |marks: u8| usize::from(marks & STALE == 0);
        if marked.is_queued {
            self.fresh -= fresh(marked.marks);
        } else {
            marked.is_queued = true;
            self.came += 1;
            self.queue.push((seconds, Reverse(self.came), node));
        }
        self.fresh += fresh(all);
        marked.marks = all;
    }

    fn leave(&mut self, node: Node) -> u8 {
        let marked = self.marks.get_mut(&node).expect("what is queued is marked");
        marked.is_queued = false;
        self.fresh -= usize::from(marked.marks & STALE == 0);
        marked.marks
    }
}

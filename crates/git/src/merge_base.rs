//! The best common ancestors of two commits.

use std::{cmp::Reverse, collections::HashSet};

use gix::{ObjectId, hash::oid};

use crate::{
    Error,
    history::{History, Node},
    paint::{Marks, Paint},
    reader::Reader,
};

/// The marks of the commits that the one and the other side lead to.
const ONE: Marks = 1;
const TWO: Marks = 2;
/// The mark of the ancestors of a common ancestor, none of which can be a best one.
const STALE: Marks = 4;

impl Reader {
    /// Finds the best common ancestors of two commits, the newest first: those that no other common ancestor leads to. A
    /// commit counts as its own ancestor.
    ///
    /// There are none if the histories are unrelated, and several after criss-cross merges.
    pub fn merge_bases(&mut self, one: &oid, two: &oid) -> Result<Vec<ObjectId>, Error> {
        let mut history = History::default();
        let (one, two) = (history.node(one), history.node(two));
        let bases = best(self, &mut history, one, two)?;
        Ok(bases.into_iter().map(|node| history.id(node)).collect())
    }
}

/// Finds the best common ancestors of two commits, the newest first; those of the same second come in Git's order.
pub(crate) fn best(reader: &mut Reader, history: &mut History, one: Node, two: Node) -> Result<Vec<Node>, Error> {
    if one == two {
        return Ok(vec![one]);
    }
    let mut bases = common(reader, history, &[one], &[two])?;
    // With a wrong clock, an ancestor can look newer than its descendant, and is then reported as a best one.
    let mut at = 0;
    while bases.len() > 1 && at < bases.len() {
        let others: Vec<_> = bases.iter().copied().filter(|other| *other != bases[at]).collect();
        if common(reader, history, &[bases[at]], &others)?.contains(&bases[at]) {
            bases.remove(at);
        } else {
            at += 1;
        }
    }
    bases.sort_by_key(|node| Reverse(history.seconds(*node)));
    Ok(bases)
}

/// Finds the common ancestors of both sides that were not marked as stale when the walk ended.
fn common(reader: &mut Reader, history: &mut History, one: &[Node], two: &[Node]) -> Result<Vec<Node>, Error> {
    let (paint, mut common) = walk(reader, history, one, two)?;
    common.retain(|node| paint.marks(*node) & STALE == 0);
    common.dedup();
    Ok(common)
}

/// Finds the commits that `one` leads to and `two` does not.
pub(crate) fn only(reader: &mut Reader, history: &mut History, one: Node, two: Node) -> Result<HashSet<Node>, Error> {
    if one == two {
        return Ok(HashSet::new());
    }
    let (paint, _) = walk(reader, history, &[one], &[two])?;
    Ok(paint.into_marks().filter(|(_, marks)| *marks == ONE).map(|(node, _)| node).collect())
}

/// Walks back from both sides until all queued commits are stale; returns the common ancestors as they were found.
fn walk(reader: &mut Reader, history: &mut History, one: &[Node], two: &[Node]) -> Result<(Paint, Vec<Node>), Error> {
    let mut paint = Paint::new(|marks| marks & STALE == 0);
    for (nodes, mark) in [(one, ONE), (two, TWO)] {
        for node in nodes {
            paint.mark(reader, history, *node, mark)?;
        }
    }
    let mut common = Vec::new();
    while let Some((node, mut marks)) = paint.next() {
        reader.go_on()?;
        if marks == ONE | TWO {
            common.push(node);
            marks |= STALE;
        }
        paint.mark_parents(reader, history, node, marks)?;
    }
    Ok((paint, common))
}

//! The commits that the server has and the client lacks.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    Error,
    history::{History, Node},
    reader::Reader,
};

/// The difference of two sets of commits.
pub(crate) struct Missing {
    /// The commits that are reachable from the wanted ones only, parents before their children.
    pub(crate) missing: Vec<Node>,
    /// The known parents of missing commits, and the tips of the client.
    pub(crate) edges: Vec<Node>,
}

const SEEN: u8 = 1;
const KNOWN: u8 = 2;
const EDGE: u8 = 4;
const QUEUED: u8 = 8;

/// Tips of the other side that are taken as edges although nothing rests on them, at most.
const TIPS_MAX: usize = 32;

/// Finds the commits that are reachable from `wants` and not from `haves`.
///
/// Commits are taken newest first. A commit that is found to be known after its ancestors were taken as
/// missing, as a wrong clock makes it, passes that on to them. Gives up once it has taken more than `limit` commits.
pub(crate) fn missing_commits(
    reader: &mut Reader,
    history: &mut History,
    wants: &[Node],
    haves: &[Node],
    limit: usize,
) -> Result<Option<Missing>, Error> {
    let mut walk = Walk { flags: Vec::new(), queue: BinaryHeap::new(), queued: 0, open: 0 };
    for node in haves {
        walk.reach(reader, history, *node, KNOWN)?;
    }
    for node in wants {
        walk.reach(reader, history, *node, 0)?;
    }
    let mut taken = Vec::new();
    while walk.open > 0 {
        let Some(node) = walk.next() else { break };
        let known = walk.flag(node) & KNOWN;
        if known == 0 {
            taken.push(node);
            if taken.len() > limit {
                return Ok(None);
            }
        }
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            walk.reach(reader, history, parent, known)?;
        }
    }
    let missing: Vec<_> = taken.into_iter().filter(|node| walk.flag(*node) & KNOWN == 0).collect();
    let mut edges = Vec::new();
    let rested_on = missing.iter().flat_map(|node| history.parents(*node).iter().copied());
    for node in rested_on.chain(haves.iter().copied().take(TIPS_MAX)) {
        if walk.flag(node) & (KNOWN | EDGE) == KNOWN {
            walk.flags[node as usize] |= EDGE;
            edges.push(node);
        }
    }
    Ok(Some(Missing { missing: parents_first(history, &missing), edges }))
}

/// Puts the parents among `nodes`, which were read, before their children; else keeps their order turned around.
pub(super) fn parents_first(history: &History, nodes: &[Node]) -> Vec<Node> {
    const OPEN: u8 = 1;
    const TAKEN: u8 = 2;
    let mut states = vec![0_u8; nodes.iter().max().map_or(0, |node| *node as usize + 1)];
    for node in nodes {
        states[*node as usize] = OPEN;
    }
    let mut sorted = Vec::with_capacity(nodes.len());
    let mut way = Vec::new();
    for node in nodes.iter().rev() {
        way.push((*node, 0));
        while let Some((node, next)) = way.pop() {
            if states[node as usize] == TAKEN {
                continue;
            }
            let open = |parent: &&Node| states.get(**parent as usize) == Some(&OPEN);
            let mut parents = history.parents(node).iter().enumerate().skip(next);
            if let Some((at, parent)) = parents.find(|(_, parent)| open(parent)) {
                way.extend([(node, at + 1), (*parent, 0)]);
            } else {
                states[node as usize] = TAKEN;
                sorted.push(node);
            }
        }
    }
    sorted
}

struct Walk {
    flags: Vec<u8>,
    /// The commits to take, by time; among equals the one that was found first comes first.
    queue: BinaryHeap<(i64, Reverse<u64>, Node)>,
    /// The number of commits that were ever queued.
    queued: u64,
    /// The number of commits in the queue that are not known.
    open: usize,
}

impl Walk {
    fn flag(&mut self, node: Node) -> u8 {
        let at = node as usize;
        if self.flags.len() <= at {
            self.flags.resize(at + 1, 0);
        }
        self.flags[at]
    }

    /// Notes that a commit is reachable: from the known side if `known` says so.
    fn reach(&mut self, reader: &mut Reader, history: &mut History, node: Node, known: u8) -> Result<(), Error> {
        let flags = self.flag(node);
        if flags & SEEN == 0 {
            history.load(node, reader)?;
            self.flags[node as usize] |= SEEN | QUEUED | known;
            self.queue.push((history.seconds(node), Reverse(self.queued), node));
            self.queued += 1;
            self.open += usize::from(known == 0);
        } else if known & !flags != 0 {
            self.make_known(history, node);
        }
        Ok(())
    }

    /// Takes the newest commit out of the queue.
    fn next(&mut self) -> Option<Node> {
        let (_, _, node) = self.queue.pop()?;
        let flags = &mut self.flags[node as usize];
        *flags &= !QUEUED;
        self.open -= usize::from(*flags & KNOWN == 0);
        Some(node)
    }

    /// Passes on that a commit is known to those of its ancestors that were seen.
    fn make_known(&mut self, history: &History, node: Node) {
        let mut stack = vec![node];
        while let Some(node) = stack.pop() {
            let flags = self.flag(node);
            if flags & (SEEN | KNOWN) != SEEN {
                continue;
            }
            self.flags[node as usize] |= KNOWN;
            self.open -= usize::from(flags & QUEUED != 0);
            stack.extend_from_slice(history.parents(node));
        }
    }
}

//! The history that is newer than a time and not reachable from excluded commits: `deepen-since`, `deepen-not`.

use std::collections::BinaryHeap;

use super::{DepthRange, set};
use crate::{
    Error, ProtocolError,
    history::{History, Node},
    reader::Reader,
};

const SEEN: u8 = 1;
const OUTSIDE: u8 = 2;
const QUEUED: u8 = 4;

/// Computes the commits reachable from `starts`, without those reachable from `not` and those older than `since`, in
/// seconds since 1970. The ancestors of a commit that is too old are excluded as well.
pub(super) fn depth_range(
    reader: &mut Reader,
    history: &mut History,
    starts: &[Node],
    not: &[Node],
    since: Option<i64>,
) -> Result<DepthRange, ProtocolError> {
    let mut walk = RecentWalk::default();
    for node in not {
        walk.reach(reader, history, *node, OUTSIDE)?;
    }
    for node in starts {
        walk.reach(reader, history, *node, 0)?;
    }
    let mut selected = Vec::new();
    while walk.open > 0 {
        let Some(node) = walk.next() else { break };
        if since.is_some_and(|since| history.seconds(node) < since) {
            walk.exclude(history, node);
        }
        let outside = walk.flags[node as usize] & OUTSIDE;
        if outside == 0 {
            selected.push(node);
        }
        for at in 0..history.parents(node).len() {
            let parent = history.parents(node)[at];
            walk.reach(reader, history, parent, outside)?;
        }
    }
    selected.retain(|node| walk.flags[*node as usize] & OUTSIDE == 0);
    if selected.is_empty() {
        return Err(ProtocolError::new("no commits selected for shallow requests"));
    }
    let is_outside = |node: &Node| walk.flags[*node as usize] & OUTSIDE != 0;
    let ends = |node: &Node| history.is_cut(*node) || history.parents(*node).iter().any(is_outside);
    let (boundary, full): (Vec<_>, Vec<_>) = selected.into_iter().partition(ends);
    let mut inside = Vec::new();
    for node in full {
        set(&mut inside, node);
    }
    Ok(DepthRange { inside: Some(inside), boundary })
}

/// A walk over commits, the newest first.
#[derive(Default)]
struct RecentWalk {
    flags: Vec<u8>,
    /// The commits to visit, by time.
    queue: BinaryHeap<(i64, Node)>,
    /// The number of queued commits that are not known to be excluded.
    open: usize,
}

impl RecentWalk {
    /// Reaches a commit; `outside` is [`OUTSIDE`] if it is excluded.
    fn reach(&mut self, reader: &mut Reader, history: &mut History, node: Node, outside: u8) -> Result<(), Error> {
        let at = node as usize;
        if self.flags.len() <= at {
            self.flags.resize(at + 1, 0);
        }
        if self.flags[at] & SEEN == 0 {
            history.load(node, reader)?;
            self.flags[at] = SEEN | QUEUED | outside;
            self.queue.push((history.seconds(node), node));
            self.open += usize::from(outside == 0);
        } else if outside != 0 {
            self.exclude(history, node);
        }
        Ok(())
    }

    fn next(&mut self) -> Option<Node> {
        let (_, node) = self.queue.pop()?;
        let flags = &mut self.flags[node as usize];
        *flags &= !QUEUED;
        self.open -= usize::from(*flags & OUTSIDE == 0);
        Some(node)
    }

    /// Excludes a commit and those of its ancestors that were visited.
    fn exclude(&mut self, history: &History, node: Node) {
        let mut stack = vec![node];
        while let Some(node) = stack.pop() {
            let Some(flags) = self.flags.get_mut(node as usize) else { continue };
            if *flags & (SEEN | OUTSIDE) != SEEN {
                continue;
            }
            *flags |= OUTSIDE;
            self.open -= usize::from(*flags & QUEUED != 0);
            stack.extend_from_slice(history.parents(node));
        }
    }
}

//! Selecting objects of a pack with the help of its graph, without visiting each.

use std::collections::HashSet;

use super::{
    commits::parents_first,
    walk::{Reuse, Walk},
};
use crate::{
    Error,
    bits::Bits,
    commit_graph::{Graph, GraphedPack},
    history::{History, Node},
};

/// What commits lead to, taken apart at the border of a pack.
struct Outside {
    /// The commits that are not in the pack.
    nodes: Vec<Node>,
    /// The commits in the pack at which these end, by their numbers.
    tips: Vec<u32>,
}

impl Walk<'_> {
    /// Adds the objects reachable from `wants` and not from `haves` by a graph; returns `false` if there is none. No
    /// commit is cut.
    pub(super) fn reuse(&mut self, history: &mut History, wants: &[Node], haves: &[Node]) -> Result<bool, Error> {
        let graphed_pack =
            if haves.is_empty() { self.reader.graphed_pack_or_built() } else { self.reader.graphed_pack() };
        match graphed_pack.cloned() {
            Some(graphed_pack) => self.reuse_from(history, &graphed_pack, wants, haves).map(|()| true),
            None => Ok(false),
        }
    }

    fn reuse_from(
        &mut self,
        history: &mut History,
        graphed_pack: &GraphedPack,
        wants: &[Node],
        haves: &[Node],
    ) -> Result<(), Error> {
        let known_commits = self.outside(history, graphed_pack, haves)?;
        let wanted = self.outside(history, graphed_pack, wants)?;
        let known = graphed_pack.reach(self.reader, &mut self.trees, &known_commits.tips)?;
        let mut chosen = graphed_pack.reach(self.reader, &mut self.trees, &wanted.tips)?;
        chosen.and_not(&known);
        self.know_bases(graphed_pack, &chosen, &known);
        self.found.reuse = Some(Reuse { graphed_pack: graphed_pack.clone(), chosen, known });
        for node in &known_commits.nodes {
            self.found.know(&history.id(*node));
        }
        let known: HashSet<Node> = known_commits.nodes.into_iter().collect();
        let mut missing = wanted.nodes;
        missing.retain(|node| !known.contains(node));
        self.commits(history, &parents_first(history, &missing), &[])
    }

    /// Notes the bases of sent entries that the client has.
    fn know_bases(&mut self, graphed_pack: &GraphedPack, chosen: &Bits, known: &Bits) {
        for rank in chosen.iter() {
            let base = graphed_pack.graph.bases[rank as usize];
            if base != Graph::WHOLE && known.get(base) {
                self.found.know(&graphed_pack.pack.id_at(base));
            }
        }
    }

    fn outside(
        &mut self,
        history: &mut History,
        graphed_pack: &GraphedPack,
        starts: &[Node],
    ) -> Result<Outside, Error> {
        let mut seen = HashSet::new();
        let (mut nodes, mut tips) = (Vec::new(), Vec::new());
        let mut stack = starts.to_vec();
        while let Some(node) = stack.pop() {
            if !seen.insert(node) {
                continue;
            }
            if let Some(number) = graphed_pack.number(&history.id(node)) {
                tips.push(number);
                // Its tree is compared with those of commits outside.
                history.load(node, self.reader)?;
            } else {
                history.load(node, self.reader)?;
                nodes.push(node);
                stack.extend(history.parents(node));
            }
        }
        Ok(Outside { nodes, tips })
    }
}

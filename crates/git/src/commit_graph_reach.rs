//! The objects reachable from commits.

use std::collections::{BinaryHeap, HashSet};

use gix::ObjectId;

use crate::{
    Error,
    bits::Bits,
    commit_graph::GraphedPack,
    pack::Pack,
    reader::Reader,
    selection::SelectedObject,
    tree_comparison::{ComparedCommit, ObjectSink, TreeComparer},
};

impl GraphedPack {
    /// Finds the ranks of all objects reachable from the commits `tips`, these included.
    ///
    /// Walks back to the nearest landmarks; only the trees of the commits before these are read.
    pub(crate) fn reach(&self, reader: &mut Reader, trees: &mut TreeComparer, tips: &[u32]) -> Result<Bits, Error> {
        let graph = &self.graph;
        let mut bits = Bits::new(graph.bases.len());
        if let Some(all) = graph.all.as_ref().filter(|_| self.are_all_heads_in(tips)) {
            all.add_to(&mut bits);
            return Ok(bits);
        }
        // The newest first: a landmark comes before everything reachable from it.
        let mut queue: BinaryHeap<_> = tips.iter().copied().collect();
        let mut open = Vec::new();
        while let Some(number) = queue.pop() {
            if open.last() == Some(&number) || bits.get(graph.commits[number as usize].rank) {
                continue;
            }
            if let Ok(at) = graph.landmarks.binary_search_by_key(&number, |(landmark, _)| *landmark) {
                graph.landmarks[at].1.add_to(&mut bits);
            } else {
                open.push(number);
                queue.extend(graph.parents(number));
            }
        }
        let steps: Vec<_> = open.into_iter().rev().map(|number| self.step(number)).collect();
        let mut marks = Marks { pack: &self.pack, bits: &mut bits, foreign: None };
        trees.compare_commits(reader, &steps, &mut marks)?;
        if let Some(id) = marks.foreign {
            return Err(reader.missing(&id));
        }
        Ok(bits)
    }

    fn step(&self, number: u32) -> ComparedCommit {
        let others = self.graph.parents(number).iter().map(|parent| self.tree(*parent)).collect();
        ComparedCommit { commit: self.id(number), tree: self.tree(number), others }
    }

    fn are_all_heads_in(&self, tips: &[u32]) -> bool {
        let heads = &self.graph.heads;
        heads.len() <= tips.len() && {
            let tips: HashSet<_> = tips.iter().collect();
            heads.iter().all(|head| tips.contains(head))
        }
    }
}

struct Marks<'a> {
    pack: &'a Pack,
    bits: &'a mut Bits,
    /// An object that is not in the pack.
    foreign: Option<ObjectId>,
}

impl ObjectSink for Marks<'_> {
    fn add(&mut self, chosen: SelectedObject) -> bool {
        let Some(rank) = self.pack.rank(&chosen.id) else {
            self.foreign = Some(chosen.id);
            return false;
        };
        self.bits.set(rank)
    }

    fn replaced(&mut self, _: SelectedObject) {}
}

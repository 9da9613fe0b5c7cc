//! Building the graph of a pack, in one pass from the oldest commit to the newest.

use std::{io, sync::Arc};

use gix::odb::pack::data::entry::Header;

use crate::{
    Error, Interrupt, Kind, Repository,
    cache_memory::Cached,
    commit_graph::{self, Graph, GraphCommit, GraphedPack, Runs},
    object_links,
    pack::Pack,
    reader::Reader,
    tree_comparison::TreeComparer,
};

/// Maximum distance of a commit from a landmark, unless this would give too many landmarks.
const STEP: u32 = 64;
const LANDMARKS_MAX: usize = 512;
/// The number of entries between two checks of the interrupt.
const ENTRIES_PER_CHECK: usize = 1 << 10;
/// Maximum number of heads that are landmarks.
const HEADS_MAX: usize = 256;

impl Repository {
    /// Writes the commit graph of the largest pack beside it, so that clones and fetches need not compute it.
    ///
    /// Does nothing if the graph exists, if the pack is small, or if its commits refer to objects of other packs. Only one
    /// thread at a time does it for a repository.
    pub fn write_graph(&self) -> io::Result<()> {
        let reader = self.reader();
        let graphed_pack = make(reader.packs(), reader.interrupt());
        graphed_pack.map_or(Ok(()), |GraphedPack { pack, graph, .. }| pack.save_graph(&graph))
    }
}

impl Reader {
    /// Returns the largest pack that has a graph; builds one for the largest pack if none has.
    pub(crate) fn graphed_pack_or_built(&mut self) -> Option<&GraphedPack> {
        if self.graphed_pack().is_none() {
            self.use_graph(make(self.packs(), self.interrupt()));
        }
        self.graphed_pack()
    }
}

/// Builds a graph for the largest pack.
fn make(packs: &[Arc<Pack>], interrupt: &Interrupt) -> Option<GraphedPack> {
    let pack = commit_graph::worthy(packs)?;
    let graph = pack.graph_or_build(|| build(pack, interrupt))?;
    Some(GraphedPack::new(pack, graph))
}

/// Builds the graph of a pack; `None` if the pack is not fully connected.
fn build(pack: &Arc<Pack>, interrupt: &Interrupt) -> Result<Option<Graph>, Error> {
    // The cached order is not evicted while this holds it.
    let _entry_order = pack.entry_order();
    let Some((bases, commits)) = survey(pack, interrupt)? else { return Ok(None) };
    let mut reader = Reader::of_pack(Arc::clone(pack), interrupt.clone());
    let Some(graph) = connect(pack, &mut reader, bases, &commits)? else { return Ok(None) };
    let numbers = landmarks(&graph);
    let mut graphed_pack = GraphedPack::new(pack, Arc::new(Cached::alone(graph)));
    let mut trees = TreeComparer::default();
    for number in numbers {
        match graphed_pack.reach(&mut reader, &mut trees, &[number]) {
            Ok(bits) => own(&mut graphed_pack).landmarks.push((number, Runs::of(&bits))),
            Err(Error::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let heads = graphed_pack.graph.heads.clone();
    match graphed_pack.reach(&mut reader, &mut trees, &heads) {
        Ok(bits) => own(&mut graphed_pack).all = Some(Runs::of(&bits)),
        Err(Error::Missing { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    Ok(Arc::into_inner(graphed_pack.graph).map(Cached::into_inner))
}

fn own(graphed_pack: &mut GraphedPack) -> &mut Graph {
    Arc::get_mut(&mut graphed_pack.graph).expect("the new graph is not shared yet")
}

/// Finds the bases of all entries, and the ranks of the commits; `None` if a base is in another pack.
fn survey(pack: &Pack, interrupt: &Interrupt) -> Result<Option<(Vec<u32>, Vec<u32>)>, Error> {
    const UNKNOWN: u8 = 0;
    const COMMIT: u8 = 1;
    const OTHER: u8 = 2;
    let entry_order = pack.entry_order();
    let all = &entry_order.by_offset;
    let mut bases = vec![Graph::WHOLE; all.len()];
    let mut kinds = vec![UNKNOWN; all.len()];
    for (rank, (offset, _)) in all.iter().enumerate() {
        if rank % ENTRIES_PER_CHECK == 0 {
            interrupt.check()?;
        }
        let entry = pack.entry(*offset)?;
        let base = match entry.header {
            Header::OfsDelta { base_distance } => entry
                .checked_base_pack_offset(base_distance)
                .and_then(|base| all.binary_search_by_key(&base, |(offset, _)| *offset).ok())
                .and_then(|rank| u32::try_from(rank).ok()),
            Header::RefDelta { base_id } => pack.rank(&base_id),
            header => {
                kinds[rank] = if header.as_kind() == Some(Kind::Commit) { COMMIT } else { OTHER };
                continue;
            }
        };
        let Some(base) = base else { return Ok(None) };
        bases[rank] = base;
    }
    let mut chain = Vec::new();
    for start in 0..all.len() {
        let mut at = start;
        while kinds[at] == UNKNOWN && chain.len() < all.len() {
            chain.push(at);
            at = bases[at] as usize;
        }
        // Deltas in a circle belong to no object; reading such an object gives the error.
        let kind = if kinds[at] == COMMIT { COMMIT } else { OTHER };
        chain.drain(..).for_each(|at| kinds[at] = kind);
    }
    let commits = (0..).zip(kinds).filter_map(|(rank, kind)| (kind == COMMIT).then_some(rank)).collect();
    Ok(Some((bases, commits)))
}

/// A commit, with its parents as positions in the list of commits.
struct Read {
    tree: u32,
    seconds: i64,
    parents: (usize, usize),
}

/// Reads the commits at the `ranks`, and numbers them; `None` if one refers to an object outside the pack.
fn connect(pack: &Pack, reader: &mut Reader, bases: Vec<u32>, ranks: &[u32]) -> Result<Option<Graph>, Error> {
    let mut read = Vec::with_capacity(ranks.len());
    let mut parents = Vec::new();
    let mut buffer = Vec::new();
    for rank in ranks {
        let id = pack.id_at(*rank);
        reader.expect(&id, Kind::Commit, &mut buffer)?;
        let commit = object_links::CommitHead::parse(&buffer).map_err(|reason| Error::Malformed { id, reason })?;
        let start = parents.len();
        for parent in commit.parents() {
            let Some(place) = pack.rank(&parent).and_then(|rank| ranks.binary_search(&rank).ok()) else {
                return Ok(None);
            };
            parents.push(place);
        }
        let Some(tree) = pack.rank(&commit.tree) else { return Ok(None) };
        read.push(Read { tree, seconds: commit.seconds(), parents: (start, parents.len()) });
    }
    let order = parents_first(&read, &parents);
    let mut numbers = vec![0; read.len()];
    for (number, place) in (0_u32..).zip(&order) {
        numbers[*place] = number;
    }
    let mut graph = Graph::new(pack.index.pack_checksum(), bases.into());
    graph.commits.reserve_exact(order.len());
    graph.parents.reserve_exact(parents.len());
    for place in order {
        let Read { tree, seconds, parents: (start, end) } = read[place];
        let first = u32::try_from(graph.parents.len()).expect("a pack has fewer than 2^32 parents");
        graph.commits.push(GraphCommit { rank: ranks[place], tree, parents: first, seconds });
        graph.parents.extend(parents[start..end].iter().map(|parent| numbers[*parent]));
    }
    graph.arrange();
    Ok(Some(graph))
}

/// Orders positions in the list of commits so that parents come before their children.
fn parents_first(read: &[Read], parents: &[usize]) -> Vec<usize> {
    let mut taken = vec![false; read.len()];
    let mut order = Vec::with_capacity(read.len());
    let mut way = Vec::new();
    // Packs mostly begin with the newest commits.
    for start in (0..read.len()).rev() {
        way.push((start, read[start].parents.0));
        while let Some((place, next)) = way.pop() {
            if taken[place] {
                continue;
            }
            let end = read[place].parents.1;
            if let Some(at) = (next..end).find(|at| !taken[parents[*at]]) {
                way.extend([(place, at + 1), (parents[at], read[parents[at]].parents.0)]);
            } else {
                taken[place] = true;
                order.push(place);
            }
        }
    }
    order
}

/// Chooses the landmarks: heads, and commits at a distance from the next landmarks among their ancestors.
fn landmarks(graph: &Graph) -> Vec<u32> {
    let count = u32::try_from(graph.commits.len()).expect("a pack has fewer than 2^32 commits");
    let mut step = STEP;
    let mut chosen = loop {
        let mut away = vec![0_u32; graph.commits.len()];
        let mut chosen = Vec::new();
        for number in 0..count {
            let nearest = graph.parents(number).iter().map(|parent| away[*parent as usize] + 1).max().unwrap_or(0);
            if nearest >= step {
                chosen.push(number);
            } else {
                away[number as usize] = nearest;
            }
        }
        if chosen.len() <= LANDMARKS_MAX {
            break chosen;
        }
        step *= 2;
    };
    chosen.extend(graph.heads.iter().rev().take(HEADS_MAX));
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::ObjectId;

    /// Creates a graph without objects, whose commits have the given parents.
    fn graph(parents: &[&[u32]]) -> Graph {
        let mut graph = Graph::new(ObjectId::null(gix::hash::Kind::Sha1), [].into());
        for (rank, own) in (0..).zip(parents) {
            let first = u32::try_from(graph.parents.len()).expect("few parents");
            graph.commits.push(GraphCommit { rank, tree: 0, parents: first, seconds: 0 });
            graph.parents.extend(*own);
        }
        graph.arrange();
        graph
    }

    #[test]
    fn landmarks_are_few_and_never_far() {
        let line: Vec<_> = (0..200_000_u32).map(|number| number.checked_sub(1).into_iter().collect()).collect();
        let line: Vec<_> = line.iter().map(Vec::as_slice).collect();
        let chosen = landmarks(&graph(&line));
        assert!(chosen.len() > LANDMARKS_MAX / 3 && chosen.len() <= LANDMARKS_MAX + 1);
        assert_eq!(chosen.last(), Some(&199_999));
        assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] <= 512));
        assert_eq!(landmarks(&graph(&[&[], &[0], &[0], &[1, 2], &[2]])), [3, 4]);
    }
}

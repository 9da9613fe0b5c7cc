//! Commit graph of one pack: its commits, and the objects reachable from them, without reading any.
//!
//! A graph belongs to one closed pack: one that holds every object that its commits name. It numbers the objects by their
//! ranks, the places of their entries in the order of offsets, and the commits so that parents come first. For some
//! commits, the landmarks, it holds the set of all objects reachable from them.
//!
//! **Invariant:** a graph agrees with its pack. A missing or damaged graph makes requests slower, never
//! wrong.

mod bitmap;
mod file;

use std::{cmp::Reverse, io, sync::Arc};

use gix::{ObjectId, hash::oid};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    Error,
    cache_memory::{CacheMemory, Cached, Slot, Weigh},
    entry_order::EntryOrder,
    pack::Pack,
};
pub(crate) use bitmap::Runs;

/// The commits of a pack, and the objects reachable from them.
#[derive(Debug, PartialEq)]
pub(crate) struct Graph {
    /// The checksum of the pack.
    pub(crate) checksum: ObjectId,
    /// For each rank the rank of the base that the entry is a delta on; [`Graph::WHOLE`] if it is none.
    pub(crate) bases: Arc<[u32]>,
    pub(crate) commits: Vec<GraphCommit>,
    /// The numbers of the parents of all commits, one commit's after the other's.
    pub(crate) parents: Vec<u32>,
    /// The numbers of all commits, sorted by their ranks.
    by_rank: Vec<u32>,
    /// The commits that are no parents of other commits of the pack.
    pub(crate) heads: Vec<u32>,
    /// The objects reachable from some commits, these included, sorted by the commits' numbers.
    pub(crate) landmarks: Vec<(u32, Runs)>,
    /// The objects reachable from all commits together.
    pub(crate) all: Option<Runs>,
}

/// A commit of a graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GraphCommit {
    pub(crate) rank: u32,
    /// The rank of the tree.
    pub(crate) tree: u32,
    /// Where the parents begin; they end where those of the next commit begin.
    pub(crate) parents: u32,
    /// The time of the commit, in seconds since 1970.
    pub(crate) seconds: i64,
}

impl Graph {
    /// In place of a base: the entry is no delta.
    pub(crate) const WHOLE: u32 = u32::MAX;

    /// Creates a graph without commits; `bases` are those of the pack's entries, by their ranks.
    pub(crate) fn new(checksum: ObjectId, bases: Arc<[u32]>) -> Self {
        Self {
            checksum,
            bases,
            commits: Vec::new(),
            parents: Vec::new(),
            by_rank: Vec::new(),
            heads: Vec::new(),
            landmarks: Vec::new(),
            all: None,
        }
    }

    /// Returns the numbers of a commit's parents.
    pub(crate) fn parents(&self, number: u32) -> &[u32] {
        let number = number as usize;
        let end = self.commits.get(number + 1).map_or(self.parents.len(), |next| next.parents as usize);
        &self.parents[self.commits[number].parents as usize..end]
    }

    pub(crate) fn seconds(&self, number: u32) -> i64 {
        self.commits[number as usize].seconds
    }

    /// Finds a commit by the rank of its entry.
    fn number(&self, rank: u32) -> Option<u32> {
        let at = self.by_rank.binary_search_by_key(&rank, |number| self.commits[*number as usize].rank);
        at.ok().map(|at| self.by_rank[at])
    }

    /// Finds the commits that are no parents, and sorts the numbers by rank.
    pub(crate) fn arrange(&mut self) {
        let mut named = vec![false; self.commits.len()];
        for parent in &self.parents {
            named[*parent as usize] = true;
        }
        self.heads = (0..).zip(named).filter_map(|(number, named)| (!named).then_some(number)).collect();
        self.by_rank = (0..).take(self.commits.len()).collect();
        self.by_rank.sort_unstable_by_key(|number| self.commits[*number as usize].rank);
    }
}

/// A pack with its graph.
#[derive(Clone)]
pub(crate) struct GraphedPack {
    pub(crate) pack: Arc<Pack>,
    pub(crate) graph: Arc<Cached<Graph>>,
    /// The order of the pack's entries, held so that it is not evicted.
    entry_order: Arc<Cached<EntryOrder>>,
}

impl GraphedPack {
    pub(crate) fn new(pack: &Arc<Pack>, graph: Arc<Cached<Graph>>) -> Self {
        Self { pack: Arc::clone(pack), graph, entry_order: pack.entry_order() }
    }

    /// Finds a commit's number.
    pub(crate) fn number(&self, id: &oid) -> Option<u32> {
        let position = self.pack.position(id)?;
        self.graph.number(self.entry_order.rank(position))
    }

    pub(crate) fn id(&self, number: u32) -> ObjectId {
        self.pack.id_at(self.graph.commits[number as usize].rank)
    }

    pub(crate) fn tree(&self, number: u32) -> ObjectId {
        self.pack.id_at(self.graph.commits[number as usize].tree)
    }
}

/// The number of objects from which on a graph is made for a pack that has none.
const WORTHY: u32 = 500;

/// Finds the largest pack that has a graph.
pub(crate) fn find(packs: &[Arc<Pack>]) -> Option<GraphedPack> {
    let mut packs: Vec<_> = packs.iter().collect();
    packs.sort_unstable_by_key(|pack| Reverse(pack.index.num_objects()));
    packs.into_iter().find_map(|pack| Some(GraphedPack::new(pack, pack.graph()?)))
}

/// Finds the largest pack, if it is large enough to get a graph.
pub(crate) fn worthy(packs: &[Arc<Pack>]) -> Option<&Arc<Pack>> {
    packs.iter().max_by_key(|pack| pack.index.num_objects()).filter(|pack| pack.index.num_objects() >= WORTHY)
}

/// Returns whether the largest pack may get a graph and has none that is saved, as far as that is known without
/// making it.
pub(crate) fn is_due(packs: &[Arc<Pack>]) -> bool {
    worthy(packs).is_some_and(|pack| {
        (pack.graph().is_none() || *pack.graph.known() != Known::Saved) && *pack.graph.known() != Known::Hopeless
    })
}

impl Weigh for Graph {
    fn bytes(&self) -> usize {
        let numbers = self.bases.len() + self.parents.len() + self.by_rank.len() + self.heads.len();
        let words: usize = self.landmarks.iter().map(|(_, runs)| runs.words().len()).sum();
        let words = words + self.all.as_ref().map_or(0, |runs| runs.words().len());
        numbers * size_of::<u32>()
            + self.commits.len() * size_of::<GraphCommit>()
            + self.landmarks.len() * size_of::<(u32, Runs)>()
            + words * size_of::<u64>()
    }
}

/// The cached graph of a pack.
pub(crate) struct Place {
    graph: Slot<Graph>,
    known: Mutex<Known>,
}

/// The state of a pack's graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Not looked up yet.
    Nothing,
    /// In a file beside the pack.
    Saved,
    /// There is no valid file.
    Unsaved,
    /// The graph cannot be built.
    Hopeless,
}

impl Place {
    pub(crate) fn new(memory: &CacheMemory) -> Self {
        Self { graph: Slot::new(memory), known: Mutex::new(Known::Nothing) }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock()
    }
}

impl Pack {
    /// Returns the graph that was saved beside the pack, or that was made and is kept.
    pub(crate) fn graph(&self) -> Option<Arc<Cached<Graph>>> {
        let known = *self.graph.known();
        match known {
            Known::Hopeless => None,
            Known::Unsaved => self.graph.graph.get(),
            Known::Nothing | Known::Saved => {
                // Known before others may look, so that a graph that they make is not taken for one that was saved.
                self.graph.graph.get_or_make(|| {
                    let loaded = file::load(self);
                    *self.graph.known() = if loaded.is_some() { Known::Saved } else { Known::Unsaved };
                    loaded
                })
            }
        }
    }

    /// Returns the pack's graph, made by `build` if there is none; `None` if the pack is not closed, or if the making was
    /// interrupted. Other threads that need the graph wait while it is being made.
    pub(crate) fn graph_or_build(
        &self,
        build: impl FnOnce() -> Result<Option<Graph>, Error>,
    ) -> Option<Arc<Cached<Graph>>> {
        if let Some(graph) = self.graph() {
            return Some(graph);
        }
        self.graph.graph.get_or_make(|| {
            if *self.graph.known() == Known::Hopeless {
                return None;
            }
            let outcome = match build() {
                // That says nothing about the pack: the next one who needs the graph makes it.
                Err(Error::Interrupted | Error::Time) => return None,
                // What cannot be read is left for those to report who need it.
                other => other.ok().flatten(),
            };
            if outcome.is_none() {
                *self.graph.known() = Known::Hopeless;
            }
            outcome
        })
    }

    /// Saves the pack's graph beside it, unless a sound file is there already.
    pub(crate) fn save_graph(&self, graph: &Graph) -> io::Result<()> {
        // What is kept in memory does not tell whether the file is still sound.
        if *self.graph.known() == Known::Saved && file::load(self).is_some() {
            return Ok(());
        }
        graph.save(self)?;
        *self.graph.known() = Known::Saved;
        Ok(())
    }
}

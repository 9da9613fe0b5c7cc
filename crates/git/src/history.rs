//! The commits that one request has visited.
//!
//! **Invariant:** [`History::parents`] of a cut commit are empty, although the commit names parents.

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use crate::{Error, Kind, commit_graph::GraphedPack, object_links, reader::Reader};

/// The number of a commit in a [`History`].
pub(crate) type Node = u32;

/// Commits with their parents, read on first use.
#[derive(Default)]
pub(crate) struct History {
    commits: Vec<HistoryCommit>,
    by_id: HashMap<ObjectId, Node>,
    parents: Vec<Node>,
    buffer: Vec<u8>,
    cuts: Vec<Node>,
    /// The number of commits that were read.
    loads: usize,
}

/// The number of commits that are read before a graph is opened; for fewer, opening it takes longer.
const FEW: usize = 200;

/// The interval between checks for an interruption, in commits.
const LOADS_PER_CHECK: usize = 1 << 8;

struct HistoryCommit {
    id: ObjectId,
    tree: ObjectId,
    seconds: i64,
    /// The range of the parents; `None` before the commit is read.
    parents: Option<(u32, u32)>,
    cut: bool,
    /// The number of the commit in the reader's graph, if known.
    number: Option<u32>,
}

impl History {
    /// Returns the number of the commit `id`; does not read the commit.
    pub(crate) fn node(&mut self, id: &oid) -> Node {
        let next = Node::try_from(self.commits.len()).expect("fewer commits than 32 bits count");
        *self.by_id.entry(id.to_owned()).or_insert_with(|| {
            let tree = ObjectId::null(gix::hash::Kind::Sha1);
            self.commits.push(HistoryCommit {
                id: id.to_owned(),
                tree,
                seconds: 0,
                parents: None,
                cut: false,
                number: None,
            });
            next
        })
    }

    pub(crate) fn id(&self, node: Node) -> ObjectId {
        self.commits[node as usize].id
    }

    /// Removes the parents of a commit, as in a shallow clone.
    pub(crate) fn cut(&mut self, node: Node) {
        let commit = &mut self.commits[node as usize];
        if !std::mem::replace(&mut commit.cut, true) {
            self.cuts.push(node);
        }
    }

    /// Tells whether any commit is cut.
    pub(crate) fn has_cuts(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// Lists the cut commits.
    pub(crate) fn cuts(&self) -> impl Iterator<Item = ObjectId> {
        self.cuts.iter().map(|node| self.id(*node))
    }

    /// Cuts several commits.
    pub(crate) fn cut_all(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.cut(*node);
        }
    }

    /// Tells whether a commit was cut.
    pub(crate) fn is_cut(&self, node: Node) -> bool {
        self.commits[node as usize].cut
    }

    /// Reads a commit if it was not read yet.
    pub(crate) fn load(&mut self, node: Node, reader: &mut Reader) -> Result<(), Error> {
        let HistoryCommit { id, parents, number, .. } = self.commits[node as usize];
        if parents.is_some() {
            return Ok(());
        }
        self.loads += 1;
        // A reader checks by itself for an interruption, but commits of a graph are not read.
        if self.loads.is_multiple_of(LOADS_PER_CHECK) {
            reader.go_on()?;
        }
        if self.loads > FEW
            && let Some(graphed_pack) = reader.graphed_pack()
            && let Some(number) = number.or_else(|| graphed_pack.number(&id))
        {
            self.load_from_graph(node, graphed_pack, number);
            return Ok(());
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        reader.expect(&id, Kind::Commit, &mut buffer)?;
        let commit = object_links::CommitHead::parse(&buffer).map_err(|reason| Error::Malformed { id, reason })?;
        let start = self.parents.len();
        for parent in commit.parents() {
            let parent = self.node(&parent);
            self.parents.push(parent);
        }
        self.complete(node, start, commit.tree, commit.seconds());
        self.buffer = buffer;
        Ok(())
    }

    /// Adds a virtual commit: it has no id, and it is older than all others.
    pub(crate) fn add_virtual(&mut self, tree: ObjectId, parents: &[Node]) -> Node {
        let node = Node::try_from(self.commits.len()).expect("fewer commits than 32 bits count");
        let id = ObjectId::null(gix::hash::Kind::Sha1);
        self.commits.push(HistoryCommit { id, tree, seconds: 0, parents: None, cut: false, number: None });
        let start = self.parents.len();
        self.parents.extend_from_slice(parents);
        self.complete(node, start, tree, 0);
        node
    }

    /// Loads a commit from a graph.
    fn load_from_graph(&mut self, node: Node, graphed_pack: &GraphedPack, number: u32) {
        let start = self.parents.len();
        for parent in graphed_pack.graph.parents(number) {
            let node = self.node(&graphed_pack.id(*parent));
            self.commits[node as usize].number = Some(*parent);
            self.parents.push(node);
        }
        self.complete(node, start, graphed_pack.tree(number), graphed_pack.graph.seconds(number));
    }

    /// Completes a commit whose parents are those from `start` to the end of the list.
    fn complete(&mut self, node: Node, start: usize, tree: ObjectId, seconds: i64) {
        let number = |at| u32::try_from(at).expect("fewer parents than 32 bits count");
        let slot = &mut self.commits[node as usize];
        slot.parents = Some((number(start), number(self.parents.len())));
        slot.tree = tree;
        slot.seconds = seconds;
    }

    /// Returns the tree of a loaded commit.
    pub(crate) fn tree(&self, node: Node) -> ObjectId {
        self.commits[node as usize].tree
    }

    /// Returns the time of a loaded commit, in seconds since 1970.
    pub(crate) fn seconds(&self, node: Node) -> i64 {
        self.commits[node as usize].seconds
    }

    /// Returns the parents of a loaded commit; none if it is cut.
    pub(crate) fn parents(&self, node: Node) -> &[Node] {
        if self.commits[node as usize].cut { &[] } else { self.named_parents(node) }
    }

    /// Returns the parents that a loaded commit names, even if it is cut.
    pub(crate) fn named_parents(&self, node: Node) -> &[Node] {
        let (start, end) = self.commits[node as usize].parents.expect("the commit was loaded");
        &self.parents[start as usize..end as usize]
    }
}

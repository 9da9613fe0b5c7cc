//! The commits that were looked at while one request is served.
//!
//! **Invariant:** a commit that is cut has no parents here, whatever it names.

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use crate::{Error, Kind, commit_graph::GraphedPack, object_links, reader::Reader};

/// The number of a commit in a [`History`].
pub(crate) type Node = u32;

/// Commits with their parents, read when they are asked for.
#[derive(Default)]
pub(crate) struct History {
    commits: Vec<HistoryCommit>,
    by_id: HashMap<ObjectId, Node>,
    parents: Vec<Node>,
    buffer: Vec<u8>,
    cuts: Vec<Node>,
    /// How many commits were read.
    loads: usize,
}

/// So many commits are read before a graph is looked for: for few it takes longer to open one.
const FEW: usize = 200;

/// How many commits are loaded before it is checked whether the work is to end.
const LOADS_PER_CHECK: usize = 1 << 8;

struct HistoryCommit {
    id: ObjectId,
    tree: ObjectId,
    seconds: i64,
    /// Where the parents are; nothing before the commit is read.
    parents: Option<(u32, u32)>,
    cut: bool,
    /// The number that the commit has in the reader's graph, if that is known.
    number: Option<u32>,
}

impl History {
    /// Gives the number of the commit `id`, which is not read yet.
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

    /// Takes a commit's parents away, as in a shallow clone.
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

    /// Gives the commits that are cut.
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
        // Commits that a graph knows are not read, and what is read looks by itself.
        if self.loads.is_multiple_of(LOADS_PER_CHECK) {
            reader.go_on()?;
        }
        if self.loads > FEW
            && let Some(graphed_pack) = reader.graphed_pack()
            && let Some(number) = number.or_else(|| graphed_pack.number(&id))
        {
            self.take(node, graphed_pack, number);
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
        self.settle(node, start, commit.tree, commit.seconds());
        self.buffer = buffer;
        Ok(())
    }

    /// Adds a commit that nobody made: it has no id, and it is older than all others.
    pub(crate) fn invent(&mut self, tree: ObjectId, parents: &[Node]) -> Node {
        let node = Node::try_from(self.commits.len()).expect("fewer commits than 32 bits count");
        let id = ObjectId::null(gix::hash::Kind::Sha1);
        self.commits.push(HistoryCommit { id, tree, seconds: 0, parents: None, cut: false, number: None });
        let start = self.parents.len();
        self.parents.extend_from_slice(parents);
        self.settle(node, start, tree, 0);
        node
    }

    /// Takes a commit from a graph.
    fn take(&mut self, node: Node, graphed_pack: &GraphedPack, number: u32) {
        let start = self.parents.len();
        for parent in graphed_pack.graph.parents(number) {
            let node = self.node(&graphed_pack.id(*parent));
            self.commits[node as usize].number = Some(*parent);
            self.parents.push(node);
        }
        self.settle(node, start, graphed_pack.tree(number), graphed_pack.graph.seconds(number));
    }

    /// Completes a commit whose parents are the last from `start` on.
    fn settle(&mut self, node: Node, start: usize, tree: ObjectId, seconds: i64) {
        let number = |at| u32::try_from(at).expect("fewer parents than 32 bits count");
        let slot = &mut self.commits[node as usize];
        slot.parents = Some((number(start), number(self.parents.len())));
        slot.tree = tree;
        slot.seconds = seconds;
    }

    /// Gives the tree of a commit that was read.
    pub(crate) fn tree(&self, node: Node) -> ObjectId {
        self.commits[node as usize].tree
    }

    /// Gives the time of a commit that was read, in seconds since 1970.
    pub(crate) fn seconds(&self, node: Node) -> i64 {
        self.commits[node as usize].seconds
    }

    /// Gives the parents of a commit that was read; none if it is cut.
    pub(crate) fn parents(&self, node: Node) -> &[Node] {
        if self.commits[node as usize].cut { &[] } else { self.named_parents(node) }
    }

    /// Gives the parents that a commit that was read names, cut or not.
    pub(crate) fn named_parents(&self, node: Node) -> &[Node] {
        let (start, end) = self.commits[node as usize].parents.expect("the commit was read");
        &self.parents[start as usize..end as usize]
    }
}

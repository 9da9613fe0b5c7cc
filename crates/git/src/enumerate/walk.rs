//! The objects of missing commits.

use std::sync::Arc;

use gix::{
    ObjectId,
    hash::oid,
    hashtable::{HashMap, HashSet, hash_map::Entry},
};

use super::commits::Missing;
use crate::{
    Error, Kind,
    bits::Bits,
    commit_graph::GraphedPack,
    history::{History, Node},
    object_links,
    reader::Reader,
    selection::{ReusedEntries, SelectedObject, Selection},
    tree_comparison::{ComparedCommit, ObjectSink, TreeComparer},
};

/// How many of the client's tips a commit without parents is compared with.
const TIPS_MAX: usize = 3;

/// Collector of the objects to send.
pub(super) struct Walk<'r> {
    pub(super) reader: &'r mut Reader,
    pub(super) trees: TreeComparer,
    pub(super) found: Found,
    buffer: Vec<u8>,
}

/// Objects of one pack that are sent, and those that the client has.
pub(super) struct Reuse {
    pub(super) graphed_pack: GraphedPack,
    /// The ranks of what is sent.
    pub(super) chosen: Bits,
    /// The ranks of what the client has; not all of it.
    pub(super) known: Bits,
}

#[derive(Default)]
pub(super) struct Found {
    /// Objects of one pack; these are in none of the lists.
    pub(super) reuse: Option<Reuse>,
    /// Those that were found later are to come first in the end; see [`Walk::finish`].
    objects: Vec<SelectedObject>,
    places: HashMap<ObjectId, u32>,
    bases: Vec<SelectedObject>,
    /// The ids of the bases.
    base_ids: HashSet<ObjectId>,
    /// Whether the client has anything.
    has_haves: bool,
    /// The trees of the client whose entries were noted.
    noted: HashSet<ObjectId>,
}

impl Found {
    /// Notes that the client has an object, unless it is sent; returns `false` if it was noted before.
    pub(super) fn know(&mut self, id: &oid) -> bool {
        match self.places.entry(id.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(Selection::KNOWN);
                true
            }
        }
    }
}

impl Found {
    fn is_sent(&self, id: &oid) -> bool {
        let reused = |reuse: &Reuse| reuse.graphed_pack.pack.rank(id).is_some_and(|rank| reuse.chosen.get(rank));
        self.reuse.as_ref().is_some_and(reused) || self.places.get(id).is_some_and(|place| *place != Selection::KNOWN)
    }
}

impl ObjectSink for Found {
    fn add(&mut self, chosen: SelectedObject) -> bool {
        if let Some(reuse) = &mut self.reuse
            && let Some(rank) = reuse.graphed_pack.pack.rank(&chosen.id)
        {
            return !reuse.known.get(rank) && reuse.chosen.set(rank);
        }
        match self.places.entry(chosen.id) {
            Entry::Occupied(_) => false,
            Entry::Vacant(vacant) => {
                vacant.insert(u32::try_from(self.objects.len()).expect("fewer objects than 32 bits count"));
                self.objects.push(chosen);
                true
            }
        }
    }

    fn replaced(&mut self, chosen: SelectedObject) {
        // Trees are compared with those of commits that are dealt with: what is not sent of these is known. It may be
        // known already, as something that an older commit left in its place.
        if !self.is_sent(&chosen.id) {
            self.know(&chosen.id);
            if self.base_ids.insert(chosen.id) {
                self.bases.push(chosen);
            }
        }
    }

    fn wants_entries(&mut self, tree: &oid) -> bool {
        // What a tree that is sent holds is sent, or was noted when that tree was compared.
        self.has_haves && !self.is_sent(tree) && self.noted.insert(tree.to_owned())
    }

    fn entry(&mut self, id: &oid) {
        if !self.is_sent(id) {
            self.know(id);
        }
    }
}

/// Sink that notes all objects as known to the client.
struct Knowing<'f>(&'f mut Found);

impl ObjectSink for Knowing<'_> {
    fn add(&mut self, chosen: SelectedObject) -> bool {
        self.0.know(&chosen.id)
    }

    fn replaced(&mut self, _: SelectedObject) {}
}

impl<'r> Walk<'r> {
    pub(super) fn new(reader: &'r mut Reader) -> Self {
        Self { reader, trees: TreeComparer::default(), found: Found::default(), buffer: Vec::new() }
    }

    /// Splits the wants into commits and other objects.
    pub(super) fn wants(
        &mut self,
        history: &mut History,
        wants: &[ObjectId],
    ) -> Result<(Vec<Node>, Vec<SelectedObject>), Error> {
        let (mut commits, mut others) = (Vec::new(), Vec::new());
        for want in wants {
            let mut id = *want;
            loop {
                match self.reader.kind(&id)?.ok_or_else(|| self.reader.missing(&id))? {
                    Kind::Commit => commits.push(history.node(&id)),
                    Kind::Tag => {
                        others.push(SelectedObject::new(&id, Kind::Tag, b""));
                        id = self.tag_target(&id)?;
                        continue;
                    }
                    kind => others.push(SelectedObject::new(&id, kind, b"")),
                }
                break;
            }
        }
        Ok((commits, others))
    }

    /// Notes the objects of the client, and returns the commits among them.
    pub(super) fn haves(&mut self, history: &mut History, haves: &[ObjectId]) -> Result<Vec<Node>, Error> {
        let mut commits = Vec::new();
        for have in haves {
            self.found.has_haves = true;
            match self.reader.peel(have)? {
                (id, Kind::Commit) => commits.push(history.node(&id)),
                (id, _) => drop(self.found.know(&id)),
            }
        }
        Ok(commits)
    }

    /// Adds missing commits with their new objects.
    pub(super) fn missing(&mut self, history: &History, missing: &Missing) -> Result<(), Error> {
        for edge in &missing.edges {
            self.found.know(&history.id(*edge));
        }
        self.know_deepened(history, missing)?;
        let tips: Vec<_> = missing.edges.iter().rev().take(TIPS_MAX).map(|node| history.tree(*node)).collect();
        self.commits(history, &missing.missing, &tips)
    }

    /// Adds commits with what is new in them, parents before their children. Other parents were dealt with; what has
    /// no parents is compared with `tips`.
    pub(super) fn commits(&mut self, history: &History, nodes: &[Node], tips: &[ObjectId]) -> Result<(), Error> {
        let step = |node: &Node| {
            let parents: Vec<_> = history.parents(*node).iter().map(|parent| history.tree(*parent)).collect();
            let others = if parents.is_empty() { tips.to_vec() } else { parents };
            ComparedCommit { commit: history.id(*node), tree: history.tree(*node), others }
        };
        let steps: Vec<_> = nodes.iter().map(step).collect();
        self.trees.compare_commits(self.reader, &steps, &mut self.found)
    }

    /// Notes what the client has of commits whose parents it gets now: what is missing lies below these, and is
    /// never compared with them.
    fn know_deepened(&mut self, history: &History, missing: &Missing) -> Result<(), Error> {
        let lacks = |node: &Node| missing.missing.contains(node);
        for edge in &missing.edges {
            let cut = history.parents(*edge).len() < history.named_parents(*edge).len();
            if cut && history.named_parents(*edge).iter().any(lacks) {
                self.trees.add_tree(self.reader, &history.tree(*edge), &mut Knowing(&mut self.found))?;
            }
        }
        Ok(())
    }

    /// Adds objects other than commits, with the objects reachable from them.
    pub(super) fn others(&mut self, others: &[SelectedObject]) -> Result<(), Error> {
        for chosen in others {
            if chosen.kind == Kind::Tree {
                self.trees.add_tree(self.reader, &chosen.id, &mut self.found)?;
            } else {
                self.found.add(*chosen);
            }
        }
        Ok(())
    }

    /// Adds the tags of what is sent.
    pub(super) fn tags(&mut self, tags: &[(ObjectId, ObjectId)]) -> Result<(), Error> {
        for (tag, peeled) in tags {
            if !self.found.is_sent(peeled) {
                continue;
            }
            let mut id = *tag;
            while id != *peeled && self.found.add(SelectedObject::new(&id, Kind::Tag, b"")) {
                id = self.tag_target(&id)?;
            }
        }
        Ok(())
    }

    /// Returns the selection, the newest objects first.
    pub(super) fn finish(self) -> Selection {
        let Found { mut objects, mut places, bases, reuse, .. } = self.found;
        objects.reverse();
        let count = u32::try_from(objects.len()).expect("fewer objects than 32 bits count");
        for place in places.values_mut().filter(|place| **place != Selection::KNOWN) {
            *place = count - 1 - *place;
        }
        let reused = reuse.map(|Reuse { graphed_pack, chosen, .. }| {
            let bases = Arc::clone(&graphed_pack.graph.bases);
            ReusedEntries { pack: graphed_pack.pack, bases, chosen }
        });
        Selection { objects, places, bases, reused }
    }

    fn tag_target(&mut self, id: &oid) -> Result<ObjectId, Error> {
        self.reader.expect(id, Kind::Tag, &mut self.buffer)?;
        object_links::tag_target(&self.buffer)
            .map(|(target, _)| target)
            .map_err(|reason| Error::Malformed { id: id.to_owned(), reason })
    }
}

//! The objects that both sides have, and whether they are enough to make a pack.

use std::collections::BinaryHeap;

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use crate::{
    Error, Kind,
    history::{History, Node},
    reader::Reader,
};

/// The objects that both sides have, as far as the client has named them.
pub(super) struct CommonObjects {
    /// The objects, in the client's order, without those that earlier ones imply.
    pub(super) ids: Vec<ObjectId>,
    /// The objects, and the parents of the commits among them.
    implied: HashSet<ObjectId>,
    /// The time of the oldest commit among them, in seconds since 1970.
    oldest: i64,
    wants: Vec<ObjectId>,
    search: Option<Search>,
}

impl CommonObjects {
    /// Starts with no object.
    pub(super) fn new(wants: &[ObjectId]) -> Self {
        let wants = wants.to_vec();
        Self { ids: Vec::new(), implied: HashSet::default(), oldest: i64::MAX, wants, search: None }
    }

    /// Adds an object that the client has; returns whether the repository has it too.
    pub(super) fn insert(&mut self, reader: &mut Reader, history: &mut History, id: &oid) -> Result<bool, Error> {
        let Some(kind) = reader.kind(id)? else { return Ok(false) };
        let is_new = self.implied.insert(id.to_owned());
        if kind == Kind::Commit {
            let node = history.node(id);
            history.load(node, reader)?;
            self.oldest = self.oldest.min(history.seconds(node));
            for at in 0..history.parents(node).len() {
                let parent = history.parents(node)[at];
                self.implied.insert(history.id(parent));
                self.mark(parent);
            }
            self.mark(node);
        }
        if is_new {
            self.ids.push(id.to_owned());
        }
        Ok(true)
    }

    fn mark(&mut self, node: Node) {
        if let Some(search) = &mut self.search {
            search.mark(node);
        }
    }

    /// Returns whether each wanted commit descends from a common one.
    ///
    /// The search does not pass commits older than all common ones: with a wrong clock, the negotiation only takes longer.
    /// The search continues where it stopped, so that a check after each object costs no more than one at the end.
    pub(super) fn is_enough(&mut self, reader: &mut Reader, history: &mut History) -> Result<bool, Error> {
        if self.ids.is_empty() {
            return Ok(false);
        }
        if self.search.is_none() {
            let mut search = Search::default();
            for want in &self.wants {
                if let (id, Kind::Commit) = reader.peel(want)? {
                    search.wants.push(history.node(&id));
                }
            }
            for id in &self.implied {
                search.mark(history.node(id));
            }
            self.search = Some(search);
        }
        let search = self.search.as_mut().expect("the search was created above");
        search.all_descend(reader, history, self.oldest)
    }
}

/// Searches from one wanted commit after the other for a path to a common commit.
#[derive(Default)]
struct Search {
    wants: Vec<Node>,
    /// The number of wanted commits, counted from the first, that descend from a common one.
    done: usize,
    /// For each commit: [`DESCENDS`], or the position of the last wanted commit from which it was visited, plus 1.
    states: Vec<u32>,
    /// For each visited commit, the child through which it was reached.
    children: Vec<Node>,
    /// The commits visited from the current wanted one whose parents were not visited yet, by time.
    open: BinaryHeap<(i64, Node)>,
}

/// The commit is common, or descends from a common one.
const DESCENDS: u32 = u32::MAX;

impl Search {
    fn state(&mut self, node: Node) -> &mut u32 {
        let at = node as usize;
        if self.states.len() <= at {
            self.states.resize(at + 1, 0);
            self.children.resize(at + 1, 0);
        }
        &mut self.states[at]
    }

    /// Returns the mark of commits visited from the current wanted one.
    fn current(&self) -> u32 {
        u32::try_from(self.done + 1).expect("a request has fewer wants than 32 bits count")
    }

    /// Marks a commit that is common or descends from a common one.
    fn mark(&mut self, node: Node) {
        let current = self.current();
        if std::mem::replace(self.state(node), DESCENDS) != current {
            return;
        }
        // It was reached from the current wanted commit, which therefore descends from it.
        let want = self.wants[self.done];
        let mut node = node;
        while node != want {
            node = self.children[node as usize];
            *self.state(node) = DESCENDS;
        }
        self.done += 1;
        self.open.clear();
    }

    /// Returns whether all wanted commits descend from common ones; `oldest` is the time at which the search stops.
    fn all_descend(&mut self, reader: &mut Reader, history: &mut History, oldest: i64) -> Result<bool, Error> {
        while let Some(&want) = self.wants.get(self.done) {
            if *self.state(want) == DESCENDS {
                self.done += 1;
                self.open.clear();
                continue;
            }
            if *self.state(want) != self.current() {
                *self.state(want) = self.current();
                // The parents of a wanted commit are visited whatever its time.
                self.open.push((i64::MAX, want));
            }
            if !self.descends(reader, history, oldest)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Visits the open commits, the newest first, until one descends from a common commit.
    fn descends(&mut self, reader: &mut Reader, history: &mut History, oldest: i64) -> Result<bool, Error> {
        while let Some((seconds, node)) = self.open.pop() {
            if seconds < oldest {
                self.open.push((seconds, node));
                return Ok(false);
            }
            history.load(node, reader)?;
            for at in 0..history.parents(node).len() {
                let parent = history.parents(node)[at];
                let (current, state) = (self.current(), *self.state(parent));
                if state == DESCENDS || state != current {
                    *self.state(parent) = current;
                    self.children[parent as usize] = node;
                }
                if state == DESCENDS {
                    self.mark(parent);
                    return Ok(true);
                }
                if state != current {
                    history.load(parent, reader)?;
                    self.open.push((history.seconds(parent), parent));
                }
            }
        }
        Ok(false)
    }
}

//! What both sides have, and whether that is enough.

use std::collections::BinaryHeap;

use gix::{ObjectId, hash::oid, hashtable::HashSet};

use crate::{
    Error, Kind,
    history::{History, Node},
    reader::Reader,
};

/// What both sides have, as far as it was told.
pub(super) struct Common {
    /// The objects, in the order in which the client named them, without those that others of them imply.
    pub(super) ids: Vec<ObjectId>,
    /// These, and the parents of the commits among them.
    implied: HashSet<ObjectId>,
    /// The time of the oldest commit among them, in seconds since 1970.
    oldest: i64,
    wants: Vec<ObjectId>,
    search: Option<Search>,
}

impl Common {
    /// Begins with nothing.
    pub(super) fn new(wants: &[ObjectId]) -> Self {
        let wants = wants.to_vec();
        Self { ids: Vec::new(), implied: HashSet::default(), oldest: i64::MAX, wants, search: None }
    }

    /// Notes that the client has an object; tells whether we have it too.
    pub(super) fn note(&mut self, reader: &mut Reader, history: &mut History, id: &oid) -> Result<bool, Error> {
        let Some(kind) = reader.kind(id)? else { return Ok(false) };
        let is_new = self.implied.insert(id.to_owned());
        if kind == Kind::Commit {
            let node = history.node(id);
            history.load(node, reader)?;
            self.oldest = self.oldest.min(history.seconds(node));
            for at in 0..history.parents(node).len() {
                let parent = history.parents(node)[at];
                self.implied.insert(history.id(parent));
                self.found(parent);
            }
            self.found(node);
        }
        if is_new {
            self.ids.push(id.to_owned());
        }
        Ok(true)
    }

    fn found(&mut self, node: Node) {
        if let Some(search) = &mut self.search {
            search.found(node);
        }
    }

    /// Tells whether each wanted commit rests on one that both sides have.
    ///
    /// Ways are not followed through commits older than all that both have: with a wrong clock the client is asked
    /// for more. What was found out stays, so that to ask after each find costs no more than to ask once.
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
                search.found(history.node(id));
            }
            self.search = Some(search);
        }
        let search = self.search.as_mut().expect("it was made");
        search.all_lead(reader, history, self.oldest)
    }
}

/// Looks, from one wanted commit after the other, for a way to what both sides have.
#[derive(Default)]
struct Search {
    wants: Vec<Node>,
    /// How many of them are known to lead there.
    done: usize,
    /// For each commit: [`LEADS`], or 1 more than the place of the last wanted commit from which it was seen.
    states: Vec<u32>,
    /// For each commit that was seen, the one that names it as a parent.
    children: Vec<Node>,
    /// The commits that were seen from the present wanted one and not followed yet, by time.
    open: BinaryHeap<(i64, Node)>,
}

/// The commit leads to what both sides have, or is it.
const LEADS: u32 = u32::MAX;

impl Search {
    fn state(&mut self, node: Node) -> &mut u32 {
        let at = node as usize;
        if self.states.len() <= at {
            self.states.resize(at + 1, 0);
            self.children.resize(at + 1, 0);
        }
        &mut self.states[at]
    }

    fn turn(&self) -> u32 {
        u32::try_from(self.done + 1).expect("fewer wants than 32 bits count")
    }

    /// Notes that a commit is what both sides have, or leads there.
    fn found(&mut self, node: Node) {
        let turn = self.turn();
        if std::mem::replace(self.state(node), LEADS) != turn {
            return;
        }
        // It was seen: the way from the present wanted commit leads there.
        let want = self.wants[self.done];
        let mut node = node;
        while node != want {
            node = self.children[node as usize];
            *self.state(node) = LEADS;
        }
        self.done += 1;
        self.open.clear();
    }

    fn all_lead(&mut self, reader: &mut Reader, history: &mut History, oldest: i64) -> Result<bool, Error> {
        while let Some(&want) = self.wants.get(self.done) {
            if *self.state(want) == LEADS {
                self.done += 1;
                self.open.clear();
                continue;
            }
            if *self.state(want) != self.turn() {
                *self.state(want) = self.turn();
                // It is followed however old it is.
                self.open.push((i64::MAX, want));
            }
            if !self.leads(reader, history, oldest)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Follows what is open, the newest first, until a way is found.
    fn leads(&mut self, reader: &mut Reader, history: &mut History, oldest: i64) -> Result<bool, Error> {
        while let Some((seconds, node)) = self.open.pop() {
            if seconds < oldest {
                self.open.push((seconds, node));
                return Ok(false);
            }
            history.load(node, reader)?;
            for at in 0..history.parents(node).len() {
                let parent = history.parents(node)[at];
                let (turn, state) = (self.turn(), *self.state(parent));
                if state == LEADS || state != turn {
                    *self.state(parent) = turn;
                    self.children[parent as usize] = node;
                }
                if state == LEADS {
                    self.found(parent);
                    return Ok(true);
                }
                if state != turn {
                    history.load(parent, reader)?;
                    self.open.push((history.seconds(parent), parent));
                }
            }
        }
        Ok(false)
    }
}

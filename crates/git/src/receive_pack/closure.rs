//! What is complete in a pack that names objects which are nowhere.
//!
//! Each object is looked at once, however many references lead to it.

use gix::{
    ObjectId,
    hashtable::{HashMap, HashSet},
};

use crate::{
    Error, Kind,
    intake::{Content, Staged},
    links,
    reader::Reader,
};

/// What is known of an object and of all that it leads to; the later ones are the worse ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// All of it is there.
    Complete,
    /// All of it is there but for parents of commits that the client has no parents of either.
    Shallow,
    /// Something is missing.
    Incomplete,
}

/// An object on the way down.
struct Step {
    id: ObjectId,
    kind: Kind,
    /// What it names; nothing while that is let go.
    named: Vec<(ObjectId, Kind)>,
    /// How many of these, the first ones, were not looked at yet.
    left: usize,
    state: State,
}

/// How many names are held on the way down, besides those of the last object; the others are read again on the way back.
const NAMED_MAX: usize = 1 << 20;

/// The objects of a staged pack, as far as they were looked at.
pub(super) struct Closure<'s> {
    content: Content<'s>,
    reader: Reader,
    /// The commits whose parents the client does not have.
    shallow: HashSet<ObjectId>,
    /// The commits at which the history of the repository ends.
    cut: &'s HashSet<ObjectId>,
    states: HashMap<ObjectId, State>,
    /// The commits of `shallow` that indeed lack a parent.
    boundary: HashSet<ObjectId>,
    buffer: Vec<u8>,
}

impl<'s> Closure<'s> {
    pub(super) fn new(
        staged: &'s Staged,
        reader: Reader,
        shallow: &[ObjectId],
        cut: &'s HashSet<ObjectId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            content: staged.content()?,
            reader,
            shallow: shallow.iter().copied().collect(),
            cut,
            states: HashMap::default(),
            boundary: HashSet::default(),
            buffer: Vec::new(),
        })
    }

    /// Finds out whether all that an object leads to is there.
    pub(super) fn state(&mut self, id: ObjectId) -> Result<State, Error> {
        let Some(kind) = self.content.header(&id)?.map(|(kind, _)| kind) else { return Ok(State::Incomplete) };
        let mut way: Vec<Step> = Vec::new();
        let mut last = self.enter(id, kind, &mut way)?;
        let mut held: usize = way.iter().map(|step| step.named.len()).sum();
        while let Some(step) = way.last_mut() {
            step.state = step.state.max(last);
            if step.left == 0 {
                last = step.state;
                self.states.insert(step.id, last);
                held -= step.named.len();
                way.pop();
                continue;
            }
            if step.named.is_empty() {
                step.named = self.named(step.id, step.kind)?;
                held += step.named.len();
            }
            step.left -= 1;
            let (id, kind) = step.named[step.left];
            let above = way.len();
            last = self.enter(id, kind, &mut way)?;
            held += way[above..].iter().map(|step| step.named.len()).sum::<usize>();
            if held > NAMED_MAX && way.len() > above {
                for step in &mut way[..above] {
                    held -= std::mem::take(&mut step.named).len();
                }
            }
        }
        Ok(last)
    }

    /// Looks at one object: tells what is known, or puts it on the way.
    fn enter(&mut self, id: ObjectId, kind: Kind, way: &mut Vec<Step>) -> Result<State, Error> {
        if let Some(state) = self.states.get(&id) {
            return Ok(*state);
        }
        let Some((found, _)) = self.content.header(&id)? else {
            // What is in the repository is complete.
            let state = if self.reader.kind(&id)? == Some(kind) { State::Complete } else { State::Incomplete };
            self.states.insert(id, state);
            return Ok(state);
        };
        if found != kind {
            return Ok(State::Incomplete);
        }
        let named = self.named(id, kind)?;
        let state = if self.boundary.contains(&id) { State::Shallow } else { State::Complete };
        way.push(Step { id, kind, left: named.len(), named, state });
        Ok(State::Complete)
    }

    /// Lists what an object of the pack names, without parents where history ends.
    fn named(&mut self, id: ObjectId, kind: Kind) -> Result<Vec<(ObjectId, Kind)>, Error> {
        let mut named = Vec::new();
        if kind == Kind::Blob {
            return Ok(named);
        }
        self.content.read(&id, &mut self.buffer)?;
        links::visit(kind, &self.buffer, &mut |id, kind| named.push((id.to_owned(), kind)))
            .map_err(|reason| Error::Malformed { id, reason })?;
        if kind == Kind::Commit && (self.cut.contains(&id) || self.shallow.contains(&id)) {
            let mut lacks_parent = false;
            for (parent, _) in named.iter().filter(|(_, kind)| *kind == Kind::Commit) {
                lacks_parent |= self.content.header(parent)?.is_none() && self.reader.kind(parent)?.is_none();
            }
            if lacks_parent {
                named.retain(|(_, kind)| *kind != Kind::Commit);
                if !self.cut.contains(&id) {
                    self.boundary.insert(id);
                }
            }
        }
        Ok(named)
    }

    /// Gives the objects of the pack that `tips` lead to, and those of them at which history ends from now on.
    pub(super) fn below(&mut self, tips: &[ObjectId]) -> Result<(HashSet<ObjectId>, HashSet<ObjectId>), Error> {
        let mut all = HashSet::default();
        let mut left = tips.to_vec();
        while let Some(id) = left.pop() {
            let Some((kind, _)) = self.content.header(&id)? else { continue };
            if all.insert(id) {
                left.extend(self.named(id, kind)?.into_iter().map(|(id, _)| id));
            }
        }
        let boundary = self.boundary.iter().copied().filter(|id| all.contains(id)).collect();
        Ok((all, boundary))
    }
}

//! Git's connectivity check, for a pack that refers to objects which exist nowhere: finds the objects that are complete.
//!
//! Each object is visited once, however many references reach it.

use gix::{
    ObjectId,
    hashtable::{HashMap, HashSet},
};

use crate::{
    Error, Kind,
    index_pack::{Content, Staged},
    object_links,
    reader::Reader,
};

/// Whether all objects that an object reaches exist; later variants are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Connectivity {
    /// All of them exist.
    Complete,
    /// All of them exist, except for parents of commits whose parents the client lacks too.
    Shallow,
    /// One of them is missing.
    Incomplete,
}

/// An object on the path of the depth-first walk.
struct Step {
    id: ObjectId,
    kind: Kind,
    /// The objects that it refers to; empty while the list is dropped to save memory.
    links: Vec<(ObjectId, Kind)>,
    /// The number of links, counted from the first, that were not visited yet.
    left: usize,
    connectivity: Connectivity,
}

/// The number of links that the path keeps in memory, besides those of the last object; dropped lists are read again.
const LINKS_MAX: usize = 1 << 20;

/// A connectivity check of a staged pack, with the results so far.
pub(super) struct ConnectivityCheck<'s> {
    content: Content<'s>,
    reader: Reader,
    /// The commits whose parents the client does not have.
    client_shallow: HashSet<ObjectId>,
    /// The commits in the `shallow` file of the repository.
    shallow: &'s HashSet<ObjectId>,
    results: HashMap<ObjectId, Connectivity>,
    /// The commits of `client_shallow` of which a parent is indeed missing.
    boundary: HashSet<ObjectId>,
    buffer: Vec<u8>,
}

impl<'s> ConnectivityCheck<'s> {
    pub(super) fn new(
        staged: &'s Staged,
        reader: Reader,
        client_shallow: &[ObjectId],
        shallow: &'s HashSet<ObjectId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            content: staged.content()?,
            reader,
            client_shallow: client_shallow.iter().copied().collect(),
            shallow,
            results: HashMap::default(),
            boundary: HashSet::default(),
            buffer: Vec::new(),
        })
    }

    /// Checks whether all objects that an object of the pack reaches exist.
    pub(super) fn check(&mut self, id: ObjectId) -> Result<Connectivity, Error> {
        let Some(kind) = self.content.header(&id)?.map(|(kind, _)| kind) else { return Ok(Connectivity::Incomplete) };
        let mut path: Vec<Step> = Vec::new();
        let mut last = self.enter(id, kind, &mut path)?;
        let mut held: usize = path.iter().map(|step| step.links.len()).sum();
        while let Some(step) = path.last_mut() {
            step.connectivity = step.connectivity.max(last);
            if step.left == 0 {
                last = step.connectivity;
                self.results.insert(step.id, last);
                held -= step.links.len();
                path.pop();
                continue;
            }
            if step.links.is_empty() {
                step.links = self.links(step.id, step.kind)?;
                held += step.links.len();
            }
            step.left -= 1;
            let (id, kind) = step.links[step.left];
            let above = path.len();
            last = self.enter(id, kind, &mut path)?;
            held += path[above..].iter().map(|step| step.links.len()).sum::<usize>();
            if held > LINKS_MAX && path.len() > above {
                for step in &mut path[..above] {
                    held -= std::mem::take(&mut step.links).len();
                }
            }
        }
        Ok(last)
    }

    /// Returns the known result of an object, or appends the object to the path.
    fn enter(&mut self, id: ObjectId, kind: Kind, path: &mut Vec<Step>) -> Result<Connectivity, Error> {
        if let Some(result) = self.results.get(&id) {
            return Ok(*result);
        }
        let Some((found, _)) = self.content.header(&id)? else {
            // The objects of the repository are fully connected.
            let is_stored = self.reader.kind(&id)? == Some(kind);
            let result = if is_stored { Connectivity::Complete } else { Connectivity::Incomplete };
            self.results.insert(id, result);
            return Ok(result);
        };
        if found != kind {
            return Ok(Connectivity::Incomplete);
        }
        let links = self.links(id, kind)?;
        let is_shallow = self.boundary.contains(&id);
        let connectivity = if is_shallow { Connectivity::Shallow } else { Connectivity::Complete };
        path.push(Step { id, kind, left: links.len(), links, connectivity });
        Ok(Connectivity::Complete)
    }

    /// Lists the objects that an object of the pack refers to, without the missing parents of shallow commits.
    fn links(&mut self, id: ObjectId, kind: Kind) -> Result<Vec<(ObjectId, Kind)>, Error> {
        let mut links = Vec::new();
        if kind == Kind::Blob {
            return Ok(links);
        }
        self.content.read(&id, &mut self.buffer)?;
        object_links::visit(kind, &self.buffer, &mut |id, kind| links.push((id.to_owned(), kind)))
            .map_err(|reason| Error::Malformed { id, reason })?;
        if kind == Kind::Commit && (self.shallow.contains(&id) || self.client_shallow.contains(&id)) {
            let mut lacks_parent = false;
            for (parent, _) in links.iter().filter(|(_, kind)| *kind == Kind::Commit) {
                lacks_parent |= self.content.header(parent)?.is_none() && self.reader.kind(parent)?.is_none();
            }
            if lacks_parent {
                links.retain(|(_, kind)| *kind != Kind::Commit);
                if !self.shallow.contains(&id) {
                    self.boundary.insert(id);
                }
            }
        }
        Ok(links)
    }

    /// Returns the objects of the pack reachable from `tips`, and the new shallow commits among them.
    pub(super) fn reachable_from(
        &mut self,
        tips: &[ObjectId],
    ) -> Result<(HashSet<ObjectId>, HashSet<ObjectId>), Error> {
        let mut reachable = HashSet::default();
        let mut left = tips.to_vec();
        while let Some(id) = left.pop() {
            let Some((kind, _)) = self.content.header(&id)? else { continue };
            if reachable.insert(id) {
                left.extend(self.links(id, kind)?.into_iter().map(|(id, _)| id));
            }
        }
        let boundary = self.boundary.iter().copied().filter(|id| reachable.contains(id)).collect();
        Ok((reachable, boundary))
    }
}

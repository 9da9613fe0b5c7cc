//! Finding the objects that a client lacks.
//!
//! **Invariant:** an object that is left out is known to the client; one that is sent twice costs only bytes.

mod commits;

use std::sync::Arc;

use gix::{
    ObjectId,
    hash::oid,
    hashtable::{HashMap, hash_map::Entry},
};

use crate::{
    Error, Kind,
    bits::Bits,
    history::{History, Node},
    links::{self, TreeEntries},
    pack::Pack,
    reader::Reader,
};
use commits::missing_commits;

/// What a client asks for, and what it has.
#[derive(Default)]
pub(crate) struct Demand {
    /// The objects asked for.
    pub(crate) wants: Vec<ObjectId>,
    /// Objects that the client has with all that they name, as far as commits are not cut.
    pub(crate) haves: Vec<ObjectId>,
    /// Annotated tags, and what they finally name: a tag is sent along when what it names is sent.
    pub(crate) tags: Vec<(ObjectId, ObjectId)>,
}

/// The objects to send.
pub(crate) struct Selection {
    /// The objects, in the order in which they were found.
    pub(crate) objects: Vec<Chosen>,
    /// The place of each object in the list; [`Selection::KNOWN`] for objects that the client has.
    pub(crate) places: HashMap<ObjectId, u32>,
    /// Objects that the client has, and that are like some that are sent.
    pub(crate) bases: Vec<Chosen>,
    /// More objects to send, which are not in the list.
    pub(crate) reused: Option<Reused>,
}

/// Objects of one pack, to be sent as they are stored.
pub(crate) struct Reused {
    pub(crate) pack: Arc<Pack>,
    /// By rank, the place of an entry in the pack: the rank of the base of the delta there, [`Reused::WHOLE`] if it is none.
    ///
    /// A base that is not chosen can be used still, if the client has it and the selection's places say so.
    pub(crate) bases: Arc<[u32]>,
    /// The ranks of the objects to send.
    pub(crate) chosen: Bits,
}

impl Reused {
    /// The base of entries that are no deltas.
    pub(crate) const WHOLE: u32 = u32::MAX;
}

/// An object to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen {
    pub(crate) id: ObjectId,
    pub(crate) kind: Kind,
    /// A hash of the name by which the object was found, that is alike for like names; 0 if it has none.
    pub(crate) name: u32,
}

/// Hashes a name so that names with the same end get hashes that lie close together.
pub(crate) fn name_hash(name: &[u8]) -> u32 {
    let bytes = name.iter().filter(|byte| !byte.is_ascii_whitespace());
    bytes.fold(0, |hash: u32, byte| (hash >> 2).wrapping_add(u32::from(*byte) << 24))
}

impl Selection {
    /// The place of objects that the client has.
    pub(crate) const KNOWN: u32 = u32::MAX;
}

/// Selects the objects to send.
pub(crate) fn select(reader: &mut Reader, history: &mut History, demand: &Demand) -> Result<Selection, Error> {
    let mut walk =
        Walk { reader, objects: Vec::new(), places: HashMap::default(), trees: Vec::new(), buffer: Vec::new() };
    let mut commits = Vec::new();
    let mut others = Vec::new();
    for want in &demand.wants {
        let mut id = *want;
        loop {
            match walk.reader.kind(&id)?.ok_or(Error::Missing(id))? {
                Kind::Commit => commits.push(history.node(&id)),
                Kind::Tag => {
                    walk.add(id, Kind::Tag);
                    id = walk.tag_target(&id)?;
                    continue;
                }
                kind => others.push((id, kind)),
            }
            break;
        }
    }
    let mut haves = Vec::new();
    for have in &demand.haves {
        if let (id, Kind::Commit) = walk.reader.peel(have)? {
            haves.push(history.node(&id));
        }
    }
    let found = missing_commits(walk.reader, history, &commits, &haves)?;
    walk.commits(history, &found.edges, Selection::KNOWN)?;
    walk.commits(history, &found.missing, 0)?;
    for (id, kind) in others {
        if walk.add(id, kind) && kind == Kind::Tree {
            walk.trees.push(id);
            walk.drain(0)?;
        }
    }
    walk.tags(&demand.tags)?;
    Ok(Selection { objects: walk.objects, places: walk.places, bases: Vec::new(), reused: None })
}

struct Walk<'r> {
    reader: &'r mut Reader,
    objects: Vec<Chosen>,
    places: HashMap<ObjectId, u32>,
    trees: Vec<ObjectId>,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    /// Adds commits with their trees to what is sent, or to what is known if `place` says so.
    fn commits(&mut self, history: &History, commits: &[Node], place: u32) -> Result<(), Error> {
        for commit in commits {
            note(&mut self.objects, &mut self.places, chosen(&history.id(*commit), Kind::Commit, b""), place);
            let tree = history.tree(*commit);
            if note(&mut self.objects, &mut self.places, chosen(&tree, Kind::Tree, b""), place) {
                self.trees.push(tree);
                self.drain(place)?;
            }
        }
        Ok(())
    }

    /// Adds an object to what is sent; answers `false` if it was there.
    fn add(&mut self, id: ObjectId, kind: Kind) -> bool {
        note(&mut self.objects, &mut self.places, chosen(&id, kind, b""), 0)
    }

    /// Adds the content of the trees that were added.
    fn drain(&mut self, place: u32) -> Result<(), Error> {
        while let Some(tree) = self.trees.pop() {
            self.reader.expect(&tree, Kind::Tree, &mut self.buffer)?;
            for entry in TreeEntries::new(&self.buffer) {
                let links::TreeEntry { kind, name, id } =
                    entry.map_err(|reason| Error::Malformed { id: tree, reason })?;
                let Some(kind) = kind else { continue };
                if note(&mut self.objects, &mut self.places, chosen(id, kind, name), place) && kind == Kind::Tree {
                    self.trees.push(id.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Adds the tags of what is sent.
    fn tags(&mut self, tags: &[(ObjectId, ObjectId)]) -> Result<(), Error> {
        for (tag, peeled) in tags {
            if self.places.get(peeled).is_none_or(|place| *place == Selection::KNOWN) {
                continue;
            }
            let mut id = *tag;
            while id != *peeled && self.add(id, Kind::Tag) {
                id = self.tag_target(&id)?;
            }
        }
        Ok(())
    }

    fn tag_target(&mut self, id: &oid) -> Result<ObjectId, Error> {
        self.reader.expect(id, Kind::Tag, &mut self.buffer)?;
        links::tag_target(&self.buffer)
            .map(|(target, _)| target)
            .map_err(|reason| Error::Malformed { id: id.to_owned(), reason })
    }
}

fn chosen(id: &oid, kind: Kind, name: &[u8]) -> Chosen {
    Chosen { id: id.to_owned(), kind, name: name_hash(name) }
}

/// Notes an object as sent, or as known; answers `false` if it was noted before.
fn note(objects: &mut Vec<Chosen>, places: &mut HashMap<ObjectId, u32>, chosen: Chosen, place: u32) -> bool {
    match places.entry(chosen.id) {
        Entry::Occupied(_) => false,
        Entry::Vacant(vacant) => {
            if place == Selection::KNOWN {
                vacant.insert(place);
            } else {
                vacant.insert(u32::try_from(objects.len()).expect("fewer objects than 32 bits count"));
                objects.push(chosen);
            }
            true
        }
    }
}

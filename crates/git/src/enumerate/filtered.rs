//! Selecting the objects that a client lacks, under a filter.
//!
//! A filter visits every commit, tag, tree and blob with its path, in Git's order, and decides whether it is
//! sent and whether it must be visited again under another path.

mod object_filter;

use bstr::{BString, ByteSlice, ByteVec};
use gix::{
    ObjectId,
    hash::oid,
    hashtable::{HashMap, HashSet},
};

use super::{Demand, commits::missing_commits};
use crate::{
    Error, Kind,
    history::History,
    object_links::{self, TreeEntries},
    reader::Reader,
    selection::{SelectedObject, Selection, name_hash},
    tree_levels::{Level, Levels, TreeCursor},
};
pub(crate) use object_filter::ObjectFilter;
use object_filter::{FilterResult, Visit};

/// Selects the objects to send: those of [`super::select`] that pass a filter, and the wanted ones in any case.
pub(crate) fn select(
    reader: &mut Reader,
    history: &mut History,
    demand: &Demand,
    object_filter: ObjectFilter,
) -> Result<Selection, Error> {
    let mut walk = Walk {
        reader,
        object_filter,
        seen: HashSet::default(),
        met: None,
        objects: Vec::new(),
        places: HashMap::default(),
        path: BString::default(),
    };
    let mut commits = Vec::new();
    let mut trees = Vec::new();
    for want in &demand.wants {
        let (id, kind) = walk.wanted(*want)?;
        match kind {
            Kind::Commit => commits.push(history.node(&id)),
            Kind::Tree => trees.push(id),
            Kind::Blob | Kind::Tag => {}
        }
    }
    let mut haves = Vec::new();
    for have in &demand.haves {
        if let (id, Kind::Commit) = walk.reader.peel(have)? {
            haves.push(history.node(&id));
        }
    }
    let found = missing_commits(walk.reader, history, &commits, &haves, usize::MAX)?.expect("there is no limit");
    for edge in found.edges {
        walk.know(history.id(edge), history.tree(edge))?;
    }
    if !trees.is_empty() {
        walk.met = Some(found.missing.iter().map(|commit| history.tree(*commit)).collect());
    }
    for tree in trees {
        // Git takes a tree that it meets in another way, too, for one that was not asked for.
        let asked = walk.met.as_ref().is_some_and(|met| !met.contains(&tree));
        walk.tree(tree, asked)?;
    }
    walk.met = None;
    let wanted: HashSet<_> = commits.iter().map(|node| history.id(*node)).collect();
    // The newest first, as in Git: some filters decide on an object where they visit it first.
    for commit in found.missing.iter().rev() {
        let id = history.id(*commit);
        if walk.apply(Visit::Commit, &id)?.show || wanted.contains(&id) {
            walk.send(&id, Kind::Commit, 0);
        }
    }
    for commit in found.missing.iter().rev() {
        walk.tree(history.tree(*commit), false)?;
    }
    walk.tags(&demand.tags)?;
    Ok(Selection { objects: walk.objects, places: walk.places, bases: Vec::new(), reused: None })
}

struct Walk<'r> {
    reader: &'r mut Reader,
    object_filter: ObjectFilter,
    /// Objects that need no further visit: known to the client, or decided for good.
    seen: HashSet<ObjectId>,
    /// The trees of commits and those that were met in other trees, while this counts.
    met: Option<HashSet<ObjectId>>,
    objects: Vec<SelectedObject>,
    places: HashMap<ObjectId, u32>,
    /// The path of what is looked at, without slashes at its ends.
    path: BString,
}

/// A tree that is being walked.
struct Folder {
    id: ObjectId,
    tree: [TreeCursor; 1],
    /// The length of the tree's own path.
    path_bytes: usize,
}

impl Level for Folder {
    fn cursors(&mut self) -> &mut [TreeCursor] {
        &mut self.tree
    }
}

impl Walk<'_> {
    /// Sends a wanted object, tags with all that they lead to, but for commits; returns what is at the end.
    fn wanted(&mut self, mut id: ObjectId) -> Result<(ObjectId, Kind), Error> {
        loop {
            let kind = self.reader.kind(&id)?.ok_or_else(|| self.reader.missing(&id))?;
            if kind != Kind::Commit {
                self.send(&id, kind, 0);
            }
            if kind != Kind::Tree {
                self.seen.insert(id);
            }
            if kind != Kind::Tag {
                return Ok((id, kind));
            }
            id = self.tag_target(&id)?;
        }
    }

    /// Adds an object to what is sent; `name` is the hash of its name.
    fn send(&mut self, id: &oid, kind: Kind, name: u32) {
        let place = u32::try_from(self.objects.len()).expect("fewer objects than 32 bits count");
        self.places.entry(id.to_owned()).or_insert_with(|| {
            self.objects.push(SelectedObject { id: id.to_owned(), kind, name });
            place
        });
    }

    fn apply(&mut self, visit: Visit, id: &oid) -> Result<FilterResult, Error> {
        let result = self.object_filter.apply(self.reader, visit, id, self.path.as_bstr())?;
        if result.seen {
            self.seen.insert(id.to_owned());
        }
        Ok(result)
    }

    /// Notes a commit with all of its tree as known to the client.
    fn know(&mut self, commit: ObjectId, tree: ObjectId) -> Result<(), Error> {
        let mut data = Vec::new();
        let mut trees = vec![tree];
        self.places.entry(commit).or_insert(Selection::KNOWN);
        while let Some(tree) = trees.pop() {
            if !self.seen.insert(tree) {
                continue;
            }
            self.places.entry(tree).or_insert(Selection::KNOWN);
            self.reader.expect(&tree, Kind::Tree, &mut data)?;
            for entry in TreeEntries::new(&data) {
                let entry = entry.map_err(|reason| Error::Malformed { id: tree, reason })?;
                match entry.kind {
                    Some(Kind::Tree) => trees.push(entry.id.to_owned()),
                    Some(_) if self.seen.insert(entry.id.to_owned()) => {
                        self.places.entry(entry.id.to_owned()).or_insert(Selection::KNOWN);
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Walks a root tree; one that the client asked for is sent and looked into whatever the filter says of it.
    fn tree(&mut self, root: ObjectId, wanted: bool) -> Result<(), Error> {
        self.path.clear();
        let mut levels = Levels::default();
        if wanted && self.seen.insert(root) {
            levels.push(self.folder(root)?);
        } else if let Some(folder) = self.enter(root, 0)? {
            levels.push(folder);
        }
        while let Some(folder) = levels.last(self.reader)? {
            self.path.truncate(folder.path_bytes);
            let Some((entry, end)) = folder.tree[0].peek()? else {
                let id = folder.id;
                levels.pop();
                if !(wanted && levels.is_empty()) {
                    self.apply(Visit::TreeEnd, &id)?;
                }
                continue;
            };
            let (id, kind, name) = (entry.id.to_owned(), entry.kind, name_hash(0, entry.name));
            if let Some(met) = self.met.as_mut().filter(|_| kind == Some(Kind::Tree)) {
                met.insert(id);
            }
            if kind.is_some() && !self.seen.contains(&id) {
                if !self.path.is_empty() {
                    self.path.push_byte(b'/');
                }
                self.path.push_str(entry.name);
                folder.tree[0].go_to(end);
                if kind == Some(Kind::Tree) {
                    if let Some(folder) = self.enter(id, name)? {
                        levels.push(folder);
                    }
                } else if self.apply(Visit::Blob, &id)?.show {
                    self.send(&id, Kind::Blob, name);
                }
            } else {
                folder.tree[0].go_to(end);
            }
        }
        Ok(())
    }

    /// Looks at a tree; returns its content if that is to be walked.
    fn enter(&mut self, id: ObjectId, name: u32) -> Result<Option<Folder>, Error> {
        if self.seen.contains(&id) {
            return Ok(None);
        }
        let result = self.apply(Visit::TreeBegin, &id)?;
        if result.show {
            self.send(&id, Kind::Tree, name);
        }
        if result.skip {
            self.apply(Visit::TreeEnd, &id)?;
            return Ok(None);
        }
        self.folder(id).map(Some)
    }

    fn folder(&mut self, id: ObjectId) -> Result<Folder, Error> {
        let tree = [TreeCursor::open(self.reader, Some(id))?];
        Ok(Folder { id, tree, path_bytes: self.path.len() })
    }

    /// Adds the tags of what is sent.
    fn tags(&mut self, tags: &[(ObjectId, ObjectId)]) -> Result<(), Error> {
        for (tag, peeled) in tags {
            if self.places.get(peeled).is_none_or(|place| *place == Selection::KNOWN) {
                continue;
            }
            let mut id = *tag;
            while id != *peeled && !self.places.contains_key(&id) {
                self.send(&id, Kind::Tag, 0);
                id = self.tag_target(&id)?;
            }
        }
        Ok(())
    }

    fn tag_target(&mut self, id: &oid) -> Result<ObjectId, Error> {
        let mut data = Vec::new();
        self.reader.expect(id, Kind::Tag, &mut data)?;
        let target = object_links::tag_target(&data).map_err(|reason| Error::Malformed { id: id.to_owned(), reason });
        target.map(|(target, _)| target)
    }
}

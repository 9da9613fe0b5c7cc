//! Comparing trees.

use std::{cmp::Ordering, rc::Rc};

use gix::{ObjectId, hash::oid, hashtable::HashMap};

use crate::{
    Error, Kind,
    enumerate::Chosen,
    links::{TreeEntries, TreeEntry},
    reader::Reader,
};

/// The bytes of trees that are kept in one of two generations.
const GENERATION_BYTES: usize = 8 << 20;

/// Reads trees, and keeps those that were read last: along a history each is needed twice.
#[derive(Default)]
pub(crate) struct Trees {
    young: HashMap<ObjectId, Rc<Vec<u8>>>,
    old: HashMap<ObjectId, Rc<Vec<u8>>>,
    young_bytes: usize,
}

/// Takes what a comparison finds.
pub(crate) trait Sink {
    /// Takes an object that the compared trees do not have in its place; tells whether it was not there yet.
    fn add(&mut self, chosen: Chosen) -> bool;

    /// Hears of an object of a compared tree that is gone from its place.
    fn replaced(&mut self, chosen: Chosen);
}

impl Trees {
    /// Finds what is in a tree and, in the same place, in none of `others`.
    ///
    /// What is in the others must have been taken before, or must not be wanted: all that is found there too is
    /// passed over, with all that lies below it. Submodules are no objects.
    pub(crate) fn compare(
        &mut self,
        reader: &mut Reader,
        tree: ObjectId,
        others: &[ObjectId],
        sink: &mut dyn Sink,
    ) -> Result<(), Error> {
        if others.contains(&tree) {
            return Ok(());
        }
        for other in others {
            sink.replaced(Chosen::new(other, Kind::Tree, b""));
        }
        if !sink.add(Chosen::new(&tree, Kind::Tree, b"")) {
            return Ok(());
        }
        let mut changed = vec![(tree, others.to_vec())];
        // What has no counterpart is taken last: by then it may have been found to be gone from another place.
        let mut fresh = Vec::new();
        while let Some((tree, others)) = changed.pop() {
            self.compare_one(reader, tree, &others, sink, &mut changed, &mut fresh)?;
        }
        while let Some(chosen) = fresh.pop() {
            if sink.add(chosen) && chosen.kind == Kind::Tree {
                let data = self.get(reader, &chosen.id)?;
                for entry in TreeEntries::new(&data) {
                    let entry = entry.map_err(|reason| Error::Malformed { id: chosen.id, reason })?;
                    fresh.extend(entry.kind.map(|kind| Chosen::new(entry.id, kind, entry.name)));
                }
            }
        }
        Ok(())
    }

    fn compare_one(
        &mut self,
        reader: &mut Reader,
        tree: ObjectId,
        others: &[ObjectId],
        sink: &mut dyn Sink,
        changed: &mut Vec<(ObjectId, Vec<ObjectId>)>,
        fresh: &mut Vec<Chosen>,
    ) -> Result<(), Error> {
        let data = self.get(reader, &tree)?;
        let others = others.iter().map(|other| self.get(reader, other)).collect::<Result<Vec<_>, _>>()?;
        let mut cursors: Vec<_> = others.iter().map(|data| Cursor::new(data)).collect();
        let mut counterparts = Vec::new();
        for entry in TreeEntries::new(&data) {
            let entry = entry.map_err(|reason| Error::Malformed { id: tree, reason })?;
            counterparts.clear();
            for cursor in &mut cursors {
                counterparts.extend(cursor.seek(&entry, sink));
            }
            let Some(kind) = entry.kind else { continue };
            if counterparts.iter().any(|other| other.id == entry.id) {
                continue;
            }
            for other in &counterparts {
                sink.replaced(Chosen::new(other.id, kind, other.name));
            }
            let chosen = Chosen::new(entry.id, kind, entry.name);
            if kind != Kind::Tree || counterparts.is_empty() {
                fresh.push(chosen);
            } else if sink.add(chosen) {
                changed.push((chosen.id, counterparts.iter().map(|other| other.id.to_owned()).collect()));
            }
        }
        for cursor in cursors {
            cursor.finish(sink);
        }
        Ok(())
    }

    fn get(&mut self, reader: &mut Reader, id: &oid) -> Result<Rc<Vec<u8>>, Error> {
        if let Some(data) = self.young.get(id) {
            return Ok(Rc::clone(data));
        }
        let mut data = self.old.remove(id).unwrap_or_default();
        if data.is_empty() {
            reader.expect(id, Kind::Tree, Rc::make_mut(&mut data))?;
        }
        self.young_bytes += data.len();
        if self.young_bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = data.len();
        }
        self.young.insert(id.to_owned(), Rc::clone(&data));
        Ok(data)
    }
}

/// Walks the entries of a compared tree beside those of another one.
///
/// It relies on the order of the entries only to find counterparts: in a tree that is out of order it finds fewer.
struct Cursor<'a> {
    entries: TreeEntries<'a>,
    next: Option<TreeEntry<'a>>,
}

impl<'a> Cursor<'a> {
    fn new(data: &'a [u8]) -> Self {
        let mut entries = TreeEntries::new(data);
        let next = entries.next().and_then(Result::ok);
        Self { entries, next }
    }

    fn take(&mut self) -> Option<TreeEntry<'a>> {
        std::mem::replace(&mut self.next, self.entries.next().and_then(Result::ok))
    }

    /// Finds the entry of the same name and kind; those before it are gone.
    fn seek(&mut self, goal: &TreeEntry<'_>, sink: &mut dyn Sink) -> Option<TreeEntry<'a>> {
        while let Some(next) = &self.next {
            match order(next, goal) {
                Ordering::Less => gone(&self.take()?, sink),
                Ordering::Equal => return self.take().filter(|found| found.kind == goal.kind),
                Ordering::Greater => break,
            }
        }
        None
    }

    fn finish(mut self, sink: &mut dyn Sink) {
        while let Some(entry) = self.take() {
            gone(&entry, sink);
        }
    }
}

fn gone(entry: &TreeEntry<'_>, sink: &mut dyn Sink) {
    if let Some(kind) = entry.kind {
        sink.replaced(Chosen::new(entry.id, kind, entry.name));
    }
}

/// Compares as Git orders the entries of a tree: the name of a folder ends with a slash.
fn order(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> Ordering {
    if one.name == other.name && one.kind == other.kind {
        return Ordering::Equal;
    }
    let shared = one.name.len().min(other.name.len());
    let end = |entry: &TreeEntry<'_>| {
        let slash = (entry.kind == Some(Kind::Tree)).then_some(b'/');
        entry.name.get(shared).copied().or(slash)
    };
    one.name[..shared].cmp(&other.name[..shared]).then_with(|| end(one).cmp(&end(other)))
}

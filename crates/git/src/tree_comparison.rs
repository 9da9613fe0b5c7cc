//! Comparing trees.

use std::{cmp::Ordering, rc::Rc};

use gix::{
    ObjectId,
    hash::oid,
    hashtable::{HashMap, HashSet},
};

use crate::{
    Error, Kind,
    object_links::{TreeEntries, TreeEntry},
    reader::Reader,
    selection::SelectedObject,
};

/// The bytes of trees that are kept in one of two generations.
const GENERATION_BYTES: usize = 8 << 20;

/// Reads trees, and keeps those that were read last: along a history each is needed twice.
#[derive(Default)]
pub(crate) struct TreeComparer {
    young: HashMap<ObjectId, Rc<[u8]>>,
    old: HashMap<ObjectId, Rc<[u8]>>,
    young_bytes: usize,
    buffer: Vec<u8>,
}

/// Receiver of the results of comparisons.
pub(crate) trait ObjectSink {
    /// Adds an object; returns whether it is new. The entries of a tree that is not new are not added.
    fn add(&mut self, chosen: SelectedObject) -> bool;

    /// Notes an object of a compared tree that is gone from its place.
    fn replaced(&mut self, chosen: SelectedObject);

    /// Returns whether [`ObjectSink::entry`] must be called for the entries of a tree that another one was compared with.
    fn wants_entries(&mut self, _tree: &oid) -> bool {
        false
    }

    /// Takes the id of an entry of such a tree.
    fn entry(&mut self, _id: &oid) {}
}

/// A commit whose tree is compared with others.
pub(crate) struct ComparedCommit {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
    /// Trees that were dealt with, mostly those of the parents.
    pub(crate) others: Vec<ObjectId>,
}

/// The entries of trees of more bytes are not offered to [`ObjectSink::entry`].
const ENTRIES_BYTES_MAX: usize = 64 << 10;

/// How many commits are compared before what was found is taken, at most.
const CHUNK: usize = 256;

/// How many differences are held before they are taken, unless one commit alone has more.
const CHANGES_MAX: usize = 1 << 18;

/// How many bytes of trees one tree is compared with, at most; of those beyond only the first is compared.
const OTHERS_BYTES_MAX: usize = 32 << 20;

/// How many bytes of trees are read once more in one comparison, as they are in several places. Trees in the places of
/// further ones count as new: they are only sent once more.
const AGAIN_BYTES_MAX: usize = 64 << 20;

/// A difference between a tree and those that it is compared with.
struct ObjectChange {
    chosen: SelectedObject,
    role: ChangeRole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChangeRole {
    /// Gone from its place in a compared tree.
    Replaced,
    /// A tree in the place of others; what differs in it is listed too.
    Changed,
    /// A tree that another one was compared with.
    Compared,
    /// In a place where there was nothing of its kind, or a blob.
    Fresh,
}

/// One comparison of a commit's tree with others.
///
/// **Invariant:** each tree is compared once, wherever it is: whatever it holds is then found, or in the compared trees.
/// So the work is bounded by the number of objects, not by that of paths, of which a few objects can make any number.
struct Comparison<'d> {
    changes: Vec<ObjectChange>,
    open: Vec<(SelectedObject, Vec<ObjectId>)>,
    /// The trees that were compared in this comparison.
    compared: HashSet<ObjectId>,
    /// The trees of older commits that were compared, and taken.
    done: &'d HashSet<ObjectId>,
    /// The trees that others were compared with, and their bytes; what is gone from them was told.
    others: HashMap<ObjectId, usize>,
    /// The bytes of those that were read once more.
    again_bytes: usize,
}

impl TreeComparer {
    /// Finds what commits add to each other, parents first.
    ///
    /// The newest of a chunk are read first, as the trees of a tight pack are deltas on newer ones; but what was found
    /// is taken from the oldest on. Otherwise, where a change was taken back and made again, each tree would
    /// count on another one for what they share.
    pub(crate) fn compare_commits(
        &mut self,
        reader: &mut Reader,
        steps: &[ComparedCommit],
        sink: &mut dyn ObjectSink,
    ) -> Result<(), Error> {
        let mut found = Vec::new();
        let mut done = HashSet::default();
        let mut rest = steps;
        let mut size = CHUNK;
        while !rest.is_empty() {
            let (chunk, later) = rest.split_at(size.min(rest.len()));
            let mut compared = HashSet::default();
            let mut held = 0;
            for step in chunk.iter().rev() {
                let changes = self.changes(reader, step, &done, &mut compared)?;
                held += changes.len();
                found.push((step.commit, changes));
                if held > CHANGES_MAX && chunk.len() > 1 {
                    break;
                }
            }
            if found.len() < chunk.len() {
                // There is too much to hold; the older half is taken first.
                found.clear();
                size = chunk.len() / 2;
                continue;
            }
            for (commit, changes) in found.drain(..).rev() {
                sink.add(SelectedObject::new(&commit, Kind::Commit, b""));
                self.take(reader, &changes, sink)?;
            }
            done.extend(compared);
            rest = later;
            size = CHUNK.min(size * 2);
        }
        Ok(())
    }

    /// Takes a tree with all that it holds.
    pub(crate) fn add_tree(&mut self, reader: &mut Reader, tree: &oid, sink: &mut dyn ObjectSink) -> Result<(), Error> {
        let change = ObjectChange { chosen: SelectedObject::new(tree, Kind::Tree, b""), role: ChangeRole::Fresh };
        self.take(reader, &[change], sink)
    }

    fn take(&mut self, reader: &mut Reader, changes: &[ObjectChange], sink: &mut dyn ObjectSink) -> Result<(), Error> {
        // What is fresh comes last: by then it may have been found to be gone from another place.
        let of = |role| changes.iter().filter(move |change| change.role == role).map(|change| change.chosen);
        for SelectedObject { id, .. } in of(ChangeRole::Compared) {
            if sink.wants_entries(&id) {
                let data = self.get(reader, &id)?;
                let entries = TreeEntries::new(&data).map_while(Result::ok);
                entries.filter(|entry| entry.kind.is_some()).for_each(|entry| sink.entry(entry.id));
            }
        }
        of(ChangeRole::Replaced).for_each(|chosen| sink.replaced(chosen));
        for chosen in of(ChangeRole::Changed) {
            sink.add(chosen);
        }
        let mut fresh: Vec<_> = of(ChangeRole::Fresh).collect();
        while let Some(chosen) = fresh.pop() {
            if sink.add(chosen) && chosen.kind == Kind::Tree {
                let data = self.get(reader, &chosen.id)?;
                for entry in TreeEntries::new(&data) {
                    let entry = entry.map_err(|reason| Error::Malformed { id: chosen.id, reason })?;
                    fresh
                        .extend(entry.kind.map(|kind| SelectedObject::within(chosen.name, entry.id, kind, entry.name)));
                }
            }
        }
        Ok(())
    }

    /// Finds what is in a commit's tree and, in the same place, in none of the others. Submodules are no objects.
    ///
    /// What is in the trees that are `done` was found before. Those that are compared now are added to `compared`.
    fn changes(
        &mut self,
        reader: &mut Reader,
        ComparedCommit { tree, others, .. }: &ComparedCommit,
        done: &HashSet<ObjectId>,
        compared: &mut HashSet<ObjectId>,
    ) -> Result<Vec<ObjectChange>, Error> {
        let mut comparison = Comparison {
            changes: Vec::new(),
            open: Vec::new(),
            compared: HashSet::default(),
            done,
            others: HashMap::default(),
            again_bytes: 0,
        };
        if others.contains(tree) {
            return Ok(comparison.changes);
        }
        let mut put = |role, id: &oid| {
            comparison.changes.push(ObjectChange { chosen: SelectedObject::new(id, Kind::Tree, b""), role });
        };
        for other in others {
            put(ChangeRole::Replaced, other);
        }
        if others.is_empty() {
            put(ChangeRole::Fresh, tree);
            return Ok(comparison.changes);
        }
        comparison.enter(SelectedObject::new(tree, Kind::Tree, b""), others.clone());
        while let Some((tree, others)) = comparison.open.pop() {
            self.compare(reader, &tree, &others, &mut comparison)?;
        }
        compared.extend(comparison.compared);
        Ok(comparison.changes)
    }

    /// Compares one tree with others; those below that differ are entered.
    fn compare(
        &mut self,
        reader: &mut Reader,
        tree: &SelectedObject,
        others: &[ObjectId],
        comparison: &mut Comparison<'_>,
    ) -> Result<(), Error> {
        let data = self.get(reader, &tree.id)?;
        let mut compared = Vec::new();
        let mut bytes = 0;
        for other in others {
            let known = comparison.others.get(other).copied();
            comparison.again_bytes += known.unwrap_or(0);
            if known.is_some() && comparison.again_bytes > AGAIN_BYTES_MAX {
                continue;
            }
            let data = self.get(reader, other)?;
            bytes += data.len();
            if bytes > OTHERS_BYTES_MAX && !compared.is_empty() {
                break;
            }
            if known.is_none() && data.len() <= ENTRIES_BYTES_MAX {
                let chosen = SelectedObject::new(other, Kind::Tree, b"");
                comparison.changes.push(ObjectChange { chosen, role: ChangeRole::Compared });
            }
            comparison.others.insert(*other, data.len());
            compared.push((data, known.is_some()));
        }
        let mut cursors: Vec<_> =
            compared.iter().map(|(data, is_told)| OtherTree::new(tree.name, data, *is_told)).collect();
        let mut counterparts = Vec::new();
        let mut entries = TreeEntries::new(&data);
        loop {
            let start = entries.rest();
            let Some(entry) = entries.next() else { break };
            let entry = entry.map_err(|reason| Error::Malformed { id: tree.id, reason })?;
            let bytes = &start[..start.len() - entries.rest().len()];
            let changes = &mut comparison.changes;
            if let [cursor] = cursors.as_mut_slice()
                && cursor.skip(bytes)
            {
                continue;
            }
            counterparts.clear();
            for cursor in &mut cursors {
                counterparts.extend(cursor.seek(&entry, changes).map(|found| (found, cursor.is_told)));
            }
            let Some(kind) = entry.kind else { continue };
            if counterparts.iter().any(|(other, _)| other.id == entry.id) {
                continue;
            }
            for (other, _) in counterparts.iter().filter(|(_, is_told)| !is_told) {
                gone(tree.name, other, changes);
            }
            let chosen = SelectedObject::within(tree.name, entry.id, kind, entry.name);
            if kind != Kind::Tree || counterparts.is_empty() {
                changes.push(ObjectChange { chosen, role: ChangeRole::Fresh });
            } else {
                comparison.enter(chosen, counterparts.iter().map(|(other, _)| other.id.to_owned()).collect());
            }
        }
        for cursor in cursors {
            cursor.finish(&mut comparison.changes);
        }
        Ok(())
    }

    fn get(&mut self, reader: &mut Reader, id: &oid) -> Result<Rc<[u8]>, Error> {
        if let Some(data) = self.young.get(id) {
            return Ok(Rc::clone(data));
        }
        let data = if let Some(data) = self.old.remove(id) {
            data
        } else {
            reader.expect(id, Kind::Tree, &mut self.buffer)?;
            Rc::from(self.buffer.as_slice())
        };
        self.young_bytes += data.len();
        if self.young_bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = data.len();
        }
        self.young.insert(id.to_owned(), Rc::clone(&data));
        Ok(data)
    }
}

impl Comparison<'_> {
    /// Notes that a tree is in the place of others, and has it compared with them unless it was compared before.
    fn enter(&mut self, tree: SelectedObject, others: Vec<ObjectId>) {
        if !self.done.contains(&tree.id) && self.compared.insert(tree.id) {
            self.changes.push(ObjectChange { chosen: tree, role: ChangeRole::Changed });
            self.open.push((tree, others));
        }
    }
}

/// Walks the entries of a compared tree beside those of another one.
///
/// It relies on the order of the entries only to find counterparts: in a tree that is out of order it finds fewer.
struct OtherTree<'a> {
    /// The hash of the trees' name.
    folder: u32,
    rest: &'a [u8],
    /// Whether it was told already what is gone from the tree.
    is_told: bool,
}

impl<'a> OtherTree<'a> {
    fn new(folder: u32, rest: &'a [u8], is_told: bool) -> Self {
        Self { folder, rest, is_told }
    }

    /// Passes an entry over, if it comes next just so; most do.
    fn skip(&mut self, bytes: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(bytes);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn peek(&self) -> Option<TreeEntry<'a>> {
        TreeEntries::new(self.rest).next()?.ok()
    }

    fn take(&mut self) -> Option<TreeEntry<'a>> {
        let mut entries = TreeEntries::new(self.rest);
        let entry = entries.next();
        self.rest = entries.rest();
        entry?.ok()
    }

    /// Finds the entry of the same name and kind; those before it are gone.
    fn seek(&mut self, goal: &TreeEntry<'_>, changes: &mut Vec<ObjectChange>) -> Option<TreeEntry<'a>> {
        while let Some(next) = self.peek() {
            match order(&next, goal) {
                Ordering::Less => {
                    let entry = self.take()?;
                    self.tell(&entry, changes);
                }
                Ordering::Equal => return self.take().filter(|found| found.kind == goal.kind),
                Ordering::Greater => break,
            }
        }
        None
    }

    fn finish(mut self, changes: &mut Vec<ObjectChange>) {
        while !self.is_told
            && let Some(entry) = self.take()
        {
            self.tell(&entry, changes);
        }
    }

    fn tell(&self, entry: &TreeEntry<'_>, changes: &mut Vec<ObjectChange>) {
        if !self.is_told {
            gone(self.folder, entry, changes);
        }
    }
}

fn gone(folder: u32, entry: &TreeEntry<'_>, changes: &mut Vec<ObjectChange>) {
    let chosen = entry.kind.map(|kind| SelectedObject::within(folder, entry.id, kind, entry.name));
    changes.extend(chosen.map(|chosen| ObjectChange { chosen, role: ChangeRole::Replaced }));
}

/// Compares as Git orders the entries of a tree: the name of a folder ends with a slash.
pub(crate) fn order(one: &TreeEntry<'_>, other: &TreeEntry<'_>) -> Ordering {
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

//! Comparing the trees of commits, to find the objects that each commit adds.

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

/// The size of each of the two generations of cached trees, in bytes.
const GENERATION_BYTES: usize = 8 << 20;

/// Compares trees, and caches those that were read last: along a history each tree is needed twice.
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

/// A commit whose tree is compared with other trees.
pub(crate) struct ComparedCommit {
    pub(crate) commit: ObjectId,
    pub(crate) tree: ObjectId,
    /// Trees that were compared before, mostly those of the parents.
    pub(crate) others: Vec<ObjectId>,
}

/// The entries of trees of more bytes are not offered to [`ObjectSink::entry`].
const ENTRIES_BYTES_MAX: usize = 64 << 10;

/// The maximum number of commits that are compared before the sink gets the results.
const CHUNK: usize = 256;

/// The maximum number of results that are held, unless one commit alone has more.
const CHANGES_MAX: usize = 1 << 18;

/// The maximum size of the trees with which one tree is compared, in bytes; beyond it, only the first one is compared.
const OTHERS_BYTES_MAX: usize = 32 << 20;

/// The maximum size of the trees that are read again in one comparison because they occur at several paths, in bytes. Trees
/// that would be compared with further ones count as new; so they are sent although the client may have them.
const AGAIN_BYTES_MAX: usize = 64 << 20;

/// An object that differs between a tree and the other trees.
struct ObjectChange {
    chosen: SelectedObject,
    role: ChangeRole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ChangeRole {
    /// An object of another tree that was replaced or removed at its path.
    Replaced,
    /// A tree at the path of other trees; the differences in it are listed too.
    Changed,
    /// A tree that another one was compared with.
    Compared,
    /// An object at a path without an object of its kind, or a blob with new content.
    New,
}

/// One comparison of a commit's tree with other trees.
///
/// **Invariant:** each tree is compared once, even if it occurs at several paths: after that, its entries were found or are in
/// the other trees. So the work is bounded by the number of objects, not of paths; a few objects can have any number of paths.
struct Comparison<'d> {
    changes: Vec<ObjectChange>,
    open: Vec<(SelectedObject, Vec<ObjectId>)>,
    /// The trees that this comparison has compared.
    compared: HashSet<ObjectId>,
    /// The trees of older commits that were compared and reported.
    done: &'d HashSet<ObjectId>,
    /// The other trees that were used in a comparison, with their sizes; objects removed from them were reported.
    others: HashMap<ObjectId, usize>,
    /// The size of the trees that were read again.
    again_bytes: usize,
}

impl TreeComparer {
    /// Finds the objects that each commit adds; `steps` lists parents first.
    ///
    /// In each chunk, the newest commits are read first, because the trees of a well-packed repository are deltas on newer
    /// ones. But results are reported from the oldest on. Otherwise, if a change was reverted and made again, each of two
    /// trees would be left out because the other one has its objects.
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
                // Too many results to hold: the older half goes first.
                found.clear();
                size = chunk.len() / 2;
                continue;
            }
            for (commit, changes) in found.drain(..).rev() {
                sink.add(SelectedObject::new(&commit, Kind::Commit, b""));
                self.report(reader, &changes, sink)?;
            }
            done.extend(compared);
            rest = later;
            size = CHUNK.min(size * 2);
        }
        Ok(())
    }

    /// Adds a tree with all its entries.
    pub(crate) fn add_tree(&mut self, reader: &mut Reader, tree: &oid, sink: &mut dyn ObjectSink) -> Result<(), Error> {
        let change = ObjectChange { chosen: SelectedObject::new(tree, Kind::Tree, b""), role: ChangeRole::New };
        self.report(reader, &[change], sink)
    }

    fn report(
        &mut self,
        reader: &mut Reader,
        changes: &[ObjectChange],
        sink: &mut dyn ObjectSink,
    ) -> Result<(), Error> {
        // New objects come last: by then the sink may know them as removed from another path.
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
        let mut new: Vec<_> = of(ChangeRole::New).collect();
        while let Some(chosen) = new.pop() {
            if sink.add(chosen) && chosen.kind == Kind::Tree {
                let data = self.get(reader, &chosen.id)?;
                for entry in TreeEntries::new(&data) {
                    let entry = entry.map_err(|reason| Error::Malformed { id: chosen.id, reason })?;
                    new.extend(entry.kind.map(|kind| SelectedObject::within(chosen.name, entry.id, kind, entry.name)));
                }
            }
        }
        Ok(())
    }

    /// Finds the objects of a commit's tree that no other tree has at the same path. Submodules are skipped.
    ///
    /// The entries of the trees in `done` were found before. The trees that are compared now are added to `compared`.
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
            put(ChangeRole::New, tree);
            return Ok(comparison.changes);
        }
        comparison.enter(SelectedObject::new(tree, Kind::Tree, b""), others.clone());
        while let Some((tree, others)) = comparison.open.pop() {
            self.compare(reader, &tree, &others, &mut comparison)?;
        }
        compared.extend(comparison.compared);
        Ok(comparison.changes)
    }

    /// Compares one tree with others, and adds the subtrees that differ to the open ones.
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
            compared.iter().map(|(data, is_reported)| OtherTree::new(tree.name, data, *is_reported)).collect();
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
                counterparts.extend(cursor.seek(&entry, changes).map(|found| (found, cursor.is_reported)));
            }
            let Some(kind) = entry.kind else { continue };
            if counterparts.iter().any(|(other, _)| other.id == entry.id) {
                continue;
            }
            for (other, _) in counterparts.iter().filter(|(_, is_reported)| !is_reported) {
                push_replaced(tree.name, other, changes);
            }
            let chosen = SelectedObject::within(tree.name, entry.id, kind, entry.name);
            if kind != Kind::Tree || counterparts.is_empty() {
                changes.push(ObjectChange { chosen, role: ChangeRole::New });
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
    /// Notes that a tree is at the path of other trees; it is compared with them unless it was compared before.
    fn enter(&mut self, tree: SelectedObject, others: Vec<ObjectId>) {
        if !self.done.contains(&tree.id) && self.compared.insert(tree.id) {
            self.changes.push(ObjectChange { chosen: tree, role: ChangeRole::Changed });
            self.open.push((tree, others));
        }
    }
}

/// The remaining entries of another tree, which is walked in parallel.
///
/// The order of the entries matters only for finding counterparts: in an unsorted tree, fewer are found.
struct OtherTree<'a> {
    /// The hash of the trees' path.
    folder: u32,
    rest: &'a [u8],
    /// Whether the objects removed from the tree were reported before.
    is_reported: bool,
}

impl<'a> OtherTree<'a> {
    fn new(folder: u32, rest: &'a [u8], is_reported: bool) -> Self {
        Self { folder, rest, is_reported }
    }

    /// Skips the next entry if it has exactly these bytes; most entries do.
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

    /// Finds the entry with the same name and kind; the entries before it were removed.
    fn seek(&mut self, goal: &TreeEntry<'_>, changes: &mut Vec<ObjectChange>) -> Option<TreeEntry<'a>> {
        while let Some(next) = self.peek() {
            match order(&next, goal) {
                Ordering::Less => {
                    let entry = self.take()?;
                    self.report_removed(&entry, changes);
                }
                Ordering::Equal => return self.take().filter(|found| found.kind == goal.kind),
                Ordering::Greater => break,
            }
        }
        None
    }

    fn finish(mut self, changes: &mut Vec<ObjectChange>) {
        while !self.is_reported
            && let Some(entry) = self.take()
        {
            self.report_removed(&entry, changes);
        }
    }

    fn report_removed(&self, entry: &TreeEntry<'_>, changes: &mut Vec<ObjectChange>) {
        if !self.is_reported {
            push_replaced(self.folder, entry, changes);
        }
    }
}

fn push_replaced(folder: u32, entry: &TreeEntry<'_>, changes: &mut Vec<ObjectChange>) {
    let chosen = entry.kind.map(|kind| SelectedObject::within(folder, entry.id, kind, entry.name));
    changes.extend(chosen.map(|chosen| ObjectChange { chosen, role: ChangeRole::Replaced }));
}

/// Compares two entries in Git's order: the name of a tree ends with a slash.
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

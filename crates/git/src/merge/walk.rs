//! The walk through three trees at once, which finds all paths where they differ.

use std::{
    collections::{BTreeMap, HashMap},
    vec::IntoIter,
};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use super::{
    FileVersion, MergeError, Merger,
    entry::{BASE, MergeEntry, OURS, THEIRS, TreeSet, bit, join},
    names::{self, NamedVersions},
};
use crate::Mode;

/// What the trees differ in.
#[derive(Default)]
pub(super) struct TreeDifferences {
    pub(super) entries: BTreeMap<BString, MergeEntry>,
    /// What our side and theirs did, as far as files can have been renamed by it.
    pub(super) sides: [SideChanges; 2],
    /// The paths that files were moved from.
    pub(super) vacated: Vec<BString>,
    /// The folders that are looked at later, by the side that changed them; nothing once that side's turn is over.
    later: [Option<Vec<MergeFolder>>; 2],
}

/// What files a side added and deleted.
#[derive(Default)]
pub(super) struct SideChanges {
    /// What the ancestor has and the side has not, in the order of trees.
    pub(super) deleted: Vec<DeletedFile>,
    /// What the side has and the ancestor has not.
    pub(super) added: Vec<(BString, FileVersion)>,
    /// The folders that the side removed.
    pub(super) removed: HashMap<BString, RemovedFolder>,
}

pub(super) struct DeletedFile {
    pub(super) path: BString,
    pub(super) version: FileVersion,
    /// Whether it makes a difference to the merge where the file went.
    pub(super) is_relevant: bool,
}

/// A folder of three trees.
struct MergeFolder {
    path: BString,
    trees: [Option<ObjectId>; 3],
    /// Which side has it that the other removed, or 7 if that side added files to it.
    kept: TreeSet,
}

/// A folder of three trees that is being compared.
struct OpenFolder {
    path: BString,
    kept: TreeSet,
    /// What differs in it and was not looked at yet.
    names: IntoIter<NamedVersions>,
}

/// Why it matters where the files of a removed folder went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemovedFolder {
    /// It does not.
    Unnoticed,
    /// As the other side added files to a folder around it.
    Around,
    /// As the other side added files to it.
    Here,
}

impl Merger<'_> {
    /// Compares three trees.
    ///
    /// Of files that are the same, the first ones are taken for the renamed ones, so the order is Git's: folders that one side
    /// alone changed come last, and then in the order of its table of them.
    pub(super) fn differences(&mut self, trees: [ObjectId; 3]) -> Result<TreeDifferences, MergeError> {
        let mut found = TreeDifferences { later: [Some(Vec::new()), Some(Vec::new())], ..TreeDifferences::default() };
        self.walk(MergeFolder { path: BString::default(), trees: trees.map(Some), kept: 0 }, &mut found)?;
        for side in 0..2 {
            for folder in in_table_order(found.later[side].take().unwrap_or_default(), |folder| &folder.path) {
                self.walk(folder, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Compares three folders with all that is below them.
    fn walk(&mut self, folder: MergeFolder, found: &mut TreeDifferences) -> Result<(), MergeError> {
        let mut open = vec![self.open(folder)?];
        while let Some(OpenFolder { path: folder, kept, names }) = open.last_mut() {
            let Some((name, here)) = names.next() else {
                open.pop();
                continue;
            };
            let folder = folder.as_bstr();
            let path = join(folder, name.as_ref());
            let is_folder = |entry: &Option<FileVersion>| entry.is_some_and(|(mode, _)| mode == Mode::Tree);
            let folders = tree_set(here.iter().map(is_folder));
            let mut kept = *kept;
            if kept != 7 && matches!(folders, 3 | 5) {
                kept = folders & !bit(BASE);
            }
            let versions = here.map(|entry| entry.filter(|(mode, _)| *mode != Mode::Tree));
            let entry = MergeEntry::new(versions, folders);
            found.note(folder, &path, &entry, kept);
            if entry.files() != 0 {
                found.entries.insert(path.clone(), entry);
            }
            if folders != 0 {
                let trees = here.map(|entry| entry.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id));
                let folder = MergeFolder { path, trees, kept };
                let side = match (folders, folders & !bit(BASE)) {
                    (2 | 4, side) if versions == [None; 3] => Some(side),
                    _ if trees[BASE].is_some() && trees[BASE] == trees[OURS] => Some(bit(THEIRS)),
                    _ if trees[BASE].is_some() && trees[BASE] == trees[THEIRS] => Some(bit(OURS)),
                    _ => None,
                };
                let later = side.filter(|_| kept != 7).and_then(|side| found.later[usize::from(side >> 2)].as_mut());
                match later {
                    Some(later) => later.push(folder),
                    None => open.push(self.open(folder)?),
                }
            }
        }
        Ok(())
    }

    /// Reads what differs in three folders.
    fn open(&mut self, folder: MergeFolder) -> Result<OpenFolder, MergeError> {
        let MergeFolder { path, trees, mut kept } = folder;
        let names = names::differing(self.reader, &mut self.budget, path.len(), trees)?;
        let added_alone = |here: &[Option<FileVersion>; 3]| {
            let files = here.iter().map(|entry| entry.is_some_and(|(mode, _)| mode != Mode::Tree));
            tree_set(files) == kept
        };
        if matches!(kept, 2 | 4) && names.iter().any(|(_, here)| added_alone(here)) {
            kept = 7;
        }
        Ok(OpenFolder { path, kept, names: names.into_iter() })
    }
}

impl TreeDifferences {
    /// Notes what may have been renamed from a path or to it.
    fn note(&mut self, folder: &BStr, path: &BString, entry: &MergeEntry, kept: TreeSet) {
        let files = entry.files();
        if matches!(entry.folders, 1 | 3 | 5) {
            let relevance = if kept == 7 { RemovedFolder::Around } else { RemovedFolder::Unnoticed };
            for tree in [OURS, THEIRS].into_iter().filter(|tree| entry.folders & bit(*tree) == 0) {
                self.sides[tree - 1].removed.insert(path.clone(), relevance);
            }
        }
        if kept == 7 && (files == bit(OURS) || files == bit(THEIRS)) {
            let other = if files == bit(OURS) { THEIRS } else { OURS };
            self.sides[other - 1].removed.insert(folder.to_owned(), RemovedFolder::Here);
        }
        if files == 7 {
            return;
        }
        for tree in [OURS, THEIRS] {
            let side = &mut self.sides[tree - 1];
            match (entry.versions[BASE], entry.versions[tree]) {
                (Some(version), None) => {
                    let is_relevant = entry.same == 0 || kept == 7;
                    side.deleted.push(DeletedFile { path: path.clone(), version, is_relevant });
                }
                (None, Some(version)) => side.added.push((path.clone(), version)),
                _ => {}
            }
        }
    }
}

fn tree_set(trees: impl Iterator<Item = bool>) -> TreeSet {
    trees.enumerate().filter(|(_, is_in)| *is_in).map(|(tree, _)| bit(tree)).sum()
}

/// Puts things in the order in which Git's hash tables have them, given the paths by which they are found.
pub(super) fn in_table_order<T>(things: Vec<T>, path: impl Fn(&T) -> &BString) -> Vec<T> {
    let mut buckets: Vec<Vec<T>> = Vec::new();
    buckets.resize_with(64, Vec::new);
    let bucket = |thing: &T, count: usize| {
        let hash =
            path(thing).iter().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte));
        hash as usize & (count - 1)
    };
    for (count, thing) in things.into_iter().enumerate() {
        let at = bucket(&thing, buckets.len());
        buckets[at].push(thing);
        if (count + 1) * 5 > buckets.len() * 4 {
            let larger = buckets.len() * 4;
            let moved = std::mem::take(&mut buckets);
            buckets.resize_with(larger, Vec::new);
            for thing in moved.into_iter().flat_map(|bucket| bucket.into_iter().rev()) {
                let at = bucket(&thing, larger);
                buckets[at].push(thing);
            }
        }
    }
    // What came last is first in its bucket.
    buckets.into_iter().flat_map(|bucket| bucket.into_iter().rev()).collect()
}

//! Comparing three trees: finds all paths at which they differ.

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

/// The differences between three trees.
#[derive(Default)]
pub(super) struct TreeDifferences {
    pub(super) entries: BTreeMap<BString, MergeEntry>,
    /// The added and deleted files of our side and theirs, among which renames are searched.
    pub(super) sides: [SideChanges; 2],
    /// The paths that files were moved from.
    pub(super) vacated: Vec<BString>,
    /// The folders to compare later, by the side that changed them; `None` when that side is done.
    later: [Option<Vec<MergeFolder>>; 2],
}

/// The files that a side added and deleted.
#[derive(Default)]
pub(super) struct SideChanges {
    /// The files of the ancestor that the side does not have, in the order of trees.
    pub(super) deleted: Vec<DeletedFile>,
    /// The files of the side that the ancestor does not have.
    pub(super) added: Vec<(BString, FileVersion)>,
    /// The folders that the side removed.
    pub(super) removed: HashMap<BString, RemovedFolder>,
}

pub(super) struct DeletedFile {
    pub(super) path: BString,
    pub(super) version: FileVersion,
    /// Whether the new path of the file matters to the merge.
    pub(super) is_relevant: bool,
}

/// A folder of three trees, to be compared.
struct MergeFolder {
    path: BString,
    trees: [Option<ObjectId>; 3],
    /// The side that kept the folder if the other one removed it; 7 if that side also added files to it.
    kept: TreeSet,
}

/// A folder of three trees that is being compared.
struct OpenFolder {
    path: BString,
    kept: TreeSet,
    /// The remaining entries that differ.
    names: IntoIter<NamedVersions>,
}

/// The reason why the new paths of a removed folder's files matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RemovedFolder {
    /// They do not matter.
    Irrelevant,
    /// The other side added files to a parent folder.
    AddedAbove,
    /// The other side added files to the folder.
    Added,
}

impl Merger<'_> {
    /// Compares three trees.
    ///
    /// Among equal files, the first ones count as renamed, so the order must be Git's: folders that only one side changed come
    /// last, in the order of Git's hash table.
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

    /// Compares three folders with all their entries.
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

    /// Lists the entries that differ between three folders.
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
    /// Notes the files that may have been renamed from or to a path.
    fn note(&mut self, folder: &BStr, path: &BString, entry: &MergeEntry, kept: TreeSet) {
        let files = entry.files();
        if matches!(entry.folders, 1 | 3 | 5) {
            let relevance = if kept == 7 { RemovedFolder::AddedAbove } else { RemovedFolder::Irrelevant };
            for tree in [OURS, THEIRS].into_iter().filter(|tree| entry.folders & bit(*tree) == 0) {
                self.sides[tree - 1].removed.insert(path.clone(), relevance);
            }
        }
        if kept == 7 && (files == bit(OURS) || files == bit(THEIRS)) {
            let other = if files == bit(OURS) { THEIRS } else { OURS };
            self.sides[other - 1].removed.insert(folder.to_owned(), RemovedFolder::Added);
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

/// Sorts items in the order of Git's hash tables, given their keys.
pub(super) fn in_table_order<T>(items: Vec<T>, key: impl Fn(&T) -> &BString) -> Vec<T> {
    let mut buckets: Vec<Vec<T>> = Vec::new();
    buckets.resize_with(64, Vec::new);
    let bucket = |item: &T, count: usize| {
        let hash =
            key(item).iter().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte));
        hash as usize & (count - 1)
    };
    for (count, item) in items.into_iter().enumerate() {
        let at = bucket(&item, buckets.len());
        buckets[at].push(item);
        if (count + 1) * 5 > buckets.len() * 4 {
            let larger = buckets.len() * 4;
            let moved = std::mem::take(&mut buckets);
            buckets.resize_with(larger, Vec::new);
            for item in moved.into_iter().flat_map(|bucket| bucket.into_iter().rev()) {
                let at = bucket(&item, larger);
                buckets[at].push(item);
            }
        }
    }
    // In each bucket, the last added item is first.
    buckets.into_iter().flat_map(|bucket| bucket.into_iter().rev()).collect()
}

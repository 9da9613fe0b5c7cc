//! Moving files into folders that the other side renamed.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};

use super::{
    MergeError, Merger, TreeMerge,
    entry::{BASE, OURS, THEIRS, TreeSet, bit, join, parent},
    folder_moves::RenamedFolders,
    renames::Renames,
    walk::TreeDifferences,
};
use crate::Mode;

/// A renamed file.
pub(super) struct RenamedFile {
    pub(super) old: BString,
    pub(super) new: BString,
    /// The tree of the side that renamed it.
    pub(super) tree: usize,
}

impl Merger<'_> {
    /// Moves files into folders that the other side renamed. Returns all renamed files, sorted by old path, and whether all
    /// moves are clear.
    pub(super) fn apply_folder_renames(
        &mut self,
        input: TreeMerge<'_>,
        found: &mut TreeDifferences,
        renames: [Renames; 2],
    ) -> Result<(Vec<RenamedFile>, bool), MergeError> {
        let mut is_clean = true;
        // Git does not apply renames of folders in merges of ancestors.
        let mut folders = match input.depth {
            0 => [renames[0].folders.renamed(&mut is_clean), renames[1].folders.renamed(&mut is_clean)],
            _ => <[RenamedFolders; 2]>::default(),
        };
        let both: Vec<_> = folders[0].keys().filter(|folder| folders[1].contains_key(*folder)).cloned().collect();
        for folder in &both {
            for folders in &mut folders {
                folders.remove(folder);
            }
        }
        let arrivals = [arrivals(&renames[0], &folders[1]), arrivals(&renames[1], &folders[0])];
        let mut pairs = Vec::new();
        for (tree, Renames { pairs: renamed, added, .. }) in [OURS, THEIRS].into_iter().zip(renames) {
            let pairs_of_side = renamed.into_iter().map(|(old, new)| (Some(old), new));
            let targets = &folders[2 - tree];
            let mut disputed = HashSet::new();
            for (old, mut new) in pairs_of_side.chain(added.into_iter().map(|path| (None, path))) {
                let target = target(targets, new.as_ref())
                    .filter(|_| !arrivals[2 - tree].contains_key(&new))
                    .filter(|(_, to)| !folders[tree - 1].contains_key(to.as_bstr()));
                if let Some((from, to)) = target {
                    let there = moved_to(new.as_ref(), from, to);
                    let is_taken = self.reader.entry(&input.trees[tree], there.as_ref())?.is_some();
                    let is_shared = arrivals[tree - 1].get(&there).is_some_and(|count| *count > 1);
                    if disputed.contains(&there) || is_taken || is_shared {
                        disputed.insert(there);
                        is_clean = false;
                    } else {
                        let mut folders = 0;
                        for (at, tree) in input.trees.iter().enumerate() {
                            let is_folder =
                                self.reader.entry(tree, there.as_ref())?.is_some_and(|entry| entry.mode == Mode::Tree);
                            folders |= if is_folder { bit(at) } else { 0 };
                        }
                        found.move_added(tree, &new, &there, folders);
                        new = there;
                    }
                }
                pairs.extend(old.map(|old| RenamedFile { old, new, tree }));
            }
        }
        pairs.sort_by(|one, other| (&one.old, one.tree).cmp(&(&other.old, other.tree)));
        Ok((pairs, is_clean))
    }
}

impl TreeDifferences {
    /// Moves a file that only one side has. Its new path is reported as a conflict, as it is a guess.
    fn move_added(&mut self, tree: usize, old: &BString, new: &BString, folders: TreeSet) {
        let Some(mut entry) = self.entries.remove(old) else { return };
        entry.is_misplaced = true;
        self.vacated.push(old.clone());
        if let Some(there) = self.entries.get_mut(new) {
            there.versions[tree] = entry.versions[tree];
            there.origins[tree] = Some(old.clone());
            there.is_misplaced = true;
            there.folders = folders;
        } else {
            entry.folders = folders;
            entry.origins = [BASE, OURS, THEIRS].map(|_| Some(old.clone()));
            self.entries.insert(new.clone(), entry);
        }
    }
}

/// Counts for each path the files of a side that the renamed folders of the other side would move there.
fn arrivals(renames: &Renames, folders: &RenamedFolders) -> HashMap<BString, usize> {
    let mut arrivals = HashMap::new();
    for path in renames.pairs.iter().map(|(_, new)| new).chain(&renames.added) {
        if let Some((from, to)) = target(folders, path.as_ref()) {
            *arrivals.entry(moved_to(path.as_ref(), from, to)).or_default() += 1;
        }
    }
    arrivals
}

/// Finds the innermost renamed folder of a path.
fn target<'f>(folders: &'f RenamedFolders, path: &BStr) -> Option<(&'f BString, &'f BString)> {
    let mut folder = parent(path);
    while !folder.is_empty() {
        if let Some(found) = folders.get_key_value(folder) {
            return Some(found);
        }
        folder = parent(folder);
    }
    None
}

fn moved_to(path: &BStr, from: &BString, to: &BString) -> BString {
    join(to.as_ref(), path[from.len() + 1..].as_bstr())
}

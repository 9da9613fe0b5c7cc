//! Detection of renamed folders.
//!
//! A folder counts as renamed if the side has removed it; its new name is the folder to which most of its files moved.

use std::collections::{BTreeMap, HashMap};

use bstr::{BString, ByteSlice};

use super::{
    entry::{name, parent},
    walk::{RemovedFolder, in_table_order},
};

/// The new names of folders, by their old names.
pub(super) type RenamedFolders = BTreeMap<BString, BString>;

/// The number of files that moved, by old folder and new folder.
#[derive(Default)]
pub(super) struct FolderMoves(BTreeMap<BString, BTreeMap<BString, usize>>);

impl FolderMoves {
    /// Counts a renamed file for its folder, and for the parent folders as long as their names stay the same.
    pub(super) fn count(&mut self, removed: &HashMap<BString, RemovedFolder>, old: &BString, new: &BString) {
        let (mut old, mut new) = (old.as_bstr(), new.as_bstr());
        let mut is_first = true;
        loop {
            let is_same_name = name(old) == name(new);
            (old, new) = (parent(old), parent(new));
            let Some(relevance) = removed.get(old).filter(|_| is_first || is_same_name) else { return };
            if is_first || *relevance == RemovedFolder::Added {
                *self.0.entry(old.to_owned()).or_default().entry(new.to_owned()).or_default() += 1;
            }
            is_first = false;
            if *relevance == RemovedFolder::Irrelevant || old.is_empty() || new.is_empty() {
                return;
            }
        }
    }

    /// Returns for each folder the one to which most of its files moved.
    pub(super) fn guesses(&self) -> HashMap<BString, BString> {
        let most = |counts: &BTreeMap<BString, usize>| {
            let counts = in_table_order(counts.iter().collect(), |(path, _)| path);
            // The first one of those with the same number.
            counts.into_iter().rev().max_by_key(|(_, count)| **count).map(|(path, _)| path.clone())
        };
        self.0.iter().filter_map(|(old, counts)| Some((old.clone(), most(counts)?))).collect()
    }

    /// Drops folders if the other side added nothing to them or their parent folders.
    pub(super) fn keep_relevant(&mut self, removed: &HashMap<BString, RemovedFolder>) {
        self.0.retain(|folder, _| removed.get(folder).is_some_and(|reason| *reason != RemovedFolder::Irrelevant));
    }

    /// Returns the new name of each folder. If two targets got the same number of files, the folder has none and `is_clean`
    /// becomes false.
    pub(super) fn renamed(&self, is_clean: &mut bool) -> RenamedFolders {
        let mut renamed = RenamedFolders::new();
        for (old, counts) in &self.0 {
            let most = counts.values().copied().max().unwrap_or_default();
            let mut targets = counts.iter().filter(|(_, count)| **count == most).map(|(new, _)| new);
            match (targets.next(), targets.next()) {
                (Some(new), None) => drop(renamed.insert(old.clone(), new.clone())),
                _ => *is_clean = false,
            }
        }
        renamed
    }
}

//! The walk through three trees at once, which finds all paths where they differ.

use std::collections::{BTreeMap, HashMap};

use bstr::{BStr, BString, ByteVec};
use gix::ObjectId;

use super::{
    MergeError, Merger, Version,
    entry::{BASE, Entry, OURS, Set, THEIRS, bit, join},
};
use crate::Mode;

/// What the trees differ in.
#[derive(Default)]
pub(super) struct Differences {
    pub(super) entries: BTreeMap<BString, Entry>,
    /// What our side and theirs did, as far as files can have been renamed by it.
    pub(super) sides: [Side; 2],
}

/// What files a side added and deleted.
#[derive(Default)]
pub(super) struct Side {
    /// What the ancestor has and the side has not, in the order of trees.
    pub(super) deleted: Vec<Deleted>,
    /// What the side has and the ancestor has not.
    pub(super) added: Vec<(BString, Version)>,
    /// The folders that the side removed.
    pub(super) removed: HashMap<BString, Removed>,
}

pub(super) struct Deleted {
    pub(super) path: BString,
    pub(super) version: Version,
    /// Whether it makes a difference to the merge where the file went.
    pub(super) is_relevant: bool,
}

/// Why it matters where the files of a removed folder went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removed {
    /// It does not.
    ForNothing,
    /// The other side added files to a folder around it.
    ForAncestor,
    /// The other side added files to it.
    ForItself,
}

impl Merger<'_> {
    /// Compares three trees.
    pub(super) fn differences(&mut self, trees: [ObjectId; 3]) -> Result<Differences, MergeError> {
        let mut found = Differences::default();
        self.walk(trees.map(Some), BStr::new(""), 0, &mut found)?;
        Ok(found)
    }

    /// Compares three folders. `kept` tells which side has a folder that the other removed, or 7 if it added files there.
    fn walk(
        &mut self,
        trees: [Option<ObjectId>; 3],
        folder: &BStr,
        mut kept: Set,
        found: &mut Differences,
    ) -> Result<(), MergeError> {
        let names = self.names(trees)?;
        let added_alone = |here: &[Option<Version>; 3]| {
            let files = here.iter().map(|it| it.is_some_and(|(mode, _)| mode != Mode::Tree));
            set(files) == kept
        };
        if matches!(kept, 2 | 4) && names.iter().any(|(_, here)| added_alone(here)) {
            kept = 7;
        }
        for (name, here) in names {
            if here[BASE] == here[OURS] && here[OURS] == here[THEIRS] {
                continue;
            }
            self.budget.item()?;
            let path = join(folder, name.as_ref());
            let is_folder = |it: &Option<Version>| it.is_some_and(|(mode, _)| mode == Mode::Tree);
            let folders = set(here.iter().map(is_folder));
            let mut kept = kept;
            if kept != 7 && matches!(folders, 3 | 5) {
                kept = folders & !bit(BASE);
            }
            let versions = here.map(|it| it.filter(|(mode, _)| *mode != Mode::Tree));
            let entry = Entry::new(versions, folders);
            found.note(folder, &path, &entry, kept);
            if entry.files() != 0 {
                found.entries.insert(path.clone(), entry);
            }
            if folders != 0 {
                let trees = here.map(|it| it.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id));
                self.walk(trees, path.as_ref(), kept, found)?;
            }
        }
        Ok(())
    }

    /// Lists what is in any of three folders, in the order of trees: a folder's name counts as if it ended in a slash.
    fn names(&mut self, trees: [Option<ObjectId>; 3]) -> Result<Vec<(BString, [Option<Version>; 3])>, MergeError> {
        let mut names = BTreeMap::<BString, [Option<Version>; 3]>::new();
        for (tree, id) in trees.into_iter().enumerate() {
            let Some(id) = id else { continue };
            for entry in self.reader.tree(&id)? {
                names.entry(entry.name).or_default()[tree] = Some((entry.mode, entry.id));
            }
        }
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_cached_key(|(name, here)| {
            let mut key = name.clone();
            if here.iter().flatten().any(|(mode, _)| *mode == Mode::Tree) {
                key.push_byte(b'/');
            }
            key
        });
        Ok(names)
    }
}

impl Differences {
    /// Notes what may have been renamed from a path or to it.
    fn note(&mut self, folder: &BStr, path: &BString, entry: &Entry, kept: Set) {
        let files = entry.files();
        if matches!(entry.folders, 1 | 3 | 5) {
            let relevance = if kept == 7 { Removed::ForAncestor } else { Removed::ForNothing };
            for tree in [OURS, THEIRS].into_iter().filter(|tree| entry.folders & bit(*tree) == 0) {
                self.sides[tree - 1].removed.insert(path.clone(), relevance);
            }
        }
        if kept == 7 && (files == bit(OURS) || files == bit(THEIRS)) {
            let other = if files == bit(OURS) { THEIRS } else { OURS };
            self.sides[other - 1].removed.insert(folder.to_owned(), Removed::ForItself);
        }
        if files == 7 {
            return;
        }
        for tree in [OURS, THEIRS] {
            let side = &mut self.sides[tree - 1];
            match (entry.versions[BASE], entry.versions[tree]) {
                (Some(version), None) => {
                    let is_relevant = entry.same == 0 || kept == 7;
                    side.deleted.push(Deleted { path: path.clone(), version, is_relevant });
                }
                (None, Some(version)) => side.added.push((path.clone(), version)),
                _ => {}
            }
        }
    }
}

fn set(trees: impl Iterator<Item = bool>) -> Set {
    trees.enumerate().filter(|(_, it)| *it).map(|(tree, _)| bit(tree)).sum()
}

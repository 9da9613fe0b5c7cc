//! Merging each path, and writing the merged tree.

use std::collections::{BTreeMap, HashMap};

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::{
    Conflict, FileVersion, MergeError, MergedTrees, Merger, TreeMerge,
    content::path_aside,
    entry::{BASE, MergeEntry, OURS, Resolution, THEIRS, bit, file_type},
    walk::TreeDifferences,
};
use crate::{Edits, Mode, options::TREE_DEPTH_MAX};

/// The paths of a merge, and the results so far.
struct Paths {
    entries: BTreeMap<BString, MergeEntry>,
    settled: BTreeMap<BString, Option<FileVersion>>,
    conflicts: BTreeMap<BString, Conflict>,
}

impl Merger<'_> {
    /// Merges three trees.
    pub(super) fn merge_trees(&mut self, input: TreeMerge<'_>) -> Result<MergedTrees, MergeError> {
        let mut found = self.differences(input.trees)?;
        let ours =
            found.entries.iter().filter_map(|(path, entry)| Some((path.clone(), entry.versions[OURS]?))).collect();
        let mut is_clean = true;
        if self.options.by_line || input.depth > 0 {
            let sides = std::mem::take(&mut found.sides);
            let renames = [self.renames(&sides[0])?, self.renames(&sides[1])?];
            let (pairs, is_undisputed) = self.apply_folder_renames(input, &mut found, renames)?;
            is_clean = is_undisputed;
            self.merge_renamed(input, &mut found, &pairs)?;
        }
        let TreeDifferences { entries, vacated, .. } = found;
        let settled = vacated.into_iter().map(|path| (path, None)).collect();
        let mut paths = Paths { entries, settled, conflicts: BTreeMap::new() };
        // The entries of a folder come before the folder, so that it is known whether anything remains in it.
        while let Some((path, entry)) = paths.entries.pop_last() {
            self.budget.time()?;
            match entry.resolution {
                Resolution::Settled(version) => drop(paths.settled.insert(path, version)),
                Resolution::Open => self.settle(input, &mut paths, path, entry)?,
            }
        }
        let tree = self.write(input, &ours, paths.settled)?;
        is_clean &= paths.conflicts.is_empty();
        Ok(MergedTrees { tree, conflicts: paths.conflicts, is_clean })
    }

    /// Merges the versions at one path.
    fn settle(
        &mut self,
        input: TreeMerge<'_>,
        paths: &mut Paths,
        path: BString,
        mut entry: MergeEntry,
    ) -> Result<(), MergeError> {
        let original = path.clone();
        let mut path = path;
        let is_in_the_way = entry.folders != 0 && entry.files() != 0 && paths.has_files_below(&path);
        let owner = if entry.folders & bit(OURS) != 0 { THEIRS } else { OURS };
        if is_in_the_way {
            if entry.files() == bit(BASE) {
                return Ok(());
            }
            path = self.unique(input, paths, &path, owner)?;
        }
        let base = entry.versions[BASE];
        let is_clean = !is_in_the_way && !entry.is_misplaced;
        let (version, is_clean) = match (entry.same, entry.files(), entry.versions) {
            (6, _, [_, ours, _]) => (ours, is_clean),
            (same @ (3 | 5), _, versions) => {
                let version = versions[if same == 3 { THEIRS } else { OURS }];
                (version, is_clean || version.is_none())
            }
            (_, _, [_, Some(ours), Some(theirs)]) if file_type(ours) != file_type(theirs) => {
                if input.depth > 0 {
                    (base, false)
                } else {
                    return self.separate(input, paths, path, &original, [ours, theirs], base);
                }
            }
            (_, _, versions @ [_, Some(_), Some(_)]) => {
                let merged = self.content(input, versions, entry.paths(original.as_ref()), 2 * input.depth)?;
                (entry.conflicts_in_content, entry.conflicts_in_mode) =
                    (!merged.is_content_clean, !merged.is_mode_clean);
                if merged.is_clean() && is_in_the_way {
                    entry.versions = [None; 3];
                    entry.versions[owner] = merged.version;
                }
                (merged.version, is_clean && merged.is_clean())
            }
            (_, 3 | 5, [_, ours, theirs]) => (if input.depth > 0 { base } else { ours.or(theirs) }, false),
            (_, _, [_, ours, theirs]) => (ours.or(theirs), is_clean),
        };
        if !is_clean {
            let MergeEntry { versions, conflicts_in_content: content, conflicts_in_mode: mode, .. } = entry;
            let conflict = Conflict { path: original, versions, merged: version, content, mode };
            paths.conflicts.insert(path.clone(), conflict);
        }
        paths.settled.insert(path, version);
        Ok(())
    }

    /// Moves the versions of both sides to different paths, because they have different types.
    fn separate(
        &mut self,
        input: TreeMerge<'_>,
        paths: &mut Paths,
        path: BString,
        original: &BString,
        [ours, theirs]: [FileVersion; 2],
        base: Option<FileVersion>,
    ) -> Result<(), MergeError> {
        let is_file = |version: FileVersion| matches!(version.0, Mode::File | Mode::Executable);
        // A file is moved if the other version is a link or submodule; otherwise both are moved.
        let moved = [is_file(ours) || !is_file(theirs), !is_file(ours)];
        let places = [(OURS, ours), (THEIRS, theirs)].into_iter().zip(moved).map(|((tree, version), moved)| {
            let place = if moved { self.unique(input, paths, &path, tree)? } else { path.clone() };
            Ok((tree, version, place))
        });
        for (tree, version, place) in places.collect::<Result<Vec<_>, MergeError>>()? {
            let mut versions = [base.filter(|base| file_type(*base) == file_type(version)), None, None];
            versions[tree] = Some(version);
            let conflict =
                Conflict { path: original.clone(), versions, merged: Some(version), content: false, mode: false };
            paths.conflicts.insert(place.clone(), conflict);
            paths.settled.insert(place, Some(version));
        }
        if moved == [true, true] {
            paths.settled.insert(path, None);
        }
        Ok(())
    }

    /// Finds an unused path for a version that must be moved.
    fn unique(
        &mut self,
        input: TreeMerge<'_>,
        paths: &Paths,
        path: &BString,
        tree: usize,
    ) -> Result<BString, MergeError> {
        let wanted = path_aside(path.as_ref(), &input.labels[tree - 1]);
        let mut unique = wanted.clone();
        let mut number = 0;
        while self.is_known(input, paths, &unique)? {
            self.budget.time()?;
            unique = format!("{wanted}_{number}").into();
            number += 1;
        }
        Ok(unique)
    }

    fn is_known(&mut self, input: TreeMerge<'_>, paths: &Paths, path: &BString) -> Result<bool, MergeError> {
        for tree in input.trees {
            if self.reader.entry(&tree, path.as_ref())?.is_some() {
                return Ok(true);
            }
        }
        Ok(paths.entries.contains_key(path) || paths.settled.contains_key(path))
    }

    /// Writes the merged tree, based on our tree. `ours` contains our files that are not equal in all trees.
    fn write(
        &mut self,
        input: TreeMerge<'_>,
        ours: &HashMap<BString, FileVersion>,
        settled: BTreeMap<BString, Option<FileVersion>>,
    ) -> Result<ObjectId, MergeError> {
        let differs = |(path, version): &(BString, Option<FileVersion>)| ours.get(path) != version.as_ref();
        let edits: Edits = settled.into_iter().filter(differs).collect();
        let depth = |path: &BString| path.split_str(b"/").count() - 1;
        if edits.iter().any(|(path, version)| version.is_some() && depth(path) > TREE_DEPTH_MAX) {
            return Err(MergeError::Items);
        }
        // The new objects are held in memory until the end of the merge.
        let (tree, objects) = self.reader.edit(Some(&input.trees[OURS]), &edits)?;
        for object in objects {
            self.budget.content(object.data.len() as u64)?;
            self.reader.imagine(object)?;
        }
        Ok(tree)
    }
}

impl Paths {
    fn has_files_below(&self, folder: &BString) -> bool {
        let start: BString = [folder.as_slice(), b"/"].concat().into();
        let below = self.settled.range(start.clone()..).take_while(|(path, _)| path.starts_with(&start));
        below.into_iter().any(|(_, version)| version.is_some())
    }
}

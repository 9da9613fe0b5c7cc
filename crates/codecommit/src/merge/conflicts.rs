//! Conflicting files, with their version on each side.

use std::collections::BTreeMap;

use git::{BString, FileVersion as Version, Mode, ObjectId, Reader};

use crate::Exception;

/// Trees of the common ancestor, the destination and the source.
pub(super) struct Sides([ObjectId; 3]);

/// Index of the common ancestor.
pub(super) const BASE: usize = 0;
/// Index of the destination.
pub(super) const DESTINATION: usize = 1;
/// Index of the source.
pub(super) const SOURCE: usize = 2;

/// File with a conflict.
pub(super) struct ConflictedFile {
    /// Versions of the ancestor, the destination and the source.
    pub(super) versions: [Option<Version>; 3],
    /// Version in the merged tree, before any resolution by the caller.
    pub(super) merged: Option<Version>,
    /// Its paths in the merged tree: the merge may have renamed it, and may have kept two versions.
    pub(super) merged_paths: Vec<BString>,
    pub(super) in_content: bool,
    pub(super) in_mode: bool,
}

impl Sides {
    pub(super) fn new(reader: &mut Reader, commits: [ObjectId; 3]) -> Result<Self, Exception> {
        let mut trees = commits;
        for tree in &mut trees {
            *tree = reader.commit(tree)?.tree;
        }
        Ok(Self(trees))
    }

    /// Returns the entry of a side at a path, which may be a folder.
    pub(super) fn at(&self, reader: &mut Reader, side: usize, path: &BString) -> Result<Option<Version>, Exception> {
        Ok(reader.entry(&self.0[side], path.as_ref())?.map(|entry| (entry.mode, entry.id)))
    }

    /// Returns the conflicting files by their paths.
    pub(super) fn conflicted(
        &self,
        reader: &mut Reader,
        merged: &git::Merged,
    ) -> Result<BTreeMap<BString, ConflictedFile>, Exception> {
        let mut found = BTreeMap::<BString, ConflictedFile>::new();
        for (merged_path, conflict) in &merged.conflicts {
            let file = found.entry(conflict.path.clone()).or_insert_with(|| ConflictedFile {
                versions: [None; 3],
                merged: conflict.merged,
                merged_paths: Vec::new(),
                in_content: conflict.content,
                in_mode: conflict.mode,
            });
            file.merged_paths.push(merged_path.clone());
            for side in [BASE, DESTINATION, SOURCE] {
                file.versions[side] = file.versions[side].or(conflict.versions[side]);
            }
        }
        // The version of a side at the path itself takes precedence over the one that rename detection assigned.
        for (path, file) in &mut found {
            for side in [BASE, DESTINATION, SOURCE] {
                let own = self.at(reader, side, path)?.filter(|(mode, _)| *mode != Mode::Tree);
                file.versions[side] = own.or(file.versions[side]);
            }
        }
        Ok(found)
    }
}

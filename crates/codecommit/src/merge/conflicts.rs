//! The files that conflict, and what each side has of them.

use std::collections::BTreeMap;

use git::{BString, FileVersion as Version, Mode, ObjectId, Reader};

use crate::Exception;

/// The trees of the common ancestor, the destination and the source.
pub(super) struct Sides([ObjectId; 3]);

pub(super) const BASE: usize = 0;
pub(super) const DESTINATION: usize = 1;
pub(super) const SOURCE: usize = 2;

/// A file that conflicts.
pub(super) struct Conflicted {
    /// What the ancestor, the destination and the source have.
    pub(super) versions: [Option<Version>; 3],
    /// What the merge made of it, without the caller's help.
    pub(super) merged: Option<Version>,
    /// Where the merged tree has it: it can be put aside, and then it can be at two paths.
    pub(super) places: Vec<BString>,
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

    /// Finds what a side has at a path, folders included.
    pub(super) fn at(&self, reader: &mut Reader, side: usize, path: &BString) -> Result<Option<Version>, Exception> {
        Ok(reader.entry(&self.0[side], path.as_ref())?.map(|entry| (entry.mode, entry.id)))
    }

    /// Lists the files that conflict by their paths.
    pub(super) fn conflicted(
        &self,
        reader: &mut Reader,
        merged: &git::Merged,
    ) -> Result<BTreeMap<BString, Conflicted>, Exception> {
        let mut found = BTreeMap::<BString, Conflicted>::new();
        for (place, conflict) in &merged.conflicts {
            let file = found.entry(conflict.path.clone()).or_insert_with(|| Conflicted {
                versions: [None; 3],
                merged: conflict.merged,
                places: Vec::new(),
                in_content: conflict.content,
                in_mode: conflict.mode,
            });
            file.places.push(place.clone());
            for side in [BASE, DESTINATION, SOURCE] {
                file.versions[side] = file.versions[side].or(conflict.versions[side]);
            }
        }
        // What a side has at the path itself is more its own than what the merge made of it.
        for (path, file) in &mut found {
            for side in [BASE, DESTINATION, SOURCE] {
                let there = self.at(reader, side, path)?.filter(|(mode, _)| *mode != Mode::Tree);
                file.versions[side] = there.or(file.versions[side]);
            }
        }
        Ok(found)
    }
}

//! Applying renames: the versions of a renamed file are merged at its new path.

use bstr::{BString, ByteSlice};

use super::{
    FileVersion, MergeError, Merger, TreeMerge,
    entry::{BASE, FileType, MergeEntry, OURS, Resolution, THEIRS, bit, file_type},
    folders::RenamedFile,
    walk::TreeDifferences,
};

impl Merger<'_> {
    /// Merges the versions of renamed files; `pairs` is sorted by old path.
    pub(super) fn merge_renamed(
        &mut self,
        input: TreeMerge<'_>,
        found: &mut TreeDifferences,
        pairs: &[RenamedFile],
    ) -> Result<(), MergeError> {
        let mut pairs = pairs.iter().peekable();
        while let Some(pair) = pairs.next() {
            let Some(old) = found.entries.get(&pair.old).filter(|old| old.resolution == Resolution::Open).cloned()
            else {
                continue;
            };
            if let Some(other) = pairs.next_if(|next| next.old == pair.old) {
                self.both_renamed(input, found, &old, pair, other)?;
            } else {
                self.one_renamed(input, found, &old, pair)?;
            }
        }
        Ok(())
    }

    /// Both sides renamed a file.
    fn both_renamed(
        &mut self,
        input: TreeMerge<'_>,
        found: &mut TreeDifferences,
        old: &MergeEntry,
        ours: &RenamedFile,
        theirs: &RenamedFile,
    ) -> Result<(), MergeError> {
        if ours.new == theirs.new {
            let new = found.entries.entry(ours.new.clone()).or_default();
            new.versions[BASE] = old.versions[BASE];
            found.entries.entry(ours.old.clone()).or_default().remove();
            return Ok(());
        }
        let version = |path: &BString, tree: usize| found.entries.get(path).and_then(|entry| entry.versions[tree]);
        let versions = [old.versions[BASE], version(&ours.new, OURS), version(&theirs.new, THEIRS)];
        let paths = [ours.old.as_bstr(), ours.new.as_bstr(), theirs.new.as_bstr()];
        let merged = self.content(input, versions, paths, 1 + 2 * input.depth)?;
        // If the merge just took our version, each path keeps the version of its own side.
        let is_ours = !merged.is_clean() && merged.version == versions[OURS];
        let placed: [(&RenamedFile, usize, Option<FileVersion>); 2] =
            [(ours, OURS, merged.version), (theirs, THEIRS, if is_ours { versions[THEIRS] } else { merged.version })];
        for (pair, tree, version) in placed {
            let entry = found.entries.entry(pair.new.clone()).or_default();
            entry.versions[tree] = version;
            entry.is_misplaced = true;
        }
        found.entries.entry(ours.old.clone()).or_default().is_misplaced = true;
        Ok(())
    }

    /// One side renamed a file.
    fn one_renamed(
        &mut self,
        input: TreeMerge<'_>,
        found: &mut TreeDifferences,
        old: &MergeEntry,
        pair: &RenamedFile,
    ) -> Result<(), MergeError> {
        let (tree, other) = (pair.tree, OURS + THEIRS - pair.tree);
        let mut new = found.entries.get(&pair.new).cloned().unwrap_or_default();
        let is_deleted = old.files() == bit(BASE);
        let is_file =
            |version: Option<FileVersion>| version.is_some_and(|version| file_type(version) == FileType::File);
        let is_retyped = !is_deleted && is_file(old.versions[other]) != is_file(new.versions[tree]);
        let is_taken = new.files() & bit(other) != 0 && !is_retyped;
        if is_taken && is_deleted {
            new.is_misplaced = true;
        } else if is_taken {
            let mut versions = [old.versions[BASE]; 3];
            versions[other] = old.versions[other];
            versions[tree] = new.versions[tree];
            let mut paths = [pair.old.as_bstr(); 3];
            paths[tree] = pair.new.as_bstr();
            let merged = self.content(input, versions, paths, 1 + 2 * input.depth)?;
            new.versions[tree] = merged.version;
        } else {
            new.versions[BASE] = old.versions[BASE];
            new.origins[BASE] = Some(pair.old.clone());
            if is_deleted {
                new.is_misplaced = true;
            } else if !is_retyped {
                new.versions[other] = old.versions[other];
                new.origins[other] = Some(pair.old.clone());
            }
        }
        found.entries.insert(pair.new.clone(), new);
        let left = found.entries.entry(pair.old.clone()).or_default();
        if is_retyped {
            left.versions[BASE] = None;
        } else {
            left.remove();
        }
        Ok(())
    }
}

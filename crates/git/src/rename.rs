//! The origin of an added file: the file from which it was renamed or copied.
//!
//! The steps are those of `git log --follow`: first a file with the same content, otherwise the most similar one. Deleted
//! files are preferred.

use std::{cmp::Reverse, collections::HashMap, hash::RandomState};

use bstr::{BStr, BString, ByteSlice};
use gix::ObjectId;

use crate::{
    Difference, Differences, Error, Kind, Mode, TreeWalk,
    merge::similarity::{BestCandidates, Pieces, SIMILAR, can_reach},
    reader::Reader,
};

/// The maximum number of files with the same content that are considered.
const SAME_MAX: usize = 100;

/// The number of files above which unchanged files are not considered: the square of Git's `diff.renameLimit`.
const SOURCES_MAX: usize = 1_000_000;

/// The number of deleted and changed files above which no origin is searched.
const CHANGES_MAX: usize = 250_000;

/// The maximum amount of content to compare for one file, in bytes.
const CONTENT_BYTES_MAX: u64 = 512 << 20;

/// The possible origins of an added file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origins {
    /// Deleted files.
    Renames,
    /// All files of the parent.
    Copies,
}

/// A possible origin.
struct RenameSource {
    path: BString,
    mode: Mode,
    id: ObjectId,
    state: SourceState,
}

/// What happened to a possible origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SourceState {
    Deleted,
    Changed,
    Unchanged,
}

/// The file whose origin is searched.
struct RenameTarget<'a> {
    path: &'a BStr,
    mode: Mode,
    id: ObjectId,
}

impl Reader {
    /// Finds the file in the tree `before` from which the file at `path` in the tree `after` was made; returns its path.
    ///
    /// As in Git, at least half of the larger content must be in both files.
    pub(crate) fn origin(
        &mut self,
        [before, after]: [ObjectId; 2],
        path: &BStr,
        (mode, id): (Mode, ObjectId),
        origins: Origins,
    ) -> Result<Option<BString>, Error> {
        let target = RenameTarget { path, mode, id };
        let Some(changes) = ChangedFiles::between(self, before, after)? else { return Ok(None) };
        let sources = changes.sources(self, origins)?;
        let (same, count) = self.same(sources, &target)?;
        if same.is_some() || !is_regular(mode) {
            return Ok(same);
        }
        let mut sources = changes.sources(self, origins)?;
        sources.skip_unchanged = count > SOURCES_MAX;
        self.similar(sources, &target)
    }

    /// Finds a source with the same content, and counts the sources.
    fn same(
        &mut self,
        mut sources: RenameSources<'_>,
        target: &RenameTarget<'_>,
    ) -> Result<(Option<BString>, usize), Error> {
        let mut best: Option<(u8, BString)> = None;
        let (mut count, mut same) = (0, 0);
        while let Some(source) = sources.next(self)? {
            count += 1;
            let modes_fit = source.mode == target.mode || is_regular(source.mode) && is_regular(target.mode);
            if source.id != target.id || !modes_fit || same == SAME_MAX {
                continue;
            }
            same += 1;
            let same_name = file_name(source.path.as_ref()) == file_name(target.path);
            let score = u8::from(source.state == SourceState::Deleted) + u8::from(same_name);
            if best.as_ref().is_none_or(|(most, _)| score > *most) {
                best = Some((score, source.path));
            }
        }
        Ok((best.map(|(_, path)| path), count))
    }

    /// Finds the most similar source.
    fn similar(&mut self, mut sources: RenameSources<'_>, target: &RenameTarget<'_>) -> Result<Option<BString>, Error> {
        let Some((Kind::Blob, bytes)) = self.header(&target.id)? else { return Ok(None) };
        if bytes > CONTENT_BYTES_MAX {
            return Ok(None);
        }
        let hasher = RandomState::new();
        let mut data = Vec::new();
        self.expect(&target.id, Kind::Blob, &mut data)?;
        let Some(pieces) = Pieces::new(&data, &hasher) else { return Ok(None) };
        let mut best = BestCandidates::default();
        let mut left = CONTENT_BYTES_MAX;
        while let Some(source) = sources.next(self)? {
            let mut similarity = 0;
            if is_regular(source.mode)
                && let Some((Kind::Blob, source_bytes)) = self.header(&source.id)?
                && can_reach(SIMILAR, source_bytes, bytes)
            {
                let Some(rest) = left.checked_sub(source_bytes) else { break };
                left = rest;
                self.expect(&source.id, Kind::Blob, &mut data)?;
                similarity = Pieces::new(&data, &hasher).map_or(0, |source| source.similarity(&pieces));
            }
            let same_name = file_name(source.path.as_ref()) == file_name(target.path);
            best.add((similarity, same_name), source);
        }
        let mut best: Vec<_> = best.similar().collect();
        best.sort_by_key(|(rank, _)| Reverse(*rank));
        let deleted = best.iter().position(|(_, source)| source.state == SourceState::Deleted).unwrap_or(0);
        Ok(best.into_iter().nth(deleted).map(|(_, source)| source.path))
    }
}

/// The files of a tree that are deleted or changed in another one.
struct ChangedFiles {
    before: ObjectId,
    deleted: Vec<(BString, Mode, ObjectId)>,
    states: HashMap<BString, SourceState>,
}

impl ChangedFiles {
    /// Compares two trees; `None` if too many files differ.
    fn between(reader: &mut Reader, before: ObjectId, after: ObjectId) -> Result<Option<Self>, Error> {
        let mut changes = Self { before, deleted: Vec::new(), states: HashMap::new() };
        let mut differences = Differences::new(reader, Some(before), Some(after), b"".into())?;
        while let Some(Difference { path, before, after }) = differences.next(reader)? {
            let Some((mode, id)) = before else { continue };
            if after.is_none() {
                changes.deleted.push((path.clone(), mode, id));
            }
            changes.states.insert(path, if after.is_none() { SourceState::Deleted } else { SourceState::Changed });
            if changes.states.len() > CHANGES_MAX {
                return Ok(None);
            }
        }
        Ok(Some(changes))
    }

    /// Lists the sources in the order of the tree.
    fn sources(&self, reader: &mut Reader, origins: Origins) -> Result<RenameSources<'_>, Error> {
        let walk = match origins {
            Origins::Renames => None,
            Origins::Copies => Some(TreeWalk::new(reader, &self.before, true)?),
        };
        Ok(RenameSources { changes: self, deleted: self.deleted.iter(), walk, skip_unchanged: false })
    }
}

/// The remaining sources.
struct RenameSources<'c> {
    changes: &'c ChangedFiles,
    deleted: std::slice::Iter<'c, (BString, Mode, ObjectId)>,
    /// Lists all files; `None` if only deleted files count.
    walk: Option<TreeWalk>,
    skip_unchanged: bool,
}

impl RenameSources<'_> {
    fn next(&mut self, reader: &mut Reader) -> Result<Option<RenameSource>, Error> {
        let Some(walk) = &mut self.walk else {
            let source = |(path, mode, id): &(BString, Mode, ObjectId)| RenameSource {
                path: path.clone(),
                mode: *mode,
                id: *id,
                state: SourceState::Deleted,
            };
            return Ok(self.deleted.next().map(source));
        };
        while let Some(placed) = walk.next(reader)? {
            let state = self.changes.states.get(&placed.path).copied().unwrap_or(SourceState::Unchanged);
            if placed.entry.mode != Mode::Tree && !(self.skip_unchanged && state == SourceState::Unchanged) {
                return Ok(Some(RenameSource {
                    path: placed.path,
                    mode: placed.entry.mode,
                    id: placed.entry.id,
                    state,
                }));
            }
        }
        Ok(None)
    }
}

fn is_regular(mode: Mode) -> bool {
    matches!(mode, Mode::File | Mode::Executable)
}

fn file_name(path: &BStr) -> &[u8] {
    path.rsplit_once_str(b"/").map_or(path.as_bytes(), |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_is_the_last_part_of_its_path() {
        assert_eq!(file_name(b"a/b/c".into()), b"c");
        assert_eq!(file_name(b"c".into()), b"c");
    }
}

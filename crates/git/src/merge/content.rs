//! Merging the versions of one file, link or submodule.

use bstr::{BStr, BString};

use super::{
    FileVersion, MergeError, Merger, TreeMerge,
    entry::{BASE, FileType, OURS, THEIRS, file_type},
    lines::can_compare,
    text::{self, ConflictMarkers, Favor, MARKER_LENGTH},
};
use crate::{Kind, Mode, Object, is_binary};

/// The size of the largest file that is merged by line, in bytes; Git has the same limit.
const TEXT_BYTES_MAX: u64 = 1_023 << 20;

/// The result of merging three versions.
pub(super) struct MergedContent {
    pub(super) version: Option<FileVersion>,
    /// Whether the modes do not conflict.
    pub(super) is_mode_clean: bool,
    /// Whether the contents do not conflict.
    pub(super) is_content_clean: bool,
}

impl MergedContent {
    pub(super) fn is_clean(&self) -> bool {
        self.is_mode_clean && self.is_content_clean
    }
}

impl Merger<'_> {
    /// Merges the versions of both sides, which have the same type. `levels` is the number of merges in which this content has
    /// taken part; it makes conflict markers longer.
    pub(super) fn content(
        &mut self,
        input: TreeMerge<'_>,
        versions: [Option<FileVersion>; 3],
        paths: [&BStr; 3],
        levels: usize,
    ) -> Result<MergedContent, MergeError> {
        let [base, Some(ours), Some(theirs)] = versions else { unreachable!("both sides have a version") };
        let favor = if input.depth > 0 { Favor::Neither } else { self.options.favor };
        if !self.options.by_line && input.depth == 0 {
            let is_favored = favor != Favor::Neither;
            let changed = |mode: Mode| base.is_none_or(|(base, _)| base != mode);
            let modes_conflict = ours.0 != theirs.0 && changed(ours.0) && changed(theirs.0);
            return Ok(MergedContent {
                version: Some(if favor == Favor::Theirs { theirs } else { ours }),
                is_mode_clean: is_favored || !modes_conflict,
                is_content_clean: is_favored || modes_conflict && ours.1 == theirs.1,
            });
        }
        let base_mode = base.map(|(mode, _)| mode);
        let (mut is_mode_clean, mut is_content_clean) = (true, true);
        let mode = if ours.0 == theirs.0 || Some(ours.0) == base_mode {
            theirs.0
        } else {
            is_mode_clean = Some(theirs.0) == base_mode || favor != Favor::Neither;
            if favor == Favor::Theirs { theirs.0 } else { ours.0 }
        };
        // An ancestor of another type has no content in common.
        let base_id = base.map(|(_, id)| id);
        let common = base.filter(|base| file_type(*base) == file_type(ours));
        let id = if ours.1 == theirs.1 || Some(ours.1) == base_id {
            theirs.1
        } else if Some(theirs.1) == base_id {
            ours.1
        } else if file_type(ours) == FileType::File {
            let merged = self.file(input, [common, Some(ours), Some(theirs)], favor, paths, levels)?;
            is_content_clean = merged.1;
            merged.0.1
        } else if input.depth > 0 {
            return Ok(MergedContent { version: base, is_mode_clean, is_content_clean: false });
        } else {
            is_content_clean = file_type(ours) == FileType::Link && favor != Favor::Neither;
            if is_content_clean && favor == Favor::Theirs { theirs.1 } else { ours.1 }
        };
        Ok(MergedContent { version: Some((mode, id)), is_mode_clean, is_content_clean })
    }

    /// Merges a file line by line; a binary file is taken from one side. Returns whether the merge is clean.
    fn file(
        &mut self,
        input: TreeMerge<'_>,
        versions: [Option<FileVersion>; 3],
        favor: Favor,
        paths: [&BStr; 3],
        levels: usize,
    ) -> Result<(FileVersion, bool), MergeError> {
        let [base, Some(ours), Some(theirs)] = versions else { unreachable!("both sides have a version") };
        let mut texts = <[Vec<u8>; 3]>::default();
        let mut is_text = true;
        for (text, version) in texts.iter_mut().zip(versions) {
            let Some((_, id)) = version else { continue };
            let size = self.reader.header(&id)?.ok_or_else(|| self.reader.missing(&id))?.1;
            self.budget.content(size)?;
            self.reader.expect(&id, Kind::Blob, text)?;
            is_text &= size <= TEXT_BYTES_MAX && !is_binary(text);
        }
        if !is_text {
            return match (input.depth, favor) {
                (0, Favor::Neither) => Ok((ours, false)),
                (0, Favor::Ours) => Ok((ours, true)),
                (0, Favor::Theirs) => Ok((theirs, true)),
                _ => self.base_or_empty(base).map(|version| (version, true)),
            };
        }
        let label = |tree: usize| -> Vec<u8> {
            let label = &input.labels[tree - 1];
            let is_renamed = paths[BASE] != paths[OURS] || paths[OURS] != paths[THEIRS];
            if is_renamed { [label.as_slice(), b":", paths[tree]].concat() } else { label.to_vec() }
        };
        let texts = texts.each_ref().map(Vec::as_slice);
        if !can_compare(texts) {
            return Err(MergeError::Content);
        }
        let markers = ConflictMarkers { length: MARKER_LENGTH + levels, ours: label(OURS), theirs: label(THEIRS) };
        let merged = text::merge(texts, favor, &markers, self.budget.interrupt())?;
        let id = self.reader.imagine(Object::blob(merged.data))?;
        Ok(((ours.0, id), merged.is_clean))
    }

    /// Returns the ancestor's version, or an empty file if both sides added the file.
    fn base_or_empty(&mut self, base: Option<FileVersion>) -> Result<FileVersion, MergeError> {
        if let Some(base) = base {
            return Ok(base);
        }
        let id = self.reader.imagine(Object::blob(Vec::new()))?;
        Ok((Mode::File, id))
    }
}

/// Returns the path to which a file is moved if its own path is used: with the name of its side. It may not be unique yet.
pub(super) fn path_aside(path: &BStr, label: &BString) -> BString {
    let mut aside = path.to_owned();
    aside.push(b'~');
    aside.extend(label.iter().map(|byte| if *byte == b'/' { b'_' } else { *byte }));
    aside
}

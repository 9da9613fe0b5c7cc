//! Descriptions of one path on the three sides of a merge.

use aws_sdk_codecommit::types::{
    ChangeTypeEnum, ConflictMetadata, FileModes, FileSizes, IsBinaryFile, MergeHunk, MergeHunkDetail, MergeOperations,
    ObjectTypeEnum, ObjectTypes,
};
use git::{BString, ChangedBy, FileVersion, Kind, Mode, TextPart, TextVersions};

use super::conflicts::{BASE, DESTINATION, SOURCE};
use super::preview::MergePreview;
use crate::{Exception, mode};

/// A path, with the entry of each side there.
pub(super) struct Versions {
    path: String,
    files: [Option<FileVersion>; 3],
    contents: [Vec<u8>; 3],
    /// Kinds of its conflict, if there is one.
    conflict: Option<ConflictKinds>,
    /// Parts of the files by who changed them; empty if they are not text.
    parts: Vec<TextPart>,
}

#[derive(Clone, Copy)]
struct ConflictKinds {
    in_mode: bool,
    in_type: bool,
    in_content: bool,
}

impl Versions {
    /// Reads a path; returns `None` if no side has a file there.
    ///
    /// The sizes of the files are subtracted from `bytes_left`. Fails if they exceed it, or if the files have too many lines to
    /// be compared.
    pub(super) fn read(
        preview: &mut MergePreview,
        path: &BString,
        bytes_left: &mut u64,
    ) -> Result<Option<Self>, Exception> {
        let MergePreview { reader, sides, conflicts, rules, bytes_max, .. } = preview;
        let exceeded = || Exception::MaximumFileContentToLoadExceeded { limit: *bytes_max };
        let conflicted = conflicts.get(path);
        let mut versions = [None; 3];
        for side in [BASE, DESTINATION, SOURCE] {
            let known = conflicted.and_then(|file| file.versions[side]);
            versions[side] = match known {
                Some(version) => Some(version),
                None => sides.at(reader, side, path)?,
            };
        }
        if versions.iter().flatten().all(|(mode, _)| *mode == Mode::Tree) {
            return Ok(None);
        }
        let mut contents = <[Vec<u8>; 3]>::default();
        for (content, version) in contents.iter_mut().zip(versions) {
            let Some((Mode::File | Mode::Executable | Mode::Symlink, id)) = version else { continue };
            let size = reader.header(&id)?.map_or(0, |(_, size)| size);
            *bytes_left = bytes_left.checked_sub(size).ok_or_else(exceeded)?;
            if reader.read(&id, content)? != Some(Kind::Blob) {
                return Err(reader.missing(&id).into());
            }
        }
        let texts = contents.each_ref().map(Vec::as_slice);
        if !git::can_compare(texts) {
            return Err(exceeded());
        }
        let is_file = |version: Option<FileVersion>| {
            version.is_none_or(|(mode, _)| matches!(mode, Mode::File | Mode::Executable | Mode::Symlink))
        };
        let are_texts = versions.into_iter().all(is_file) && !texts.into_iter().any(git::is_binary);
        let parts = if are_texts {
            let lines = TextVersions::new(texts[BASE], texts[DESTINATION], texts[SOURCE]);
            if rules.by_line { lines.parts(reader.interrupt())? } else { lines.whole().into_iter().collect() }
        } else {
            Vec::new()
        };
        let kinds = versions.map(|version| version.map(object_type));
        let in_type = kinds[SOURCE].is_some() && kinds[DESTINATION].is_some() && kinds[SOURCE] != kinds[DESTINATION];
        let conflict = conflicted.map(|file| ConflictKinds {
            in_mode: file.in_mode,
            in_type,
            in_content: file.in_content || !file.in_mode && !in_type,
        });
        let path = String::from_utf8_lossy(path).into_owned();
        Ok(Some(Self { path, files: versions, contents, conflict, parts }))
    }

    pub(super) fn metadata(&self) -> ConflictMetadata {
        let [base, destination, source] = self.files;
        let size = |side: usize| i64::try_from(self.contents[side].len()).unwrap_or(i64::MAX);
        let binary = |side: usize| self.is_file(side).then(|| git::is_binary(&self.contents[side]));
        let name = |version: Option<FileVersion>| version.and_then(|(mode, _)| mode::name(mode));
        let conflict = self.conflict;
        let is = |which: fn(ConflictKinds) -> bool| conflict.is_some_and(which);
        let in_text = if is(|kinds| kinds.in_content) { self.conflicting_parts().max(1) } else { 0 };
        let others = usize::from(is(|kinds| kinds.in_mode)) + usize::from(is(|kinds| kinds.in_type));
        ConflictMetadata::builder()
            .file_path(&self.path)
            .file_sizes(
                FileSizes::builder().source(size(SOURCE)).destination(size(DESTINATION)).base(size(BASE)).build(),
            )
            .file_modes(
                FileModes::builder()
                    .set_source(name(source))
                    .set_destination(name(destination))
                    .set_base(name(base))
                    .build(),
            )
            .object_types(
                ObjectTypes::builder()
                    .set_source(source.map(object_type))
                    .set_destination(destination.map(object_type))
                    .set_base(base.map(object_type))
                    .build(),
            )
            .number_of_conflicts(i32::try_from(in_text + others).unwrap_or(i32::MAX))
            .is_binary_file(
                IsBinaryFile::builder()
                    .set_source(binary(SOURCE))
                    .set_destination(binary(DESTINATION))
                    .set_base(binary(BASE))
                    .build(),
            )
            .content_conflict(is(|kinds| kinds.in_content))
            .file_mode_conflict(is(|kinds| kinds.in_mode))
            .object_type_conflict(is(|kinds| kinds.in_type))
            .merge_operations(
                MergeOperations::builder()
                    .set_source(change(base, source))
                    .set_destination(change(base, destination))
                    .build(),
            )
            .build()
    }

    /// Returns the hunks; files that are not text have none.
    pub(super) fn hunks(&self) -> impl Iterator<Item = MergeHunk> {
        let [base, destination, source] = &self.contents;
        let lines = TextVersions::new(base, destination, source);
        let in_content = self.conflict.is_some_and(|conflict| conflict.in_content);
        self.parts.iter().map(move |part| {
            let [base, destination, source] = lines.texts(part);
            MergeHunk::builder()
                .is_conflict(part.by == ChangedBy::Both && in_content)
                .source(detail(&part.theirs, &source))
                .destination(detail(&part.ours, &destination))
                .base(detail(&part.base, &base))
                .build()
        })
    }

    fn conflicting_parts(&self) -> usize {
        self.parts.iter().filter(|part| part.by == ChangedBy::Both).count()
    }

    fn is_file(&self, side: usize) -> bool {
        matches!(self.files[side], Some((Mode::File | Mode::Executable | Mode::Symlink, _)))
    }
}

fn detail(lines: &std::ops::Range<usize>, text: &[u8]) -> MergeHunkDetail {
    let line = |line: usize| i32::try_from(line).unwrap_or(i32::MAX);
    MergeHunkDetail::builder()
        .start_line(line(lines.start))
        .end_line(line(lines.end))
        .hunk_content(aws_smithy_types::base64::encode(text))
        .build()
}

fn object_type((mode, _): FileVersion) -> ObjectTypeEnum {
    match mode {
        Mode::File | Mode::Executable => ObjectTypeEnum::File,
        Mode::Symlink => ObjectTypeEnum::SymbolicLink,
        Mode::Tree => ObjectTypeEnum::Directory,
        Mode::Submodule => ObjectTypeEnum::GitLink,
    }
}

fn change(base: Option<FileVersion>, side: Option<FileVersion>) -> Option<ChangeTypeEnum> {
    match (base, side) {
        (None, Some(_)) => Some(ChangeTypeEnum::Added),
        (Some(_), None) => Some(ChangeTypeEnum::Deleted),
        (base, side) => (base != side).then_some(ChangeTypeEnum::Modified),
    }
}

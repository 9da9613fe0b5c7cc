//! Conflicts of a merge: files, and their hunks.

use std::collections::HashMap;

use aws::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::pull_request::PullRequestTarget;
use crate::visit::Visit;

/// Files that one resolution can have.
const FILES_MAX: usize = 100;
/// Hunks of a file in one reply.
const HUNKS_MAX: usize = 1_000;
/// Lines before and after a hunk that are shown.
const CONTEXT: usize = 3;

/// Conflicts of a merge.
pub(crate) struct Conflicts {
    pub(crate) files: Vec<ConflictedFile>,
    /// Whether there are more files than one resolution can have.
    pub(crate) has_more: bool,
    /// Why hunks are not shown.
    pub(crate) not_described: Option<Failure>,
}

/// A file with a conflict.
pub(crate) struct ConflictedFile {
    pub(crate) metadata: ConflictMetadata,
    pub(crate) hunks: Vec<MergeHunk>,
}

/// What can be chosen for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// A text that both sides have: a choice for each hunk.
    Text,
    /// Only the modes differ: the merged content with one of them.
    Mode,
    /// One of the two versions.
    Whole,
}

/// A value of each side.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Sides<T> {
    pub(crate) source: Option<T>,
    pub(crate) destination: Option<T>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConflictMetadata {
    pub(crate) file_path: String,
    #[serde(default)]
    pub(crate) file_modes: Sides<String>,
    #[serde(default)]
    object_types: Sides<String>,
    #[serde(default)]
    is_binary_file: Sides<bool>,
    #[serde(default)]
    content_conflict: bool,
    #[serde(default)]
    pub(crate) file_mode_conflict: bool,
    #[serde(default)]
    merge_operations: Sides<String>,
}

/// A part of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MergeHunk {
    #[serde(default)]
    pub(crate) is_conflict: bool,
    pub(crate) source: HunkText,
    pub(crate) destination: HunkText,
    base: HunkText,
}

/// The text of a part on one side.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct HunkText {
    start_line: u64,
    #[serde(deserialize_with = "decode")]
    pub(crate) hunk_content: Vec<u8>,
}

/// A conflict as the page shows it.
pub(crate) struct ShownHunk {
    /// The position among the hunks of the file.
    pub(crate) number: usize,
    pub(crate) line: u64,
    pub(crate) before: String,
    pub(crate) destination: String,
    pub(crate) source: String,
    pub(crate) after: String,
}

impl Conflicts {
    /// Reads the files in conflict by `GetMergeConflicts`, and the hunks of texts by `BatchDescribeMergeConflicts`.
    pub(crate) fn read(visit: &Visit<'_>, target: &PullRequestTarget, option: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct FilePage {
            conflict_metadata_list: Vec<ConflictMetadata>,
            next_token: Option<String>,
        }
        let mut input = input(target, option);
        input["maxConflictFiles"] = FILES_MAX.into();
        let found: FilePage = visit.run("GetMergeConflicts", &input)?;
        let texts = found.conflict_metadata_list.iter().filter(|metadata| metadata.is_text());
        let paths: Vec<&str> = texts.map(|metadata| metadata.file_path.as_str()).collect();
        let (mut hunks, mut not_described) = (HashMap::new(), None);
        if !paths.is_empty() {
            match describe(visit, target, option, &paths) {
                Ok(described) => hunks = described,
                Err(failure) => not_described = Some(failure),
            }
        }
        let file = |metadata: ConflictMetadata| ConflictedFile {
            hunks: hunks.remove(&metadata.file_path).unwrap_or_default(),
            metadata,
        };
        let files = found.conflict_metadata_list.into_iter().map(file).collect();
        Ok(Self { files, has_more: found.next_token.is_some(), not_described })
    }
}

/// Reads the hunks of files; those of a file with very many are read by `DescribeMergeConflicts` in pages.
fn describe(
    visit: &Visit<'_>,
    target: &PullRequestTarget,
    option: &str,
    paths: &[&str],
) -> Result<HashMap<String, Vec<MergeHunk>>, Failure> {
    #[derive(Deserialize)]
    struct Described {
        conflicts: Vec<Conflict>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Conflict {
        conflict_metadata: ConflictMetadata,
        merge_hunks: Vec<MergeHunk>,
    }
    let mut input = input(target, option);
    input["filePaths"] = json!(paths);
    input["maxMergeHunks"] = HUNKS_MAX.into();
    let described: Described = visit.run("BatchDescribeMergeConflicts", &input)?;
    let mut hunks = HashMap::new();
    for Conflict { conflict_metadata, merge_hunks } in described.conflicts {
        let path = conflict_metadata.file_path;
        let of_file =
            if merge_hunks.len() < HUNKS_MAX { merge_hunks } else { describe_one(visit, target, option, &path)? };
        hunks.insert(path, of_file);
    }
    Ok(hunks)
}

fn describe_one(
    visit: &Visit<'_>,
    target: &PullRequestTarget,
    option: &str,
    path: &str,
) -> Result<Vec<MergeHunk>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct HunkPage {
        merge_hunks: Vec<MergeHunk>,
        next_token: Option<String>,
    }
    let mut input = input(target, option);
    input["filePath"] = path.into();
    input["maxMergeHunks"] = HUNKS_MAX.into();
    let mut hunks = Vec::new();
    loop {
        let page: HunkPage = visit.run("DescribeMergeConflicts", &input)?;
        hunks.extend(page.merge_hunks);
        let Some(token) = page.next_token else { return Ok(hunks) };
        input["nextToken"] = token.into();
    }
}

fn input(target: &PullRequestTarget, option: &str) -> Value {
    json!({
        "repositoryName": target.repository,
        "sourceCommitSpecifier": target.source_commit,
        "destinationCommitSpecifier": target.destination_commit,
        "mergeOption": option,
        "conflictDetailLevel": "LINE_LEVEL",
        "conflictResolutionStrategy": "AUTOMERGE",
    })
}

impl ConflictMetadata {
    /// Returns whether both sides have a text of the same kind whose lines conflict.
    fn is_text(&self) -> bool {
        let is_file = |kind: &Option<String>| kind.as_deref() == Some("FILE");
        let is_binary = [&self.is_binary_file.source, &self.is_binary_file.destination].contains(&&Some(true));
        self.content_conflict
            && !is_binary
            && is_file(&self.object_types.source)
            && is_file(&self.object_types.destination)
    }

    /// Returns what a side did to the file.
    fn deed(operation: Option<&str>) -> &'static str {
        match operation {
            Some("A") => "added",
            Some("D") => "deleted",
            Some("M") => "modified",
            _ => "did not change",
        }
    }

    /// Returns whether the destination and the source deleted the file.
    pub(crate) fn deletions(&self) -> [bool; 2] {
        let Sides { source, destination } = &self.merge_operations;
        [destination, source].map(|operation| operation.as_deref() == Some("D"))
    }

    /// Returns what the destination and the source did to the file.
    pub(crate) fn deeds(&self) -> [&'static str; 2] {
        let Sides { source, destination } = &self.merge_operations;
        [Self::deed(destination.as_deref()), Self::deed(source.as_deref())]
    }
}

impl ConflictedFile {
    pub(crate) fn kind(&self) -> FileKind {
        if self.hunks.iter().any(|hunk| hunk.is_conflict) {
            FileKind::Text
        } else if self.metadata.file_mode_conflict && !self.metadata.content_conflict {
            FileKind::Mode
        } else {
            FileKind::Whole
        }
    }

    /// Returns the modes of the sides, and whether each is the chosen one.
    pub(crate) fn modes(&self, chosen: &str) -> Vec<(&str, bool)> {
        let Sides { source, destination } = &self.metadata.file_modes;
        [destination, source].into_iter().flatten().map(|mode| (mode.as_str(), mode == chosen)).collect()
    }

    /// Returns the conflicts with the lines around them.
    pub(crate) fn shown(&self) -> Vec<ShownHunk> {
        let merged = |index: usize| self.hunks.get(index).filter(|hunk| !hunk.is_conflict).map(MergeHunk::merged);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let conflicts = self.hunks.iter().enumerate().filter(|(_, hunk)| hunk.is_conflict);
        let shown = conflicts.map(|(number, hunk)| ShownHunk {
            number,
            line: hunk.destination.start_line + 1,
            before: number.checked_sub(1).and_then(merged).map(|bytes| text(last_lines(bytes))).unwrap_or_default(),
            destination: text(&hunk.destination.hunk_content),
            source: text(&hunk.source.hunk_content),
            after: merged(number + 1).map(|bytes| text(first_lines(bytes))).unwrap_or_default(),
        });
        shown.collect()
    }
}

impl MergeHunk {
    /// Returns the text of a part without a conflict: that of the side that changed it.
    pub(crate) fn merged(&self) -> &[u8] {
        let Self { source, destination, base, .. } = self;
        let changed = if source.hunk_content == base.hunk_content { destination } else { source };
        &changed.hunk_content
    }
}

fn first_lines(text: &[u8]) -> &[u8] {
    let bytes: usize = text.split_inclusive(|byte| *byte == b'\n').take(CONTEXT).map(<[u8]>::len).sum();
    &text[..bytes]
}

fn last_lines(text: &[u8]) -> &[u8] {
    let lines: Vec<_> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let bytes: usize = lines.iter().rev().take(CONTEXT).map(|line| line.len()).sum();
    &text[text.len() - bytes..]
}

fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let encoded = String::deserialize(deserializer)?;
    STANDARD.decode(encoded).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_is_a_few_whole_lines() {
        let text = b"one\ntwo\nthree\nfour\nfive";
        assert_eq!(first_lines(text), b"one\ntwo\nthree\n");
        assert_eq!(last_lines(text), b"three\nfour\nfive");
        assert_eq!([first_lines(b"one"), last_lines(b"")], [b"one".as_slice(), b""]);
    }
}

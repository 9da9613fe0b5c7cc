//! Lines of a differing file, read by `GetBlobDifferences`, or by `GetBlob` if the file was deleted.

use aws::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::rows::{self, DiffRow, Hunk, HunkLine, LineKind, Side};
use crate::comments::Thread;
use crate::text::size;
use crate::visit::Visit;

/// Maximum number of lines of a page.
const PAGE_LINES_MAX: usize = 3_000;

/// Maximum number of lines of a file among others.
const FILE_LINES_MAX: usize = 1_000;

/// Maximum number of lines of a page with one file.
const ALONE_LINES_MAX: usize = 25_000;

/// Bytes of the beginning of a file in which a zero byte means that it is binary, as in Git.
const BINARY_BYTES: usize = 8_000;

/// What is shown of a file.
pub(super) enum Content {
    Rows(FileRows),
    /// A file that is no text, with the sizes before and after.
    Binary(String, String),
    /// Commits of a submodule.
    Submodule(String, String),
    /// Files with the same content: only the mode differs.
    Same,
    /// The lines were not read.
    NotLoaded,
    Failed(Failure),
}

/// The rows of a file, or the first of them.
pub(super) struct FileRows {
    pub(super) rows: Vec<DiffRow>,
    pub(super) added: usize,
    pub(super) removed: usize,
    /// The URL of the next page of hunks.
    pub(super) next: Option<String>,
    /// Whether there are more lines than the page shows.
    pub(super) is_cut: bool,
    /// The URL of the file alone with a form at a line: the version and the line's number follow.
    pub(super) at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobDifferences {
    #[serde(default)]
    hunks: Vec<Hunk>,
    is_binary: bool,
    before_blob_size: u64,
    after_blob_size: u64,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct BlobReply {
    content: String,
}

/// The lines that a page can still show, and the choices for all its files.
pub(super) struct LineBudget<'r> {
    repository: &'r str,
    pub(super) is_split: bool,
    pub(super) ignores_whitespace: bool,
    is_alone: bool,
    /// None are left after a failure, so that the operation is not run for other files.
    lines: usize,
}

impl<'r> LineBudget<'r> {
    pub(super) fn new(visit: &Visit<'_>, repository: &'r str) -> Self {
        let is_alone = !visit.query.raw("file").is_empty();
        Self {
            repository,
            is_split: visit.query.raw("view") == "split",
            ignores_whitespace: visit.query.raw("whitespace") == "ignore",
            is_alone,
            lines: if is_alone { ALONE_LINES_MAX } else { PAGE_LINES_MAX },
        }
    }

    /// Reads what is shown of a file; `ids` are those of the blobs before and after.
    pub(super) fn content(
        &mut self,
        visit: &Visit<'_>,
        path: &str,
        ids: &[Option<String>; 2],
        can_comment: bool,
        threads: &mut Vec<Thread>,
    ) -> Content {
        if self.lines == 0 {
            return Content::NotLoaded;
        }
        if ids[0] == ids[1] {
            return Content::Same;
        }
        let found = match ids {
            [Some(before), None] => self.deleted(visit, before),
            [before, after] => self.changed(visit, before.as_deref(), after.as_deref()),
        };
        match found {
            Ok(found) if found.is_binary => Content::Binary(size(found.before_blob_size), size(found.after_blob_size)),
            Ok(found) => Content::Rows(self.rows(visit, path, found, can_comment, threads)),
            Err(failure) => {
                if failure.error_code() != "FileTooLargeException" {
                    self.lines = 0;
                }
                Content::Failed(failure)
            }
        }
    }

    fn changed(
        &self,
        visit: &Visit<'_>,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<BlobDifferences, Failure> {
        let mut input = json!({ "repositoryName": self.repository, "afterBlobId": after });
        if let Some(before) = before {
            input["beforeBlobId"] = before.into();
        }
        if self.ignores_whitespace {
            input["ignoreWhitespace"] = true.into();
        }
        let hunks = visit.query.raw("hunks");
        if self.is_alone && !hunks.is_empty() {
            input["NextToken"] = hunks.into();
        }
        visit.run("GetBlobDifferences", &input)
    }

    /// Reads a deleted file as one hunk: `GetBlobDifferences` needs a file after the change.
    fn deleted(&self, visit: &Visit<'_>, before: &str) -> Result<BlobDifferences, Failure> {
        let blob: BlobReply = visit.run("GetBlob", &json!({ "repositoryName": self.repository, "blobId": before }))?;
        let content = STANDARD.decode(blob.content).map_err(|error| {
            tracing::error!(%error, "cannot decode the content of a file");
            Failure::internal()
        })?;
        let is_binary = content[..content.len().min(BINARY_BYTES)].contains(&0);
        let mut lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
        lines.pop_if(|last| last.is_empty());
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        // One more line than is shown, because then it is known that lines are missing.
        let changes = (1..).zip(lines.into_iter().take(self.lines_max() + 1)).map(|(number, line)| HunkLine {
            kind: LineKind::Delete,
            before_line_number: Some(number),
            after_line_number: None,
            content: String::from_utf8_lossy(line).into_owned(),
        });
        let hunk = Hunk {
            before_start_line: u32::from(count > 0),
            before_line_count: count,
            after_start_line: 0,
            after_line_count: 0,
            changes: if is_binary { Vec::new() } else { changes.collect() },
        };
        let hunks = if hunk.changes.is_empty() { Vec::new() } else { vec![hunk] };
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        Ok(BlobDifferences { hunks, is_binary, before_blob_size: bytes, after_blob_size: 0, next_token: None })
    }

    fn lines_max(&self) -> usize {
        if self.is_alone { self.lines } else { self.lines.min(FILE_LINES_MAX) }
    }

    fn rows(
        &mut self,
        visit: &Visit<'_>,
        path: &str,
        found: BlobDifferences,
        can_comment: bool,
        threads: &mut Vec<Thread>,
    ) -> FileRows {
        let BlobDifferences { mut hunks, next_token, .. } = found;
        let mut rest = self.lines_max();
        let mut is_cut = false;
        for hunk in &mut hunks {
            is_cut |= hunk.changes.len() > rest;
            hunk.changes.truncate(rest);
            rest -= hunk.changes.len();
        }
        hunks.retain(|hunk| !hunk.changes.is_empty());
        let count = |kind| hunks.iter().flat_map(|hunk| &hunk.changes).filter(|line| line.kind == kind).count();
        let (added, removed) = (count(LineKind::Add), count(LineKind::Delete));
        self.lines -= hunks.iter().map(|hunk| hunk.changes.len()).sum::<usize>();
        let at = can_comment.then(|| {
            let here = visit.address(&[("file", path), ("files", ""), ("at", "")]);
            format!("{here}&at=")
        });
        let form =
            if can_comment && visit.query.raw("file") == path { Side::parse_line(visit.query.raw("at")) } else { None };
        let next = next_token.filter(|_| self.is_alone && !is_cut);
        is_cut |= next.is_none() && !self.is_alone && rest == 0;
        FileRows {
            rows: rows::arrange(hunks, self.is_split, form, threads),
            added,
            removed,
            next: next.map(|token| visit.address(&[("hunks", &token), ("at", "")])),
            is_cut,
            at,
        }
    }
}

//! Differences of two commits: the files of a page, each with its lines.
//!
//! A part of the pages of commits, of comparisons and of pull requests: `{{ differences }}` in a template writes it. Its choices are parameters
//! of the page's URL: `view` (`split`), `whitespace` (`ignore`), `files` (token of the page of files), `file` (the only file to show),
//! `hunks` (token of the page of its hunks), and `at` (`AFTER-12`: the line of that file that has a form for a comment).
//!
//! **Invariant:** lines are read for shown files only, and a page shows a limited number of lines.

mod lines;
mod rows;

use askama::Template;
use askama::filters::HtmlSafe;
use aws::Failure;
use serde::Deserialize;
use serde_json::json;

use self::lines::{Content, LineBudget};
use self::rows::DiffRow;
use crate::comments::{Comments, Thread};
use crate::comparison::Comparison;
use crate::text::short_id;
use crate::url;
use crate::visit::Visit;

/// Files of a page.
const FILES: usize = 100;

/// The mode of submodules.
const SUBMODULE: &str = "160000";

/// A page of differing files.
#[derive(Template)]
#[template(path = "differences.html")]
pub(crate) struct Differences {
    files: Vec<FileDifference>,
    /// The URL of the next page of files.
    next: Option<String>,
    /// The URL of all files, if the page shows one of them.
    all: Option<String>,
    unified: String,
    split: String,
    is_split: bool,
    /// The URL of the same page with the other choice of whitespace.
    whitespace: String,
    ignores_whitespace: bool,
    /// Fields of the form for comments on lines, if lines can have comments.
    form: Option<crate::comments::Posting>,
}

impl HtmlSafe for Differences {}

struct FileDifference {
    path: String,
    change: &'static str,
    /// Class of the badge with the change.
    badge: &'static str,
    /// The modes before and after, if they differ.
    modes: Option<(String, String)>,
    content: Content,
    /// The URL of this file alone.
    alone: String,
    /// The URL of the file in the commit that has it.
    file: String,
    /// Comments on the file, and on lines that are not shown.
    threads: Vec<Thread>,
}

#[derive(Deserialize)]
struct DifferencesReply {
    #[serde(default)]
    differences: Vec<DifferenceReply>,
    #[serde(rename = "NextToken")]
    next_token: Option<String>,
}

/// A differing file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DifferenceReply {
    before_blob: Option<FileVersion>,
    after_blob: Option<FileVersion>,
}

/// A file in one of the commits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileVersion {
    blob_id: String,
    path: String,
    mode: String,
}

impl Differences {
    /// Compares two commits by `GetDifferences`, and the shown files by `GetBlobDifferences`; deleted files are read by `GetBlob`.
    ///
    /// `comments` are those on the two commits, which must then be given by ids: comments on shown files are moved from there to their
    /// lines, and lines get a form for new ones.
    pub(crate) fn load(
        visit: &Visit<'_>,
        comparison: &Comparison<'_>,
        mut comments: Option<&mut Comments>,
    ) -> Result<Self, Failure> {
        let Comparison { repository, before, after } = *comparison;
        let only = visit.query.raw("file");
        let mut input = json!({
            "repositoryName": repository,
            "afterCommitSpecifier": after,
            "MaxResults": FILES,
        });
        let optional = [
            ("beforeCommitSpecifier", before),
            ("NextToken", visit.query.raw("files")),
            ("beforePath", only),
            ("afterPath", only),
        ];
        for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
            input[name] = value.into();
        }
        let found: DifferencesReply = visit.run("GetDifferences", &input)?;
        let mut budget = LineBudget::new(visit, repository);
        let files = found
            .differences
            .into_iter()
            .map(|difference| file_difference(visit, comparison, &mut budget, difference, comments.as_deref_mut()));
        let files = files.collect();
        let link = |changes: &[(&str, &str)]| visit.address(&[&[("at", "")], changes].concat());
        Ok(Self {
            files,
            next: found.next_token.map(|token| link(&[("files", &token)])),
            all: (!only.is_empty()).then(|| link(&[("file", ""), ("hunks", "")])),
            unified: link(&[("view", "")]),
            split: link(&[("view", "split")]),
            is_split: budget.is_split,
            whitespace: link(&[("whitespace", if budget.ignores_whitespace { "" } else { "ignore" })]),
            ignores_whitespace: budget.ignores_whitespace,
            form: comments.map(|comments| comments.posting()),
        })
    }

    /// Returns whether the commits have no differences.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

fn file_difference(
    visit: &Visit<'_>,
    comparison: &Comparison<'_>,
    budget: &mut LineBudget<'_>,
    difference: DifferenceReply,
    comments: Option<&mut Comments>,
) -> FileDifference {
    let Comparison { repository, before, after } = *comparison;
    let DifferenceReply { before_blob, after_blob } = difference;
    let only = visit.query.raw("file");
    let named = after_blob.as_ref().or(before_blob.as_ref()).map(|version| version.path.as_str()).unwrap_or_default();
    // With a path, the operation answers with paths below it.
    let path = if only.is_empty() { named.to_owned() } else { only.trim_matches('/').to_owned() };
    let (change, badge) = match (&before_blob, &after_blob) {
        (None, _) => ("Added", "open"),
        (_, None) => ("Deleted", "failed"),
        _ => ("Modified", "pending"),
    };
    let modes = before_blob.as_ref().zip(after_blob.as_ref()).filter(|(before, after)| before.mode != after.mode);
    let modes = modes.map(|(before, after)| (before.mode.clone(), after.mode.clone()));
    let commit = if after_blob.is_some() { after } else { before };
    let alone = visit.address(&[("file", &path), ("files", ""), ("at", ""), ("hunks", "")]);
    let can_comment = comments.is_some();
    let mut threads = comments.map(|comments| comments.take_of_file(&path)).unwrap_or_default();
    let is_submodule = |version: &FileVersion| version.mode == SUBMODULE;
    let content = if before_blob.iter().chain(&after_blob).any(is_submodule) {
        let id = |version: Option<FileVersion>| {
            version.map_or("nothing".to_owned(), |version| short_id(&version.blob_id).to_owned())
        };
        Content::Submodule(id(before_blob), id(after_blob))
    } else {
        let ids = [before_blob, after_blob].map(|version| version.map(|version| version.blob_id));
        budget.content(visit, &path, &ids, can_comment, &mut threads)
    };
    let file = url::repository_with(repository, "code", &[("ref", commit), ("path", &path)]);
    FileDifference { path, change, badge, modes, content, alone, file, threads }
}

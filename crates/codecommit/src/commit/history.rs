//! Histories of commits: the permission-only actions `GetCommitHistory` and `GetCommitsFromMergeBase`.
//!
//! Their shapes are ours; commits have the shape that `GetCommit` returns.

use std::sync::Arc;

use aws::Call;
use aws::json::Published;
use aws_sdk_codecommit::types;
use git::{Kind, Log, ObjectId, Reader};
use serde::{Deserialize, Serialize};

use super::shape;
use crate::name::RepositoryName;
use crate::page::{Cursor, Page, Sizes};
use crate::specifier::Specifier;
use crate::{CodeCommit, Exception};

const HISTORY: Sizes = Sizes { operation: "GetCommitHistory", default: 100, max: 1_000 };
const FROM_MERGE_BASE: Sizes = Sizes { operation: "GetCommitsFromMergeBase", default: 100, max: 1_000 };

/// Input of `GetCommitHistory`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GetCommitHistoryInput {
    repository_name: Option<String>,
    commit_specifier: Option<String>,
    max_results: Option<i32>,
    next_token: Option<String>,
}

/// Page of a history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetCommitHistoryOutput {
    commits: Vec<Published<types::Commit>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Input of `GetCommitsFromMergeBase`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GetCommitsFromMergeBaseInput {
    repository_name: Option<String>,
    source_commit_specifier: Option<String>,
    destination_commit_specifier: Option<String>,
    max_results: Option<i32>,
    next_token: Option<String>,
}

/// Page of the commits that only one of two histories has; those of the source come first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GetCommitsFromMergeBaseOutput {
    source_commit_id: String,
    destination_commit_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_commit_id: Option<String>,
    /// Number of commits on all pages that only the source has.
    source_commit_count: usize,
    /// Number of commits on all pages that only the destination has.
    destination_commit_count: usize,
    source_commits: Vec<Published<types::Commit>>,
    destination_commits: Vec<Published<types::Commit>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Lists a commit and its ancestors, newest first; all pages are of the history of the first page.
pub(crate) fn get_history(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommitHistoryInput,
) -> Result<GetCommitHistoryOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifier = Specifier::parse_or_head(input.commit_specifier)?;
    let repository = service.find(call, &name)?;
    let text = specifier.to_string();
    let scope = [repository.id.as_str(), &text];
    let page = Page::parse(HISTORY, &service.settings, &scope, input.next_token, input.max_results)?;
    let mut reader = service.bounded_objects(call, &repository)?.reader();
    let cursor = match &page.after {
        Some(key) => Cursor::read(key, Kind::Commit, &mut reader)?,
        None => Cursor::start(specifier.resolve(&*service.references(&repository)?, &mut reader)?),
    };
    let mut log = Log::new(&mut reader, &cursor.id)?;
    let (mut ids, mut visited) = (Vec::new(), 0);
    while ids.len() <= page.size
        && let Some(id) = log.next(&mut reader)?
    {
        if visited >= cursor.listed {
            ids.push(id);
        }
        visited += 1;
    }
    let next_token = page.cut(&mut ids, |_| cursor.advance(page.size).key());
    Ok(GetCommitHistoryOutput { commits: show(&mut reader, &ids)?, next_token })
}

/// Lists the commits of each of two histories since their newest common ancestor.
///
/// The names of commits are resolved for each page, so an update of a branch between two pages changes the listing.
pub(crate) fn get_from_merge_base(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetCommitsFromMergeBaseInput,
) -> Result<GetCommitsFromMergeBaseOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let source = Specifier::parse(input.source_commit_specifier)?;
    let destination = Specifier::parse(input.destination_commit_specifier)?;
    let repository = service.find(call, &name)?;
    let mut reader = service.bounded_objects(call, &repository)?.reader();
    let references = service.references(&repository)?;
    let source = source.resolve(&references, &mut reader)?;
    let destination = destination.resolve(&references, &mut reader)?;
    let ids = [source, destination].map(|id| id.to_string());
    let scope = [repository.id.as_str(), &ids[0], &ids[1]];
    let page = Page::parse(FROM_MERGE_BASE, &service.settings, &scope, input.next_token, input.max_results)?;
    let listed = usize::try_from(page.after_number()?.unwrap_or(0)).map_err(|_| Exception::InvalidContinuationToken)?;
    let base = reader.merge_bases(&source, &destination)?.into_iter().next();
    let [ahead, behind] = reader.sides(&source, &destination)?;
    let all = ahead.iter().map(|id| (true, *id)).chain(behind.iter().map(|id| (false, *id)));
    let mut listing: Vec<_> = all.skip(listed).take(page.size + 1).collect();
    let next_token = page.cut(&mut listing, |_| (listed + page.size).to_string().into_bytes());
    let side = |of_source| listing.iter().filter(move |(is_source, _)| *is_source == of_source).map(|(_, id)| *id);
    let (source_commits, destination_commits) = (side(true).collect::<Vec<_>>(), side(false).collect::<Vec<_>>());
    let [source_commit_id, destination_commit_id] = ids;
    Ok(GetCommitsFromMergeBaseOutput {
        source_commit_id,
        destination_commit_id,
        base_commit_id: base.map(|id| id.to_string()),
        source_commit_count: ahead.len(),
        destination_commit_count: behind.len(),
        source_commits: show(&mut reader, &source_commits)?,
        destination_commits: show(&mut reader, &destination_commits)?,
        next_token,
    })
}

fn show(reader: &mut Reader, ids: &[ObjectId]) -> Result<Vec<Published<types::Commit>>, Exception> {
    ids.iter().map(|id| Ok(Published(shape(*id, &reader.commit(id)?)))).collect()
}

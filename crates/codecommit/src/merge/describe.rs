//! What conflicts in a merge that was not made.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::batch_describe_merge_conflicts::{
    BatchDescribeMergeConflictsInput, BatchDescribeMergeConflictsOutput,
};
use aws_sdk_codecommit::operation::describe_merge_conflicts::{
    DescribeMergeConflictsInput, DescribeMergeConflictsOutput,
};
use aws_sdk_codecommit::operation::get_merge_conflicts::{GetMergeConflictsInput, GetMergeConflictsOutput};
use aws_sdk_codecommit::types::{BatchDescribeMergeConflictsError, Conflict};
use git::BString;

use super::Way;
use super::ends::Ends;
use super::look::Look;
use super::rules::Rules;
use super::versions::Versions;
use crate::name::RepositoryName;
use crate::page::{Page, Sizes};
use crate::path::Path;
use crate::{CodeCommit, Exception};

const CONFLICTS: Sizes = Sizes { operation: "GetMergeConflicts", default: 100, max: 1_000 };
const HUNKS: Sizes = Sizes { operation: "DescribeMergeConflicts", default: 100, max: 1_000 };
const FILES: Sizes = Sizes { operation: "BatchDescribeMergeConflicts", default: 100, max: 1_000 };

/// Lists the files that conflict by their paths; a fast-forward conflicts in none, and can be impossible.
pub(crate) fn get_conflicts(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetMergeConflictsInput,
) -> Result<GetMergeConflictsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse_named(input.source_commit_specifier, input.destination_commit_specifier)?;
    let way = Way::parse(input.merge_option)?;
    let rules = Rules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let files_max = checked(input.max_conflict_files, CONFLICTS, |max| Exception::InvalidMaxConflictFiles { max })?;
    let mut look = Look::take(service, call, &name, &ends, rules, Some(way))?;
    let page = Page::parse(CONFLICTS, &service.settings, &scope(&look.scope(), &[]), input.next_token, files_max)?;
    let mut paths = after(look.conflicts.keys().cloned().collect(), &page);
    let next_token = page.cut(&mut paths, |path| path.to_vec());
    let mut conflicts = Vec::with_capacity(paths.len());
    for path in &paths {
        let mut bytes_left = look.bytes_max;
        let versions = Versions::read(&mut look, path, &mut bytes_left)?;
        conflicts.extend(versions.map(|versions| versions.metadata()));
    }
    let mergeable = if way == Way::FastForward { look.can_fast_forward } else { look.conflicts.is_empty() };
    let output = GetMergeConflictsOutput::builder()
        .mergeable(mergeable)
        .destination_commit_id(look.tips.destination.to_string())
        .source_commit_id(look.tips.source.to_string())
        .base_commit_id(look.base.to_string())
        .set_conflict_metadata_list(Some(conflicts))
        .set_next_token(next_token);
    Ok(output.build().expect("what is required was set"))
}

/// Describes one file, whether it conflicts or not.
pub(crate) fn describe_conflicts(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DescribeMergeConflictsInput,
) -> Result<DescribeMergeConflictsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let way = Way::parse_committing(input.merge_option)?;
    let hunks_max = checked(input.max_merge_hunks, HUNKS, |max| Exception::InvalidMaxMergeHunks { max })?;
    let path = Path::parse(input.file_path)?;
    let rules = Rules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let mut look = Look::take(service, call, &name, &ends, rules, Some(way))?;
    let scope = look.scope();
    let scope = self::scope(&scope, &[path.as_str()]);
    let page = Page::parse(HUNKS, &service.settings, &scope, input.next_token, hunks_max)?;
    let mut bytes_left = look.bytes_max;
    let versions = Versions::read(&mut look, &path.as_bytes().to_owned(), &mut bytes_left)?;
    let versions = versions.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })?;
    let start = page.after_number()?.map_or(0, |last| usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1));
    let mut hunks: Vec<_> = versions.hunks().enumerate().skip(start).take(page.size + 1).collect();
    let next_token = page.cut(&mut hunks, |(number, _)| number.to_string().into_bytes());
    let output = DescribeMergeConflictsOutput::builder()
        .conflict_metadata(versions.metadata())
        .set_merge_hunks(Some(hunks.into_iter().map(|(_, hunk)| hunk).collect()))
        .set_next_token(next_token)
        .destination_commit_id(look.tips.destination.to_string())
        .source_commit_id(look.tips.source.to_string())
        .base_commit_id(look.base.to_string());
    Ok(output.build().expect("what is required was set"))
}

/// Describes several files, or all that conflict; files that no side has are answered as errors, each for itself.
pub(crate) fn batch_describe_conflicts(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchDescribeMergeConflictsInput,
) -> Result<BatchDescribeMergeConflictsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let ends = Ends::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let way = Way::parse_committing(input.merge_option)?;
    let hunks_max = checked(input.max_merge_hunks, HUNKS, |max| Exception::InvalidMaxMergeHunks { max })?;
    let files_max = checked(input.max_conflict_files, FILES, |max| Exception::InvalidMaxConflictFiles { max })?;
    let rules = Rules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let mut wanted = input.file_paths.unwrap_or_default();
    wanted.sort_unstable();
    wanted.dedup();
    let mut look = Look::take(service, call, &name, &ends, rules, Some(way))?;
    let scope = look.scope();
    let wanted_text: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let page = Page::parse(FILES, &service.settings, &self::scope(&scope, &wanted_text), input.next_token, files_max)?;
    let all: Vec<BString> = if wanted.is_empty() {
        look.conflicts.keys().cloned().collect()
    } else {
        wanted.into_iter().map(BString::from).collect()
    };
    let mut paths = after(all, &page);
    let next_token = page.cut(&mut paths, |path| path.to_vec());
    let hunks_max = hunks_max.and_then(|max| usize::try_from(max).ok()).unwrap_or(HUNKS.default);
    let (mut conflicts, mut errors) = (Vec::new(), Vec::new());
    // All of it is in one answer.
    let mut bytes_left = look.bytes_max;
    for path in &paths {
        match described(&mut look, path, &mut bytes_left) {
            Ok(versions) => {
                let hunks = versions.hunks().take(hunks_max).collect();
                let conflict = Conflict::builder().conflict_metadata(versions.metadata()).set_merge_hunks(Some(hunks));
                conflicts.push(conflict.build());
            }
            Err(
                error @ (Exception::FileDoesNotExist { .. } | Exception::InvalidPath { .. } | Exception::PathRequired),
            ) => {
                let entry = BatchDescribeMergeConflictsError::builder()
                    .file_path(path.to_string())
                    .exception_name(error.name())
                    .message(error.to_string());
                errors.push(entry.build().expect("what is required was set"));
            }
            Err(error) => return Err(error),
        }
    }
    let output = BatchDescribeMergeConflictsOutput::builder()
        .set_conflicts(Some(conflicts))
        .set_errors(Some(errors))
        .set_next_token(next_token)
        .destination_commit_id(look.tips.destination.to_string())
        .source_commit_id(look.tips.source.to_string())
        .base_commit_id(look.base.to_string());
    Ok(output.build().expect("what is required was set"))
}

fn described(look: &mut Look, path: &BString, bytes_left: &mut u64) -> Result<Versions, Exception> {
    // A path that conflicts can have names that callers cannot give.
    let path = if look.conflicts.contains_key(path) {
        path.clone()
    } else {
        Path::parse(Some(path.to_string()))?.as_bytes().to_owned()
    };
    Versions::read(look, &path, bytes_left)?.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })
}

/// Checks how many items a caller wants; the exceptions are the operation's own.
fn checked(wanted: Option<i32>, sizes: Sizes, invalid: fn(usize) -> Exception) -> Result<Option<i32>, Exception> {
    let fits = |count: i32| usize::try_from(count).is_ok_and(|count| (1..=sizes.max).contains(&count));
    if wanted.is_none_or(fits) { Ok(wanted) } else { Err(invalid(sizes.max)) }
}

fn scope<'s>(look: &'s [String], more: &[&'s str]) -> Vec<&'s str> {
    look.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

/// Leaves of sorted paths those of a page and later ones.
fn after(paths: Vec<BString>, page: &Page) -> Vec<BString> {
    let Some(last) = &page.after else { return paths };
    paths.into_iter().filter(|path| path.as_slice() > last.as_slice()).collect()
}

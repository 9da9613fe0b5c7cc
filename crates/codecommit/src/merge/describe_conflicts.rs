//! Conflicts of a possible merge: the operations that list and describe them.

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

use super::MergeStrategy;
use super::preview::MergePreview;
use super::rules::ConflictRules;
use super::specifiers::MergeSpecifiers;
use super::versions::Versions;
use crate::name::RepositoryName;
use crate::page::{Page, Sizes};
use crate::path::Path;
use crate::{CodeCommit, Exception};

const CONFLICTS: Sizes = Sizes { operation: "GetMergeConflicts", default: 100, max: 1_000 };
const HUNKS: Sizes = Sizes { operation: "DescribeMergeConflicts", default: 100, max: 1_000 };
const FILES: Sizes = Sizes { operation: "BatchDescribeMergeConflicts", default: 100, max: 1_000 };

/// Lists the conflicting files by their paths. A fast-forward has no conflicts, but may be impossible.
pub(crate) fn get_conflicts(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetMergeConflictsInput,
) -> Result<GetMergeConflictsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers = MergeSpecifiers::parse_named(input.source_commit_specifier, input.destination_commit_specifier)?;
    let strategy = MergeStrategy::parse(input.merge_option)?;
    let rules = ConflictRules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let files_max = checked(input.max_conflict_files, CONFLICTS, |max| Exception::InvalidMaxConflictFiles { max })?;
    let mut preview = MergePreview::compute(service, call, &name, &specifiers, rules, Some(strategy))?;
    let page = Page::parse(CONFLICTS, &service.settings, &scope(&preview.scope(), &[]), input.next_token, files_max)?;
    let mut paths = after(preview.conflicts.keys().cloned().collect(), &page);
    let next_token = page.cut(&mut paths, |path| path.to_vec());
    let mut conflicts = Vec::with_capacity(paths.len());
    for path in &paths {
        let mut bytes_left = preview.bytes_max;
        let versions = Versions::read(&mut preview, path, &mut bytes_left)?;
        conflicts.extend(versions.map(|versions| versions.metadata()));
    }
    let mergeable =
        if strategy == MergeStrategy::FastForward { preview.can_fast_forward } else { preview.conflicts.is_empty() };
    let output = GetMergeConflictsOutput::builder()
        .mergeable(mergeable)
        .destination_commit_id(preview.tips.destination.to_string())
        .source_commit_id(preview.tips.source.to_string())
        .base_commit_id(preview.base.to_string())
        .set_conflict_metadata_list(Some(conflicts))
        .set_next_token(next_token);
    Ok(output.build().expect("the required members are set"))
}

/// Describes one file, with or without a conflict.
pub(crate) fn describe_conflicts(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: DescribeMergeConflictsInput,
) -> Result<DescribeMergeConflictsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers = MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let strategy = MergeStrategy::parse_committing(input.merge_option)?;
    let hunks_max = checked(input.max_merge_hunks, HUNKS, |max| Exception::InvalidMaxMergeHunks { max })?;
    let path = Path::parse(input.file_path)?;
    let rules = ConflictRules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let mut preview = MergePreview::compute(service, call, &name, &specifiers, rules, Some(strategy))?;
    let scope = preview.scope();
    let scope = self::scope(&scope, &[path.as_str()]);
    let page = Page::parse(HUNKS, &service.settings, &scope, input.next_token, hunks_max)?;
    let mut bytes_left = preview.bytes_max;
    let versions = Versions::read(&mut preview, &path.as_bytes().to_owned(), &mut bytes_left)?;
    let versions = versions.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })?;
    let start = page.after_number()?.map_or(0, |last| usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1));
    let mut hunks: Vec<_> = versions.hunks().enumerate().skip(start).take(page.size + 1).collect();
    let next_token = page.cut(&mut hunks, |(number, _)| number.to_string().into_bytes());
    let output = DescribeMergeConflictsOutput::builder()
        .conflict_metadata(versions.metadata())
        .set_merge_hunks(Some(hunks.into_iter().map(|(_, hunk)| hunk).collect()))
        .set_next_token(next_token)
        .destination_commit_id(preview.tips.destination.to_string())
        .source_commit_id(preview.tips.source.to_string())
        .base_commit_id(preview.base.to_string());
    Ok(output.build().expect("the required members are set"))
}

/// Describes several files, or all that conflict; a file that no side has is an error of its own in the reply.
pub(crate) fn batch_describe_conflicts(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: BatchDescribeMergeConflictsInput,
) -> Result<BatchDescribeMergeConflictsOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifiers = MergeSpecifiers::parse(input.source_commit_specifier, input.destination_commit_specifier, None)?;
    let strategy = MergeStrategy::parse_committing(input.merge_option)?;
    let hunks_max = checked(input.max_merge_hunks, HUNKS, |max| Exception::InvalidMaxMergeHunks { max })?;
    let files_max = checked(input.max_conflict_files, FILES, |max| Exception::InvalidMaxConflictFiles { max })?;
    let rules = ConflictRules::parse(input.conflict_detail_level, input.conflict_resolution_strategy)?;
    let mut requested = input.file_paths.unwrap_or_default();
    requested.sort_unstable();
    requested.dedup();
    let mut preview = MergePreview::compute(service, call, &name, &specifiers, rules, Some(strategy))?;
    let scope = preview.scope();
    let requested_text: Vec<&str> = requested.iter().map(String::as_str).collect();
    let page =
        Page::parse(FILES, &service.settings, &self::scope(&scope, &requested_text), input.next_token, files_max)?;
    let all: Vec<BString> = if requested.is_empty() {
        preview.conflicts.keys().cloned().collect()
    } else {
        requested.into_iter().map(BString::from).collect()
    };
    let mut paths = after(all, &page);
    let next_token = page.cut(&mut paths, |path| path.to_vec());
    let hunks_max = hunks_max.and_then(|max| usize::try_from(max).ok()).unwrap_or(HUNKS.default);
    let (mut conflicts, mut errors) = (Vec::new(), Vec::new());
    // One limit covers all files, as they are in one reply.
    let mut bytes_left = preview.bytes_max;
    for path in &paths {
        match describe(&mut preview, path, &mut bytes_left) {
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
                errors.push(entry.build().expect("the required members are set"));
            }
            Err(error) => return Err(error),
        }
    }
    let output = BatchDescribeMergeConflictsOutput::builder()
        .set_conflicts(Some(conflicts))
        .set_errors(Some(errors))
        .set_next_token(next_token)
        .destination_commit_id(preview.tips.destination.to_string())
        .source_commit_id(preview.tips.source.to_string())
        .base_commit_id(preview.base.to_string());
    Ok(output.build().expect("the required members are set"))
}

fn describe(preview: &mut MergePreview, path: &BString, bytes_left: &mut u64) -> Result<Versions, Exception> {
    // The path of a conflict may be one that `Path` refuses from callers.
    let path = if preview.conflicts.contains_key(path) {
        path.clone()
    } else {
        Path::parse(Some(path.to_string()))?.as_bytes().to_owned()
    };
    Versions::read(preview, &path, bytes_left)?.ok_or_else(|| Exception::FileDoesNotExist { path: path.to_string() })
}

/// Checks the maximum number of items; each operation has an exception of its own.
fn checked(requested: Option<i32>, sizes: Sizes, invalid: fn(usize) -> Exception) -> Result<Option<i32>, Exception> {
    let fits = |count: i32| usize::try_from(count).is_ok_and(|count| (1..=sizes.max).contains(&count));
    if requested.is_none_or(fits) { Ok(requested) } else { Err(invalid(sizes.max)) }
}

fn scope<'s>(preview_scope: &'s [String], more: &[&'s str]) -> Vec<&'s str> {
    preview_scope.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

/// Removes the paths of earlier pages from sorted paths.
fn after(paths: Vec<BString>, page: &Page) -> Vec<BString> {
    let Some(last) = &page.after else { return paths };
    paths.into_iter().filter(|path| path.as_slice() > last.as_slice()).collect()
}

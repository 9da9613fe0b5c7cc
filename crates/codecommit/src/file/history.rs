//! `ListFileCommitHistory`: the versions of a file.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::list_file_commit_history::{
    ListFileCommitHistoryInput, ListFileCommitHistoryOutput,
};
use aws_sdk_codecommit::types;
use git::{Kind, ObjectId, Reader, Revision};

use crate::commit::shape;
use crate::name::RepositoryName;
use crate::page::{Cursor, Page, Sizes};
use crate::path::Path;
use crate::specifier::Specifier;
use crate::{CodeCommit, Exception};

const SIZES: Sizes = Sizes { operation: "ListFileCommitHistory", default: 100, max: 1_000 };

/// Lists the versions of a file, newest first; all pages are of the history of the first page.
///
/// A path that no commit has gives an empty list. For an invalid path the operation models no exception, so it is a
/// `ValidationException`.
pub(crate) fn list_commit_history(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: ListFileCommitHistoryInput,
) -> Result<ListFileCommitHistoryOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let specifier = Specifier::parse_or_head(input.commit_specifier)?;
    let path = Path::parse(input.file_path).map_err(|error| Exception::Validation { reason: error.to_string() })?;
    let repository = service.find(call, &name)?;
    let specifier_text = specifier.to_string();
    let scope = [repository.id.as_str(), &specifier_text, path.as_str()];
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let mut reader = service.bounded_objects(call, &repository)?.reader();
    let cursor = if let Some(key) = &page.after {
        Cursor::read(key, Kind::Commit, &mut reader)?
    } else if specifier.is_head() && repository.default_branch.is_none() {
        return Err(Exception::CommitRequired);
    } else {
        Cursor::start(specifier.resolve(&*service.references(&repository)?, &mut reader)?)
    };
    let key = (repository.id, cursor.id, path.to_string());
    let history = service.file_histories.get(key, || Ok(reader.file_history(&cursor.id, path.as_bytes())?))?;
    let mut versions: Vec<_> = history.0.iter().skip(cursor.listed).take(page.size + 1).collect();
    let next_token = page.cut(&mut versions, |_| cursor.advance(page.size).key());
    let versions = versions.into_iter().map(|version| show(&mut reader, version)).collect::<Result<_, Exception>>()?;
    let output = ListFileCommitHistoryOutput::builder().set_revision_dag(Some(versions)).set_next_token(next_token);
    Ok(output.build().expect("the required members are set"))
}

fn show(reader: &mut Reader, version: &Revision) -> Result<types::FileVersion, Exception> {
    let commit = shape(version.commit, &reader.commit(&version.commit)?);
    let newer = version.newer.iter().map(ObjectId::to_string).collect();
    Ok(types::FileVersion::builder()
        .commit(commit)
        .blob_id(version.blob.to_string())
        .path(version.path.to_string())
        .set_revision_children(Some(newer))
        .build())
}

//! `GetDifferences`: the files that differ between two commits.

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_differences::{GetDifferencesInput, GetDifferencesOutput};
use aws_sdk_codecommit::types::{self, BlobMetadata, ChangeTypeEnum};
use git::{BString, Difference, Differences, Kind, Mode, ObjectId, Reader};

use crate::name::RepositoryName;
use crate::page::{PAGE_BYTES_MAX, Page, Sizes};
use crate::path::Path;
use crate::specifier::Specifier;
use crate::{CodeCommit, Exception};

const SIZES: Sizes = Sizes { operation: "GetDifferences", default: 100, max: 1_000 };

/// Lists the differences of two commits in the order of their paths; all pages are of the commits of the first page.
///
/// A path that is given for one side applies to both. Paths in the reply are relative to the folder.
pub(crate) fn get_differences(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetDifferencesInput,
) -> Result<GetDifferencesOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let [before, before_path, after_path] = [input.before_commit_specifier, input.before_path, input.after_path]
        .map(|text| text.filter(|text| !text.is_empty()));
    let before = before.map(|text| Specifier::parse(Some(text))).transpose()?;
    let after = Specifier::parse(input.after_commit_specifier)?;
    let scope = [before_path.clone(), after_path.clone()].map(Option::unwrap_or_default);
    let paths = match (before_path, after_path) {
        (None, None) => [None, None],
        (Some(path), None) | (None, Some(path)) => [Path::folder(Some(path.clone()))?, Path::folder(Some(path))?],
        (Some(before), Some(after)) => [Path::folder(Some(before))?, Path::folder(Some(after))?],
    };
    let repository = service.find(call, &name)?;
    let (before_text, after_text) = (before.as_ref().map(ToString::to_string).unwrap_or_default(), after.to_string());
    let scope = [&repository.id, &before_text, &after_text, &scope[0], &scope[1]].map(String::as_str);
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let mut reader = service.bounded_objects(call, &repository)?.reader();
    let cursor = if let Some(key) = &page.after {
        DifferencesCursor::read(key, &mut reader)?
    } else {
        let references = service.references(&repository)?;
        let before = before.map(|before| before.resolve(&references, &mut reader)).transpose()?;
        DifferencesCursor { before, after: after.resolve(&references, &mut reader)?, path: BString::default() }
    };
    let mut differences = cursor.differences(&mut reader, &paths, page.size + 1)?;
    let page = page.shortened(differences.iter().map(|difference| difference.path.len()));
    let next_token = page.cut(&mut differences, |last| DifferencesCursor { path: last.path.clone(), ..cursor }.key());
    let differences = differences.into_iter().map(shape).collect();
    Ok(GetDifferencesOutput::builder().set_differences(Some(differences)).set_next_token(next_token).build())
}

/// Two commits, and the path of the last difference of the page before.
#[derive(Clone)]
struct DifferencesCursor {
    before: Option<ObjectId>,
    after: ObjectId,
    path: BString,
}

/// Mode and id of a file or folder.
type TreeItem = Option<(Mode, ObjectId)>;

impl DifferencesCursor {
    fn key(&self) -> Vec<u8> {
        let none = ObjectId::null(self.after.kind());
        [self.before.unwrap_or(none).as_slice(), self.after.as_slice(), &self.path].concat()
    }

    fn read(key: &[u8], reader: &mut Reader) -> Result<Self, Exception> {
        let (ids, path) = key.split_at_checked(40).ok_or(Exception::InvalidContinuationToken)?;
        let [before, after] = [&ids[..20], &ids[20..]].map(|id| ObjectId::try_from(id).ok());
        let (before, after) = (before.filter(|id| !id.is_null()), after.ok_or(Exception::InvalidContinuationToken)?);
        for id in before.iter().chain([&after]) {
            // An unreachable commit may have been pruned since the last page.
            if reader.kind(id)? != Some(Kind::Commit) {
                return Err(Exception::InvalidContinuationToken);
            }
        }
        Ok(Self { before, after, path: path.into() })
    }

    /// Returns the next differences at a pair of paths, at most `limit`.
    fn differences(
        &self,
        reader: &mut Reader,
        [before_path, after_path]: &[Option<Path>; 2],
        limit: usize,
    ) -> Result<Vec<Difference>, Exception> {
        let before = self.before.map(|id| find(reader, id, before_path.as_ref())).transpose()?.flatten();
        let after = find(reader, self.after, after_path.as_ref())?;
        let missing = match (before_path, after_path) {
            (_, Some(path)) if after.is_none() && (before.is_none() || before_path != after_path) => Some(path),
            (Some(path), _) if before.is_none() && self.before.is_some() && before_path != after_path => Some(path),
            _ => None,
        };
        if let Some(path) = missing {
            return Err(Exception::PathDoesNotExist { path: path.to_string() });
        }
        let mut found = Vec::new();
        // A path may be that of a file; then the file alone is compared.
        let [before_file, after_file] = [before, after].map(|item| item.filter(|(mode, _)| *mode != Mode::Tree));
        if before_file != after_file && self.path.is_empty() {
            let path = if after_file.is_some() { after_path } else { before_path };
            let path = path.as_ref().map(Path::file_name).unwrap_or_default().into();
            found.push(Difference { path, before: before_file, after: after_file });
        }
        let [before, after] =
            [before, after].map(|item| item.filter(|(mode, _)| *mode == Mode::Tree).map(|(_, id)| id));
        let mut differences = Differences::new(reader, before, after, self.path.as_ref())?;
        let mut bytes = 0;
        while found.len() < limit
            && (bytes <= PAGE_BYTES_MAX || found.len() < 2)
            && let Some(difference) = differences.next(reader)?
        {
            bytes += difference.path.len();
            found.push(difference);
        }
        Ok(found)
    }
}

/// Returns the entry of a commit at a path; `None` stands for the root.
fn find(reader: &mut Reader, commit: ObjectId, path: Option<&Path>) -> Result<TreeItem, Exception> {
    let tree = reader.commit(&commit)?.tree;
    let Some(path) = path else { return Ok(Some((Mode::Tree, tree))) };
    Ok(reader.entry(&tree, path.as_bytes())?.map(|entry| (entry.mode, entry.id)))
}

fn shape(Difference { path, before, after }: Difference) -> types::Difference {
    let kind = match (before, after) {
        (None, _) => ChangeTypeEnum::Added,
        (_, None) => ChangeTypeEnum::Deleted,
        _ => ChangeTypeEnum::Modified,
    };
    let path = path.to_string();
    let blob = |(mode, id): (Mode, ObjectId)| {
        BlobMetadata::builder().blob_id(id.to_string()).path(&path).mode(mode.octal()).build()
    };
    types::Difference::builder()
        .set_before_blob(before.map(blob))
        .set_after_blob(after.map(blob))
        .change_type(kind)
        .build()
}

//! `GetBlobDifferences`: the lines in which two files differ.

mod hunk;

use std::sync::Arc;

use aws::Call;
use aws_sdk_codecommit::operation::get_blob_differences::{GetBlobDifferencesInput, GetBlobDifferencesOutput};

use super::blob;
use crate::name::RepositoryName;
use crate::page::{Page, Sizes};
use crate::{CodeCommit, Exception};

const SIZES: Sizes = Sizes { operation: "GetBlobDifferences", default: 100, max: 1_000 };

/// Number of context lines before and after a change if the caller gives none.
const CONTEXT: usize = 3;

/// Maximum number of context lines.
const CONTEXT_MAX: usize = 20;

pub(crate) fn get_blob_differences(
    service: &CodeCommit,
    call: &Arc<Call>,
    input: GetBlobDifferencesInput,
) -> Result<GetBlobDifferencesOutput, Exception> {
    let name = RepositoryName::parse(input.repository_name)?;
    let after = blob::id(input.after_blob_id)?;
    let before = input.before_blob_id.filter(|id| !id.is_empty()).map(|id| blob::id(Some(id))).transpose()?;
    let context = match input.context_lines.map(usize::try_from) {
        None => CONTEXT,
        Some(Ok(lines)) if lines <= CONTEXT_MAX => lines,
        Some(_) => {
            let reason = format!("The number of context lines is not valid. Valid values are 0 to {CONTEXT_MAX}.");
            return Err(Exception::Validation { reason });
        }
    };
    let ignore_white_space = input.ignore_whitespace == Some(true);
    let repository = service.find(call, &name)?;
    let before_text = before.map(|id| id.to_string()).unwrap_or_default();
    let (after_text, lines) = (after.to_string(), format!("{context} {ignore_white_space}"));
    let scope = [&repository.id, &before_text, &after_text, &lines].map(String::as_str);
    let page = Page::parse(SIZES, &service.settings, &scope, input.next_token, input.max_results)?;
    let start = usize::try_from(page.after_number()?.unwrap_or_default());
    let start = start.map_err(|_| Exception::InvalidContinuationToken)?;

    let mut reader = service.bounded_objects(call, &repository)?.reader();
    let before = before.map(|id| blob::read(&mut reader, id)).transpose()?.unwrap_or_default();
    let after = blob::read(&mut reader, after)?;
    let is_binary = git::is_binary(&before) || git::is_binary(&after);
    let mut hunks = Vec::new();
    if !is_binary {
        let [before, after] = [&before, &after].map(|text| git::lines(text));
        let changes = git::diff_lines(&before, &after, ignore_white_space, reader.interrupt())?;
        let found = hunk::hunks(&changes, before.len(), context).skip(start).take(page.size + 1);
        hunks = found.map(|hunk| hunk.to_wire(&before, &after)).collect();
    }
    let next = start + page.size;
    let next_token = page.cut(&mut hunks, |_| next.to_string().into_bytes());
    let bytes = |content: &[u8]| i64::try_from(content.len()).expect("the size is at most FILE_BYTES_MAX");
    let output = GetBlobDifferencesOutput::builder()
        .set_hunks(Some(hunks))
        .is_binary(is_binary)
        .before_blob_size(bytes(&before))
        .after_blob_size(bytes(&after))
        .set_next_token(next_token);
    Ok(output.build().expect("the required members are set"))
}

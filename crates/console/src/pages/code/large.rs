//! Large files of Git LFS: a commit has a pointer, and the server the content.

use std::fs::File;
use std::sync::Arc;

use aws::Failure;
use codecommit::lfs::{LfsContent, LfsError, Pointer};
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};

use super::location::Location;
use super::raw;
use crate::reply;
use crate::visit::{Page, Visit};

/// Marks a response whose body the server replaces by a file.
#[derive(Clone, Debug)]
pub struct LargeFile {
    /// The file.
    pub file: Arc<File>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// Sends the content of a large file as a download; the pointer is read by `GetFile`.
pub(crate) fn show(visit: &Visit<'_>, repository: &str) -> Page {
    let location = Location::of(visit, repository);
    let Some(pointer) = Pointer::parse(&raw::content(visit, &location)?) else {
        let message = "The file is not a pointer to a large file.";
        return Err(Failure::client("FileDoesNotExistException", message));
    };
    let LfsContent { file, bytes } = find(visit, repository, &pointer)?.ok_or_else(|| {
        Failure::client("FileDoesNotExistException", "The content of the large file is not on the server.")
    })?;
    let mut response = reply::with_body(200, "application/octet-stream", "");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, raw::POLICY);
    response.headers_mut().insert(CONTENT_DISPOSITION, raw::disposition("attachment", location.name()));
    response.extensions_mut().insert(LargeFile { file: Arc::new(file), bytes });
    Ok(response)
}

/// Opens the content of a large file; `None` if it is not on the server.
///
/// It needs the permission for the file, and leaves no record besides that of the pointer's file.
pub(super) fn find(visit: &Visit<'_>, repository: &str, pointer: &Pointer) -> Result<Option<LfsContent>, Failure> {
    let call = visit.begin()?;
    call.set_action("codecommit:GetFile".to_owned());
    let codecommit = visit.services.codecommit;
    let repository = codecommit.repository(&call, repository)?;
    match codecommit.open_lfs_object(&repository.id, pointer.object.id) {
        Ok(content) => Ok(Some(content)),
        Err(LfsError::Failed(exception)) => Err(exception.into()),
        Err(_) => Ok(None),
    }
}

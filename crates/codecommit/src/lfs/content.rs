//! Contents of large files.

use std::fs::File;

use crate::lfs::{LfsError, LfsObjectId, Pointer, row};
use crate::{CodeCommit, Exception};

/// The content of a large file, which never changes.
#[derive(Debug)]
pub struct LfsContent {
    /// The open file.
    pub file: File,
    /// Its size in bytes.
    pub bytes: u64,
}

impl CodeCommit {
    /// Opens the content of an object of a repository.
    pub fn open_lfs_object(&self, repository_id: &str, id: LfsObjectId) -> Result<LfsContent, LfsError> {
        let missing = || LfsError::Missing { id };
        let row = self.store.read(|transaction| row::find(transaction, repository_id, &id))?.ok_or_else(missing)?;
        let file = self.lfs.find(repository_id, &id, &row)?.ok_or_else(missing)?;
        Ok(LfsContent { file, bytes: row.bytes })
    }

    /// Opens the content that an archive has in the place of a pointer; `None` for other files, for pointers to missing objects, and if
    /// archives have the pointers.
    pub(crate) fn archived_lfs_content(
        &self,
        repository_id: &str,
        content: &[u8],
    ) -> Result<Option<LfsContent>, Exception> {
        let pointer = if self.settings.lfs.archive_content { Pointer::parse(content) } else { None };
        match pointer.map(|pointer| self.open_lfs_object(repository_id, pointer.object.id)) {
            None | Some(Err(LfsError::Missing { .. })) => Ok(None),
            Some(Ok(content)) => Ok(Some(content)),
            Some(Err(LfsError::Failed(exception))) => Err(exception),
            Some(Err(error)) => Err(Exception::Validation { reason: error.to_string() }),
        }
    }
}

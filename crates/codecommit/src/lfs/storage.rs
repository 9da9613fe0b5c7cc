//! Where large files are: in the folder of the repositories, or in the storage that several nodes share.
//!
//! **Invariant:** in the storage, each upload has a name of its own, which its row has. So a file can be removed once no row has its name,
//! while the same object is being sent again.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::NamedTempFile;
use uuid::Uuid;

use crate::lfs::LfsObjectId;
use crate::lfs::own_files::{OwnFiles, named};
use crate::lfs::row::ObjectRow;
use crate::shared_objects::{LARGE_FILE_PREFIX, Storage};

/// Folder of unfinished uploads, beside the folder of the repositories.
pub(super) const UPLOADS: &str = "lfs-uploads";

/// Large files, and their uploads.
pub(crate) struct LfsStorage {
    uploads: PathBuf,
    files: Files,
    /// Whether new files must survive a power failure.
    sync: bool,
}

enum Files {
    /// With one node.
    Own(OwnFiles),
    /// With several.
    Shared(Arc<dyn Storage>),
}

impl LfsStorage {
    /// Opens the storage over the folder of the repositories, or `shared`; removes the uploads that an earlier run did not finish.
    pub(crate) fn open(repositories: PathBuf, shared: Option<Arc<dyn Storage>>, sync: bool) -> io::Result<Self> {
        let uploads = repositories.with_file_name(UPLOADS);
        match fs::remove_dir_all(&uploads) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(named(&uploads, &error)),
            _ => {}
        }
        let files = shared.map_or_else(|| Files::Own(OwnFiles::new(repositories, sync)), Files::Shared);
        Ok(Self { uploads, files, sync })
    }

    /// Returns the files of the only node.
    pub(super) fn own(&self) -> Option<&OwnFiles> {
        match &self.files {
            Files::Own(files) => Some(files),
            Files::Shared(_) => None,
        }
    }

    /// Opens the file of an object; `None` if it is not there.
    pub(super) fn find(&self, repository_id: &str, id: &LfsObjectId, row: &ObjectRow) -> io::Result<Option<File>> {
        let opened = match (&self.files, &row.file) {
            (Files::Own(files), _) => files.open(repository_id, id),
            (Files::Shared(storage), Some(file)) => storage.open(&key(repository_id, file)),
            (Files::Shared(_), None) => return Ok(None),
        };
        let file = match opened {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        Ok(has_length(id, file.metadata()?.len(), row).then_some(file))
    }

    /// Returns whether the file of an object is there.
    pub(super) fn has(&self, repository_id: &str, id: &LfsObjectId, row: &ObjectRow) -> io::Result<bool> {
        match (&self.files, &row.file) {
            (Files::Shared(storage), Some(file)) => {
                let length = storage.length(&key(repository_id, file))?;
                Ok(length.is_some_and(|length| has_length(id, length, row)))
            }
            _ => Ok(self.find(repository_id, id, row)?.is_some()),
        }
    }

    /// Creates the file of an upload, which is removed when it is dropped.
    pub(super) fn create(&self) -> io::Result<NamedTempFile> {
        match NamedTempFile::new_in(&self.uploads) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&self.uploads).map_err(|error| named(&self.uploads, &error))?;
                NamedTempFile::new_in(&self.uploads)
            }
            file => file,
        }
    }

    /// Stores a complete file; returns its name if it has one of its own.
    pub(super) fn place(
        &self,
        file: NamedTempFile,
        repository_id: &str,
        id: &LfsObjectId,
    ) -> io::Result<Option<String>> {
        match &self.files {
            Files::Own(files) => files.place(file, repository_id, id).map(|()| None),
            Files::Shared(storage) => {
                let name = new_name(id);
                storage.put(&key(repository_id, &name), file.path(), self.sync)?;
                Ok(Some(name))
            }
        }
    }

    /// Removes a file with a name of its own, which no row has any more.
    pub(super) fn remove(&self, repository_id: &str, name: &str) -> io::Result<()> {
        match &self.files {
            Files::Own(_) => Ok(()),
            Files::Shared(storage) => storage.remove(&key(repository_id, name)),
        }
    }
}

/// Returns a name that no other file in the storage has.
pub(super) fn new_name(id: &LfsObjectId) -> String {
    format!("{LARGE_FILE_PREFIX}{id}-{}", Uuid::new_v4().simple())
}

pub(super) fn key(repository_id: &str, name: &str) -> String {
    format!("{repository_id}/{name}")
}

fn has_length(id: &LfsObjectId, stored: u64, row: &ObjectRow) -> bool {
    if stored != row.bytes {
        tracing::warn!(object = %id, stored, expected = row.bytes, "a large file has another size than its row says; it counts as missing");
    }
    stored == row.bytes
}

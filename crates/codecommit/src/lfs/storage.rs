//! Files of large files: `ID/lfs/objects/AA/BB/OID` in the folder of the repositories, the layout of git-lfs.
//!
//! **Invariant:** a file gets its name when it is complete. A row is added only in a transaction that finds its file, and a file is removed
//! only in a transaction that finds no row. One transaction writes at a time, so no removal meets an upload of the same object.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::lfs::LfsObjectId;

/// Folder of large files in the folder of a repository.
const LFS: &str = "lfs";

/// Folder of the files in that folder.
const OBJECTS: &str = "objects";

/// Folder of unfinished uploads, beside the folder of the repositories, or in the one that several nodes share.
const UPLOADS: &str = "lfs-uploads";

/// Folders of large files and of their uploads.
pub(crate) struct LfsStorage {
    repositories: PathBuf,
    uploads: PathBuf,
    /// Whether new files are flushed to the disk.
    sync: bool,
}

impl LfsStorage {
    /// Opens the storage over the folder of the repositories.
    pub(crate) fn open(repositories: PathBuf, sync: bool) -> io::Result<Self> {
        let uploads = repositories.with_file_name(UPLOADS);
        Self::over(repositories, uploads, sync)
    }

    /// Opens the storage of a node over the folder that several nodes share.
    pub(crate) fn open_shared(folder: PathBuf, node: &str, sync: bool) -> io::Result<Self> {
        let uploads = folder.join(UPLOADS).join(node);
        Self::over(folder, uploads, sync)
    }

    /// Removes the uploads that an earlier run did not finish.
    fn over(repositories: PathBuf, uploads: PathBuf, sync: bool) -> io::Result<Self> {
        match fs::remove_dir_all(&uploads) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(named(&uploads, &error)),
            _ => {}
        }
        Ok(Self { repositories, uploads, sync })
    }

    /// Opens the file of an object that has the given size; `None` if it is not there.
    pub(super) fn find(&self, repository_id: &str, id: &LfsObjectId, bytes: u64) -> io::Result<Option<File>> {
        let path = self.path(repository_id, id);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| named(&path, &error))?,
        };
        let stored = file.metadata().map_err(|error| named(&path, &error))?.len();
        if stored != bytes {
            tracing::warn!(path = %path.display(), stored, expected = bytes, "a large file has another size than its row says; it counts as missing");
            return Ok(None);
        }
        Ok(Some(file))
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

    /// Gives a complete file its name.
    pub(super) fn place(&self, file: NamedTempFile, repository_id: &str, id: &LfsObjectId) -> io::Result<()> {
        let path = self.path(repository_id, id);
        let folder = path.parent().expect("the path of an object has folders");
        let placed = match file.persist(&path) {
            Err(unplaced) if unplaced.error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(folder).map_err(|error| named(folder, &error))?;
                unplaced.file.persist(&path)
            }
            placed => placed,
        };
        placed.map_err(|unplaced| named(&path, &unplaced.error))?;
        if self.sync {
            // The folders may be new, too.
            for folder in folder.ancestors().take(4) {
                File::open(folder)?.sync_all()?;
            }
        }
        Ok(())
    }

    /// Returns a closure that tells whether the file of an object is there.
    pub(super) fn presence(&self, repository_id: &str, id: &LfsObjectId) -> impl FnOnce() -> bool + Send + use<> {
        let path = self.path(repository_id, id);
        move || path.exists()
    }

    /// Flushes a file to the disk, if acknowledged calls must survive a power failure.
    pub(super) fn flush(&self, file: &NamedTempFile) -> io::Result<()> {
        if self.sync { file.as_file().sync_all() } else { Ok(()) }
    }

    /// Returns a closure that removes the file of an object, if it is there.
    pub(super) fn removal(
        &self,
        repository_id: &str,
        id: &LfsObjectId,
    ) -> impl FnOnce() -> io::Result<()> + Send + use<> {
        let path = self.path(repository_id, id);
        move || match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(named(&path, &error)),
            _ => Ok(()),
        }
    }

    /// Lists the ids of repositories that have, or had, large files.
    pub(crate) fn repositories(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.repositories).map_err(|error| named(&self.repositories, &error))?;
        let with_files = entries.flatten().filter(|entry| entry.path().join(LFS).is_dir());
        Ok(with_files.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    /// Removes the files of a repository that was deleted.
    pub(crate) fn remove_repository(&self, repository_id: &str) -> io::Result<()> {
        let folder = self.repositories.join(repository_id).join(LFS);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(named(&folder, &error)),
            _ => Ok(()),
        }
    }

    /// Lists the objects of a repository that have files.
    pub(super) fn files(&self, repository_id: &str) -> io::Result<Vec<LfsObjectId>> {
        let mut folders = vec![self.folder(repository_id)];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries.map_err(|error| named(&folder, &error))?,
            };
            for entry in entries {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    folders.push(entry.path());
                } else if let Ok(id) = entry.file_name().to_string_lossy().parse() {
                    found.push(id);
                }
            }
        }
        Ok(found)
    }

    /// Returns the folder of a repository's large files.
    fn folder(&self, repository_id: &str) -> PathBuf {
        self.repositories.join(repository_id).join(LFS).join(OBJECTS)
    }

    fn path(&self, repository_id: &str, id: &LfsObjectId) -> PathBuf {
        self.folder(repository_id).join(id.path())
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

//! Large files of one node: `ID/lfs/objects/AA/BB/OID` in the folder of the repositories, the layout of git-lfs.
//!
//! **Invariant:** a file gets its name when it is complete. A row is added only in a transaction that finds its file, and a file is removed
//! only in a transaction that finds no row. One transaction writes at a time, so no removal meets an upload of the same object.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::lfs::LfsObjectId;

/// Folder of large files in the folder of a repository, and of the files in that folder.
const LFS_OBJECTS: &str = "lfs/objects";

/// Large files in the folder of the repositories.
pub(super) struct OwnFiles {
    repositories: PathBuf,
    /// Whether new files are flushed to the disk.
    sync: bool,
}

impl OwnFiles {
    pub(super) fn new(repositories: PathBuf, sync: bool) -> Self {
        Self { repositories, sync }
    }

    pub(super) fn open(&self, repository_id: &str, id: &LfsObjectId) -> io::Result<File> {
        let path = self.path(repository_id, id);
        File::open(&path).map_err(|error| named(&path, &error))
    }

    /// Gives a complete file its name.
    pub(super) fn place(&self, file: NamedTempFile, repository_id: &str, id: &LfsObjectId) -> io::Result<()> {
        if self.sync {
            file.as_file().sync_all()?;
        }
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

    /// Lists the objects of a repository that have files.
    pub(super) fn list(&self, repository_id: &str) -> io::Result<Vec<LfsObjectId>> {
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
        self.repositories.join(repository_id).join(LFS_OBJECTS)
    }

    pub(super) fn path(&self, repository_id: &str, id: &LfsObjectId) -> PathBuf {
        self.folder(repository_id).join(id.path())
    }
}

pub(super) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

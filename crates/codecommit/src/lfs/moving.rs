//! Large files on their way between the folder of the repositories and a storage that several nodes share.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use store::{Error, Transaction};
use tempfile::{NamedTempFile, TempDir, TempPath};

use crate::lfs::own_files::{OwnFiles, named};
use crate::lfs::storage::{UPLOADS, key, new_name};
use crate::lfs::{LfsObject, LfsObjectId};
use crate::shared_objects::Storage;

/// A large file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MovedLargeFile {
    repository_id: String,
    object: LfsObject,
    /// Its name in the storage, if it is there.
    file: Option<String>,
}

/// Lists the large files of all repositories.
pub(crate) fn large_files(transaction: &Transaction) -> Result<Vec<MovedLargeFile>, Error> {
    let sql = "SELECT repository_id, oid, bytes, file FROM lfs_objects ORDER BY repository_id, oid";
    transaction.query(sql, &[], |row| {
        let id = row.blob(1)?.try_into().map_err(|_| Error::Damaged("the id of a large file"))?;
        let bytes = u64::try_from(row.integer(2)?).unwrap_or(0);
        let object = LfsObject { id: LfsObjectId::from_bytes(id), bytes };
        Ok(MovedLargeFile { repository_id: row.text(0)?, object, file: row.optional_text(3)? })
    })
}

/// Creates a folder for files on their way, which the next start of a server removes after a kill.
pub(crate) fn temporary_folder(repositories: &Path) -> io::Result<TempDir> {
    let folder = repositories.with_file_name(UPLOADS);
    fs::create_dir_all(&folder).map_err(|error| named(&folder, &error))?;
    tempfile::tempdir_in(folder)
}

impl MovedLargeFile {
    /// Returns whether the file is in the storage.
    pub(crate) fn is_stored(&self) -> bool {
        self.file.is_some()
    }

    /// Puts the file into a storage, and returns what is to be noted then; `None` if the folder of the repositories has no such file.
    pub(crate) fn share(self, repositories: &Path, storage: &dyn Storage) -> io::Result<Option<Self>> {
        let own = OwnFiles::new(repositories.to_owned(), true);
        let path = own.path(&self.repository_id, &self.object.id);
        if !has_length(&path, self.object.bytes)? {
            return Ok(None);
        }
        let name = new_name(&self.object.id);
        storage.put(&key(&self.repository_id, &name), &path, true)?;
        Ok(Some(Self { file: Some(name), ..self }))
    }

    /// Writes the name of the file in the storage into its row.
    pub(crate) fn note(&self, transaction: &Transaction) -> Result<(), Error> {
        transaction.note(
            "UPDATE lfs_objects SET file = ?3 WHERE repository_id = ?1 AND oid = ?2",
            &[(&self.repository_id).into(), self.object.id.as_bytes().as_slice().into(), self.file.as_ref().into()],
        )
    }

    /// Fetches the file from a storage, unless the folder of the repositories has it; returns whether that has it now.
    pub(crate) fn fetch(&self, repositories: &Path, storage: &dyn Storage, temporary: &Path) -> io::Result<bool> {
        let own = OwnFiles::new(repositories.to_owned(), true);
        if has_length(&own.path(&self.repository_id, &self.object.id), self.object.bytes)? {
            return Ok(true);
        }
        let Some(name) = &self.file else { return Ok(false) };
        let path = temporary.join(name);
        match storage.fetch(&key(&self.repository_id, name), &path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            fetched => fetched?,
        }
        let file = NamedTempFile::from_parts(File::open(&path)?, TempPath::try_from_path(&path)?);
        if !has_length(&path, self.object.bytes)? {
            return Ok(false);
        }
        own.place(file, &self.repository_id, &self.object.id)?;
        Ok(true)
    }
}

/// Returns whether there is a file of a length; one of another length counts as missing, as for clients.
fn has_length(path: &Path, bytes: u64) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() == bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(named(path, &error)),
    }
}

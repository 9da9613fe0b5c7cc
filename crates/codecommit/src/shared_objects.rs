//! What several nodes share: packs and large files in a storage, their lists in the database.
//!
//! **Invariant:** a file of the storage never changes, and its name is used once. A pack is in the list only once all its files are in the
//! storage, and its files are removed only long after it has left the list. So whoever goes by a list finds all files of it.

mod file_cache;
mod folder;
mod packs;
mod row;
mod s3;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use store::Store;

use self::s3::S3Storage;
use crate::settings::SharedSettings;
pub(crate) use folder::FolderStorage;
pub(crate) use packs::RepositoryPacks;
pub(crate) use row::{
    forget_all, mark_unreachable, pack_checksums, repositories_to_maintain, repositories_to_prune, retire,
    retire_deleted, set_unreachable,
};

/// Time for which the files of a pack stay after it has left the list: longer than a call may take that has read the list before.
const GONE_AGE: Duration = Duration::from_hours(1);

/// Age at which files in the storage that nothing in the database names are removed: longer than any push takes.
const STRAY_AGE: Duration = Duration::from_hours(24);

/// Extensions of a pack's files.
const EXTENSIONS: [&str; 3] = ["pack", "idx", "mtimes"];

/// Beginning of the names of packs' files.
const PACK_PREFIX: &str = "pack-";

/// Beginning of the names of large files.
pub(crate) const LARGE_FILE_PREFIX: &str = "lfs-";

/// Files by their keys, `FOLDER/NAME`; displays where they are.
pub(crate) trait Storage: fmt::Display + Send + Sync {
    /// Stores a file, whose key is new; with `sync` it survives a power failure. The file itself stays where it is.
    fn put(&self, key: &str, file: &Path, sync: bool) -> io::Result<()>;

    /// Makes a stored file readable at a path, where there is none; [`io::ErrorKind::NotFound`] if it is not stored.
    fn fetch(&self, key: &str, path: &Path) -> io::Result<()>;

    /// Opens a stored file; [`io::ErrorKind::NotFound`] if it is not stored.
    fn open(&self, key: &str) -> io::Result<File>;

    /// Returns the length of a file, if it is stored.
    fn length(&self, key: &str) -> io::Result<Option<u64>>;

    /// Removes a file, if it is stored.
    fn remove(&self, key: &str) -> io::Result<()>;

    /// Lists the keys of the files that were stored longer ago than an age.
    fn older_than(&self, age: Duration) -> io::Result<Vec<String>>;
}

/// Opens the storage that the settings name; `data` is the data folder of this node.
pub(crate) fn open_storage(settings: &SharedSettings, data: &Path) -> io::Result<Arc<dyn Storage>> {
    Ok(match settings {
        SharedSettings::Folder(folder) => Arc::new(FolderStorage::open(folder)?),
        SharedSettings::Bucket(settings) => Arc::new(S3Storage::open(settings, data)?),
    })
}

/// As [`open_storage`], but what is fetched needs the storage no more; `temporary` is a folder for temporary files.
pub(crate) fn open_storage_to_leave(settings: &SharedSettings, temporary: &Path) -> io::Result<Arc<dyn Storage>> {
    match settings {
        SharedSettings::Folder(folder) => Ok(Arc::new(FolderStorage::open(folder)?.without_links())),
        SharedSettings::Bucket(_) => open_storage(settings, temporary),
    }
}

/// The packs of all repositories.
#[derive(Clone)]
pub(crate) struct SharedObjects {
    store: Arc<Store>,
    storage: Arc<dyn Storage>,
}

impl SharedObjects {
    pub(crate) fn new(store: Arc<Store>, storage: Arc<dyn Storage>) -> Self {
        Self { store, storage }
    }

    /// Returns the packs of a repository.
    pub(crate) fn packs_of(&self, repository_id: &str) -> RepositoryPacks {
        RepositoryPacks::new(self.clone(), repository_id.to_owned())
    }

    /// Removes the files of packs that left their lists long ago, and files that nothing in the database names.
    pub(crate) fn remove_gone(&self) -> io::Result<()> {
        let gone = self.store.read(|transaction| row::gone(transaction, GONE_AGE)).map_err(io::Error::other)?;
        for pack in gone {
            for extension in EXTENSIONS {
                self.storage.remove(&pack.key(extension))?;
            }
            // The row goes last, so that a failure leaves no file without one.
            self.store.write(move |transaction| row::forget(transaction, &pack)).map_err(io::Error::other)?;
        }
        for key in self.storage.older_than(STRAY_AGE)?.into_iter().filter(|key| is_ours(key)) {
            let is_listed = |transaction: &_| row::is_known(transaction, &key);
            if !self.store.read(is_listed).map_err(io::Error::other)? {
                self.storage.remove(&key)?;
            }
        }
        Ok(())
    }
}

/// Tells whether a key can be that of a pack or of a large file; others may share the place of the storage.
fn is_ours(key: &str) -> bool {
    let name = key.split_once('/').map_or("", |(_, name)| name);
    name.starts_with(PACK_PREFIX) || name.starts_with(LARGE_FILE_PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_not_ours() {
        for (key, expected) in [
            ("ID/pack-01-02.pack", true),
            ("ID/lfs-01-02", true),
            ("database-id", false),
            ("other/database-id", false),
            ("other/ID/pack-01-02.pack", false),
            ("other/ID/lfs-01-02", false),
        ] {
            assert_eq!(is_ours(key), expected, "{key}");
        }
    }
}

//! Packs that several nodes share: their files in a storage, their list in the database.
//!
//! **Invariant:** a file of the storage never changes, and its name is used once. A pack is in the list only once all its files are in the
//! storage, and its files are removed only long after it has left the list. So whoever goes by a list finds all files of it.

mod folder;
mod packs;
mod row;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use store::Store;

pub(crate) use folder::FolderStorage;
pub(crate) use packs::RepositoryPacks;
pub(crate) use row::{mark_unreachable, repositories_to_maintain, repositories_to_prune, retire};

/// Time for which the files of a pack stay after it has left the list: longer than a call may take that has read the list before.
const GONE_AGE: Duration = Duration::from_hours(1);

/// Age at which files in the storage that belong to no pack are removed: longer than any push takes.
const STRAY_AGE: Duration = Duration::from_hours(24);

/// Extensions of a pack's files.
const EXTENSIONS: [&str; 3] = ["pack", "idx", "mtimes"];

/// Files by their keys, `FOLDER/NAME`.
pub(crate) trait Storage: Send + Sync {
    /// Stores a file, whose key is new; with `sync` it survives a power failure. The file itself stays where it is.
    fn put(&self, key: &str, file: &Path, sync: bool) -> io::Result<()>;

    /// Makes a stored file readable at a path, where there is none; [`io::ErrorKind::NotFound`] if it is not stored.
    fn fetch(&self, key: &str, path: &Path) -> io::Result<()>;

    /// Removes a file, if it is stored.
    fn remove(&self, key: &str) -> io::Result<()>;

    /// Lists the keys of the files that were stored longer ago than an age.
    fn older_than(&self, age: Duration) -> io::Result<Vec<String>>;
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

    /// Removes the files of packs that left their lists long ago, and files that belong to no pack.
    pub(crate) fn remove_gone(&self) -> io::Result<()> {
        let gone = self.store.read(|transaction| row::gone(transaction, GONE_AGE)).map_err(io::Error::other)?;
        for pack in gone {
            for extension in EXTENSIONS {
                self.storage.remove(&pack.key(extension))?;
            }
            // The row goes last, so that a failure leaves no file without one.
            self.store.write(move |transaction| row::forget(transaction, &pack)).map_err(io::Error::other)?;
        }
        for key in self.storage.older_than(STRAY_AGE)? {
            let is_listed = |transaction: &_| row::is_known(transaction, &key);
            if !self.store.read(is_listed).map_err(io::Error::other)? {
                self.storage.remove(&key)?;
            }
        }
        Ok(())
    }
}

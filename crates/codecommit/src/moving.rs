//! Moves Git objects and large files from the data folder of one node into the storage that several nodes share, and back.
//!
//! **Invariant:** the database is tied to the new place only once that has everything, and no server uses a place to which the database
//! is not tied. Nothing is removed from the old place. So a move can be interrupted, and repeated, at any point.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git::SharedPacks;
use git::maintenance::MaintenanceOptions;
use store::{Error, Store, Transaction};
use tempfile::TempDir;

use crate::lfs::{self, MovedLargeFile};
use crate::objects_id;
use crate::settings::SharedSettings;
use crate::shared_objects::{self, RepositoryPacks, SharedObjects, Storage};

/// A move between the folder of the repositories of one node and a storage; nobody else uses the database meanwhile. Displays where the storage is.
pub struct ObjectMove {
    store: Arc<Store>,
    repositories: PathBuf,
    storage: Arc<dyn Storage>,
    temporary: TempDir,
}

/// The id of a storage that is claimed for the objects of a database.
pub struct Claim(String);

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MovedObjects {
    /// Repositories.
    pub repositories: usize,
    /// Their packs.
    pub packs: usize,
    /// Large files.
    pub large_files: usize,
    /// Large files that were missing in the old place, and are in the new one, too.
    pub missing_large_files: usize,
}

/// The lists of what a storage has.
#[derive(Debug, PartialEq, Eq)]
pub struct StoredLists {
    /// The repositories, and the versions of their lists of packs.
    repositories: Vec<(String, i64)>,
    large_files: Vec<MovedLargeFile>,
}

impl StoredLists {
    fn read(transaction: &Transaction) -> Result<Self, Error> {
        let sql = "SELECT id, packs_version FROM repositories ORDER BY id";
        let repositories = transaction.query(sql, &[], |row| Ok((row.text(0)?, row.integer(1)?)))?;
        Ok(Self { repositories, large_files: lfs::large_files(transaction)? })
    }

    /// Returns whether a database still has these lists.
    pub fn is_current(&self, transaction: &Transaction) -> Result<bool, Error> {
        Ok(*self == Self::read(transaction)?)
    }
}

/// Removes what a database knows of a storage, for a server that has all objects in its data folder.
pub fn forget_storage(transaction: &Transaction) -> Result<(), Error> {
    shared_objects::forget_all(transaction)
}

impl ObjectMove {
    /// Opens a storage; `repositories` is the folder of the repositories in a data folder, which exists.
    pub fn open(store: Arc<Store>, repositories: PathBuf, settings: &SharedSettings) -> io::Result<Self> {
        let temporary = lfs::temporary_folder(&repositories)?;
        let storage = shared_objects::open_storage_to_leave(settings, temporary.path())?;
        Ok(Self { store, repositories, storage, temporary })
    }

    /// Checks that the storage can be reached, and is of no database yet.
    pub fn check_free(&self) -> io::Result<()> {
        objects_id::check_free(&*self.storage, self.temporary.path())
    }

    /// Returns whether the storage has the objects of the database.
    pub fn is_tied(&self) -> io::Result<bool> {
        objects_id::is_tied(&self.store, &*self.storage, self.temporary.path())
    }

    /// Claims the storage for the objects of the database, which are in the data folder; fails if it is of another database.
    pub fn claim(&self) -> io::Result<Claim> {
        let (data, temporary) = (self.data_folder(), self.temporary.path());
        Ok(Claim(objects_id::claim(&self.store, &self.storage, data, temporary)?))
    }

    /// Puts everything into the storage, and then ties the database to it. What an earlier attempt has put there stays.
    pub fn to_storage(&self, claim: Claim) -> io::Result<MovedObjects> {
        let lists = self.lists()?;
        let mut moved = MovedObjects { repositories: lists.repositories.len(), ..MovedObjects::default() };
        for (id, _) in &lists.repositories {
            let packs = self.share_packs(id)?;
            tracing::info!(repository_id = id, packs, "put the packs of a repository into the storage");
            moved.packs += packs;
        }
        for file in lists.large_files {
            moved.count(self.share_large_file(file)?);
        }
        objects_id::tie_claimed(&self.store, &*self.storage, claim.0, self.data_folder())?;
        Ok(moved)
    }

    /// Fetches everything that the storage has for the database, which is tied to it, into the folder of the repositories.
    ///
    /// The database can be used with the folder if it still has the lists that are returned.
    pub fn to_folder(&self) -> io::Result<(MovedObjects, StoredLists)> {
        let lists = self.lists()?;
        let mut moved = MovedObjects { repositories: lists.repositories.len(), ..MovedObjects::default() };
        for (id, _) in &lists.repositories {
            let packs = self.packs_of(id);
            // A repository has no folder before its first push.
            if !packs.list()?.packs.is_empty() {
                let packs = git::Repository::open_or_create(&self.repositories.join(id))?.fetch_shared(&packs)?;
                tracing::info!(repository_id = id, packs, "fetched the packs of a repository");
                moved.packs += packs;
            }
        }
        for file in &lists.large_files {
            moved.count(file.fetch(&self.repositories, &*self.storage, self.temporary.path())?);
        }
        Ok((moved, lists))
    }

    fn share_packs(&self, repository_id: &str) -> io::Result<usize> {
        let path = self.repositories.join(repository_id);
        if !path.join("objects").is_dir() {
            return Ok(0);
        }
        let repository = git::Repository::open_or_create(&path)?;
        let maintenance = MaintenanceOptions { sync: true, ..MaintenanceOptions::default() };
        let count = repository.share(&self.packs_of(repository_id), &maintenance)?;
        let (id, since) = (repository_id.to_owned(), repository.unreachable_since()?.map(i64::from));
        let written = self.store.write(move |transaction| shared_objects::set_unreachable(transaction, &id, since));
        written.map_err(io::Error::other)?;
        Ok(count)
    }

    /// Returns whether the file is in the storage.
    fn share_large_file(&self, file: MovedLargeFile) -> io::Result<bool> {
        if file.is_stored() {
            return Ok(true);
        }
        let Some(stored) = file.share(&self.repositories, &*self.storage)? else { return Ok(false) };
        self.store.write(move |transaction| stored.note(transaction)).map_err(io::Error::other)?;
        Ok(true)
    }

    fn lists(&self) -> io::Result<StoredLists> {
        self.store.read(StoredLists::read).map_err(io::Error::other)
    }

    fn packs_of(&self, repository_id: &str) -> RepositoryPacks {
        SharedObjects::new(Arc::clone(&self.store), Arc::clone(&self.storage)).packs_of(repository_id)
    }

    fn data_folder(&self) -> &Path {
        self.repositories.parent().expect("the folder of the repositories is in a data folder")
    }
}

impl fmt::Display for ObjectMove {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.storage.fmt(formatter)
    }
}

impl MovedObjects {
    fn count(&mut self, is_there: bool) {
        if is_there {
            self.large_files += 1;
        } else {
            self.missing_large_files += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use store::Durability;

    use super::*;

    #[test]
    fn lists_are_current_until_a_server_changes_them() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let store = Store::open(&folder.path().join("one.db"), Durability::Normal).expect("the folder is writable");
        crate::migrate(&store).expect("the steps are sound");
        let change = |sql: &'static str| {
            let lists = store.read(StoredLists::read).expect("the tables exist");
            let is_current = || store.read(|transaction| lists.is_current(transaction)).expect("the tables exist");
            assert!(is_current(), "{sql}");
            store.write(move |transaction| transaction.note(sql, &[])).expect("the statement is valid");
            assert!(!is_current(), "{sql}");
        };
        change(
            "INSERT INTO repositories (id, account, region, name, created, modified, kms_key_id) \
             VALUES ('1', '1', '1', '1', 0, 0, '1')",
        );
        change("UPDATE repositories SET packs_version = packs_version + 1");
        change(
            "INSERT INTO lfs_objects (repository_id, oid, bytes, used, file) \
             VALUES ('1', x'0101010101010101010101010101010101010101010101010101010101010101', 1, 0, 'a')",
        );
        change("UPDATE lfs_objects SET file = 'b'");
        store.write(forget_storage).expect("the tables exist");
        let lists = store.read(StoredLists::read).expect("the tables exist");
        assert_eq!(lists.repositories, [("1".to_owned(), 0)]);
        assert!(!lists.large_files[0].is_stored());
    }
}

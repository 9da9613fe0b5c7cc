//! The id that ties a database on a server to the storage with its Git objects.
//!
//! SQLite's file lies beside the objects. A database on a server could be used with another folder or bucket by mistake, in which every
//! object is missing.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use store::{Error, Store, Transaction};
use uuid::Uuid;

use crate::shared_objects::Storage;

/// Key of the file with the id.
const FILE: &str = "database-id";

/// Checks that a storage has the objects of the database; a new storage is tied to a database without repositories.
///
/// `folder` is one for temporary files.
pub(crate) fn tie(store: &Store, storage: &Arc<dyn Storage>, folder: &Path) -> io::Result<()> {
    let failed = |error: TieError| io::Error::other(format!("{storage}: {error}"));
    // A storage that cannot be reached must not keep the transactions of other nodes waiting.
    let found = read(&**storage, folder).map_err(failed)?;
    let (tied, folder) = (Arc::clone(storage), folder.to_owned());
    store
        .write(move |transaction| {
            // Of two nodes that start together, the second one finds what the first one wrote.
            let found = match found {
                Some(found) => Some(found),
                None => read(&*tied, &folder)?,
            };
            let expected = in_database(transaction)?;
            match (found, expected) {
                (Some(found), Some(expected)) if found == expected => Ok(()),
                (Some(_), _) if !has_repositories(transaction)? => Err(TieError::OtherDatabase),
                (None, _) if !has_repositories(transaction)? => {
                    let id = Uuid::new_v4().to_string();
                    write(&*tied, &folder, &id).map_err(TieError::File)?;
                    Ok(set(transaction, &id)?)
                }
                _ => Err(TieError::OtherFolder),
            }
        })
        .map_err(failed)
}

fn read(storage: &dyn Storage, folder: &Path) -> Result<Option<String>, TieError> {
    let read = || {
        let folder = tempfile::tempdir_in(folder)?;
        let path = folder.path().join(FILE);
        storage.fetch(FILE, &path)?;
        fs::read_to_string(path)
    };
    match read() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        id => Ok(Some(id.map_err(TieError::File)?)),
    }
}

fn write(storage: &dyn Storage, folder: &Path, id: &str) -> io::Result<()> {
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path().join(FILE);
    fs::write(&path, id)?;
    storage.put(FILE, &path, true)
}

/// Ties a data folder, which has the objects, to the database of a transaction.
pub fn create(transaction: &Transaction, data_folder: &Path) -> io::Result<()> {
    let id = Uuid::new_v4().to_string();
    fs::write(data_folder.join(FILE), &id)?;
    set(transaction, &id).map_err(io::Error::other)
}

/// Returns whether a data folder has the objects of the database.
pub fn is_of(transaction: &Transaction, data_folder: &Path) -> Result<bool, Error> {
    // A file that cannot be read is no proof.
    let found = fs::read_to_string(data_folder.join(FILE)).ok();
    Ok(found.is_some() && found == in_database(transaction)?)
}

/// Removes the id of a data folder, which no database on a server can use afterwards.
pub fn remove(data_folder: &Path) -> io::Result<()> {
    fs::remove_file(data_folder.join(FILE))
}

fn set(transaction: &Transaction, id: &str) -> Result<(), Error> {
    transaction.note("DELETE FROM object_storage", &[])?;
    transaction.note("INSERT INTO object_storage (id) VALUES (?1)", &[id.into()])
}

fn in_database(transaction: &Transaction) -> Result<Option<String>, Error> {
    transaction.query_one("SELECT id FROM object_storage", &[], |row| row.text(0))
}

fn has_repositories(transaction: &Transaction) -> Result<bool, Error> {
    Ok(transaction.query_one("SELECT 1 FROM repositories LIMIT 1", &[], |row| row.integer(0))?.is_some())
}

/// The reason why a storage cannot be used.
#[derive(Debug, thiserror::Error)]
enum TieError {
    #[error("it belongs to another database; choose an empty place, or the database of this one")]
    OtherDatabase,
    #[error(
        "the Git objects of the database are in another place; choose that one: with --objects if several nodes share it, else with --data-dir"
    )]
    OtherFolder,
    #[error("cannot read or write the file with the id of the database: {0}")]
    File(#[source] io::Error),
    #[error(transparent)]
    Database(#[from] Error),
}

#[cfg(test)]
mod tests {
    use store::Durability;

    use super::*;
    use crate::shared_objects::FolderStorage;

    #[test]
    fn a_database_is_tied_to_the_storage_with_its_objects() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let open = |name: &str| {
            let store = Store::open(&folder.path().join(name), Durability::Normal).expect("the folder is writable");
            store.migrate("codecommit", crate::schema::STEPS).expect("the steps are sound");
            store
        };
        let (store, other) = (open("one.db"), open("other.db"));
        let storage = |name: &str| -> Arc<dyn Storage> {
            Arc::new(FolderStorage::open(&folder.path().join(name)).expect("the folder is writable"))
        };
        let [first, second] = ["first", "second"].map(storage);
        tie(&store, &first, folder.path()).expect("both are new");
        tie(&store, &first, folder.path()).expect("they belong together");
        let refused = tie(&other, &first, folder.path()).expect_err("it is not the database of the folder").to_string();
        assert!(refused.contains("belongs to another database"), "{refused}");
        tie(&store, &second, folder.path()).expect("there is nothing to lose");
        let add = "INSERT INTO repositories (id, account, region, name, created, modified, kms_key_id) VALUES ('1', '1', '1', '1', 0, 0, '1')";
        store.write(move |transaction| transaction.note(add, &[])).expect("the row is valid");
        let refused = tie(&store, &storage("third"), folder.path()).expect_err("its objects are elsewhere").to_string();
        assert!(refused.contains("in another place"), "{refused}");
        tie(&store, &second, folder.path()).expect("they belong together");
    }
}

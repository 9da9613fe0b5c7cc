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

use crate::shared_objects::{self, Storage};

/// Key of the file with the id.
const FILE: &str = "database-id";

/// Checks that a storage has the objects of the database; a new storage is tied to a database without repositories.
///
/// The id is chosen in a transaction of its own, so that a start can be repeated after the storage got it and the database did not.
/// `folder` is one for temporary files.
pub(crate) fn tie(store: &Store, storage: &Arc<dyn Storage>, folder: &Path) -> io::Result<()> {
    let failed = |error: TieError| named(&**storage, &error);
    // A storage that cannot be reached must not keep the transactions of other nodes waiting.
    let found = read(&**storage, folder).map_err(failed)?;
    if found.is_none() {
        store.write(choose).map_err(|error| failed(error.into()))?;
    } else if found == store.read_once(in_database).map_err(|error| failed(error.into()))? {
        return Ok(());
    }
    let (tied, folder) = (Arc::clone(storage), folder.to_owned());
    store
        .write(move |transaction| {
            // The first statement waits until no other node writes. So of two that start together, the second one finds what the first wrote.
            let (expected, chosen) = (in_database(transaction)?, chosen(transaction)?);
            let found = match found {
                Some(found) => Some(found),
                None => read(&*tied, &folder)?,
            };
            match found {
                Some(found) if expected.as_ref() == Some(&found) => Ok(()),
                _ if has_repositories(transaction)? => Err(TieError::OtherFolder),
                Some(found) if chosen.as_ref() == Some(&found) => Ok(set(transaction, &found)?),
                Some(_) => Err(TieError::OtherDatabase),
                None => {
                    let id = chosen.unwrap_or_else(new_id);
                    write(&*tied, &folder, &id).map_err(TieError::File)?;
                    Ok(set(transaction, &id)?)
                }
            }
        })
        .map_err(failed)
}

/// Chooses the id of a new storage, unless the database has repositories, whose objects are elsewhere.
fn choose(transaction: &Transaction) -> Result<(), Error> {
    if has_repositories(transaction)? {
        return Ok(());
    }
    let id = new_id();
    if transaction.execute("UPDATE object_storage SET next_id = ?1", &[(&id).into()])? == 0 {
        transaction.note("INSERT INTO object_storage (id, next_id) VALUES ('', ?1)", &[(&id).into()])?;
    }
    Ok(())
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
    let id = new_id();
    fs::write(data_folder.join(FILE), &id)?;
    set(transaction, &id).map_err(io::Error::other)
}

/// Checks that a storage is of no database yet.
pub(crate) fn check_free(storage: &dyn Storage, folder: &Path) -> io::Result<()> {
    let found = read(storage, folder).and_then(|found| found.map_or(Ok(()), |_| Err(TieError::OtherDatabase)));
    found.map_err(|error| named(storage, &error))
}

/// Claims a storage for the objects of a database, which are in a data folder, and returns its id.
///
/// The lists of packs and large files are of the storage afterwards: if it was not claimed before, they are empty. `folder` is one for
/// temporary files.
pub(crate) fn claim(
    store: &Store,
    storage: &Arc<dyn Storage>,
    data_folder: &Path,
    folder: &Path,
) -> io::Result<String> {
    let failed = |error: TieError| named(&**storage, &error);
    let found = read(&**storage, folder).map_err(failed)?;
    let (is_new, data_folder) = (found.is_none(), data_folder.to_owned());
    let id = store
        .write(move |transaction| {
            if !is_of(transaction, &data_folder)? {
                return Err(TieError::OtherFolder);
            }
            if let Some(found) = found {
                return if chosen(transaction)?.as_ref() == Some(&found) {
                    Ok(found)
                } else {
                    Err(TieError::OtherDatabase)
                };
            }
            let id = new_id();
            transaction.note("UPDATE object_storage SET next_id = ?1", &[(&id).into()])?;
            shared_objects::forget_all(transaction)?;
            Ok(id)
        })
        .map_err(failed)?;
    if is_new {
        // After a kill before this, the storage is claimed with another id.
        write(&**storage, folder, &id)?;
    }
    Ok(id)
}

/// Ties a database to the storage that it has claimed, which now has all objects, and no more to the data folder.
pub(crate) fn tie_claimed(store: &Store, storage: &dyn Storage, id: String, data_folder: &Path) -> io::Result<()> {
    let tied = store.write(move |transaction| {
        shared_objects::retire_deleted(transaction)?;
        let sql = "UPDATE object_storage SET id = next_id, next_id = NULL WHERE next_id = ?1";
        if transaction.execute(sql, &[(&id).into()])? == 1 { Ok(()) } else { Err(TieError::OtherFolder) }
    });
    tied.map_err(|error| named(storage, &error))?;
    remove(data_folder)
}

/// Returns whether a storage has the objects of a database.
pub(crate) fn is_tied(store: &Store, storage: &dyn Storage, folder: &Path) -> io::Result<bool> {
    let found = read(storage, folder).map_err(|error| named(storage, &error))?;
    Ok(found.is_some() && found == store.read(in_database).map_err(io::Error::other)?)
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

fn named(storage: &dyn Storage, error: &TieError) -> io::Error {
    io::Error::other(format!("{storage}: {error}"))
}

fn set(transaction: &Transaction, id: &str) -> Result<(), Error> {
    transaction.note("DELETE FROM object_storage", &[])?;
    transaction.note("INSERT INTO object_storage (id) VALUES (?1)", &[id.into()])
}

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

/// Returns the id of the storage with the objects of the database.
fn in_database(transaction: &Transaction) -> Result<Option<String>, Error> {
    let id = transaction.query_one("SELECT id FROM object_storage", &[], |row| row.text(0))?;
    Ok(id.filter(|id| !id.is_empty()))
}

/// Returns the id that was chosen for a storage that the database is not tied to yet.
fn chosen(transaction: &Transaction) -> Result<Option<String>, Error> {
    Ok(transaction.query_one("SELECT next_id FROM object_storage", &[], |row| row.optional_text(0))?.flatten())
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
        "the Git objects of the database are in another place; choose that one: with --objects if several nodes share it, else with --data-dir; \
         codecommit-local move moves them"
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

    fn open(folder: &Path, name: &str) -> Store {
        let store = Store::open(&folder.join(name), Durability::Normal).expect("the folder is writable");
        store.migrate("codecommit", crate::schema::STEPS).expect("the steps are sound");
        store
    }

    fn storage(folder: &Path, name: &str) -> Arc<dyn Storage> {
        Arc::new(FolderStorage::open(&folder.join(name)).expect("the folder is writable"))
    }

    #[test]
    fn a_database_is_tied_to_the_storage_with_its_objects() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let (store, other) = (open(folder.path(), "one.db"), open(folder.path(), "other.db"));
        let storage = |name: &str| storage(folder.path(), name);
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

    #[test]
    fn a_start_is_repeated_after_the_storage_got_its_id_and_the_database_did_not() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let store = open(folder.path(), "one.db");
        let storage = |name: &str| storage(folder.path(), name);
        store.write(choose).expect("the table exists");
        let chosen = store.read(chosen).expect("the table exists").expect("it was chosen");
        let (first, second) = (storage("first"), storage("second"));
        write(&*first, folder.path(), &chosen).expect("the folder is writable");
        assert!(!is_tied(&store, &*first, folder.path()).expect("it is readable"));
        tie(&store, &first, folder.path()).expect("it is the chosen one");
        assert!(is_tied(&store, &*first, folder.path()).expect("it is readable"));
        tie(&store, &second, folder.path()).expect("there is nothing to lose");
        let refused = tie(&store, &first, folder.path()).expect_err("the other one was tied").to_string();
        assert!(refused.contains("belongs to another database"), "{refused}");
    }

    #[test]
    fn a_storage_is_claimed_for_the_objects_of_one_data_folder_until_it_is_tied() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let (data, store) = (folder.path().join("data"), open(folder.path(), "one.db"));
        fs::create_dir(&data).expect("the folder is new");
        let [first, second] = ["first", "second"].map(|name| storage(folder.path(), name));
        let claim = |storage: &Arc<dyn Storage>| {
            claim(&store, storage, &data, folder.path()).map_err(|error| error.to_string())
        };
        let refused = claim(&first).expect_err("the database has its objects elsewhere");
        assert!(refused.contains("in another place"), "{refused}");
        let own = data.clone();
        store
            .write(move |transaction| create(transaction, &own).map_err(|_| Error::Refused("the folder is writable")))
            .expect("the folder is writable");
        let id = claim(&first).expect("it is new");
        let listed = || {
            let sql = "SELECT COUNT(*) FROM packs";
            store.read(|transaction| transaction.query_one(sql, &[], |row| row.integer(0))).expect("the table exists")
        };
        let add = "INSERT INTO packs (repository_id, file, checksum, is_cruft, bytes, created) VALUES ('1', '1', x'00', 0, 0, 0)";
        store.write(move |transaction| transaction.note(add, &[])).expect("the row is valid");
        assert_eq!((claim(&first), listed()), (Ok(id.clone()), Some(1)), "an interrupted move goes on");
        assert_ne!(claim(&second), Ok(id.clone()));
        assert_eq!(listed(), Some(0), "another storage has nothing");
        let refused = claim(&first).expect_err("its list is gone");
        assert!(refused.contains("belongs to another database"), "{refused}");
        assert!(check_free(&*first, folder.path()).is_err());
        assert!(!is_tied(&store, &*second, folder.path()).expect("it is readable"));
        assert!(store.read(|transaction| is_of(transaction, &data)).expect("the table exists"));
    }
}

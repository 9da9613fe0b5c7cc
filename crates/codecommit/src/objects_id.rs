//! The id that ties a database on a server to the folder with its Git objects.
//!
//! SQLite's file lies beside the objects. A database on a server could be used with another folder by mistake, in which every object is
//! missing.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use store::{Error, Store, Transaction};
use uuid::Uuid;

/// File with the id in the folder.
const FILE: &str = "database-id";

/// Checks that a folder has the objects of the database; a new folder is tied to a database without repositories.
pub(crate) fn tie(store: &Store, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    // In a transaction, so that of two nodes that start together the second one finds what the first one wrote.
    let (folder, shown) = (folder.to_owned(), folder.display().to_string());
    store
        .write(move |transaction| {
            let (found, expected) = (in_folder(&folder).map_err(TieError::File)?, in_database(transaction)?);
            match (found, expected) {
                (Some(found), Some(expected)) if found == expected => Ok(()),
                (Some(_), _) if !has_repositories(transaction)? => Err(TieError::OtherDatabase),
                (None, _) if !has_repositories(transaction)? => create(transaction, &folder).map_err(TieError::File),
                _ => Err(TieError::OtherFolder),
            }
        })
        .map_err(|error: TieError| io::Error::other(format!("{shown}: {error}")))
}

/// Ties a folder to the database of a transaction, by an id of both.
pub fn create(transaction: &Transaction, folder: &Path) -> io::Result<()> {
    let id = Uuid::new_v4().to_string();
    fs::write(folder.join(FILE), &id)?;
    transaction.note("DELETE FROM object_storage", &[]).map_err(io::Error::other)?;
    transaction.note("INSERT INTO object_storage (id) VALUES (?1)", &[(&id).into()]).map_err(io::Error::other)
}

/// Returns whether a folder has the objects of the database.
pub fn is_of(transaction: &Transaction, folder: &Path) -> Result<bool, Error> {
    // A file that cannot be read is no proof.
    let found = in_folder(folder).ok().flatten();
    Ok(found.is_some() && found == in_database(transaction)?)
}

/// Removes the id of a folder, which no database on a server can use afterwards.
pub fn remove(folder: &Path) -> io::Result<()> {
    fs::remove_file(folder.join(FILE))
}

fn in_folder(folder: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(folder.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        id => id.map(Some),
    }
}

fn in_database(transaction: &Transaction) -> Result<Option<String>, Error> {
    transaction.query_one("SELECT id FROM object_storage", &[], |row| row.text(0))
}

fn has_repositories(transaction: &Transaction) -> Result<bool, Error> {
    Ok(transaction.query_one("SELECT 1 FROM repositories LIMIT 1", &[], |row| row.integer(0))?.is_some())
}

/// The reason why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
enum TieError {
    #[error("the folder belongs to another database; choose an empty folder, or the database of this one")]
    OtherDatabase,
    #[error(
        "the Git objects of the database are in another folder; choose that one: with --objects if several nodes share it, else with --data-dir"
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

    #[test]
    fn a_database_is_tied_to_the_folder_with_its_objects() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let open = |name: &str| {
            let store = Store::open(&folder.path().join(name), Durability::Normal).expect("the folder is writable");
            store.migrate("codecommit", crate::schema::STEPS).expect("the steps are sound");
            store
        };
        let (store, other) = (open("one.db"), open("other.db"));
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        tie(&store, &first).expect("both are new");
        tie(&store, &first).expect("they belong together");
        let refused = tie(&other, &first).expect_err("it is not the database of the folder").to_string();
        assert!(refused.contains("belongs to another database"), "{refused}");
        tie(&store, &second).expect("there is nothing to lose");
        let add = "INSERT INTO repositories (id, account, region, name, created, modified, kms_key_id) VALUES ('1', '1', '1', '1', 0, 0, '1')";
        store.write(move |transaction| transaction.note(add, &[])).expect("the row is valid");
        let refused = tie(&store, &folder.path().join("third")).expect_err("its objects are elsewhere").to_string();
        assert!(refused.contains("in another folder"), "{refused}");
        tie(&store, &second).expect("they belong together");
    }
}

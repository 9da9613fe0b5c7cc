//! Moves the database of a data folder to a server with PostgreSQL, and back. Git objects, large files and log files stay where they are.
//!
//! **Invariant:** the new database has all rows or none, and only then the old one is put aside: no server uses both.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codecommit::objects_id;
use store::postgres::ServerSettings;
use store::{Durability, Store, Transaction};

use crate::StartError;
use crate::data_folder::DATABASE;
use crate::folders::FolderLock;
use crate::migrations::migrate;

/// The tables of a database that are its own: its migrations, commits of connections, the nodes on it, and where Git objects are.
const OWN_TABLES: [&str; 9] = [
    "migrations",
    "needed_migrations",
    "commit_receipts",
    "nodes",
    "leases",
    "cluster_changes",
    "cluster_time",
    "object_storage",
    "packs",
];

/// The name of a file of SQLite whose content was moved to a server.
const MOVED: &str = "codecommit.db.moved";

/// The name of a file of SQLite that does not have all rows yet.
const PARTIAL: &str = "codecommit.db.partial";

/// Why a database was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// A server uses the data folder, or it cannot be used.
    #[error(transparent)]
    Folder(#[from] StartError),
    /// There is nothing to move.
    #[error("'{}' does not exist; name the data folder of the server with --data-dir", .0.display())]
    NoDatabase(PathBuf),
    /// The file that is to be created is there.
    #[error("'{}' exists; move it away if it is not needed any more", .0.display())]
    Exists(PathBuf),
    /// Servers use the database.
    #[error("the server at {0} uses the database; stop all of its servers, and wait 10 seconds if one was killed")]
    InUse(String),
    /// The database on the server has data.
    #[error(
        "the database on the server has repositories or events; name an empty schema: --database '...?schema=NAME'"
    )]
    NotEmpty,
    /// The objects are elsewhere.
    #[error("the Git objects of the database are not in the data folder '{}'; name the folder with --data-dir. Objects that several servers share with --objects cannot be moved back", .0.display())]
    OtherObjects(PathBuf),
    /// A file cannot be read or written.
    #[error("cannot use '{}': {source}", path.display())]
    File {
        /// The file or its folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process has opened the file of SQLite, which therefore keeps its name.
    #[error("another process has opened '{}'; all rows are in both databases, so end it, and move this file away", .0.display())]
    Open(PathBuf),
    /// A database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Moves the database of a data folder to a server; returns the number of its rows. The file gets another name.
pub fn move_to_server(data_folder: &Path, server: ServerSettings) -> Result<u64, MoveError> {
    let (file, moved) = (data_folder.join(DATABASE), data_folder.join(MOVED));
    if !file.is_file() {
        return Err(MoveError::NoDatabase(file));
    }
    if moved.exists() {
        return Err(MoveError::Exists(moved));
    }
    let _lock = lock(data_folder)?;
    let (source, target) = (Store::open(&file, Durability::Full)?, Store::connect(server, Durability::Full)?);
    migrate(&source)?;
    migrate(&target)?;
    check_unused(&target)?;
    let (source, folder) = (Arc::new(source), data_folder.to_owned());
    let from = Arc::clone(&source);
    let rows = target.write(move |target| {
        let sql = "SELECT 1 FROM repositories UNION ALL SELECT 1 FROM events LIMIT 1";
        if target.query_one(sql, &[], |row| row.integer(0))?.is_some() {
            return Err(MoveError::NotEmpty);
        }
        objects_id::create(target, &folder).map_err(|source| MoveError::File { path: folder, source })?;
        copy(&from, target)
    })?;
    // That merges its log into the file.
    drop(source);
    if log_of(&file).exists() {
        return Err(MoveError::Open(file));
    }
    fs::rename(&file, &moved).map_err(|source| MoveError::File { path: file, source })?;
    Ok(rows)
}

/// Moves a database from a server into the data folder with its Git objects; returns the number of its rows. The server's rows stay.
pub fn move_to_file(data_folder: &Path, server: ServerSettings) -> Result<u64, MoveError> {
    let (file, partial) = (data_folder.join(DATABASE), data_folder.join(PARTIAL));
    // A log that is left would be taken for that of the new file.
    if let Some(found) = [file.clone(), log_of(&file)].into_iter().find(|file| file.exists()) {
        return Err(MoveError::Exists(found));
    }
    let _lock = lock(data_folder)?;
    let source = Arc::new(Store::connect(server, Durability::Full)?);
    migrate(&source)?;
    check_unused(&source)?;
    if !source.read(|source| objects_id::is_of(source, data_folder))? {
        return Err(MoveError::OtherObjects(data_folder.to_owned()));
    }
    let of_partial = |source| MoveError::File { path: partial.clone(), source };
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(of_partial(error)),
        _ => {}
    }
    let target = Store::open(&partial, Durability::Full)?;
    migrate(&target)?;
    let rows = target.write(move |target| copy(&source, target))?;
    drop(target);
    if log_of(&partial).exists() {
        return Err(MoveError::Open(partial));
    }
    fs::rename(&partial, &file).map_err(of_partial)?;
    // Without it, no server can use the old database with these objects.
    objects_id::remove(data_folder).map_err(|source| MoveError::File { path: data_folder.to_owned(), source })?;
    Ok(rows)
}

/// Returns the write-ahead log of a file of SQLite, which is there while the file is open.
fn log_of(file: &Path) -> PathBuf {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn lock(data_folder: &Path) -> Result<FolderLock, StartError> {
    FolderLock::take("--data-dir", data_folder, "lock", "no address: it moves the database")
}

fn check_unused(store: &Store) -> Result<(), MoveError> {
    cluster::running(store)?.map_or(Ok(()), |node| Err(MoveError::InUse(node.address)))
}

fn copy(source: &Store, target: &Transaction) -> Result<u64, MoveError> {
    Ok(source.read(|source| store::copy_tables(source, target, &OWN_TABLES))?)
}

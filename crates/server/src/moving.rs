//! Moves the database of a data folder to a server with PostgreSQL, and back, and Git objects and large files with it into the storage that
//! several nodes share, or out of it. Log files stay where they are.
//!
//! **Invariant:** the new database has all rows or none, and only then the old one is put aside: no server uses both. Objects are moved while
//! the database is on the server, and `codecommit::moving` keeps it tied to one place that has all of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::{Clock, SystemClock};
use codecommit::moving::{MovedObjects, ObjectMove, StoredLists};
use codecommit::objects_id;
use store::postgres::ServerSettings;
use store::{Durability, Store, Transaction};

use crate::data_folder::{self, DATABASE, REPOSITORIES};
use crate::folders::{self, FolderLock};
use crate::migrations::migrate;
use crate::{Settings, StartError, client_tls, state};

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

/// What was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The number of rows; `None` if an earlier move has moved them.
    pub rows: Option<u64>,
    /// Git objects and large files; `None` if they stay where they are.
    pub objects: Option<MovedObjects>,
}

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
    /// The settings have no server.
    #[error("database: name a server, such as postgres://USER@HOST/DATABASE")]
    NoServer,
    /// The objects are elsewhere.
    #[error(
        "the Git objects of the database are not in '{0}'; name the place that has them: with --objects if several servers share it, else with --data-dir"
    )]
    OtherObjects(String),
    /// The place of the objects cannot be used, so nothing was moved.
    #[error("objects: {0}")]
    Place(#[source] io::Error),
    /// Not all objects were moved.
    #[error(
        "not all Git objects and large files were moved: {0}; the database uses those in the old place, so repeat the command"
    )]
    Objects(#[source] io::Error),
    /// A server has changed the database while it was moved.
    #[error("a server has used the database meanwhile; stop all of its servers, and repeat the command")]
    Changed,
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

/// Moves the database of the data folder of the settings to their server, unless it is there already, and its Git objects and large files into
/// their place of objects, if they name one. The file of the database gets another name; all else in the data folder stays.
pub fn move_to_server(settings: &Settings) -> Result<Moved, MoveError> {
    let (data_folder, server) = places(settings)?;
    let (file, moved) = (data_folder.join(DATABASE), data_folder.join(MOVED));
    let is_in_file = file.is_file();
    if !is_in_file && (settings.objects.is_none() || !data_folder.is_dir()) {
        return Err(MoveError::NoDatabase(file));
    }
    if is_in_file && moved.exists() {
        return Err(MoveError::Exists(moved));
    }
    let _lock = lock(data_folder)?;
    let target = Arc::new(Store::connect(server, Durability::Full)?);
    migrate(&target)?;
    check_unused(&target)?;
    let objects = object_move(settings, data_folder, &target)?;
    let rows = if is_in_file {
        if let Some(objects) = &objects {
            objects.check_free().map_err(MoveError::Place)?;
        }
        Some(move_rows_to_server(data_folder, &target)?)
    } else {
        None
    };
    let Some(objects) = objects else { return Ok(Moved { rows, objects: None }) };
    if !target.read(|target| objects_id::is_of(target, data_folder))? {
        let is_done = objects.is_tied().map_err(MoveError::Place)?;
        return if is_done { Ok(Moved { rows, objects: None }) } else { Err(other_objects(data_folder)) };
    }
    let claim = objects.claim().map_err(MoveError::Place)?;
    let objects = objects.to_storage(claim).map_err(MoveError::Objects)?;
    Ok(Moved { rows, objects: Some(objects) })
}

/// Moves all rows of a data folder to a server, and renames their file; returns their number.
fn move_rows_to_server(data_folder: &Path, target: &Store) -> Result<u64, MoveError> {
    let (file, moved) = (data_folder.join(DATABASE), data_folder.join(MOVED));
    let source = Arc::new(Store::open(&file, Durability::Full)?);
    migrate(&source)?;
    let (from, folder) = (Arc::clone(&source), data_folder.to_owned());
    let rows = target.write(move |target| {
        let sql = "SELECT 1 FROM repositories UNION ALL SELECT 1 FROM events LIMIT 1";
        if target.query_one(sql, &[], |row| row.integer(0))?.is_some() {
            return Err(MoveError::NotEmpty);
        }
        objects_id::create(target, &folder).map_err(|source| MoveError::File { path: folder, source })?;
        from.read(|from| copy(from, target))
    })?;
    // That merges its log into the file.
    drop(source);
    if log_of(&file).exists() {
        return Err(MoveError::Open(file));
    }
    fs::rename(&file, &moved).map_err(|source| MoveError::File { path: file, source })?;
    Ok(rows)
}

/// Moves the database from the server of the settings into their data folder, which has its Git objects, or gets those of the place of objects
/// that they name. All rows stay on the server, and all objects in that place.
pub fn move_to_file(settings: &Settings) -> Result<Moved, MoveError> {
    let (data_folder, server) = places(settings)?;
    let (file, partial) = (data_folder.join(DATABASE), data_folder.join(PARTIAL));
    // A log that is left would be taken for that of the new file.
    if let Some(found) = [file.clone(), log_of(&file)].into_iter().find(|file| file.exists()) {
        return Err(MoveError::Exists(found));
    }
    if settings.objects.is_some() {
        data_folder::create(data_folder)?;
    }
    let _lock = lock(data_folder)?;
    let source = Arc::new(Store::connect(server, Durability::Full)?);
    migrate(&source)?;
    check_unused(&source)?;
    let objects = object_move(settings, data_folder, &source)?;
    let fetched = match objects {
        Some(objects) if objects.is_tied().map_err(MoveError::Place)? => {
            Some(objects.to_folder().map_err(MoveError::Objects)?)
        }
        None if source.read(|source| objects_id::is_of(source, data_folder))? => None,
        Some(objects) => return Err(MoveError::OtherObjects(objects.to_string())),
        None => return Err(other_objects(data_folder)),
    };
    let (objects, lists) = fetched.unzip();
    let of_partial = |source| MoveError::File { path: partial.clone(), source };
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(of_partial(error)),
        _ => {}
    }
    let target = Store::open(&partial, Durability::Full)?;
    migrate(&target)?;
    let rows = target.write(move |target| source.read(|source| copy_back(source, target, lists.as_ref())))?;
    drop(target);
    if log_of(&partial).exists() {
        return Err(MoveError::Open(partial));
    }
    fs::rename(&partial, &file).map_err(of_partial)?;
    if objects.is_none() {
        // Without it, no server can use the old database with these objects.
        objects_id::remove(data_folder).map_err(|source| MoveError::File { path: data_folder.to_owned(), source })?;
    }
    Ok(Moved { rows: Some(rows), objects })
}

fn other_objects(data_folder: &Path) -> MoveError {
    MoveError::OtherObjects(data_folder.display().to_string())
}

/// Returns the data folder and the server of the settings.
fn places(settings: &Settings) -> Result<(&Path, ServerSettings), MoveError> {
    let server = settings.database.clone().ok_or(MoveError::NoServer)?;
    let data_folder = settings.data_dir.as_deref().ok_or(MoveError::NoDatabase(DATABASE.into()))?;
    folders::check(settings, data_folder)?;
    Ok((data_folder, server))
}

/// Opens the place of objects of the settings for a move from or to a data folder.
fn object_move(settings: &Settings, data_folder: &Path, store: &Arc<Store>) -> Result<Option<ObjectMove>, MoveError> {
    let Some(place) = &settings.objects else { return Ok(None) };
    let tls = client_tls(settings.client_ca.as_deref()).map_err(StartError::ClientAuthorities)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let shared = state::shared_in(place, settings, &clock, &tls);
    let opened = ObjectMove::open(Arc::clone(store), data_folder.join(REPOSITORIES), &shared);
    Ok(Some(opened.map_err(MoveError::Place)?))
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

fn copy(source: &Transaction, target: &Transaction) -> Result<u64, MoveError> {
    Ok(store::copy_tables(source, target, &OWN_TABLES)?)
}

/// Copies all rows for a server that has all objects in its data folder; fails if other ones than in `lists` would be needed.
fn copy_back(source: &Transaction, target: &Transaction, lists: Option<&StoredLists>) -> Result<u64, MoveError> {
    if let Some(lists) = lists
        && !lists.is_current(source)?
    {
        return Err(MoveError::Changed);
    }
    let rows = copy(source, target)?;
    codecommit::moving::forget_storage(target)?;
    Ok(rows)
}

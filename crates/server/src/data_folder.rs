//! The data folder at the start of a server.

use std::fs;
use std::io;
use std::path::Path;

use crate::StartError;

/// The database file in a data folder.
pub(crate) const DATABASE: &str = "codecommit.db";

/// The folder of the repositories' objects in a data folder.
pub(crate) const REPOSITORIES: &str = "repositories";

/// The folder of the copies of objects that several nodes share, in a data folder.
pub(crate) const COPIES: &str = "copies";

/// The log of the messages of triggers in a data folder.
pub(crate) const TRIGGER_LOG: &str = "triggers.ndjson";

/// The file of events for EventBridge in a data folder.
pub(crate) const EVENTS: &str = "eventbridge.ndjson";

/// The log of the events that were given up in a data folder.
pub(crate) const UNDELIVERED_EVENTS: &str = "eventbridge-undelivered.ndjson";

/// The file with the id of a node in a data folder, which a later process of the same node has, too.
pub(crate) const NODE_ID: &str = "node-id";

/// Creates the folder if it does not exist.
pub(crate) fn create(folder: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::Folder { setting: "--data-dir", path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)
}

/// Rejects a folder that holds repositories and has lost its database.
///
/// A new database would know none of these repositories, and objects of new ones would be mixed with theirs.
pub(crate) fn check_database(folder: &Path) -> Result<(), StartError> {
    let (database, repositories) = (folder.join(DATABASE), folder.join(REPOSITORIES));
    if database.metadata().is_ok_and(|file| file.len() > 0) {
        return Ok(());
    }
    let is_repository =
        |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.path().join("objects").is_dir());
    let count = fs::read_dir(&repositories)
        .into_iter()
        .flatten()
        .filter_map(|entry| is_repository(entry).then_some(()))
        .count();
    if count > 0 { Err(StartError::DatabaseLost { database, repositories, count }) } else { Ok(()) }
}

/// Rejects a folder with a database of its own, when the database is on a server.
///
/// Its repositories would be unknown to the database on the server.
pub(crate) fn check_no_database(folder: &Path) -> Result<(), StartError> {
    let file = folder.join(DATABASE);
    if file.metadata().is_ok_and(|file| file.len() > 0) { Err(StartError::OtherDatabase(file)) } else { Ok(()) }
}

/// Adds the path to an I/O error.
pub(crate) fn with_path(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

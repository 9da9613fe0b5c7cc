//! The data folder as it is found at the start.

use std::fs;
use std::io;
use std::path::Path;

use crate::StartError;

/// The database file in a data folder.
pub(crate) const DATABASE: &str = "codecommit.db";

/// The folder of the repositories' objects in a data folder.
pub(crate) const REPOSITORIES: &str = "repositories";

/// Makes the folder if it is not there.
pub(crate) fn make(folder: &Path) -> Result<(), StartError> {
    Ok(fs::create_dir_all(folder).map_err(at(folder))?)
}

/// Refuses a folder that holds repositories and has lost the database that knows them.
///
/// A new database would make a server without repositories, and new ones would be mixed with what is left of the others.
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

/// Names the path that an error of the system is about.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// What to do about an error of the system.
pub(crate) fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; give this user access to it, or choose other folders with --data-dir and --trail-dir"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "; a file is where a folder belongs: move it away, or choose other folders with --data-dir and --trail-dir"
        }
        io::ErrorKind::IsADirectory => "; a folder is where a file belongs: move it away",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space on its disk",
        _ => "",
    }
}

//! Checks that the path of the database still names the open file.
//!
//! A removed file can be written while it is open, but its content is lost when the process ends.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Error;

/// The files of an open database.
pub(crate) struct Presence {
    file: Arc<Path>,
    file_id: Option<FileId>,
    log: PathBuf,
    log_id: Option<FileId>,
}

/// Device and inode.
type FileId = (u64, u64);

impl Presence {
    /// Remembers the files of a database that was just opened.
    pub(crate) fn of(file: Arc<Path>) -> Self {
        let mut log = OsString::from(&*file);
        log.push("-wal");
        let log = PathBuf::from(log);
        Self { file_id: id(&file), log_id: id(&log), file, log }
    }

    /// Fails if the paths name other files or none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.check_file()?;
        if is_unchanged(self.log_id, &self.log) { Ok(()) } else { Err(Error::Gone(self.log.clone())) }
    }

    /// Fails if the path of the database names another file or none; ignores the log.
    pub(crate) fn check_file(&self) -> Result<(), Error> {
        if is_unchanged(self.file_id, &self.file) { Ok(()) } else { Err(Error::Gone(self.file.to_path_buf())) }
    }

    /// Remembers the log after the first commit, which creates it if the database was opened without one.
    pub(crate) fn remember_first_log(&mut self) {
        if self.log_id.is_none() {
            self.remember_log();
        }
    }

    /// Remembers the log after the database was opened again, which may have created another one.
    pub(crate) fn remember_log(&mut self) {
        self.log_id = id(&self.log);
    }
}

fn is_unchanged(known: Option<FileId>, path: &Path) -> bool {
    known.is_none() || known == id(path)
}

fn id(path: &Path) -> Option<FileId> {
    path.metadata().ok().map(|file| (file.dev(), file.ino()))
}

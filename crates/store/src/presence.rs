//! Whether the database that is open is still the one that its path names.
//!
//! A file that was removed can be written for as long as it is open, and all of it is lost with the process.

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
    /// Notes which files a database has that has just been opened.
    pub(crate) fn of(file: Arc<Path>) -> Self {
        let mut log = OsString::from(&*file);
        log.push("-wal");
        let log = PathBuf::from(log);
        Self { file_id: id(&file), log_id: id(&log), file, log }
    }

    /// Fails if the paths name other files now, or none.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.check_file()?;
        if is_there(self.log_id, &self.log) { Ok(()) } else { Err(Error::Gone(self.log.clone())) }
    }

    /// Fails if the database file is another one now, or none; the log may be.
    pub(crate) fn check_file(&self) -> Result<(), Error> {
        if is_there(self.file_id, &self.file) { Ok(()) } else { Err(Error::Gone(self.file.to_path_buf())) }
    }

    /// Notes the log after a commit, if the database had none when it was opened: the first commit makes it.
    pub(crate) fn note_first_log(&mut self) {
        if self.log_id.is_none() {
            self.note_log();
        }
    }

    /// Notes which log there is after the database was opened again, which may have made another.
    pub(crate) fn note_log(&mut self) {
        self.log_id = id(&self.log);
    }
}

fn is_there(known: Option<FileId>, path: &Path) -> bool {
    known.is_none() || known == id(path)
}

fn id(path: &Path) -> Option<FileId> {
    path.metadata().ok().map(|file| (file.dev(), file.ino()))
}

//! The lock that a server holds on a folder: only one server can use a folder at a time, or those with the same database.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use crate::StartError;

/// Bytes that are read of the text in which the holder of a lock names itself.
const HOLDER_BYTES_MAX: u64 = 1_024;

/// Attempts to share a lock that another server is just sharing, too.
const ATTEMPTS: u32 = 20;

/// Time between them.
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(50);

/// Held while a server uses a folder; the operating system releases it when the process ends.
pub(crate) struct FolderLock {
    file: File,
    /// Whether the text in it is also that of others.
    is_shared: bool,
}

impl FolderLock {
    /// Takes the lock `name` of the folder that a setting names, and writes the process and its URL into it.
    pub(crate) fn take(setting: &'static str, folder: &Path, name: &str, url: &str) -> Result<Self, StartError> {
        let (mut file, failed) = open(setting, folder, name)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::InUse { setting, folder: folder.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The text only serves an error message, so a full disk does not matter.
        let _ = file.set_len(0).and_then(|()| write!(file, "process {} at {url}", std::process::id()));
        Ok(Self { file, is_shared: false })
    }

    /// Takes the lock together with all servers that use the same database on a server, whose URL is written into it.
    ///
    /// The host in the URL does not count, as machines may know the same server by other names.
    pub(super) fn share(setting: &'static str, folder: &Path, name: &str, database: &str) -> Result<Self, StartError> {
        let (mut file, failed) = open(setting, folder, name)?;
        let text = format!("nodes on {database}");
        for attempt in 1..=ATTEMPTS {
            match file.try_lock() {
                Ok(()) => {
                    // Others compare the text, but only while it is locked by nobody who writes it.
                    let written =
                        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
                    written.and_then(|()| file.unlock()).map_err(&failed)?;
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            match file.try_lock_shared() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(ATTEMPT_INTERVAL),
                Err(TryLockError::WouldBlock) => {
                    return Err(StartError::InUse { setting, folder: folder.to_owned(), holder: holder(&mut file) });
                }
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
        }
        let held_by = holder(&mut file);
        if without_host(&held_by) == without_host(&format!(" ({text})")) {
            return Ok(Self { file, is_shared: true });
        }
        Err(StartError::InUse { setting, folder: folder.to_owned(), holder: held_by })
    }
}

/// Opens a lock file; also returns what makes an error of it.
fn open<'a>(
    setting: &'static str,
    folder: &'a Path,
    name: &str,
) -> Result<(File, impl Fn(io::Error) -> StartError + 'a), StartError> {
    let path = folder.join(name);
    let open = || {
        std::fs::create_dir_all(path.parent().expect("the name is joined to a folder"))?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
    };
    let opened = open();
    // Without a lock file, the folder is what cannot be used.
    let failed = move |source| {
        let path = if path.symlink_metadata().is_ok() { path.clone() } else { folder.to_owned() };
        StartError::Folder { setting, path, source }
    };
    match opened {
        Ok(file) => Ok((file, failed)),
        Err(source) => Err(failed(source)),
    }
}

/// Returns the database and the schema of a URL, with what follows it. The host can be the path of a socket.
fn without_host(text: &str) -> &str {
    text.rsplit_once('/').map_or(text, |(_, database)| database)
}

/// Reads how the holder of a lock names itself; returns an empty text if it does not.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(HOLDER_BYTES_MAX).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() => format!(" ({text})"),
        _ => String::new(),
    }
}

impl Drop for FolderLock {
    /// Unlocks explicitly, as a child process that is being started has the open file, too.
    fn drop(&mut self) {
        if !self.is_shared {
            // The folder may have been removed.
            let _ = self.file.set_len(0);
        }
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_that_name_the_host_of_their_database_differently_share_a_folder() {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let share = |database: &str| FolderLock::share("--trail-dir", folder.path(), "lock", database);
        let _held = ["db:5432", "10.0.0.7,10.0.0.8", "/run/postgresql"]
            .map(|host| share(&format!("postgres://{host}/git?schema=one")).expect("it is the same database"));
        let error = share("postgres://db:5432/git?schema=two").err().expect("it is another schema").to_string();
        assert!(error.contains("nodes on postgres://db:5432/git?schema=one"), "{error}");
    }
}

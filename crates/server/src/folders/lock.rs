//! The lock that a server holds on a folder: only one server can use a folder at a time.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use crate::StartError;

/// Bytes that are read of the text in which the holder of a lock names itself.
const HOLDER_BYTES_MAX: u64 = 256;

/// Held while a server uses a folder; the operating system releases it when the process ends.
pub(super) struct FolderLock(File);

impl FolderLock {
    /// Takes the lock `name` of the folder that a setting names, and writes the process and its URL into it.
    pub(super) fn take(setting: &'static str, folder: &Path, name: &str, url: &str) -> Result<Self, StartError> {
        let path = folder.join(name);
        let open = || {
            std::fs::create_dir_all(path.parent().expect("the name is joined to a folder"))?;
            let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
            if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
        };
        // Without a lock file, the folder is what cannot be used.
        let failed_path = || if path.symlink_metadata().is_ok() { path.clone() } else { folder.to_owned() };
        let failed = |source| StartError::Folder { setting, path: failed_path(), source };
        let mut file = open().map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::InUse { setting, folder: folder.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The text only serves an error message, so a full disk does not matter.
        let _ = file.set_len(0).and_then(|()| write!(file, "process {} at {url}", std::process::id()));
        Ok(Self(file))
    }
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
        // The folder may have been removed.
        let _ = self.0.set_len(0);
        let _ = self.0.unlock();
    }
}

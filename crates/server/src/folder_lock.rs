//! A folder takes one server: the lock that a server holds on it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::path::Path;

use crate::StartError;

/// The most that is read of what the holder of a lock says of itself.
const HOLDER_BYTES_MAX: u64 = 256;

/// Held while a server uses a folder; the system lets go of it when the process dies.
pub(crate) struct FolderLock(File);

impl FolderLock {
    /// Takes the lock `name` of the folder that a setting names, and writes into it who holds it.
    pub(crate) fn take(
        setting: &'static str,
        folder: &Path,
        name: &str,
        address: SocketAddr,
    ) -> Result<Self, StartError> {
        let path = folder.join(name);
        let open = || {
            std::fs::create_dir_all(path.parent().expect("a lock lies in a folder"))?;
            let file = File::options().read(true).write(true).create(true).truncate(false).open(&path)?;
            if file.metadata()?.is_file() {
                Ok(file)
            } else {
                Err(io::Error::other("it is no regular file; move it away"))
            }
        };
        let failed = |source| StartError::Folder { setting, path: path.clone(), source };
        let mut file = open().map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StartError::InUse { setting, folder: folder.to_owned(), holder: holder(&mut file) });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // The text serves a message alone, so that a full disk does not matter.
        let _ = file.set_len(0).and_then(|()| write!(file, "process {} at http://{address}", std::process::id()));
        Ok(Self(file))
    }
}

/// Reads who holds a lock; nothing where it says nothing.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(HOLDER_BYTES_MAX).read_to_string(&mut text));
    match read {
        Ok(_) if !text.is_empty() => format!(" ({text})"),
        _ => String::new(),
    }
}

impl Drop for FolderLock {
    /// Closing the file alone would not do: a child process that is just being started holds it too.
    fn drop(&mut self) {
        // The folder may be gone already.
        let _ = self.0.set_len(0);
        let _ = self.0.unlock();
    }
}

//! One server to a data folder.

use std::fs::File;
use std::path::Path;

use crate::StartError;

/// Held while a server uses a folder; the system lets go of it when the process dies.
pub(crate) struct FolderLock(File);

impl FolderLock {
    pub(crate) fn take(folder: &Path) -> Result<Self, StartError> {
        let file = File::create(folder.join("lock"))?;
        file.try_lock().map_err(|_| StartError::InUse { folder: folder.to_owned() })?;
        Ok(Self(file))
    }
}

impl Drop for FolderLock {
    /// Closing the file alone would not do: a child process that is just being started holds it too.
    fn drop(&mut self) {
        // The folder may be gone already.
        let _ = self.0.unlock();
    }
}

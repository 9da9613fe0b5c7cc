//! The removal of all objects of a prefix, while others may put objects of that prefix.
//!
//! **Invariant:** a folder is removed from its place at once, by renaming it, so that nobody puts anything into it while it is emptied.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::file::unless;
use super::{FolderBucket, METADATA};

/// Where folders are moved to that are removed, in the folder of metadata; no key's metadata has such a name.
const REMOVED: &str = "removed.partial";

/// Attempts to empty a folder while others put entries into it.
const ATTEMPTS: u32 = 1_000;

impl FolderBucket {
    /// Removes all objects of a prefix that ends in a slash, and the folders above that are empty then.
    pub(crate) fn remove_all(&self, prefix: &str) -> io::Result<()> {
        let metadata = self.folder.join(METADATA);
        let removed = metadata.join(REMOVED);
        for root in [&self.folder, &metadata] {
            let folder = root.join(prefix);
            if fs::symlink_metadata(&folder).is_err() {
                continue;
            }
            fs::create_dir_all(&removed)?;
            if unless(ErrorKind::NotFound, fs::rename(&folder, removed.join("folder"))).is_err() {
                remove_in_place(&folder)?;
            }
            // Whoever looked a folder up before it was moved can still put one entry into it.
            remove_in_place(&removed)?;
            // A folder that holds something else stays.
            let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(root) && *above != root);
            above.take_while(|above| fs::remove_dir(above).is_ok()).for_each(drop);
        }
        Ok(())
    }
}

/// Empties a folder and removes it, over and over while others put something into it.
fn remove_in_place(folder: &Path) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            result => return unless(ErrorKind::NotFound, result),
        }
    }
    fs::remove_dir_all(folder)
}

//! The removal of all objects of a prefix, while others may put objects of that prefix.
//!
//! **Invariant:** a folder is first renamed and then emptied, so that no object is put into it meanwhile.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::file::accept;
use super::{FolderBucket, METADATA};

/// The folder, in the folder of metadata, that folders to be removed are moved into; it is no key's metadata.
const REMOVED: &str = "removed.partial";

/// Attempts to empty a folder into which others put entries.
const ATTEMPTS: u32 = 1_000;

impl FolderBucket {
    /// Removes all objects of a prefix that ends in a slash, and the parent folders that are empty afterwards.
    pub fn remove_all(&self, prefix: &str) -> io::Result<()> {
        let metadata = self.folder.join(METADATA);
        let removed = metadata.join(REMOVED);
        for root in [&self.folder, &metadata] {
            let folder = root.join(prefix);
            if fs::symlink_metadata(&folder).is_err() {
                continue;
            }
            fs::create_dir_all(&removed)?;
            if accept(ErrorKind::NotFound, fs::rename(&folder, removed.join("folder"))).is_err() {
                remove_in_place(&folder)?;
            }
            // A put that resolved the folder before the rename can still add one entry to it.
            remove_in_place(&removed)?;
            // Parent folders with other content stay.
            let parents = folder.ancestors().skip(1).take_while(|parent| parent.starts_with(root) && *parent != root);
            parents.take_while(|parent| fs::remove_dir(parent).is_ok()).for_each(drop);
        }
        Ok(())
    }
}

/// Empties and removes a folder, again and again while others put something into it.
fn remove_in_place(folder: &Path) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {}
            result => return accept(ErrorKind::NotFound, result),
        }
    }
    fs::remove_dir_all(folder)
}

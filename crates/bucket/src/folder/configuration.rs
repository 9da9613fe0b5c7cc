//! The configuration of a bucket, and its folder made and removed.
//!
//! A bucket's own files are in a folder that no object's metadata can be in, as no key begins with its name.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file::{self, read_regular_file};
use super::{FolderBucket, METADATA, at, is_absence};

/// The file of the configuration.
const CONFIGURATION: &str = "bucket.json";

impl FolderBucket {
    /// Reads the configuration: texts by name, which mean something to the bucket's owner only. A bucket without any has none.
    pub fn configuration(&self) -> io::Result<BTreeMap<String, String>> {
        let path = self.own_path(CONFIGURATION);
        match read_regular_file(&path) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if is_absence(&error) => Ok(BTreeMap::new()),
            Err(error) => Err(at(&path, &error)),
        }
    }

    /// Replaces the configuration.
    pub fn set_configuration(&self, configuration: &BTreeMap<String, String>) -> io::Result<()> {
        let (path, text) = (self.own_path(CONFIGURATION), serde_json::to_vec_pretty(configuration)?);
        file::write_file(&path, &mut &text[..], self.options).map_err(|error| at(&path, &error))
    }

    /// Tells whether the bucket's folder exists.
    pub fn exists(&self) -> bool {
        self.folder.is_dir()
    }

    /// Creates the bucket's folder; fails with `AlreadyExists` if there is one.
    pub fn create(&self) -> io::Result<()> {
        let parents = self.folder.parent().map_or(Ok(()), fs::create_dir_all);
        parents.and_then(|()| fs::create_dir(&self.folder)).map_err(|error| at(&self.folder, &error))
    }

    /// Removes the bucket's folder; fails with `DirectoryNotEmpty` if it has anything but metadata and empty folders.
    pub fn delete(&self) -> io::Result<()> {
        let delete = || {
            for entry in fs::read_dir(&self.folder)? {
                let entry = entry?;
                if entry.file_name() != METADATA && has_files(&entry.path())? {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
            }
            file::accept(io::ErrorKind::NotFound, fs::remove_dir_all(self.folder.join(METADATA)))?;
            remove_folders(&self.folder)
        };
        delete().map_err(|error| at(&self.folder, &error))
    }

    /// Returns the path of a file or folder of the bucket's own.
    pub(super) fn own_path(&self, name: &str) -> PathBuf {
        self.folder.join(METADATA).join(METADATA).join(name)
    }
}

/// Tells whether a path is anything but a folder of empty folders.
fn has_files(path: &Path) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return Ok(true);
    }
    for entry in fs::read_dir(path)? {
        if has_files(&entry?.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes a folder of empty folders.
fn remove_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        remove_folders(&entry?.path())?;
    }
    fs::remove_dir(folder)
}

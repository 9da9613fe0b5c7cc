//! A bucket that is a folder: objects are files, their keys the paths.
//!
//! **Invariant:** no key leads out of the folder, neither by its text nor over a link, or to a file that is no object.

mod file;
mod name;
mod public_keys;
mod removal;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(super) use self::file::OBJECT;
pub(crate) use self::file::{read_regular, write_whole};
pub(super) use self::name::{fold, is_named_as_object};
use super::Bucket;

/// The folder, at a bucket's root, of what S3 would keep beside objects: `.metadata/KEY.json`, an object of texts by name.
const METADATA: &str = ".metadata";

/// The file of the keys that a bucket's digests are verified with.
pub(crate) const PUBLIC_KEYS: &str = ".metadata/public-keys.json";

/// The longest key that S3 knows.
const KEY_BYTES_MAX: usize = 1024;

/// A bucket that is a folder.
#[derive(Clone, Debug)]
pub struct FolderBucket {
    folder: PathBuf,
    sync: bool,
}

/// What is told of an object without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The key.
    pub key: String,
    /// The size.
    pub bytes: u64,
    /// When it was put there.
    pub modified: SystemTime,
}

impl FolderBucket {
    /// Takes the folder as it is; `sync` is whether objects are brought to the disk itself.
    pub const fn new(folder: PathBuf, sync: bool) -> Self {
        Self { folder, sync }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads an object's metadata; there is none for most.
    pub fn metadata(&self, key: &str) -> io::Result<BTreeMap<String, String>> {
        match read_regular(&self.metadata_path(key)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// Opens an object; `None` where there is none of this key.
    pub fn open(&self, key: &str) -> io::Result<Option<(Object, File)>> {
        let open = || {
            let Some(path) = self.object_path(key)? else { return Ok(None) };
            let file = File::open(path)?;
            Ok(Object::of(key.to_owned(), &file.metadata()?).map(|object| (object, file)))
        };
        match open() {
            Err(error) if is_absence(&error) => Ok(None),
            opened => opened,
        }
    }

    /// Tells whether an object of this key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.object_path(key).is_ok_and(|path| path.is_some())
    }

    /// Returns the path of a key's file; `None` where it is no regular file, is no object, or is reached over a link.
    ///
    /// Nothing else is ever opened: to open a pipe may take for ever.
    fn object_path(&self, key: &str) -> io::Result<Option<PathBuf>> {
        let mut path = self.folder.clone();
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        for (depth, name) in key.split('/').enumerate() {
            if !is_named_as_object(name, depth == 0) {
                return Ok(None);
            }
            path.push(name);
            if fs::symlink_metadata(&path)?.is_symlink() {
                return Ok(None);
            }
        }
        let mut file = fs::symlink_metadata(&path)?;
        if file.is_dir() {
            path.push(OBJECT);
            file = fs::symlink_metadata(&path)?;
        }
        Ok(file.is_file().then_some(path))
    }

    fn metadata_path(&self, key: &str) -> PathBuf {
        self.folder.join(METADATA).join(format!("{key}.json"))
    }
}

impl Object {
    /// Takes what the file system tells of a file; what is none is no object.
    pub(super) fn of(key: String, file: &fs::Metadata) -> Option<Self> {
        let modified = file.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        file.is_file().then_some(Self { key, bytes: file.len(), modified })
    }
}

impl Bucket for FolderBucket {
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()> {
        if !metadata.is_empty() {
            let metadata: BTreeMap<_, _> = metadata.iter().copied().collect();
            let text = serde_json::to_vec(&metadata)?;
            let (root, name) = (self.folder.join(METADATA), format!("{key}.json"));
            file::write_object(&root, &name, self.sync, || Ok(&text[..]))
                .map_err(|error| at(&root.join(name), &error))?;
        }
        let put = if key.ends_with('/') {
            // An object that stands for a folder.
            file::make_folders(&self.folder, key)
        } else {
            file::write_object(&self.folder, key, self.sync, || Ok(content))
        };
        put.map_err(|error| at(&self.folder.join(key), &error))
    }

    fn put_file(&self, key: &str, path: &Path) -> io::Result<()> {
        let put = file::write_object(&self.folder, key, self.sync, || File::open(path));
        put.map_err(|error| at(&self.folder.join(key), &error))
    }

    fn keep_public_keys(&self, file: &[u8]) -> io::Result<()> {
        let path = self.folder.join(PUBLIC_KEYS);
        public_keys::keep(&path, file, self.sync).map_err(|error| at(&path, &error))
    }
}

/// Adds the path to a failure.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Tells whether a path leads nowhere, which is what a key without an object does.
pub(super) fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests;

//! A bucket in a folder: objects are files, and their keys are the paths.
//!
//! **Invariant:** no key leads out of the folder, neither by its text nor through a link, and only regular files are objects.

mod attributes;
mod configuration;
mod file;
mod incoming;
mod name;
mod removal;
mod upload;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use self::attributes::Attributes;
pub(crate) use self::file::OBJECT;
pub(crate) use self::file::PREFIX_OBJECT;
use self::file::read_regular_file;
pub use self::file::write_whole_file;
pub use self::incoming::Incoming;
pub(crate) use self::name::is_object_name;
pub use self::name::{fold_case, is_object_key};
pub use self::upload::{Part, Upload};
use crate::{Bucket, KEY_BYTES_MAX};

/// The folder, at a bucket's root, of all that is not an object: metadata as `.metadata/KEY.json`, and files of the bucket's owner.
pub const METADATA: &str = ".metadata";

/// How a folder bucket keeps objects.
#[derive(Clone, Copy, Debug, Default)]
pub struct FolderOptions {
    /// Whether an object is flushed to the disk before its put returns.
    pub sync: bool,
    /// Names at the bucket's root that never are objects, in lower case, such as files of the bucket's owner.
    pub reserved: &'static [&'static str],
    /// Distinguishes the incomplete files of this process from those of others that write into the same folder; 24 bits count.
    pub writer: Option<u32>,
}

/// A bucket in a folder.
#[derive(Clone, Debug)]
pub struct FolderBucket {
    folder: PathBuf,
    options: FolderOptions,
}

/// An object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The key.
    pub key: String,
    /// The size.
    pub bytes: u64,
    /// The time of the last put.
    pub modified: SystemTime,
}

impl FolderBucket {
    /// Creates the bucket of a folder, which need not exist.
    pub const fn new(folder: PathBuf, options: FolderOptions) -> Self {
        Self { folder, options }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Reads an object's metadata; most objects have none.
    pub fn metadata(&self, key: &str) -> io::Result<BTreeMap<String, String>> {
        Ok(Attributes::from_texts(self.metadata_texts(key)?).metadata)
    }

    /// Reads the file of an object's metadata.
    fn metadata_texts(&self, key: &str) -> io::Result<BTreeMap<String, String>> {
        match read_regular_file(&self.metadata_path(key)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    /// Returns the path of a file that the bucket's owner keeps beside the metadata; no object has it.
    pub fn side_path(&self, name: &str) -> PathBuf {
        self.folder.join(METADATA).join(name)
    }

    /// Reads a file that the bucket's owner keeps beside the metadata; `None` if there is none.
    pub fn read_side_file(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = self.side_path(name);
        match read_regular_file(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path, &error)),
        }
    }

    /// Writes a file that the bucket's owner keeps beside the metadata, whole or not at all.
    pub fn write_side_file(&self, name: &str, mut content: &[u8]) -> io::Result<()> {
        let path = self.side_path(name);
        file::write_file(&path, &mut content, self.options).map_err(|error| at(&path, &error))
    }

    /// Opens an object; `None` if there is none of this key.
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

    /// Tells whether there is an object of this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.object_path(key).is_ok_and(|path| path.is_some())
    }

    /// Tells whether a part of a key can name an object or a folder of objects, at the root or below it.
    pub(crate) fn is_object_name(&self, name: &str, at_root: bool) -> bool {
        is_object_name(name, at_root, self.options.reserved)
    }

    /// Returns the path of a key's file; `None` if it is no regular file, no object, or behind a link.
    ///
    /// Nothing else is ever opened: opening a pipe may take for ever.
    fn object_path(&self, key: &str) -> io::Result<Option<PathBuf>> {
        let mut path = self.folder.clone();
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        let prefix = key.strip_suffix('/');
        for (depth, name) in prefix.unwrap_or(key).split('/').enumerate() {
            if !self.is_object_name(name, depth == 0) {
                return Ok(None);
            }
            path.push(name);
            if fs::symlink_metadata(&path)?.is_symlink() {
                return Ok(None);
            }
        }
        if prefix.is_some() {
            path.push(PREFIX_OBJECT);
        }
        let mut file = fs::symlink_metadata(&path)?;
        if file.is_dir() {
            path.push(OBJECT);
            file = fs::symlink_metadata(&path)?;
        }
        Ok(file.is_file().then_some(path))
    }

    /// Returns the path of the file of an object's metadata, existing or not.
    fn metadata_path(&self, key: &str) -> PathBuf {
        let path = self.folder.join(METADATA).join(format!("{key}.json"));
        // The metadata of `a` and of `a.json/b` are both below `a.json`.
        if path.is_dir() { path.join(OBJECT) } else { path }
    }
}

impl Object {
    /// Creates the object of a file from its file system metadata; `None` unless it is a regular file.
    pub(crate) fn of(key: String, file: &fs::Metadata) -> Option<Self> {
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
            file::write_object(&root, &name, self.options, || Ok(&text[..]))
                .map_err(|error| at(&root.join(name), &error))?;
        }
        let put = if key.ends_with('/') {
            // An object that stands for a folder.
            file::create_folders(&self.folder, key)
        } else {
            file::write_object(&self.folder, key, self.options, || Ok(content))
        };
        put.map_err(|error| at(&self.folder.join(key), &error))
    }

    fn put_file(&self, key: &str, path: &Path) -> io::Result<()> {
        let put = file::write_object(&self.folder, key, self.options, || File::open(path));
        put.map_err(|error| at(&self.folder.join(key), &error))
    }
}

/// Adds the path to an error.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Tells whether an error means that there is nothing at the path of a key.
pub(crate) fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests;

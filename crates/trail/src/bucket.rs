//! Buckets: where log files and digests are delivered.
//!
//! **Invariant:** an object appears whole or not at all, and its metadata no later than itself.

mod folder;
mod listing;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use folder::{FolderBucket, Object};
pub(crate) use folder::{PUBLIC_KEYS, write_whole};
pub use listing::{Listing, Page};

/// A bucket that objects can be put into.
pub trait Bucket: Send + Sync {
    /// Writes an object, and its metadata if it has any.
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()>;

    /// Writes an object whose content is a file's, without metadata.
    fn put_file(&self, key: &str, path: &Path) -> io::Result<()> {
        self.put(key, &fs::read(path)?, &[])
    }

    /// Keeps the file of public keys beside the objects, where there is a place for it.
    fn keep_public_keys(&self, _file: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Where a bucket is that can be read.
#[derive(Clone, Debug)]
pub enum Found {
    /// In a folder here.
    Folder(FolderBucket),
    /// Elsewhere.
    Remote,
}

/// All buckets, by name.
pub struct Buckets {
    own: (String, FolderBucket),
    beside: PathBuf,
    sync: bool,
    remote: BTreeMap<String, Arc<dyn Bucket>>,
}

impl Buckets {
    /// Knows the trail directory as a bucket of a name of its own, and those that lie elsewhere; all others are folders in `beside`.
    pub fn new(own: (String, PathBuf), beside: PathBuf, remote: BTreeMap<String, Arc<dyn Bucket>>, sync: bool) -> Self {
        let (name, folder) = own;
        Self { own: (name, FolderBucket::new(folder, sync)), beside, sync, remote }
    }

    /// Returns a bucket; the name is a valid one, and no path.
    pub fn get(&self, name: &str) -> Arc<dyn Bucket> {
        match self.remote.get(name) {
            Some(remote) => Arc::clone(remote),
            None => Arc::new(self.folder(name)),
        }
    }

    /// Returns the bucket that is a folder here, whether there is such a folder or not.
    pub fn folder(&self, name: &str) -> FolderBucket {
        if name == self.own.0 { self.own.1.clone() } else { FolderBucket::new(self.beside.join(name), self.sync) }
    }

    /// Finds a bucket that is there, whatever the name is.
    pub fn find(&self, name: &str) -> Option<Found> {
        if self.remote.contains_key(name) {
            return Some(Found::Remote);
        }
        let is_there = || fs::symlink_metadata(self.beside.join(name)).is_ok_and(|file| file.is_dir());
        (name == self.own.0 || is_name(name) && is_there()).then(|| Found::Folder(self.folder(name)))
    }

    /// Lists the names of all buckets that are there.
    pub fn names(&self) -> io::Result<BTreeSet<String>> {
        let mut names: BTreeSet<String> = self.remote.keys().cloned().collect();
        names.insert(self.own.0.clone());
        let beside = match fs::read_dir(&self.beside) {
            Ok(beside) => beside,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(error),
        };
        for entry in beside {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().filter(|name| is_name(name));
            names.extend(name.filter(|_| entry.file_type().is_ok_and(|it| it.is_dir())));
        }
        Ok(names)
    }

    /// Tells whether an object of this key is in a bucket; of buckets that lie elsewhere nothing is known.
    pub(crate) fn has(&self, bucket: &str, key: &str) -> bool {
        !self.is_remote(bucket) && self.folder(bucket).has(key)
    }

    /// Tells whether a bucket lies elsewhere.
    pub(crate) fn is_remote(&self, name: &str) -> bool {
        self.remote.contains_key(name)
    }

    /// Returns the name of the bucket that the trail directory is.
    pub fn own_name(&self) -> &str {
        &self.own.0
    }
}

/// Tells whether a text can be the key of an object in a bucket of either kind, and the beginning of one.
pub(crate) fn is_object_key(key: &str) -> bool {
    key.split('/').enumerate().all(|(depth, name)| folder::is_named_as_object(name, depth == 0))
}

/// Tells whether a name can be a bucket's: no path can.
pub(crate) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let within = name.bytes().all(|byte| plain(byte) || byte == b'.' || byte == b'-');
    let ends = name.bytes().next().is_some_and(plain) && name.bytes().next_back().is_some_and(plain);
    (3..=63).contains(&name.len()) && within && ends && !name.contains("..")
}

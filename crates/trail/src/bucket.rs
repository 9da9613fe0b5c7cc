//! Buckets: where log files and digests are delivered.
//!
//! **Invariant:** an object appears whole or not at all, and its metadata no later than itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder, at a bucket's root, of what S3 would keep beside objects: `.metadata/KEY.json`, an object of texts by name.
const METADATA: &str = ".metadata";

/// A bucket that objects can be put into.
pub trait Bucket: Send + Sync {
    /// Writes an object, and its metadata if it has any.
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()>;
}

/// A bucket that is a folder.
#[derive(Clone, Debug)]
pub struct FolderBucket {
    folder: PathBuf,
    sync: bool,
}

/// All buckets, by name.
pub struct Buckets {
    own: (String, FolderBucket),
    beside: PathBuf,
    sync: bool,
    remote: BTreeMap<String, Arc<dyn Bucket>>,
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
        match fs::read(self.metadata_path(key)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }

    fn metadata_path(&self, key: &str) -> PathBuf {
        self.folder.join(METADATA).join(format!("{key}.json"))
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let parent = path.parent().expect("an object lies in its bucket's folder");
        fs::create_dir_all(parent)?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".partial");
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        if self.sync {
            file.sync_all()?;
        }
        fs::rename(&temporary, path)?;
        if self.sync {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }
}

impl Bucket for FolderBucket {
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()> {
        if !metadata.is_empty() {
            let metadata: BTreeMap<_, _> = metadata.iter().copied().collect();
            self.write(&self.metadata_path(key), &serde_json::to_vec(&metadata)?)?;
        }
        self.write(&self.folder.join(key), content)
    }
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

    /// Returns the name of the bucket that the trail directory is.
    pub fn own_name(&self) -> &str {
        &self.own.0
    }
}

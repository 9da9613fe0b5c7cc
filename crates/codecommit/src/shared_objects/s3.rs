//! A bucket at an S3 endpoint as the storage.

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bucket::RemoteObjects;
use tempfile::NamedTempFile;

use super::Storage;
use super::file_cache::FileCache;
use crate::settings::SharedBucket;

/// Folder of the large files that were fetched, in the data folder.
const CACHE: &str = "lfs-cache";

/// The storage in a bucket.
pub(super) struct S3Storage {
    objects: Arc<RemoteObjects>,
    prefix: String,
    cache: FileCache,
}

impl S3Storage {
    /// Opens the storage; nothing is sent yet. `data` is the data folder of this node.
    pub(super) fn open(settings: &SharedBucket, data: &Path) -> io::Result<Self> {
        let cache = FileCache::open(data.join(CACHE), settings.cache_bytes)?;
        Ok(Self { objects: Arc::clone(&settings.objects), prefix: settings.prefix.clone(), cache })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Logs a failure of the bucket, and returns what users of Git and of the API may know of it.
fn told(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::NotFound => io::Error::new(ErrorKind::NotFound, "the object is not in the bucket"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => error,
        kind => {
            tracing::warn!(%error, "a request to the bucket of the objects failed");
            io::Error::new(kind, "the bucket of the objects cannot be used now; try again later")
        }
    }
}

impl fmt::Display for S3Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.objects.url(), self.prefix)
    }
}

impl Storage for S3Storage {
    /// What is put has survived a power failure by the reply.
    fn put(&self, key: &str, file: &Path, _sync: bool) -> io::Result<()> {
        // What is not found is the bucket.
        self.objects.put(&self.key(key), file).map_err(|error| told(io::Error::other(error)))
    }

    fn fetch(&self, key: &str, path: &Path) -> io::Result<()> {
        let folder = path.parent().expect("the path of a file has a folder");
        let mut file = NamedTempFile::new_in(folder)?;
        self.objects.get(&self.key(key), file.as_file_mut()).map_err(told)?;
        file.persist_noclobber(path)?;
        Ok(())
    }

    fn open(&self, key: &str) -> io::Result<File> {
        let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
        self.cache.get(name, |file| self.objects.get(&self.key(key), file).map_err(told))
    }

    fn length(&self, key: &str) -> io::Result<Option<u64>> {
        self.objects.length(&self.key(key)).map_err(told)
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        self.objects.remove(&self.key(key)).map_err(told)
    }

    fn older_than(&self, age: Duration) -> io::Result<Vec<String>> {
        let mut keys = Vec::new();
        let visited = self.objects.list(&self.prefix, |object| {
            if object.age > age {
                keys.extend(object.key.strip_prefix(&self.prefix).map(str::to_owned));
            }
        });
        visited.map_err(told)?;
        Ok(keys)
    }
}

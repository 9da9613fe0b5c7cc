//! A bucket that is a folder: objects are files, their keys the paths.
//!
//! **Invariant:** no key leads out of the folder, neither by its text nor over a link, or to a file that is no object.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Bucket;

/// The folder, at a bucket's root, of what S3 would keep beside objects: `.metadata/KEY.json`, an object of texts by name.
const METADATA: &str = ".metadata";

/// The file of the keys that a bucket's digests are verified with.
pub(crate) const PUBLIC_KEYS: &str = ".metadata/public-keys.json";

/// What the trail directory holds at its root beside objects.
const NO_OBJECTS: [&str; 3] = [METADATA, "events.ndjson", "notifications.ndjson"];

/// How the name of a file ends that is still written.
const PARTIAL: &str = ".partial";

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
        match fs::read(self.metadata_path(key)) {
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

    /// Returns the path of a key's file; `None` where a file there would be no object, or reached over a link.
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
        Ok(Some(path))
    }

    /// Removes all objects of a prefix that ends in a slash, and the folders above that are empty then.
    pub(crate) fn remove_all(&self, prefix: &str) -> io::Result<()> {
        for root in [self.folder.clone(), self.folder.join(METADATA)] {
            let folder = root.join(prefix);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // A folder that holds something else stays.
            let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(&root) && *above != root);
            above.take_while(|above| fs::remove_dir(above).is_ok()).for_each(drop);
        }
        Ok(())
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
            write_whole(&self.metadata_path(key), &mut serde_json::to_vec(&metadata)?.as_slice(), self.sync)?;
        }
        if key.ends_with('/') {
            // An object that stands for a folder.
            return fs::create_dir_all(self.folder.join(key));
        }
        write_whole(&self.folder.join(key), &mut { content }, self.sync)
    }

    fn put_file(&self, key: &str, path: &Path) -> io::Result<()> {
        write_whole(&self.folder.join(key), &mut File::open(path)?, self.sync)
    }

    fn keep_public_keys(&self, file: &[u8]) -> io::Result<()> {
        let path = self.folder.join(PUBLIC_KEYS);
        match fs::read(&path) {
            Ok(found) if found == file => Ok(()),
            _ => write_whole(&path, &mut &file[..], self.sync),
        }
    }
}

/// Writes a file that is there as a whole or not at all, with the folders above it; `sync` brings it to the disk itself.
pub(crate) fn write_whole(path: &Path, content: &mut dyn Read, sync: bool) -> io::Result<()> {
    let parent = path.parent().expect("a file lies in a folder");
    fs::create_dir_all(parent)?;
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(PARTIAL);
    let mut file = File::create(&temporary)?;
    io::copy(content, &mut file)?;
    if sync {
        file.sync_all()?;
    }
    fs::rename(&temporary, path)?;
    if sync {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Tells whether a part of a key can name an object or a folder of objects, at the bucket's root or below it.
pub(super) fn is_named_as_object(name: &str, at_root: bool) -> bool {
    let special = name.is_empty() || name == "." || name == ".." || name.contains('\0');
    !(special || name.ends_with(PARTIAL) || at_root && NO_OBJECTS.contains(&name))
}

/// Tells whether a path leads nowhere, which is what a key without an object does.
pub(super) fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | InvalidFilename)
}

#[cfg(test)]
mod tests;

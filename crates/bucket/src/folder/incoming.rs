//! Objects that are received piece by piece, copied and removed.
//!
//! **Invariant:** content that is still received is no object, and is gone when its receiver is dropped.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::attributes::Attributes;
use super::{FolderBucket, METADATA, Object, at, file, is_absence};

/// The folder, in that of the bucket's own files, of content that is still received.
const INCOMING: &str = "incoming";

/// Content that is being received, in a file that is no object yet.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Incoming {
    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Appends all that a source has, without reading it into memory where the system can copy.
    pub fn append_from(&mut self, source: &mut impl Read) -> io::Result<u64> {
        let copied = io::copy(source, &mut self.file)?;
        self.bytes += copied;
        Ok(copied)
    }

    /// Returns the number of bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends receiving; returns the time of the file.
    pub(super) fn end(&self, sync: bool) -> io::Result<SystemTime> {
        if sync {
            self.file.sync_all()?;
        }
        self.file.metadata()?.modified()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        // What became an object is no longer there.
        let _ = fs::remove_file(&self.path);
    }
}

impl FolderBucket {
    /// Begins to receive content; `id` is different each time. Fails if the bucket does not exist.
    pub fn receive(&self, id: &str) -> io::Result<Incoming> {
        fs::metadata(&self.folder).map_err(|error| at(&self.folder, &error))?;
        let folder = self.own_path(INCOMING);
        let path = folder.join(id);
        let create = || {
            fs::create_dir_all(&folder)?;
            File::options().write(true).create_new(true).open(&path)
        };
        let file = create().map_err(|error| at(&path, &error))?;
        Ok(Incoming { path, file, bytes: 0 })
    }

    /// Makes an object of what was received.
    pub fn put_received(&self, key: &str, received: Incoming, attributes: &Attributes) -> io::Result<Object> {
        let sync = self.options.sync;
        let put = || {
            self.check_parents(key)?;
            let modified = received.end(sync)?;
            let attributes = attributes.clone().of_file(received.bytes, modified);
            self.write_attributes(key, &attributes)?;
            file::place_object(&self.folder, key, sync, received.path())?;
            Ok(Object { key: key.to_owned(), bytes: received.bytes, modified })
        };
        let object = put().map_err(|error| at(&self.folder.join(key), &error));
        drop(received);
        object
    }

    /// Removes an object, with its metadata and the folders that are empty afterwards; returns whether there was one.
    pub fn remove(&self, key: &str) -> io::Result<bool> {
        let path = match self.object_path(key) {
            Ok(Some(path)) => path,
            Ok(None) => return Ok(false),
            Err(error) if is_absence(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        remove_file(&self.folder, &path)?;
        remove_file(&self.folder.join(METADATA), &self.metadata_path(key))?;
        Ok(true)
    }

    /// Removes content that a server which was killed had not received to its end.
    pub fn remove_unreceived(&self) -> io::Result<()> {
        let removed = fs::remove_dir_all(self.own_path(INCOMING));
        file::accept(io::ErrorKind::NotFound, removed)
    }

    /// Fails if a folder of a key is a link, which may lead out of the bucket.
    fn check_parents(&self, key: &str) -> io::Result<()> {
        let mut path = self.folder.clone();
        for name in key.split('/') {
            path.push(name);
            if fs::symlink_metadata(&path).is_ok_and(|entry| entry.is_symlink()) {
                let reason = "a link is in the way, and nothing is written over links";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
            }
        }
        Ok(())
    }
}

/// Removes a file below a root, and the folders between both that are empty afterwards.
fn remove_file(root: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if !is_absence(&error) => return Err(at(path, &error)),
        _ => {}
    }
    let parents = path.ancestors().skip(1).take_while(|parent| parent.starts_with(root) && *parent != root);
    parents.take_while(|parent| fs::remove_dir(parent).is_ok()).for_each(drop);
    Ok(())
}

#[cfg(test)]
mod tests;

//! Buckets by name: the primary one, remote ones, and the folders of one parent folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::folder::is_object_name;
use crate::{Bucket, FolderBucket, FolderOptions, KEY_BYTES_MAX, is_bucket_name};

/// The longest part of a key that is accepted for a folder, in bytes: a file name must also have room for a suffix while it is written.
const PART_BYTES_MAX: usize = 240;

/// Where an existing bucket is.
#[derive(Clone, Debug)]
pub enum BucketLocation {
    /// In a folder of this machine.
    Folder(FolderBucket),
    /// At another endpoint.
    Remote,
}

/// All buckets, by name.
pub struct Buckets {
    primary: (String, FolderBucket),
    parent: PathBuf,
    options: FolderOptions,
    remote: BTreeMap<String, Arc<dyn Bucket>>,
}

impl Buckets {
    /// Creates the set of buckets: `primary` is the name and folder of one, `remote` those at other endpoints; all others are folders in
    /// `parent`.
    pub fn new(
        primary: (String, PathBuf),
        parent: PathBuf,
        remote: BTreeMap<String, Arc<dyn Bucket>>,
        options: FolderOptions,
    ) -> Self {
        let (name, folder) = primary;
        Self { primary: (name, FolderBucket::new(folder, options)), parent, options, remote }
    }

    /// Returns a bucket by its name, which must be valid; a folder bucket need not exist.
    pub fn get(&self, name: &str) -> Arc<dyn Bucket> {
        match self.remote.get(name) {
            Some(remote) => Arc::clone(remote),
            None => Arc::new(self.folder(name)),
        }
    }

    /// Returns the folder bucket of a valid name, existing or not.
    pub fn folder(&self, name: &str) -> FolderBucket {
        if name == self.primary.0 {
            self.primary.1.clone()
        } else {
            FolderBucket::new(self.parent.join(name), self.options)
        }
    }

    /// Finds an existing bucket by any text, which need not be a valid name.
    pub fn find(&self, name: &str) -> Option<BucketLocation> {
        if self.is_remote(name) {
            return Some(BucketLocation::Remote);
        }
        let exists = || fs::symlink_metadata(self.parent.join(name)).is_ok_and(|file| file.is_dir());
        (name == self.primary.0 || is_bucket_name(name) && exists()).then(|| BucketLocation::Folder(self.folder(name)))
    }

    /// Lists the names of all existing buckets.
    pub fn names(&self) -> io::Result<BTreeSet<String>> {
        let mut names: BTreeSet<String> = self.remote.keys().cloned().collect();
        names.insert(self.primary.0.clone());
        let folders = match fs::read_dir(&self.parent) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            Err(error) => return Err(error),
        };
        for entry in folders {
            let entry = entry?;
            let name = entry.file_name().into_string().ok().filter(|name| is_bucket_name(name));
            names.extend(name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_dir())));
        }
        Ok(names)
    }

    /// Tells whether a folder bucket has an object of this key; always false for remote buckets, which are not read.
    pub fn has(&self, bucket: &str, key: &str) -> bool {
        !self.is_remote(bucket) && self.folder(bucket).has(key)
    }

    /// Tells whether a bucket is at another endpoint.
    pub fn is_remote(&self, name: &str) -> bool {
        self.remote.contains_key(name)
    }

    /// Returns the name of the primary bucket.
    pub fn primary_name(&self) -> &str {
        &self.primary.0
    }

    /// Names a bucket for a message: a folder bucket by its path, which users know, a remote one by its name.
    pub fn describe(&self, name: &str) -> String {
        if self.is_remote(name) {
            format!("the bucket '{name}'")
        } else {
            format!("the folder '{}'", self.folder(name).folder().display())
        }
    }

    /// Checks the name of a bucket and the key of an object for it; returns a sentence that says what is wrong.
    ///
    /// Keys are paths too, so their parts cannot be empty, `.` or `..`.
    pub fn check_key(&self, bucket: &str, key: &str) -> Result<(), String> {
        if !is_bucket_name(bucket) {
            return Err(format!(
                "The bucket name {bucket} is not valid. Bucket names are 3 to 63 lower-case letters, digits, periods and \
                 dashes, and begin and end with a letter or digit."
            ));
        }
        if self.is_sound(key) {
            return Ok(());
        }
        Err(format!("The key {key} is not valid. Keys are 1 to {KEY_BYTES_MAX} bytes, and paths."))
    }

    /// Tells whether a folder bucket can have an object of this key, which may end in a slash.
    pub fn accepts_key(&self, key: &str) -> bool {
        self.is_sound(key.strip_suffix('/').unwrap_or(key))
    }

    fn is_sound(&self, key: &str) -> bool {
        let sound = |(depth, part): (usize, &str)| {
            is_object_name(part, depth == 0, self.options.reserved) && part.len() <= PART_BYTES_MAX
        };
        key.len() <= KEY_BYTES_MAX && key.split('/').enumerate().all(sound)
    }
}

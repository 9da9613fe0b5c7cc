//! Buckets: objects under keys, in folders and at S3 endpoints.
//!
//! **Invariant:** an object appears whole or not at all, and its metadata not after it.

#![warn(unreachable_pub)]

mod buckets;
mod folder;
mod listing;
mod remote;

use std::fs;
use std::io;
use std::path::Path;

pub use crate::buckets::{BucketLocation, Buckets};
pub use crate::folder::{
    Attributes, FolderBucket, FolderOptions, Incoming, METADATA, Object, Part, Upload, fold_case, is_object_key,
    write_whole_file,
};
pub use crate::listing::{Listing, Page};
pub use crate::remote::{Clock, RemoteBucket, RemoteObject, RemoteObjects, RemoteSettings, Secret};

/// The longest key of an object in S3, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// A bucket that objects can be put into.
pub trait Bucket: Send + Sync {
    /// Writes an object and its metadata; empty metadata is not written.
    fn put(&self, key: &str, content: &[u8], metadata: &[(&str, &str)]) -> io::Result<()>;

    /// Writes an object from a file, without metadata.
    fn put_file(&self, key: &str, path: &Path) -> io::Result<()> {
        self.put(key, &fs::read(path)?, &[])
    }
}

/// Tells whether a name is a valid bucket name: 3 to 63 lower-case letters, digits, periods and dashes. No path is one.
pub fn is_bucket_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let within = name.bytes().all(|byte| plain(byte) || byte == b'.' || byte == b'-');
    let bounded = name.bytes().next().is_some_and(plain) && name.bytes().next_back().is_some_and(plain);
    (3..=63).contains(&name.len()) && within && bounded && !name.contains("..")
}

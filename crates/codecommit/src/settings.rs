//! Settings of the service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws::Call;
use bucket::RemoteObjects;
use git::MergeLimits;
use serde::Deserialize;

use crate::lfs::LfsSettings;
use crate::{Exception, encryption_key};

/// Settings of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Maximum number of repositories of an account in a region; AWS's default is 1,000.
    pub repositories_max: u64,
    /// Maximum number of open pull requests of a repository; AWS's limit is 1,000.
    pub open_pull_requests_max: u64,
    /// Default page sizes, by the names of operations.
    pub page_sizes: BTreeMap<String, usize>,
    /// Whether objects that the API writes are flushed to the disk, so that they survive a power failure.
    pub sync: bool,
    /// Checks of objects that the API writes, which are the same as for pushes.
    pub fsck: git::Fsck,
    /// Limits of a merge: time, memory, number of files.
    pub merge: MergeLimits,
    /// What several nodes share; `None` with one node.
    pub shared: Option<SharedSettings>,
    /// Limits of large files, and what is done with their pointers.
    pub lfs: LfsSettings,
    /// Memory limit of all caches together, in bytes.
    pub cache_bytes: usize,
    /// Simulated failures.
    pub simulate: Simulate,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            repositories_max: 1_000,
            open_pull_requests_max: 1_000,
            page_sizes: BTreeMap::new(),
            sync: false,
            fsck: git::Fsck::default(),
            merge: MergeLimits::default(),
            shared: None,
            lfs: LfsSettings::default(),
            cache_bytes: git::CacheMemory::BYTES_MAX,
            simulate: Simulate::default(),
        }
    }
}

/// Where several nodes keep the objects that they share.
#[derive(Clone, Debug)]
pub enum SharedSettings {
    /// A folder that all nodes can write to.
    Folder(PathBuf),
    /// A bucket.
    Bucket(SharedBucket),
}

/// The bucket of the objects that several nodes share.
#[derive(Clone, Debug)]
pub struct SharedBucket {
    /// The client of the bucket.
    pub objects: Arc<RemoteObjects>,
    /// What the keys of all objects begin with, a slash at its end; or nothing.
    pub prefix: String,
    /// Disk space for large files that were fetched, in bytes.
    pub cache_bytes: u64,
}

/// Simulated conditions outside `CodeCommit` that make operations fail, to test the error handling of clients.
#[derive(Clone, Debug, Default)]
pub struct Simulate {
    /// Whether AWS does not allow the account to create repositories.
    pub create_repository_not_allowed: bool,
    /// States of encryption keys that cannot be used, by key id, alias or ARN.
    pub encryption_keys: BTreeMap<String, KeyState>,
    /// Values that the organization's tag policy allows, by tag key.
    pub tag_policy: BTreeMap<String, Vec<String>>,
}

/// State of an encryption key that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// The caller is not allowed to use it.
    AccessDenied,
    /// It is disabled.
    Disabled,
    /// The integrity checks of the encrypted data fail.
    IntegrityChecksFailed,
    /// It does not exist.
    NotFound,
    /// The key service cannot be reached.
    Unavailable,
}

impl Simulate {
    /// Fails if the settings give a key a state; they name keys in any form that callers may use.
    pub(crate) fn check_key(&self, call: &Call, arn: &str) -> Result<(), Exception> {
        let is_key = |key: &str| encryption_key::parse(Some(key.to_owned()), call).is_ok_and(|named| named == arn);
        let state = self.encryption_keys.iter().find_map(|(key, state)| is_key(key).then_some(*state));
        let key = arn.to_owned();
        match state {
            None => Ok(()),
            Some(KeyState::AccessDenied) => {
                // AWS's text is known for the default key.
                let key = if encryption_key::is_default(arn, call) {
                    "default master key for CodeCommit 'aws/codecommit' in your account".to_owned()
                } else {
                    format!("key '{arn}'")
                };
                Err(Exception::EncryptionKeyAccessDenied { key })
            }
            Some(KeyState::Disabled) => Err(Exception::EncryptionKeyDisabled { key }),
            Some(KeyState::IntegrityChecksFailed) => Err(Exception::EncryptionIntegrityChecksFailed { key }),
            Some(KeyState::NotFound) => Err(Exception::EncryptionKeyNotFound { key }),
            Some(KeyState::Unavailable) => Err(Exception::EncryptionKeyUnavailable { key }),
        }
    }
}

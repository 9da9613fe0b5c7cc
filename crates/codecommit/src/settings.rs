//! What an installation decides.

use std::collections::BTreeMap;

use aws::Call;
use git::MergeLimits;
use serde::Deserialize;

use crate::{Exception, encryption_key};

/// How the service behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many repositories an account can have in a region; AWS starts at 1,000.
    pub repositories_max: u64,
    /// How many pull requests of a repository can be open; AWS's limit is 1,000.
    pub open_pull_requests_max: u64,
    /// How many items the pages of an operation have where the caller does not say, by the operation's name.
    pub page_sizes: BTreeMap<String, usize>,
    /// Whether objects that the API writes last a power cut.
    pub sync: bool,
    /// How objects that the API writes are checked: as those that pushes bring.
    pub fsck: git::Fsck,
    /// How much a merge may cost before it is given up.
    pub merge: MergeLimits,
    /// How much memory all caches may take together, in bytes.
    pub cache_bytes: usize,
    /// What is made to fail.
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
            cache_bytes: git::CacheMemory::BYTES_MAX,
            simulate: Simulate::default(),
        }
    }
}

/// Conditions outside CodeCommit that make its operations fail, so that a client's handling can be tried.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Simulate {
    /// Whether the account is one that AWS lets create no repository.
    pub create_repository_not_allowed: bool,
    /// The states of encryption keys that cannot be used, by key id, alias or ARN.
    pub encryption_keys: BTreeMap<String, KeyState>,
    /// The values that an organization's tag policy lets a key have.
    pub tag_policy: BTreeMap<String, Vec<String>>,
}

/// Why an encryption key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// The caller may not use it.
    AccessDenied,
    /// It is disabled.
    Disabled,
    /// The data does not fit it.
    IntegrityChecksFailed,
    /// It does not exist.
    NotFound,
    /// The key service cannot be reached.
    Unavailable,
}

impl Simulate {
    /// Fails as a key's state says; the keys in the settings are named as callers name them.
    pub(crate) fn check_key(&self, call: &Call, arn: &str) -> Result<(), Exception> {
        let is_key = |key: &str| encryption_key::parse(Some(key.to_owned()), call).is_ok_and(|named| named == arn);
        let state = self.encryption_keys.iter().find_map(|(key, state)| is_key(key).then_some(*state));
        let key = arn.to_owned();
        match state {
            None => Ok(()),
            Some(KeyState::AccessDenied) => {
                // AWS's words are known of the default key.
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

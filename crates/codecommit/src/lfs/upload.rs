//! Uploads: what a client sends is hashed while it is written to a temporary file, which becomes the object's file at the end.
//!
//! **Invariant:** a failed upload removes its own temporary file and nothing else.

use std::io::{self, Write};

use aws::Timestamp;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::lfs::{LfsError, LfsObject, LfsObjectId, row};
use crate::{CodeCommit, Exception, repository};

/// An upload of one object.
pub struct LfsUpload {
    object: LfsObject,
    file: NamedTempFile,
    hash: Sha256,
    received: u64,
}

impl CodeCommit {
    /// Begins an upload.
    pub fn begin_lfs_upload(&self, object: LfsObject) -> Result<LfsUpload, LfsError> {
        Ok(LfsUpload { object, file: self.lfs.create()?, hash: Sha256::new(), received: 0 })
    }

    /// Ends an upload, and adds its object to a repository, if it has the right content.
    pub fn finish_lfs_upload(&self, upload: LfsUpload, repository_id: &str, now: Timestamp) -> Result<(), LfsError> {
        let LfsUpload { object, file, hash, received } = upload;
        if received != object.bytes {
            return Err(LfsError::WrongLength { received, expected: object.bytes });
        }
        let found = LfsObjectId::from_bytes(hash.finalize().into());
        if found != object.id {
            return Err(LfsError::WrongContent { received: found, id: object.id });
        }
        let is_there = || self.store.read(|transaction| repository::exists(transaction, repository_id));
        let missing = || Exception::RepositoryDoesNotExist { name: repository_id.to_owned() };
        // The folder of a repository in use stays, even if the repository is deleted meanwhile.
        let _in_use = self.objects.get::<Exception>(repository_id, || Ok(is_there()?))?.ok_or_else(missing)?;
        self.check_quota(repository_id, &object)?;
        let file = self.lfs.place(file, repository_id, &object.id)?;
        let (id, quota) = (repository_id.to_owned(), self.settings.lfs.quota_bytes);
        let is_placed = self.lfs.own().map(|own| own.presence(repository_id, &object.id));
        self.store.write(move |transaction| {
            // An unused file of the same object may have been removed meanwhile; once there is a row, it stays.
            if is_placed.is_some_and(|is_placed| !is_placed()) {
                return Err(io::Error::other("the file was removed meanwhile; send the object again").into());
            }
            let used = row::total(transaction, &id)?;
            let used = used.ok_or_else(|| Exception::RepositoryDoesNotExist { name: id.clone() })?;
            check_quota(row::find(transaction, &id, &object.id)?.is_some(), used, object.bytes, quota)?;
            Ok::<_, LfsError>(row::insert(transaction, &id, &object, file.as_deref(), now)?)
        })
    }

    /// Fails if an object does not fit into the quota of its repository, before its file is placed.
    fn check_quota(&self, repository_id: &str, object: &LfsObject) -> Result<(), LfsError> {
        let quota = self.settings.lfs.quota_bytes;
        self.store.read(|transaction| {
            let is_there = row::find(transaction, repository_id, &object.id)?.is_some();
            check_quota(is_there, row::total(transaction, repository_id)?.unwrap_or(0), object.bytes, quota)
        })
    }
}

/// Fails if an object that is not there yet exceeds the quota.
pub(super) fn check_quota(is_there: bool, used: u64, more: u64, quota: Option<u64>) -> Result<(), LfsError> {
    match quota {
        Some(quota) if !is_there && more > 0 && used.saturating_add(more) > quota => {
            Err(LfsError::QuotaExceeded { used, more, quota })
        }
        _ => Ok(()),
    }
}

impl LfsUpload {
    /// Adds received bytes; fails once there are more than the object has.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LfsError> {
        self.received += bytes.len() as u64;
        if self.received > self.object.bytes {
            return Err(LfsError::WrongLength { received: self.received, expected: self.object.bytes });
        }
        self.hash.update(bytes);
        Ok(self.file.write_all(bytes)?)
    }
}

//! The reasons why a request of Git LFS fails.

use std::io;

use crate::Exception;
use crate::lfs::LfsObjectId;

/// The reason why a request of Git LFS fails; the messages are for the user of the client.
#[derive(Debug, thiserror::Error)]
pub enum LfsError {
    /// The object is larger than the limit.
    #[error("The object has {bytes} bytes. This server takes objects of up to {limit} bytes (--lfs-max-object).")]
    ObjectTooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The repository's objects together would be larger than the quota.
    #[error(
        "The large files of the repository have {used} bytes; with {more} more they would exceed its quota of {quota} bytes (--lfs-quota)."
    )]
    QuotaExceeded {
        /// Size of the objects that are there.
        used: u64,
        /// Size of the objects of the request.
        more: u64,
        /// The quota.
        quota: u64,
    },
    /// The repository has no such object.
    #[error("The object {id} is not on the server. A clone that has it can send it: git lfs push --all REMOTE")]
    Missing {
        /// The object.
        id: LfsObjectId,
    },
    /// The object has another size than the request says.
    #[error("The object {id} has {stored} bytes, not {requested}.")]
    OtherSize {
        /// The object.
        id: LfsObjectId,
        /// Its size.
        stored: u64,
        /// The size in the request.
        requested: u64,
    },
    /// An upload has another length than the object.
    #[error("The upload has {received} bytes, and the object {expected}. Nothing was stored.")]
    WrongLength {
        /// The received bytes; of an upload that is too long those until it was refused.
        received: u64,
        /// The size of the object.
        expected: u64,
    },
    /// An upload has another content than its object.
    #[error("The upload has the SHA-256 {received}, and the object is {id}. Nothing was stored.")]
    WrongContent {
        /// The hash of what was received.
        received: LfsObjectId,
        /// The object.
        id: LfsObjectId,
    },
    /// The disk is full.
    #[error("The server's disk has no space for the object.")]
    NoSpace,
    /// The path of a lock is empty or too long.
    #[error("The path of a lock has 1 to {limit} bytes.")]
    InvalidLockPath {
        /// The largest length, in bytes.
        limit: usize,
    },
    /// The cursor of a list of locks was not given out by this server.
    #[error("The cursor is not one that this server returned.")]
    InvalidCursor,
    /// Any other failure.
    #[error(transparent)]
    Failed(#[from] Exception),
}

impl From<io::Error> for LfsError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<store::Error> for LfsError {
    fn from(error: store::Error) -> Self {
        Self::Failed(error.into())
    }
}

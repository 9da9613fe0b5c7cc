//! Git LFS: large files beside a repository's objects, named by the pointer files in its commits.
//!
//! AWS has published nothing about Git LFS, so limits, quotas and locks are ours. The protocol is that of git-lfs.
//!
//! **Invariant:** an object has a row only if its file is in place, and its file was hashed whole when it was received, even if the
//! repository, or another one, has the object already. Repositories share no files: who may read one repository learns nothing about
//! the objects of another.

mod check;
mod content;
mod error;
mod lock;
mod moving;
mod object;
mod object_id;
mod own_files;
mod pointer;
mod prune;
mod row;
mod storage;
mod upload;

use aws::Timestamp;

pub use self::content::LfsContent;
pub use self::error::LfsError;
pub use self::lock::{Lock, LockFilter, LockOutcome, LockPage, Locking, Unlocking};
pub(crate) use self::moving::{MovedLargeFile, large_files, temporary_folder};
pub use self::object_id::{InvalidLfsObjectId, LfsObjectId};
pub use self::pointer::Pointer;
pub use self::prune::LfsPruned;
pub(crate) use self::row::all as objects;
pub(crate) use self::storage::LfsStorage;
pub use self::upload::LfsUpload;

/// Settings of Git LFS.
#[derive(Clone, Debug)]
pub struct LfsSettings {
    /// Largest object, in bytes.
    pub object_bytes_max: u64,
    /// Size of all objects of a repository together, in bytes; `None` has no limit.
    pub quota_bytes: Option<u64>,
    /// Whether a push is refused if it has new pointers to objects that the repository lacks.
    pub check_pushes: bool,
    /// Whether archives have the content of large files instead of their pointers.
    pub archive_content: bool,
}

impl Default for LfsSettings {
    fn default() -> Self {
        Self { object_bytes_max: 5 << 30, quota_bytes: None, check_pushes: false, archive_content: false }
    }
}

/// An object that a client wants to transfer: its id and its size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LfsObject {
    /// The id.
    pub id: LfsObjectId,
    /// The size in bytes.
    pub bytes: u64,
}

/// The objects that a client wants to upload, in its order, and what is known about them.
#[derive(Debug)]
pub struct UploadPlan {
    /// Whether the client must send each object; an error refuses one.
    pub objects: Vec<Result<bool, LfsError>>,
    /// Objects that are there, and whose time of use is to be renewed.
    pub(crate) renewed: Vec<LfsObjectId>,
    pub(crate) repository_id: String,
    pub(crate) now: Timestamp,
}

//! Tables of Git LFS.

/// `repositories.lfs_bytes` is the size of all objects of a repository. `oid` has the 32 bytes of an object's SHA-256; `used` is the time
/// at which a client last sent it, or asked whether it must. `position` is the order in which locks were created.
pub(super) const LFS: &str = "
    ALTER TABLE repositories ADD COLUMN lfs_bytes INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE lfs_objects (
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        oid BLOB NOT NULL,
        bytes INTEGER NOT NULL,
        used INTEGER NOT NULL,
        PRIMARY KEY (repository_id, oid)
    );
    CREATE TABLE lfs_locks (
        position INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        owner_arn TEXT NOT NULL,
        owner_name TEXT NOT NULL,
        locked INTEGER NOT NULL,
        UNIQUE (repository_id, path)
    );
";

/// `file` is the name of an object's file in the storage that several nodes share, where each name is used once; with one node it is NULL.
pub(super) const SHARED_LFS: &str = "
    ALTER TABLE lfs_objects ADD COLUMN file TEXT;
";

//! Packs that several nodes share.

/// Packs in the shared storage, and what counts their changes. With one node, no table has a row and no column another value than its
/// default, unless a move into a shared storage was interrupted.
///
/// A pack's files are `ID/FILE.pack` and so on; each file name is used once. `gone` is the time since which the list no longer has the
/// pack. `packs_version` counts the changes of the list, `prunes` the removals of unreachable objects. `unreachable_since` is in seconds
/// since 1970, other times are in milliseconds. `object_storage` has the id of the folder with the Git objects of the database.
pub(super) const PACKS: &str = "
    CREATE TABLE packs (
        repository_id TEXT NOT NULL,
        file TEXT NOT NULL,
        checksum BLOB NOT NULL,
        is_cruft INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        created INTEGER NOT NULL,
        gone INTEGER,
        PRIMARY KEY (repository_id, file)
    );
    CREATE INDEX packs_gone ON packs (gone) WHERE gone IS NOT NULL;
    CREATE TABLE object_storage (id TEXT NOT NULL);
    ALTER TABLE repositories ADD COLUMN packs_version INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE repositories ADD COLUMN prunes INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE repositories ADD COLUMN unreachable_since INTEGER;
";

/// `next_id` is the id of a storage that the database is not tied to yet: a new one, before which `id` is empty, or the one into which the
/// objects are being moved, to which the lists belong then.
pub(super) const NEXT_STORAGE: &str = "
    ALTER TABLE object_storage ADD COLUMN next_id TEXT;
";

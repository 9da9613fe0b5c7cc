//! The service's tables.

/// What brings a database up to date.
///
/// `repositories.refs_version` counts the changes of the references and of the default branch, so that a snapshot of them that
/// was kept is known to be good without a look at each.
/// `deletions` are of repositories whose objects may still be there; the next start removes those.
/// `places.repositories` is how many repositories there are, so that creating one among many does not count them all.
/// Ids of objects are their twenty bytes, names of references their bytes, times milliseconds since 1970.
pub(crate) const STEPS: &[&str] = &[
    "
    CREATE TABLE repositories (
        id TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        name TEXT NOT NULL,
        description TEXT,
        default_branch BLOB,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        kms_key_id TEXT NOT NULL,
        UNIQUE (account, region, name)
    );
    CREATE TABLE places (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        repositories INTEGER NOT NULL,
        PRIMARY KEY (account, region)
    );
    CREATE TABLE refs (
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        name BLOB NOT NULL,
        target BLOB NOT NULL,
        peeled BLOB,
        PRIMARY KEY (repository_id, name)
    );
    CREATE TABLE tags (
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (repository_id, key)
    );
",
    "
    ALTER TABLE repositories ADD COLUMN refs_version INTEGER NOT NULL DEFAULT 0;
",
    "
    CREATE TABLE deletions (
        repository_id TEXT PRIMARY KEY
    );
",
];

//! Table of archive uploads.

/// `status` is as on the wire; `position` is the order of the requests.
pub(super) const UPLOADS: &str = "
    CREATE TABLE archive_uploads (
        position INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        commit_id BLOB NOT NULL,
        bucket TEXT NOT NULL,
        object_key TEXT NOT NULL,
        status TEXT NOT NULL,
        message TEXT
    );
    CREATE INDEX archive_uploads_by_repository ON archive_uploads (repository_id);
    CREATE INDEX archive_uploads_by_status ON archive_uploads (status, position);
";

/// `attempts` is the number of attempts that were begun.
pub(super) const UPLOAD_ATTEMPTS: &str = "
    ALTER TABLE archive_uploads ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
";

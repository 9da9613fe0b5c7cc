//! Database tables of the service.

mod approval;
mod archive;
mod comment;
mod event_bridge;
mod lfs;
mod pack;
mod trigger;

/// Migrations, in their order.
///
/// `repositories.refs_version` counts the changes of the references and of the default branch; a cached snapshot is valid if it
/// has the same version. `deletions` lists deleted repositories whose objects may still exist; the next start removes them.
/// `places` has a row for each account and region; `places.repositories` is the number of repositories, so that creating one does
/// not count all. Ids of objects are their twenty bytes, names of references their bytes, times milliseconds since 1970.
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
    REQUEST_TOKENS,
    PULL_REQUESTS,
    approval::TEMPLATES,
    approval::RULES,
    MERGES,
    trigger::TRIGGERS,
    comment::COMMENTS,
    archive::UPLOADS,
    TAGGED,
    archive::UPLOAD_ATTEMPTS,
    REPOSITORIES_BY_DATE,
    lfs::LFS,
    event_bridge::BUS,
    pack::PACKS,
    lfs::SHARED_LFS,
    pack::NEXT_STORAGE,
];

/// Index for the listing of repositories by date.
const REPOSITORIES_BY_DATE: &str =
    "CREATE INDEX repositories_by_date ON repositories (account, region, modified, name);";

const REQUEST_TOKENS: &str = "
    CREATE TABLE request_tokens (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        caller TEXT NOT NULL,
        operation TEXT NOT NULL,
        token TEXT NOT NULL,
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        parameters BLOB NOT NULL,
        made TEXT NOT NULL,
        PRIMARY KEY (account, region, caller, operation, token)
    );
    CREATE INDEX request_tokens_by_repository ON request_tokens (repository_id);
";

/// `places.pull_requests` is the number of the newest pull request. `is_open` is 1 or 0, `merge_option` as on the wire; the merge
/// columns are set if the pull request was merged. `metadata` of an event is JSON with the members of the wire.
const PULL_REQUESTS: &str = "
    ALTER TABLE places ADD COLUMN pull_requests INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE pull_requests (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        number INTEGER NOT NULL,
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        description TEXT,
        author TEXT NOT NULL,
        is_open INTEGER NOT NULL,
        created INTEGER NOT NULL,
        active INTEGER NOT NULL,
        source BLOB NOT NULL,
        destination BLOB NOT NULL,
        source_commit BLOB NOT NULL,
        destination_commit BLOB NOT NULL,
        merge_base BLOB,
        revision_id TEXT NOT NULL,
        client_request_token TEXT,
        merged_by TEXT,
        merge_option TEXT,
        merge_commit BLOB,
        PRIMARY KEY (account, region, number)
    );
    CREATE INDEX pull_requests_by_activity ON pull_requests (repository_id, active, number);
    CREATE INDEX pull_requests_by_status ON pull_requests (repository_id, is_open, active, number);
    CREATE INDEX pull_requests_by_author ON pull_requests (account, region, author, repository_id, active, number);
    CREATE TABLE pull_request_events (
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        pull_request INTEGER NOT NULL,
        position INTEGER NOT NULL,
        kind TEXT NOT NULL,
        actor TEXT NOT NULL,
        time INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        PRIMARY KEY (account, region, pull_request, position),
        FOREIGN KEY (account, region, pull_request) REFERENCES pull_requests (account, region, number) ON DELETE CASCADE
    );
    CREATE INDEX pull_request_events_by_actor ON pull_request_events (account, region, actor);
";

/// `tagged` is 1 for repositories that have or had tags.
const TAGGED: &str = "
    ALTER TABLE repositories ADD COLUMN tagged INTEGER NOT NULL DEFAULT 0;
    UPDATE repositories SET tagged = 1 WHERE id IN (SELECT repository_id FROM tags);
";

/// Merges by API calls: the two commits and the resulting one.
const MERGES: &str = "
    CREATE TABLE merges (
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        destination BLOB NOT NULL,
        source BLOB NOT NULL,
        merged BLOB NOT NULL,
        PRIMARY KEY (repository_id, destination, source)
    );
";

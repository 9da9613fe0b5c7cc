//! The service's tables.

mod approval;
mod archive;
mod comment;
mod trigger;

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
];

/// The order in which repositories are listed by date.
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

/// `places.pull_requests` is the number that the last pull request got. `is_open` is 1 or 0, `merge_option` as on the wire;
/// what a merge left is there when the pull request was merged. Metadata of an event is JSON, its members as on the wire.
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

/// `tagged` is 1 of repositories that have tags, or once had some.
const TAGGED: &str = "
    ALTER TABLE repositories ADD COLUMN tagged INTEGER NOT NULL DEFAULT 0;
    UPDATE repositories SET tagged = 1 WHERE id IN (SELECT repository_id FROM tags);
";

/// What was merged into what, by calls of the API: the commits, and the one that came of it.
const MERGES: &str = "
    CREATE TABLE merges (
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        destination BLOB NOT NULL,
        source BLOB NOT NULL,
        merged BLOB NOT NULL,
        PRIMARY KEY (repository_id, destination, source)
    );
";

//! Tables of comments and reactions.

/// Comments on one location form a group. `pull_request` is 0 for comments on compared commits; `before_commit` is empty if the
/// commit after it has no parent. Missing parts of a location are empty or 0. A comment without content is deleted.
pub(super) const COMMENTS: &str = "
    CREATE TABLE comment_groups (
        id INTEGER PRIMARY KEY,
        repository_id TEXT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
        pull_request INTEGER NOT NULL,
        before_commit BLOB NOT NULL,
        after_commit BLOB NOT NULL,
        path TEXT NOT NULL,
        position INTEGER NOT NULL,
        version TEXT NOT NULL,
        before_blob BLOB,
        after_blob BLOB,
        UNIQUE (repository_id, pull_request, before_commit, after_commit, path, position, version)
    );
    CREATE INDEX comment_groups_in_order ON comment_groups (repository_id, pull_request, id);
    CREATE INDEX comment_groups_of_commits ON comment_groups (repository_id, pull_request, before_commit, after_commit, id);
    CREATE TABLE comments (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        group_id INTEGER NOT NULL REFERENCES comment_groups (id) ON DELETE CASCADE,
        in_reply_to TEXT,
        content TEXT,
        author TEXT NOT NULL,
        created INTEGER NOT NULL,
        modified INTEGER NOT NULL,
        client_request_token TEXT
    );
    CREATE INDEX comments_in_order ON comments (group_id, number);
    CREATE TABLE comment_reactions (
        comment INTEGER NOT NULL REFERENCES comments (number) ON DELETE CASCADE,
        user_arn TEXT NOT NULL,
        reaction TEXT NOT NULL,
        PRIMARY KEY (comment, user_arn)
    );
    CREATE INDEX comment_reactions_in_order ON comment_reactions (comment, reaction, user_arn);
";

//! Tables of triggers and of their queued messages.

/// `triggers` is a JSON list of all triggers of a repository. `trigger_deliveries` outlive their repository, as the changes that
/// they report did happen.
pub(super) const TRIGGERS: &str = "
    CREATE TABLE trigger_configurations (
        repository_id TEXT PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
        id TEXT NOT NULL,
        triggers TEXT NOT NULL
    );
    CREATE TABLE trigger_deliveries (
        id INTEGER PRIMARY KEY,
        repository TEXT NOT NULL,
        trigger_name TEXT NOT NULL,
        destination TEXT NOT NULL,
        subject TEXT NOT NULL,
        message TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due INTEGER NOT NULL
    );
    CREATE INDEX due_trigger_deliveries ON trigger_deliveries (due, id);
";

//! The tables of the cluster, which only databases on a server have.

/// Nodes, leases of roles, announced changes, and the last time that was taken; times are milliseconds since the epoch.
///
/// `nodes.seen`, `started`, `stopped` and `leases.until` are times of the database's clock; `clock_offset` is by how much the clock of the
/// node is ahead of it. A role without a row was never taken. `cluster_time` has one row at most, with the clock of `node` when it took the
/// time last. `nodes.steps` has a line `OWNER=STEPS` for each owner of migrations; it is empty for versions that do not tell.
pub(crate) const STEPS: &[&str] = &[
    "
    CREATE TABLE nodes (
        name TEXT PRIMARY KEY,
        instance TEXT NOT NULL,
        version TEXT NOT NULL,
        address TEXT NOT NULL,
        started INTEGER NOT NULL,
        seen INTEGER NOT NULL,
        stopped INTEGER,
        clock_offset INTEGER NOT NULL
    );
    CREATE TABLE leases (
        role TEXT PRIMARY KEY,
        node TEXT NOT NULL,
        until INTEGER NOT NULL
    );
    CREATE TABLE cluster_changes (
        name TEXT PRIMARY KEY,
        number INTEGER NOT NULL
    );
    CREATE TABLE cluster_time (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        time INTEGER NOT NULL,
        node TEXT NOT NULL
    );
    ",
    "
    ALTER TABLE nodes ADD COLUMN steps TEXT NOT NULL DEFAULT '';
",
];

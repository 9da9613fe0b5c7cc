//! The tables of users, groups, roles and policies.
//!
//! Rows with `declared = 1` are those of the identities file, which [`declared`] writes; rows with `declared = 0` are those that the IAM API
//! issued, which [`issued`] reads into the identities. **Invariant:** no table has a secret, only hashes of generated passwords.

pub(crate) mod declared;
pub(crate) mod issued;

use store::Transaction;

/// The migration that creates the tables.
///
/// Users, groups and roles are the rows of `principals`, as most operations do the same for all three. They have numbers, so that a rename
/// changes one row, and their belongings end with them. `lower_name` finds a name without regard to case; tags are a JSON list, as they are
/// read and written as a whole.
pub(crate) const STEP: &str = "
    CREATE TABLE principals (
        number INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        kind TEXT NOT NULL,
        lower_name TEXT NOT NULL,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        id TEXT NOT NULL,
        created INTEGER NOT NULL,
        boundary TEXT,
        tags TEXT NOT NULL,
        trust TEXT,
        max_seconds INTEGER,
        description TEXT,
        declared INTEGER NOT NULL,
        UNIQUE (account, kind, lower_name)
    );
    CREATE TABLE memberships (
        member INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        member_of INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        declared INTEGER NOT NULL,
        PRIMARY KEY (member, member_of)
    ) WITHOUT ROWID;
    CREATE INDEX memberships_by_group ON memberships (member_of);
    CREATE TABLE managed_policies (
        arn TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        lower_name TEXT NOT NULL,
        name TEXT NOT NULL,
        path TEXT NOT NULL,
        id TEXT NOT NULL,
        description TEXT,
        default_version INTEGER NOT NULL,
        last_version INTEGER NOT NULL,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        tags TEXT NOT NULL,
        declared INTEGER NOT NULL,
        UNIQUE (account, lower_name)
    ) WITHOUT ROWID;
    CREATE TABLE policy_versions (
        arn TEXT NOT NULL REFERENCES managed_policies (arn) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        document TEXT NOT NULL,
        created INTEGER NOT NULL,
        PRIMARY KEY (arn, version)
    ) WITHOUT ROWID;
    CREATE TABLE attachments (
        principal INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        policy_arn TEXT NOT NULL,
        declared INTEGER NOT NULL,
        PRIMARY KEY (principal, policy_arn)
    ) WITHOUT ROWID;
    CREATE INDEX attachments_by_policy ON attachments (policy_arn);
    CREATE TABLE inline_policies (
        principal INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        name TEXT NOT NULL,
        document TEXT NOT NULL,
        declared INTEGER NOT NULL,
        PRIMARY KEY (principal, name)
    ) WITHOUT ROWID;
    CREATE TABLE access_keys (
        id TEXT PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        status TEXT NOT NULL,
        created INTEGER NOT NULL,
        declared INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX access_keys_by_principal ON access_keys (principal);
    CREATE TABLE service_credentials (
        id TEXT PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        user_name TEXT NOT NULL UNIQUE,
        password_hash BLOB NOT NULL,
        status TEXT NOT NULL,
        created INTEGER NOT NULL,
        declared INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX service_credentials_by_principal ON service_credentials (principal);
    CREATE TABLE ssh_public_keys (
        id TEXT PRIMARY KEY,
        principal INTEGER NOT NULL REFERENCES principals (number) ON DELETE CASCADE,
        body TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        status TEXT NOT NULL,
        uploaded INTEGER NOT NULL,
        declared INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX ssh_public_keys_by_principal ON ssh_public_keys (principal);
    CREATE TABLE identities_file (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        digest BLOB NOT NULL
    );
";

/// The tables whose rows are declared or issued; those that refer to others come first.
pub(crate) const TABLES: [&str; 8] = [
    "memberships",
    "attachments",
    "inline_policies",
    "access_keys",
    "service_credentials",
    "ssh_public_keys",
    "managed_policies",
    "principals",
];

/// The status of a key or credential that works.
pub(crate) const ACTIVE: &str = "Active";

/// The kind of a holder of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HolderKind {
    User,
    Group,
    Role,
}

impl HolderKind {
    /// Returns the word for the kind: in tables, ARNs and messages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
        }
    }

    /// Reads the column `kind`.
    pub(crate) fn parse(text: &str) -> Result<Self, store::Error> {
        [Self::User, Self::Group, Self::Role]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(store::Error::Damaged("the kind of a principal"))
    }
}

/// Deletes all issued rows.
pub(crate) fn clear_issued(transaction: &Transaction) -> Result<(), store::Error> {
    TABLES
        .iter()
        .try_for_each(|table| transaction.execute(&format!("DELETE FROM {table} WHERE declared = 0"), &[]).map(drop))
}

//! Sign-in to the console: sessions of browsers, roles that they switch to, and links that sign in.
//!
//! A session of the console is a row of `sessions`, as AWS STS makes them, and a row of `console_sessions` with the hash of the cookie. Its
//! permissions are those of the identity that signed in, or of the role to which it has switched.
//! **Invariant:** the session tokens of these rows are given to nobody, so the sessions are of no use outside the console, and the temporary
//! credentials of AWS STS are no cookies.

mod federation;
mod known;
mod role_switch;
mod session;
mod sign_in_identity;
mod sign_in_token;

pub use self::federation::{FederatedCredentials, FederationError};
pub use self::known::{KnownIdentity, KnownKind};
pub use self::role_switch::{RoleName, RoleSwitch};
pub use self::session::{ConsoleSession, NewConsoleSession, SwitchedRole};
pub use self::sign_in_identity::{KeyPair, SignInIdentity};
pub use self::sign_in_token::SignInTokenError;

/// Duration of the session of a user, in seconds.
pub const SESSION_SECONDS: i64 = 8 * 3600;

/// The migration that creates the table of the sessions of browsers: the hash of the cookie's secret, and the session of the role.
pub(crate) const STEP: &str = "
    CREATE TABLE console_sessions (
        access_key_id TEXT PRIMARY KEY REFERENCES sessions (access_key_id) ON DELETE CASCADE,
        cookie_hash BLOB NOT NULL,
        role_key TEXT REFERENCES sessions (access_key_id) ON DELETE SET NULL,
        role_display_name TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID;
    CREATE INDEX console_sessions_by_role_key ON console_sessions (role_key);
";

#[cfg(test)]
mod tests;

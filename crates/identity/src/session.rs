//! Temporary credentials: random values, stored so that they identify their caller later.
//!
//! **Invariant:** the store has a hash of a session token only, and nothing of a secret access key, which the root key gives.

use std::collections::BTreeMap;

use aws::{Caller, Clock, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use store::{Error, Store, Transaction};
use subtle::ConstantTimeEq;

use crate::{RootKey, derived_id};

/// The migrations of the database. The table `token_keys` has the keys that sign web identity tokens, in PKCS#8; the table
/// `root_key` has the one key from which secret access keys are derived, and `administrator` the id of the first of them.
pub(crate) const STEPS: &[&str] = &[
    "
    CREATE TABLE sessions (
        access_key_id TEXT PRIMARY KEY,
        token_hash BLOB NOT NULL,
        expires INTEGER NOT NULL,
        caller TEXT NOT NULL
    );
    CREATE INDEX sessions_by_end ON sessions (expires);
",
    "
    CREATE TABLE token_keys (
        algorithm TEXT PRIMARY KEY,
        private BLOB NOT NULL
    );
",
    "
    CREATE TABLE root_key (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        key BLOB NOT NULL
    );
",
    "
    CREATE TABLE administrator (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        access_key_id TEXT NOT NULL
    );
",
    "
    ALTER TABLE sessions ADD COLUMN policy TEXT;
    ALTER TABLE sessions ADD COLUMN policy_arns TEXT;
    ALTER TABLE sessions ADD COLUMN tags TEXT;
    ALTER TABLE sessions ADD COLUMN scopes TEXT;
    ALTER TABLE sessions ADD COLUMN federated_provider TEXT;
",
    crate::tables::STEP,
    crate::console::STEP,
];

/// Time for which expired credentials are still reported as expired, in milliseconds: a week.
const EXPIRED_KEPT_MILLIS: i64 = 7 * 24 * 3600 * 1000;

/// Maximum size of a session token in bytes.
pub(crate) const TOKEN_BYTES_MAX: usize = 4096;

/// Size of the token of a session without policies and tags, in bytes.
pub(crate) const TOKEN_BYTES: usize = 192;

/// Temporary credentials in the form of a reply.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TemporaryCredentials {
    pub(crate) access_key_id: String,
    secret_access_key: String,
    pub(crate) session_token: String,
    expiration: String,
}

/// The policies and tags of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionPolicies {
    /// The document of the inline session policy.
    pub(crate) policy: Option<String>,
    /// The ARNs of the managed session policies.
    pub(crate) policy_arns: Vec<String>,
    /// All session tags, the inherited ones too.
    pub(crate) tags: BTreeMap<String, String>,
    /// The documents that `GetScopedCredentials` added.
    pub(crate) scopes: Vec<String>,
    /// The identity provider through which a role was assumed.
    pub(crate) federated_provider: Option<String>,
}

impl SessionPolicies {
    /// Returns whether the session has session policies, which must allow what it does.
    pub(crate) fn is_restricted(&self) -> bool {
        self.policy.is_some() || !self.policy_arns.is_empty()
    }

    /// Returns the policies of a session that may do nothing.
    pub(crate) fn nothing() -> Self {
        // An empty text is no document, so nothing allows anything.
        Self { policy: Some(String::new()), ..Self::default() }
    }
}

/// The hash of a session token, which verifies a token without revealing it.
#[derive(Clone, Debug)]
pub struct TokenHash(Vec<u8>);

/// Compares in constant time.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl TokenHash {
    /// Hashes a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).to_vec())
    }

    /// Returns the text that replaces the token in records.
    pub(crate) fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// Returns the bytes to store.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Creates a hash from its stored bytes.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// A stored session, expired or not.
pub(crate) struct StoredSession {
    pub(crate) caller: Caller,
    pub(crate) token_hash: TokenHash,
    pub(crate) expires: Timestamp,
}

/// Parses the column `caller`.
pub(crate) fn parse_caller(text: &str) -> Result<Caller, Error> {
    serde_json::from_str(text).map_err(|_| Error::Damaged("a session's caller"))
}

/// Temporary credentials that are not stored yet.
pub(crate) struct NewSession {
    pub(crate) credentials: TemporaryCredentials,
    token_hash: TokenHash,
    now: Timestamp,
    expires: Timestamp,
    caller: String,
    policies: SessionPolicies,
}

impl NewSession {
    /// Creates credentials for a caller with a token of at least `token_bytes` bytes.
    ///
    /// The access key and the token take their own seeds from the clock, as the ids of a call can be derived from one another.
    pub(crate) fn new(
        root_key: &RootKey,
        clock: &dyn Clock,
        now: Timestamp,
        caller: Caller,
        expires: Timestamp,
        token_bytes: usize,
        policies: SessionPolicies,
    ) -> Self {
        let random = |seeds: usize| -> Vec<u8> { (0..seeds).flat_map(|_| clock.seed().to_be_bytes()).collect() };
        let access_key_id = derived_id("ASIA", 16, clock.seed());
        let credentials = TemporaryCredentials {
            secret_access_key: root_key.secret(&access_key_id).as_str().to_owned(),
            access_key_id,
            session_token: token(random(9), token_bytes),
            expiration: expires.iso(),
        };
        let caller = Caller { access_key_id: Some(credentials.access_key_id.clone()), ..caller };
        let token_hash = TokenHash::of(&credentials.session_token);
        let caller = serde_json::to_string(&caller).expect("the maps of a caller have string keys");
        Self { credentials, token_hash, now, expires, caller, policies }
    }

    /// Returns the id of the access key.
    pub(crate) fn access_key_id(&self) -> &str {
        &self.credentials.access_key_id
    }

    /// Stores the credentials and deletes those that expired long ago.
    pub(crate) fn store(self, transaction: &Transaction) -> Result<TemporaryCredentials, Error> {
        let deleted_before = self.now.millis() - EXPIRED_KEPT_MILLIS;
        transaction.execute("DELETE FROM sessions WHERE expires < ?1", &[deleted_before.into()])?;
        let SessionPolicies { policy, policy_arns, tags, scopes, federated_provider } = &self.policies;
        transaction.execute(
            "INSERT INTO sessions (access_key_id, token_hash, expires, caller, policy, policy_arns, tags, scopes, federated_provider)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            &[
                (&self.credentials.access_key_id).into(),
                self.token_hash.0.as_slice().into(),
                self.expires.millis().into(),
                (&self.caller).into(),
                policy.as_deref().into(),
                (&json(policy_arns)).into(),
                (&json(tags)).into(),
                (&json(scopes)).into(),
                federated_provider.as_deref().into(),
            ],
        )?;
        Ok(self.credentials)
    }
}

/// Writes a token of at least `bytes` bytes and at most [`TOKEN_BYTES_MAX`]; bytes that `random` lacks are derived from it.
fn token(mut random: Vec<u8>, bytes: usize) -> String {
    // Base64 writes three bytes as four letters.
    let length = bytes.min(TOKEN_BYTES_MAX).div_ceil(4) * 3;
    while random.len() < length {
        let more = Sha256::digest(&random);
        random.extend_from_slice(&more[..(length - random.len()).min(more.len())]);
    }
    STANDARD.encode(random)
}

/// Finds the session of an access key.
pub(crate) fn find(store: &Store, access_key_id: &str) -> Result<Option<StoredSession>, Error> {
    store.read(|transaction| {
        transaction.query_one(
            "SELECT caller, token_hash, expires FROM sessions WHERE access_key_id = ?1",
            &[access_key_id.into()],
            |row| {
                Ok(StoredSession {
                    caller: parse_caller(&row.text(0)?)?,
                    token_hash: TokenHash(row.blob(1)?),
                    expires: Timestamp::from_millis(row.integer(2)?),
                })
            },
        )
    })
}

/// Returns the caller of a stored session in a transaction.
pub(crate) fn caller(transaction: &Transaction, access_key_id: &str) -> Result<Option<Caller>, Error> {
    let sql = "SELECT caller FROM sessions WHERE access_key_id = ?1";
    transaction.query_one(sql, &[access_key_id.into()], |row| parse_caller(&row.text(0)?))
}

/// Finds the policies and tags of a session; `None` for a session that an earlier version of this program stored without them.
pub(crate) fn policies(store: &Store, access_key_id: &str) -> Result<Option<SessionPolicies>, Error> {
    let found = store.read(|transaction| {
        transaction.query_one(
            "SELECT policy, policy_arns, tags, scopes, federated_provider FROM sessions WHERE access_key_id = ?1",
            &[access_key_id.into()],
            |row| {
                let Some(tags) = row.optional_text(2)? else { return Ok(None) };
                Ok(Some(SessionPolicies {
                    policy: row.optional_text(0)?,
                    policy_arns: parse(&row.text(1)?)?,
                    tags: parse(&tags)?,
                    scopes: parse(&row.text(3)?)?,
                    federated_provider: row.optional_text(4)?,
                }))
            },
        )
    })?;
    Ok(found.flatten())
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("lists and maps of texts can be written")
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| Error::Damaged("a session's policies"))
}

/// Deletes all sessions.
pub(crate) fn clear(transaction: &Transaction) -> Result<(), Error> {
    transaction.execute("DELETE FROM sessions", &[]).map(drop)
}

/// Deletes the session of an access key.
pub(crate) fn delete(transaction: &Transaction, access_key_id: &str) -> Result<(), Error> {
    transaction.execute("DELETE FROM sessions WHERE access_key_id = ?1", &[access_key_id.into()]).map(drop)
}

/// Deletes the sessions of a user or role, by its unique id.
pub(crate) fn delete_of(transaction: &Transaction, principal_id: &str) -> Result<(), Error> {
    let named = format!("%\"principal_id\":\"{principal_id}%");
    transaction.execute("DELETE FROM sessions WHERE caller LIKE ?1", &[(&named).into()]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{TOKEN_BYTES, TOKEN_BYTES_MAX, token};

    #[test]
    fn a_token_has_the_requested_length_within_bounds() {
        for (wanted, length) in [(0, TOKEN_BYTES), (TOKEN_BYTES, TOKEN_BYTES), (193, 196), (4093, 4096), (9999, 4096)] {
            assert_eq!(token(vec![7; 144], wanted).len(), length, "{wanted}");
        }
        assert_eq!(TOKEN_BYTES_MAX, 4096);
    }
}

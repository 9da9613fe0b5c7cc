//! Temporary credentials: random values, stored so that they identify their caller later.
//!
//! **Invariant:** the store has a hash of a session token only, and nothing of a secret access key, which the root key gives.

use aws::{Caller, Clock, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
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
    access_key_id: String,
    secret_access_key: String,
    pub(crate) session_token: String,
    expiration: String,
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
}

/// A stored session, expired or not.
pub(crate) struct StoredSession {
    pub(crate) caller: Caller,
    pub(crate) token_hash: TokenHash,
    pub(crate) expires: Timestamp,
}

/// Temporary credentials that are not stored yet.
pub(crate) struct NewSession {
    pub(crate) credentials: TemporaryCredentials,
    token_hash: TokenHash,
    now: Timestamp,
    expires: Timestamp,
    caller: String,
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
        Self { credentials, token_hash, now, expires, caller }
    }

    /// Stores the credentials and deletes those that expired long ago.
    pub(crate) fn store(self, transaction: &Transaction) -> Result<TemporaryCredentials, Error> {
        let deleted_before = self.now.millis() - EXPIRED_KEPT_MILLIS;
        transaction.execute("DELETE FROM sessions WHERE expires < ?1", &[deleted_before.into()])?;
        transaction.execute(
            "INSERT INTO sessions (access_key_id, token_hash, expires, caller) VALUES (?1, ?2, ?3, ?4)",
            &[
                (&self.credentials.access_key_id).into(),
                self.token_hash.0.as_slice().into(),
                self.expires.millis().into(),
                (&self.caller).into(),
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
                    caller: serde_json::from_str(&row.text(0)?).map_err(|_| Error::Damaged("a session's caller"))?,
                    token_hash: TokenHash(row.blob(1)?),
                    expires: Timestamp::from_millis(row.integer(2)?),
                })
            },
        )
    })
}

/// Deletes all sessions.
pub(crate) fn clear(store: &Store) -> Result<(), Error> {
    store.write(|transaction| transaction.execute("DELETE FROM sessions", &[]).map(drop))
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

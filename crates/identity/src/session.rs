//! Temporary credentials: made out of chance, and kept so that they name their caller later.
//!
//! **Invariant:** of a session token only a hash is kept; of a secret access key nothing is.

use aws::{Caller, Clock, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Error, Store, Transaction};

use crate::derived_id;

/// What brings a database up to date; `token_keys` are those that web identity tokens are signed with, in PKCS#8.
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
];

/// How long it is still known that credentials have expired, in milliseconds: a week.
const REMEMBERED_MILLIS: i64 = 7 * 24 * 3600 * 1000;

/// How many bytes a session token can have.
pub(crate) const TOKEN_BYTES_MAX: usize = 4096;

/// How many bytes the token of a session without policies and tags has.
pub(crate) const TOKEN_BYTES: usize = 192;

/// Temporary credentials, as a reply has them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    pub(crate) session_token: String,
    expiration: String,
}

/// The hash of a session token: it tells whether a token is the right one, and nobody gets the token out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash(Vec<u8>);

impl TokenHash {
    /// Hashes a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).to_vec())
    }

    /// Returns the text that stands for the token in records.
    pub(crate) fn text(&self) -> String {
        STANDARD.encode(&self.0)
    }
}

/// A session that is known, expired or not.
pub(crate) struct Known {
    pub(crate) caller: Caller,
    pub(crate) token_hash: TokenHash,
    pub(crate) expires: Timestamp,
}

/// Credentials that are made, and still to be kept.
pub(crate) struct Issued {
    pub(crate) credentials: Credentials,
    token_hash: TokenHash,
    now: Timestamp,
    expires: Timestamp,
    caller: String,
}

impl Issued {
    /// Makes credentials for a caller, with a token of at least so many bytes; they are of use until a time.
    ///
    /// Ids of a call are derived from each other, so secrets have chance of their own.
    pub(crate) fn new(
        clock: &dyn Clock,
        now: Timestamp,
        caller: Caller,
        expires: Timestamp,
        token_bytes: usize,
    ) -> Self {
        let chance = |seeds: usize| -> Vec<u8> { (0..seeds).flat_map(|_| clock.seed().to_be_bytes()).collect() };
        let credentials = Credentials {
            access_key_id: derived_id("ASIA", 16, clock.seed()),
            secret_access_key: STANDARD.encode(&chance(2)[..30]),
            session_token: token(chance(9), token_bytes),
            expiration: expires.iso(),
        };
        let caller = Caller { access_key_id: Some(credentials.access_key_id.clone()), ..caller };
        let token_hash = TokenHash::of(&credentials.session_token);
        let caller = serde_json::to_string(&caller).expect("a caller's map keys are strings");
        Self { credentials, token_hash, now, expires, caller }
    }

    /// Keeps them, and forgets those that expired long ago.
    pub(crate) fn keep(self, transaction: &Transaction) -> Result<Credentials, Error> {
        let forgotten = self.now.millis() - REMEMBERED_MILLIS;
        transaction.execute("DELETE FROM sessions WHERE expires < ?1", &[forgotten.into()])?;
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

/// Writes a token of at least so many bytes, and at most [`TOKEN_BYTES_MAX`]; what `chance` does not fill is derived from it.
fn token(mut chance: Vec<u8>, bytes: usize) -> String {
    // Four letters of base64 stand for three bytes.
    let length = bytes.min(TOKEN_BYTES_MAX).div_ceil(4) * 3;
    while chance.len() < length {
        let more = Sha256::digest(&chance);
        chance.extend_from_slice(&more[..(length - chance.len()).min(more.len())]);
    }
    STANDARD.encode(chance)
}

/// Finds the session of an access key.
pub(crate) fn find(store: &Store, access_key_id: &str) -> Result<Option<Known>, Error> {
    store.read(|transaction| {
        transaction.query_one(
            "SELECT caller, token_hash, expires FROM sessions WHERE access_key_id = ?1",
            &[access_key_id.into()],
            |row| {
                Ok(Known {
                    caller: serde_json::from_str(&row.text(0)?).map_err(|_| Error::Damaged("a session's caller"))?,
                    token_hash: TokenHash(row.blob(1)?),
                    expires: Timestamp::from_millis(row.integer(2)?),
                })
            },
        )
    })
}

/// Forgets all sessions.
pub(crate) fn clear(store: &Store) -> Result<(), Error> {
    store.write(|transaction| transaction.execute("DELETE FROM sessions", &[]).map(drop))
}

#[cfg(test)]
mod tests {
    use super::{TOKEN_BYTES, TOKEN_BYTES_MAX, token};

    #[test]
    fn a_token_is_as_long_as_it_is_wanted() {
        for (wanted, length) in [(0, TOKEN_BYTES), (TOKEN_BYTES, TOKEN_BYTES), (193, 196), (4093, 4096), (9999, 4096)] {
            assert_eq!(token(vec![7; 144], wanted).len(), length, "{wanted}");
        }
        assert_eq!(TOKEN_BYTES_MAX, 4096);
    }
}

//! Tokens: what a batch allows its client to transfer, and what SSH lets its client request over HTTP.
//!
//! A token is the grant in JSON and its HMAC-SHA256. The key is in the database, so a restart leaves tokens valid.
//!
//! **Invariant:** a token names one repository and one operation, and ends; one for a transfer also names one object and its size.

use std::time::Duration;

use aws::{AccountId, Caller, Region, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codecommit::lfs::LfsObject;
use hmac::{Hmac, KeyInit, Mac};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::Sha256;
use store::{Error, Store};

use crate::lfs::reply::LfsFailure;

/// Time for which a token is valid.
pub(crate) const TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// The only key.
const STEPS: &[&str] = &["CREATE TABLE lfs_token_key (id INTEGER PRIMARY KEY CHECK (id = 1), secret BLOB NOT NULL);"];

/// The key of tokens.
pub(crate) struct Tokens([u8; 32]);

/// The operation that a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GrantedOperation {
    Download,
    Upload,
}

/// The permission to transfer one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ObjectGrant {
    pub(super) operation: GrantedOperation,
    pub(super) repository: String,
    pub(super) repository_id: String,
    oid: String,
    bytes: u64,
}

/// The permission of a caller, whom SSH has authenticated, to make requests for a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallerGrant {
    pub(crate) operation: GrantedOperation,
    pub(crate) repository: String,
    pub(crate) account: AccountId,
    #[serde(deserialize_with = "region")]
    pub(crate) region: Region,
    pub(crate) caller: Caller,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Grant {
    Object(ObjectGrant),
    Caller(Box<CallerGrant>),
}

#[derive(Serialize, Deserialize)]
struct Content {
    grant: Grant,
    /// End of the token, in milliseconds since 1970.
    end: i64,
}

impl ObjectGrant {
    pub(super) fn new(
        operation: GrantedOperation,
        repository: &codecommit::repository::Repository,
        object: LfsObject,
    ) -> Self {
        let (name, id) = (repository.name.clone(), repository.id.clone());
        let LfsObject { id: oid, bytes } = object;
        Self { operation, repository: name, repository_id: id, oid: oid.to_string(), bytes }
    }

    /// Returns the object.
    pub(super) fn object(&self) -> Option<LfsObject> {
        Some(LfsObject { id: self.oid.parse().ok()?, bytes: self.bytes })
    }
}

/// Creates the table of the key.
pub(crate) fn migrate(store: &Store) -> Result<(), Error> {
    store.migrate("lfs tokens", STEPS)
}

impl Tokens {
    /// Reads the key from the store; creates it at the first start.
    pub(crate) fn open(store: &Store) -> Result<Self, Error> {
        migrate(store)?;
        let mut new = [0; 32];
        getrandom::fill(&mut new).expect("the system provides random numbers");
        store.random_key("lfs_token_key", "secret", new).map(Self)
    }

    /// Creates a token for the transfer of an object.
    pub(super) fn of_object(&self, grant: ObjectGrant, now: Timestamp) -> String {
        self.sign(Grant::Object(grant), now)
    }

    /// Creates a token for requests of a caller.
    pub(crate) fn of_caller(&self, grant: CallerGrant, now: Timestamp) -> String {
        self.sign(Grant::Caller(Box::new(grant)), now)
    }

    /// Reads a token for an operation on an object of a repository.
    pub(super) fn object(
        &self,
        token: &str,
        now: Timestamp,
        operation: GrantedOperation,
        repository: &str,
    ) -> Result<ObjectGrant, LfsFailure> {
        match self.read(token, now)? {
            Grant::Object(grant) if grant.operation == operation && grant.repository == repository => Ok(grant),
            Grant::Object(_) | Grant::Caller(_) => Err(other()),
        }
    }

    /// Reads the token of a caller for a repository.
    pub(super) fn caller(&self, token: &str, now: Timestamp, repository: &str) -> Result<CallerGrant, LfsFailure> {
        match self.read(token, now)? {
            Grant::Caller(grant) if grant.repository == repository => Ok(*grant),
            Grant::Object(_) | Grant::Caller(_) => Err(other()),
        }
    }

    fn sign(&self, grant: Grant, now: Timestamp) -> String {
        let content = Content { grant, end: now.saturating_add(TOKEN_LIFETIME).millis() };
        let content = serde_json::to_vec(&content).expect("the keys of a grant are texts");
        let mac = self.mac(&content).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(content), URL_SAFE_NO_PAD.encode(mac))
    }

    fn read(&self, token: &str, now: Timestamp) -> Result<Grant, LfsFailure> {
        let parts = token.split_once('.').and_then(|(content, mac)| {
            Some((URL_SAFE_NO_PAD.decode(content).ok()?, URL_SAFE_NO_PAD.decode(mac).ok()?))
        });
        let (content, mac) = parts.ok_or_else(other)?;
        self.mac(&content).verify_slice(&mac).map_err(|_| other())?;
        let Content { grant, end } = serde_json::from_slice(&content).map_err(|_| other())?;
        if now.millis() >= end {
            return Err(LfsFailure::new(403, "The token has expired. Repeat the push or pull."));
        }
        Ok(grant)
    }

    fn mac(&self, content: &[u8]) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(&self.0).expect("a key may have any length").chain_update(content)
    }
}

fn region<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Region, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|_| D::Error::custom("not a region"))
}

/// Returns the token of a header `Authorization`.
pub(super) fn bearer(authorization: Option<&str>) -> Option<&str> {
    let (scheme, token) = authorization?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The failure of a transfer without a token.
pub(super) fn missing() -> LfsFailure {
    LfsFailure::new(403, "A token is required. A batch request gives out tokens.")
}

/// Clients repeat a batch after status 403, and forget their password after 401.
fn other() -> LfsFailure {
    LfsFailure::new(403, "The token is not for this request. A batch request gives out tokens.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(operation: GrantedOperation) -> ObjectGrant {
        ObjectGrant {
            operation,
            repository: "MyDemoRepo".to_owned(),
            repository_id: "id".to_owned(),
            oid: "0".repeat(64),
            bytes: 7,
        }
    }

    #[test]
    fn a_token_is_valid_for_what_it_names_until_its_end() {
        let (tokens, now) = (Tokens([7; 32]), Timestamp::from_millis(1_000));
        let upload = grant(GrantedOperation::Upload);
        let token = tokens.of_object(upload.clone(), now);
        let read = |tokens: &Tokens, token: &str, now, operation, repository: &str| {
            tokens.object(token, now, operation, repository).map_err(|failure| failure.message)
        };
        let (up, down) = (GrantedOperation::Upload, GrantedOperation::Download);
        assert_eq!(read(&tokens, &token, now, up, "MyDemoRepo"), Ok(upload));
        let end = now.saturating_add(TOKEN_LIFETIME);
        let expired = read(&tokens, &token, end, up, "MyDemoRepo").expect_err("it has ended");
        assert!(expired.contains("expired"), "{expired}");
        for refused in [
            read(&tokens, &token, now, down, "MyDemoRepo"),
            read(&tokens, &token, now, up, "Other"),
            read(&Tokens([8; 32]), &token, now, up, "MyDemoRepo"),
            read(&tokens, "", now, up, "MyDemoRepo"),
            read(&tokens, token.split_once('.').expect("two parts").0, now, up, "MyDemoRepo"),
        ] {
            assert!(refused.expect_err("another token").contains("not for this request"));
        }
        assert!(tokens.caller(&token, now, "MyDemoRepo").is_err(), "it names no caller");
    }

    #[test]
    fn no_byte_of_a_token_can_be_changed() {
        let (tokens, now) = (Tokens([7; 32]), Timestamp::from_millis(1_000));
        let token = tokens.of_object(grant(GrantedOperation::Download), now);
        for index in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("the token is ASCII");
            let read = tokens.object(&changed, now, GrantedOperation::Download, "MyDemoRepo");
            assert!(read.is_err(), "{index}");
        }
    }
}

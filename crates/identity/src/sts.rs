//! The service AWS STS: temporary credentials, and whom they name.

pub(crate) mod assertion;
pub(crate) mod assume_role;
pub(crate) mod assume_role_with_saml;
pub(crate) mod assume_role_with_web_identity;
pub(crate) mod assume_root;
pub(crate) mod context;
pub(crate) mod decode_authorization_message;
pub(crate) mod get_access_key_info;
pub(crate) mod get_caller_identity;
pub(crate) mod get_delegated_access_token;
pub(crate) mod get_federation_token;
pub(crate) mod get_scoped_credentials;
pub(crate) mod get_session_token;
pub(crate) mod get_web_identity_token;
pub(crate) mod input;
pub(crate) mod output;
pub(crate) mod tags;
pub(crate) mod token;
pub(crate) mod token_key;

use std::sync::Arc;

use aws::{AccountId, Call, Caller, Clock, Failure, Operation, Partition, Timestamp};
use parking_lot::RwLock;
use serde_json::Value;
use store::{Store, Transaction};

use crate::session::{self, Issued};
use crate::{Credentials, Identities, Presented, operations};

/// `eventSource` of STS.
pub const EVENT_SOURCE: &str = "sts.amazonaws.com";

/// `apiVersion` of STS, which its forms name, too.
pub const API_VERSION: &str = "2011-06-15";

/// The namespace of its replies.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// AWS STS over the identities of the file and the sessions in the store.
pub struct Sts {
    /// Replaced as a whole when the file is read again.
    identities: RwLock<Arc<Identities>>,
    default_account: AccountId,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
}

/// Why credentials name nobody.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The token is not the one of the access key, or missing.
    #[error("The security token included in the request is invalid.")]
    Invalid,
    /// The session has ended.
    #[error("The security token included in the request is expired")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Sts {
    /// Opens the service and brings its tables up to date.
    pub fn open(store: Arc<Store>, identities: Identities, clock: Arc<dyn Clock>) -> Result<Self, store::Error> {
        store.migrate("identity", session::STEPS)?;
        let default_account = identities.default_account().clone();
        Ok(Self { identities: RwLock::new(Arc::new(identities)), default_account, store, clock })
    }

    /// The identities that are known now.
    pub(crate) fn identities(&self) -> Arc<Identities> {
        Arc::clone(&self.identities.read())
    }

    /// Replaces the identities, for all calls that begin from now on.
    pub fn set_identities(&self, identities: Identities) {
        *self.identities.write() = Arc::new(identities);
    }

    /// Finds an operation by its name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::find(name)
    }

    /// The account of callers who give no credentials, as it was at the start.
    pub fn default_account(&self) -> &AccountId {
        &self.default_account
    }

    /// Names the caller that credentials belong to: that of the session if they are of one, else as
    /// [`Identities::authenticate`] does.
    pub fn authenticate(
        &self,
        credentials: &Credentials,
        account: Option<&AccountId>,
        partition: Partition,
    ) -> Result<Caller, Refused> {
        if let Presented::AccessKey(key) = &credentials.presented
            && key.starts_with("ASIA")
            && let Some(session) = session::find(&self.store, key)?
        {
            if credentials.token.as_ref() != Some(&session.token_hash) {
                return Err(Refused::Invalid);
            }
            if session.expires <= self.clock.now() {
                return Err(Refused::Expired);
            }
            return Ok(session.caller);
        }
        Ok(self.identities().authenticate(credentials, account, partition))
    }

    /// Forgets all sessions.
    pub fn reset(&self) -> Result<(), store::Error> {
        session::clear(&self.store)
    }

    /// Returns the public keys that web identity tokens are checked with, as a JSON Web Key Set.
    pub fn token_keys(&self) -> Result<Value, store::Error> {
        self.store.read(token_key::published)
    }

    /// Makes credentials for a caller, from the time of the call on, with a token of at least so many bytes.
    pub(crate) fn issue(&self, call: &Call, caller: Caller, seconds: i64, token_bytes: usize) -> Issued {
        let expires = Timestamp::from_millis(call.time.millis() + seconds * 1000);
        Issued::new(&*self.clock, call.time, caller, expires, token_bytes)
    }

    /// Makes credentials for a caller until a time.
    pub(crate) fn issue_until(&self, call: &Call, caller: Caller, expires: Timestamp, token_bytes: usize) -> Issued {
        Issued::new(&*self.clock, call.time, caller, expires, token_bytes)
    }

    /// Finds the session of temporary credentials, expired or not.
    pub(crate) fn session(&self, access_key_id: &str) -> Result<Option<session::Known>, store::Error> {
        session::find(&self.store, access_key_id)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Refused {
    /// Returns the failure in the words of the services that speak AWS JSON.
    pub fn json(&self) -> Failure {
        self.named("UnrecognizedClientException", "ExpiredTokenException", 400)
    }

    /// Returns the failure in STS's own words.
    pub fn query(&self) -> Failure {
        self.named("InvalidClientTokenId", "ExpiredToken", 403)
    }

    /// Returns the failure in the words of S3.
    pub fn s3(&self) -> Failure {
        self.named("InvalidToken", "ExpiredToken", 400)
    }

    fn named(&self, invalid: &str, expired: &str, status: u16) -> Failure {
        let name = match self {
            Self::Invalid => invalid,
            Self::Expired => expired,
            Self::Store(error) => {
                tracing::error!(%error, "a session cannot be read");
                return Failure::internal();
            }
        };
        Failure { name: name.to_owned(), message: self.to_string(), status }
    }
}

//! The service AWS STS: issues temporary credentials and identifies their callers.

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
mod operations;
pub(crate) mod output;
pub(crate) mod tags;
pub(crate) mod token;
pub(crate) mod token_key;

use std::sync::Arc;

use aws::{AccountId, Call, Caller, Clock, Operation, Partition, Timestamp};
use serde_json::Value;
use store::{Store, Transaction};

use crate::administrator::{self, AccessKey, Administrator};
use crate::key_use::KeyUses;
use crate::live::{ChangeListener, LiveIdentities};
use crate::session::{self, NewSession, SessionPolicies};
use crate::tables::issued::Changed;
use crate::{AuthenticationError, Credentials, Iam, Identities, PresentedCredential, RootKey, SshKeyOwner, tables};

/// `eventSource` of the records of STS.
pub const EVENT_SOURCE: &str = "sts.amazonaws.com";

/// `apiVersion` of the records of STS, and `Version` of its forms.
pub const API_VERSION: &str = "2011-06-15";

/// The XML namespace of the replies of STS.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// AWS STS over the identities of the file and the sessions in the store.
pub struct Sts {
    identities: Arc<LiveIdentities>,
    default_account: AccountId,
    store: Arc<Store>,
    root_key: Arc<RootKey>,
    administrator: Option<Administrator>,
    clock: Arc<dyn Clock>,
    key_uses: Arc<KeyUses>,
}

/// Creates the tables of the service, or changes those of an older version.
pub fn migrate(store: &Store) -> Result<(), store::Error> {
    store.migrate("identity", session::STEPS)
}

impl Sts {
    /// Opens the service and migrates its tables.
    pub fn open(store: Arc<Store>, identities: Identities, clock: Arc<dyn Clock>) -> Result<Self, store::Error> {
        migrate(&store)?;
        let default_account = identities.default_account().clone();
        let root_key = Arc::new(RootKey::open(&store)?);
        let identities = Arc::new(LiveIdentities::open(Arc::clone(&store), identities, &*clock)?);
        Ok(Self { identities, default_account, store, root_key, administrator: None, clock, key_uses: Arc::default() })
    }

    /// Gives the administrator an access key: the given one, or that of the store, which a new store creates.
    pub fn with_administrator(self, given: Option<AccessKey>) -> Result<Self, store::Error> {
        let administrator = match given {
            Some(key) => Administrator { key, is_new: false },
            None => administrator::open(&self.store, &self.root_key, &*self.clock)?,
        };
        Ok(Self { administrator: Some(administrator), ..self })
    }

    /// Returns the administrator; without one, no credentials are verified.
    pub fn administrator(&self) -> Option<&Administrator> {
        self.administrator.as_ref()
    }

    /// Returns the current identities.
    pub(crate) fn identities(&self) -> Arc<Identities> {
        self.identities.current()
    }

    /// Replaces the identities for all later calls.
    pub fn set_identities(&self, identities: Identities) -> Result<(), store::Error> {
        self.identities.set_file(identities, &*self.clock)
    }

    /// Sets the function that is called in the transaction of each change of identities by the APIs; only the first one counts.
    pub fn set_change_listener(&self, listener: ChangeListener) {
        self.identities.set_listener(listener);
    }

    /// Returns what reads the identities anew, after another server on the same database has changed them.
    pub fn refresher(&self) -> impl Fn() + Send + Sync + 'static {
        let identities = Arc::downgrade(&self.identities);
        move || {
            if let Some(identities) = identities.upgrade() {
                identities.refresh_all();
            }
        }
    }

    /// Returns the IAM API over the same identities.
    pub fn iam(&self) -> Iam {
        Iam::new(
            Arc::clone(&self.identities),
            Arc::clone(&self.root_key),
            Arc::clone(&self.clock),
            Arc::clone(&self.key_uses),
        )
    }

    /// Lists the operations.
    pub fn operations() -> &'static [Operation<Self, Transaction>] {
        operations::all()
    }

    /// Finds an operation by name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::find(name)
    }

    /// Returns the account of callers without credentials; reloading the identities does not change it.
    pub fn default_account(&self) -> &AccountId {
        &self.default_account
    }

    /// Returns the caller that unverified credentials name: the caller of their session, or that of [`Identities::authenticate`].
    pub fn authenticate(
        &self,
        credentials: &Credentials,
        account: Option<&AccountId>,
        partition: Partition,
    ) -> Result<Caller, AuthenticationError> {
        if let PresentedCredential::AccessKey(key) = &credentials.presented
            && let Some(caller) = self.session_caller(key, credentials.token.as_ref())?
        {
            return Ok(caller);
        }
        Ok(self.identities().authenticate(credentials, account, partition))
    }

    /// Notes that a call of a service used its access key.
    pub fn note_key_use(&self, call: &Call, service: &str) {
        let key = call.caller.access_key_id.as_deref().filter(|_| call.caller.session.is_none());
        // Any text can be the key of a call in open access.
        if let Some(key) = key.filter(|key| self.identities().by_access_key.contains_key(*key)) {
            self.key_uses.note(key, call, service);
        }
    }

    /// Returns the owner of an SSH key id.
    pub fn ssh_key_owner(&self, id: &str) -> Option<SshKeyOwner> {
        self.identities().by_ssh_key_id.get(id).map(|owner| SshKeyOwner::clone(owner))
    }

    /// Returns the key that gives the secrets of issued access keys; a reset does not change it.
    pub fn root_key(&self) -> &RootKey {
        &self.root_key
    }

    /// Deletes all sessions and what the IAM API issued.
    ///
    /// The permissions of callers are forgotten, too: with a fixed source of ids, a later session can have the access key of a deleted one.
    pub fn reset(&self) -> Result<(), store::Error> {
        self.key_uses.clear();
        let identities = Arc::clone(&self.identities);
        self.store.write(move |transaction| {
            session::clear(transaction)?;
            tables::clear_issued(transaction)?;
            identities.refresh_after(transaction, Changed::everything());
            Ok(())
        })
    }

    /// Returns the public keys that verify web identity tokens, as a JSON Web Key Set.
    pub fn token_keys(&self) -> Result<Value, store::Error> {
        self.store.read(token_key::published)
    }

    /// Creates credentials for a caller that are valid for `seconds` from the time of the call.
    pub(crate) fn issue(
        &self,
        call: &Call,
        caller: Caller,
        seconds: i64,
        token_bytes: usize,
        policies: SessionPolicies,
    ) -> NewSession {
        let expires = Timestamp::from_millis(call.time.millis() + seconds * 1000);
        self.issue_until(call, caller, expires, token_bytes, policies)
    }

    /// Creates credentials for a caller that are valid until a time.
    pub(crate) fn issue_until(
        &self,
        call: &Call,
        caller: Caller,
        expires: Timestamp,
        token_bytes: usize,
        policies: SessionPolicies,
    ) -> NewSession {
        NewSession::new(&self.root_key, &*self.clock, call.time, caller, expires, token_bytes, policies)
    }

    /// Finds the session of temporary credentials, expired or not.
    pub(crate) fn session(&self, access_key_id: &str) -> Result<Option<session::StoredSession>, store::Error> {
        session::find(&self.store, access_key_id)
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Returns the time with which the ends of sessions are compared.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the time that dates of signatures are compared with.
    pub(crate) fn machine_time(&self) -> Timestamp {
        self.clock.machine_time()
    }
}

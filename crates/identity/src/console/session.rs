//! Sessions of browsers: a cookie names one, and its secret proves it.

use aws::caller::Session;
use aws::{Caller, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::{Error, Transaction};

use super::SignInIdentity;
use crate::root_key::MacPurpose;
use crate::session::{self, NewSession, SessionPolicies, TOKEN_BYTES, TokenHash};
use crate::{RootKey, Sts};

/// A session of a browser that has not ended.
#[derive(Clone, Debug)]
pub struct ConsoleSession {
    /// The caller of the console's calls: the identity that signed in, or the session of its role.
    pub caller: Caller,
    /// The identity that signed in, with the access key of the session.
    pub signed_in: Caller,
    /// The role to which the session has switched.
    pub role: Option<SwitchedRole>,
    /// The end of the session.
    pub expires: Timestamp,
    /// The token that forms of this session contain, so that no other web page can send one. It changes with the role.
    pub form_token: String,
    /// The access key of the session that signed in.
    pub(super) key: String,
}

/// A role to which a session has switched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchedRole {
    /// The name that the console shows; the user chose it.
    pub display_name: String,
    /// The end of the role's session; then the session is that of the identity that signed in again.
    pub expires: Timestamp,
}

/// A session of a browser that is not stored yet.
pub struct NewConsoleSession {
    caller: Caller,
    expires: Timestamp,
    secret: String,
    session: NewSession,
}

impl NewConsoleSession {
    /// Returns the caller that the session will have, with its access key.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns the end of the session.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Stores the session, and returns the value of the cookie; only its hash is stored.
    pub fn store(self, transaction: &Transaction) -> Result<String, Error> {
        let credentials = self.session.store(transaction)?;
        let hash = TokenHash::of(&self.secret);
        transaction.execute(
            "INSERT INTO console_sessions (access_key_id, cookie_hash) VALUES (?1, ?2)",
            &[(&credentials.access_key_id).into(), hash.as_bytes().into()],
        )?;
        Ok(format!("{}.{}", credentials.access_key_id, self.secret))
    }
}

/// The parts of a cookie: the access key of the session, and the secret.
fn parts(cookie: &str) -> Option<(&str, &str)> {
    let (key, secret) = cookie.split_once('.')?;
    let is_key = key.len() == 20 && key.starts_with("ASIA");
    // The secret has 32 bytes in base64.
    (is_key && secret.len() == 43).then_some((key, secret))
}

impl Sts {
    /// Creates a session for an identity, which [`NewConsoleSession::store`] stores.
    ///
    /// The session has the permissions of its user, or those of the temporary credentials with which it signed in.
    pub fn sign_in_to_console(&self, identity: SignInIdentity, now: Timestamp) -> Result<NewConsoleSession, Error> {
        let SignInIdentity { caller, expires } = identity;
        let (session, policies) = match &caller.session {
            None => (Session::new(now), SessionPolicies::default()),
            Some(session) => {
                let policies = match caller.access_key_id.as_deref() {
                    Some(key) => session::policies(self.store(), key)?.unwrap_or_else(SessionPolicies::nothing),
                    None => SessionPolicies::default(),
                };
                (Session { created: now, ..session.clone() }, policies)
            }
        };
        let caller = Caller { session: Some(session), ..caller };
        let secret: Vec<u8> = (0..2).flat_map(|_| self.clock().seed().to_be_bytes()).collect();
        let new = NewSession::new(self.root_key(), self.clock(), now, caller.clone(), expires, TOKEN_BYTES, policies);
        let caller = Caller { access_key_id: Some(new.access_key_id().to_owned()), ..caller };
        Ok(NewConsoleSession { caller, expires, secret: URL_SAFE_NO_PAD.encode(secret), session: new })
    }

    /// Returns the session of a cookie; `None` for one that has ended, and for any other text.
    ///
    /// One read of a row by its key, as every page needs it.
    pub fn console_session(&self, cookie: &str, now: Timestamp) -> Result<Option<ConsoleSession>, Error> {
        let Some((key, secret)) = parts(cookie) else { return Ok(None) };
        let found = self.store().read(|transaction| {
            transaction.query_one(
                "SELECT console.cookie_hash, own.caller, own.expires, role.caller, role.expires, role_display_name
                 FROM console_sessions AS console
                 JOIN sessions AS own ON own.access_key_id = console.access_key_id
                 LEFT JOIN sessions AS role ON role.access_key_id = console.role_key
                 WHERE console.access_key_id = ?1",
                &[key.into()],
                |row| {
                    let role = match (row.optional_text(3)?, row.optional_integer(4)?) {
                        (Some(caller), Some(expires)) => Some((caller, Timestamp::from_millis(expires))),
                        _ => None,
                    };
                    let expires = Timestamp::from_millis(row.integer(2)?);
                    Ok((TokenHash::from_bytes(row.blob(0)?), row.text(1)?, expires, role, row.text(5)?))
                },
            )
        })?;
        let Some((hash, own, expires, role, display_name)) = found else { return Ok::<_, Error>(None) };
        if TokenHash::of(secret) != hash || expires <= now {
            return Ok(None);
        }
        let signed_in = session::parse_caller(&own)?;
        let role = role.filter(|(_, expires)| *expires > now);
        let (caller, role) = match role {
            Some((caller, role_expires)) => {
                let role = SwitchedRole { display_name, expires: role_expires.min(expires) };
                (session::parse_caller(&caller)?, Some(role))
            }
            None => (signed_in.clone(), None),
        };
        let form_token = form_token(self.root_key(), cookie, caller.access_key_id.as_deref().unwrap_or_default());
        Ok(Some(ConsoleSession { caller, signed_in, role, expires, form_token, key: key.to_owned() }))
    }

    /// Ends the session of a cookie, and that of its role; the browser must sign in again.
    pub fn sign_out(&self, cookie: &str, now: Timestamp) -> Result<(), Error> {
        let Some(session) = self.console_session(cookie, now)? else { return Ok(()) };
        self.store().write(move |transaction| {
            session.end_role(transaction)?;
            session::delete(transaction, &session.key)
        })
    }

    /// Creates the random cookie of a browser that has not signed in, from which the token of its forms is derived.
    pub fn new_form_cookie(&self) -> String {
        let random: Vec<u8> = (0..2).flat_map(|_| self.clock().background_seed().to_be_bytes()).collect();
        URL_SAFE_NO_PAD.encode(random)
    }

    /// Returns the token for the forms of a browser that has not signed in.
    pub fn form_token(&self, cookie: &str) -> String {
        form_token(self.root_key(), cookie, "")
    }
}

impl ConsoleSession {
    /// Leaves the role: the next call is that of the identity that signed in.
    pub fn exit_role(&self, transaction: &Transaction) -> Result<(), Error> {
        self.end_role(transaction)
    }

    /// Deletes the session of the role; the row of the browser's session then has none.
    pub(super) fn end_role(&self, transaction: &Transaction) -> Result<(), Error> {
        let delete = "DELETE FROM sessions WHERE access_key_id = (SELECT role_key FROM console_sessions WHERE access_key_id = ?1)";
        transaction.execute(delete, &[(&self.key).into()]).map(drop)
    }
}

fn form_token(root_key: &RootKey, cookie: &str, access_key_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(root_key.mac(MacPurpose::FormToken, &format!("{access_key_id} {cookie}")))
}

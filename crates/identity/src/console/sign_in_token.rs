//! Sign-in tokens: links contain them, and whoever opens the link signs in.
//!
//! A token is `PAYLOAD.CODE`, both in base64: who signs in and until when as JSON, and its message authentication code with the root key. So
//! none is stored, and a token is valid over restarts. It names its user by the unique id, or the temporary credentials by their access key:
//! the deletion of either ends it.

use std::time::Duration;

use aws::{AccountId, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::SignInIdentity;
use super::sign_in_identity::is_user_name;
use crate::root_key::MacPurpose;
use crate::{Access, Sts};

/// Maximum length of a token in bytes.
const LENGTH_MAX: usize = 1024;

/// The content of a token.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Payload {
    pub(super) subject: Subject,
    /// The end of the token, in milliseconds.
    pub(super) expires: i64,
}

/// Who signs in.
#[derive(Debug, Deserialize, Serialize)]
pub(super) enum Subject {
    /// A user.
    User { account: AccountId, name: String, principal_id: String },
    /// The holder of temporary credentials.
    Credentials {
        access_key_id: String,
        /// The duration of the session in seconds; `None` for one that ends with the credentials.
        seconds: Option<i64>,
    },
}

/// Why a sign-in token is refused.
#[derive(Debug, thiserror::Error)]
pub enum SignInTokenError {
    /// No token of this server, or one of an identity that was deleted.
    #[error("unknown sign-in token")]
    Invalid,
    /// The token has expired.
    #[error("the sign-in token has expired")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Sts {
    /// Creates a token that signs a user in, any number of times until its end.
    ///
    /// `None` for a text that cannot be a user's name, and for an unknown user unless access is open.
    pub fn user_sign_in_token(
        &self,
        access: Access,
        account: &AccountId,
        name: &str,
        valid: Duration,
        now: Timestamp,
    ) -> Option<String> {
        if !is_user_name(name) || !self.may_sign_in(access, account, name) {
            return None;
        }
        let principal_id = self.user_caller(account, name).principal_id;
        let subject = Subject::User { account: account.clone(), name: name.to_owned(), principal_id };
        Some(self.sign_in_token(&Payload { subject, expires: now.saturating_add(valid).millis() }))
    }

    /// Returns the identity that a token signs in.
    pub fn identity_of_sign_in_token(
        &self,
        access: Access,
        token: &str,
        now: Timestamp,
    ) -> Result<SignInIdentity, SignInTokenError> {
        let Payload { subject, expires } = self.payload(token).ok_or(SignInTokenError::Invalid)?;
        if expires <= now.millis() {
            return Err(SignInTokenError::Expired);
        }
        match subject {
            Subject::User { account, name, principal_id } => {
                let caller = self.user_caller(&account, &name);
                let is_same = caller.principal_id == principal_id && self.may_sign_in(access, &account, &name);
                if is_same { Ok(SignInIdentity::of(caller, now)) } else { Err(SignInTokenError::Invalid) }
            }
            Subject::Credentials { access_key_id, seconds } => {
                let session = self.session(&access_key_id)?.ok_or(SignInTokenError::Invalid)?;
                let expires = match seconds {
                    Some(seconds) => now.saturating_add(Duration::from_secs(seconds.unsigned_abs())),
                    None if session.expires <= now => return Err(SignInTokenError::Expired),
                    None => session.expires,
                };
                Ok(SignInIdentity { caller: session.caller, expires })
            }
        }
    }

    /// Writes a token.
    pub(super) fn sign_in_token(&self, payload: &Payload) -> String {
        let json = serde_json::to_string(payload).expect("texts and numbers can be written");
        let payload = URL_SAFE_NO_PAD.encode(json);
        let code = self.root_key().mac(MacPurpose::SignInToken, &payload);
        format!("{payload}.{}", URL_SAFE_NO_PAD.encode(code))
    }

    /// Reads a token of this server; nothing of any other text is parsed.
    fn payload(&self, token: &str) -> Option<Payload> {
        let (payload, code) = token.split_once('.').filter(|_| token.len() <= LENGTH_MAX)?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        let expected = self.root_key().mac(MacPurpose::SignInToken, payload);
        if !bool::from(expected.as_slice().ct_eq(&code)) {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// Returns whether a user may sign in by a link: in open access everyone may be anyone.
    fn may_sign_in(&self, access: Access, account: &AccountId, name: &str) -> bool {
        access == Access::Open || self.is_known_user(account, name)
    }
}

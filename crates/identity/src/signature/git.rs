//! The credentials of Git: a user name and a password in the header `Authorization`.

use std::time::Duration;

use aws::{Region, Timestamp};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::claim::Claim;
use super::{Redacted, RequestParts, SignatureError, git_password};
use crate::git_credential::PasswordHash;
use crate::root_key::SecretKey;
use crate::session::TokenHash;

/// An access key and a generated password, not verified.
#[derive(Debug)]
pub struct GitPassword {
    access_key_id: String,
    token: Option<Redacted<String>>,
    password: Redacted<String>,
}

/// The user name and the password of static Git credentials, not verified.
#[derive(Debug)]
pub struct GitCredential {
    user_name: String,
    password: Redacted<String>,
}

/// Reads `Basic base64(USER:PASSWORD)`, where USER is `ACCESS_KEY`, `ACCESS_KEY%SESSION_TOKEN` or the user name of static credentials.
///
/// The user is an access key if it looks like one of AWS's or the password looks generated: keys of the identities file may have
/// any form.
pub(super) fn read(authorization: &str) -> Option<Claim> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    // A token may contain further percent signs.
    let (key, token) = user.split_once('%').map_or((user, None), |(key, token)| (key, Some(token)));
    let password_text = Redacted(password.to_owned());
    if is_key_of_aws(key) || git_password::date(password).is_some() {
        let token = token.map(|token| Redacted(token.to_owned()));
        return Some(Claim::GitPassword(GitPassword { access_key_id: key.to_owned(), token, password: password_text }));
    }
    Some(Claim::GitCredential(GitCredential { user_name: user.to_owned(), password: password_text }))
}

fn is_key_of_aws(key: &str) -> bool {
    (key.starts_with("AKIA") || key.starts_with("ASIA"))
        && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

impl GitPassword {
    /// Returns the id of the access key.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Returns the hash of the session token.
    pub fn token_hash(&self) -> Option<TokenHash> {
        self.token.as_ref().map(|token| TokenHash::of(&token.0))
    }

    /// Verifies the password with a secret, and returns the region for which it was generated.
    ///
    /// The password does not name its region, so the candidates are tried in their order, at most 32 of them. Its date may differ
    /// from `now` by `max_clock_skew`; `None` accepts every date.
    pub fn verify(
        &self,
        secret: &SecretKey,
        request: &RequestParts<'_>,
        regions: &[Region],
        max_clock_skew: Option<Duration>,
        now: Timestamp,
    ) -> Result<Region, SignatureError> {
        git_password::verify(&self.password.0, secret, request, regions, max_clock_skew, now)
    }
}

impl GitCredential {
    /// Returns the user name, such as `Mary_Major-at-111122223333`.
    pub fn user_name(&self) -> &str {
        &self.user_name
    }

    /// Verifies the password.
    pub fn verify(&self, hash: &PasswordHash) -> Result<(), SignatureError> {
        if hash.matches(&self.password.0) { Ok(()) } else { Err(SignatureError::WrongPassword) }
    }
}

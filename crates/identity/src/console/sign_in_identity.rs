//! Who signs in: an identity by its name in open access, or the owner of access keys.

use std::time::Duration;

use aws::{AccountId, Caller, GlobalArn, Partition, Timestamp};

use super::SESSION_SECONDS;
use crate::role::{SessionParameters, is_name_byte, parse_iam_arn};
use crate::signature::SignatureError;
use crate::{AuthenticationError, Credentials, PresentedCredential, Sts, TokenHash};

/// Maximum length of the name of a user, in characters.
const USER_NAME_MAX: usize = 64;

/// Who signs in to the console, and the end of the session.
#[derive(Clone, Debug)]
pub struct SignInIdentity {
    /// The caller, in the partition `aws`. Of temporary credentials it has their session and access key.
    pub caller: Caller,
    /// The end of the session.
    pub expires: Timestamp,
}

/// The access keys that a person enters.
#[derive(Clone, Copy)]
pub struct KeyPair<'k> {
    /// The id.
    pub access_key_id: &'k str,
    /// The secret.
    pub secret_access_key: &'k str,
    /// The session token of temporary credentials.
    pub session_token: Option<&'k str>,
}

impl SignInIdentity {
    /// Creates the identity of a user or a root, whose session has the usual duration.
    pub(super) fn of(caller: Caller, now: Timestamp) -> Self {
        let duration = Duration::from_secs(SESSION_SECONDS.unsigned_abs());
        Self { caller: Caller { access_key_id: None, ..caller }, expires: now.saturating_add(duration) }
    }
}

impl Sts {
    /// Returns the identity of an ARN in open access, where everyone may be anyone: a user, a role or the root of an account.
    ///
    /// A user need not be known. `None` for any other text, and for a role that its account does not have. The session of a role has the
    /// name of the default user.
    pub fn identity_of_arn(&self, arn: &str, now: Timestamp) -> Option<SignInIdentity> {
        let parsed = GlobalArn::parse(arn).filter(|arn| arn.service == "iam" && arn.partition == Partition::Aws)?;
        if parsed.resource == "root" {
            return Some(SignInIdentity::of(Caller::root(parsed.account?, None, None), now));
        }
        if let Some(user) = parse_iam_arn(arn, "user") {
            return (user.name.len() <= USER_NAME_MAX)
                .then(|| SignInIdentity::of(self.user_caller(&user.account, &user.name), now));
        }
        let identities = self.identities();
        let role = identities.role(arn, Partition::Aws).ok().flatten()?;
        let session_name = identities.default.user_name.clone().unwrap_or_default();
        let parameters = SessionParameters { session_name, ..SessionParameters::default() };
        Some(SignInIdentity::of(role.session(parameters, now), now))
    }

    /// Returns the owner of access keys, after the secret is verified in constant time, in every access mode.
    ///
    /// The session of temporary credentials ends with them.
    pub fn identity_of_keys(&self, keys: KeyPair<'_>, now: Timestamp) -> Result<SignInIdentity, AuthenticationError> {
        let KeyPair { access_key_id, secret_access_key, session_token } = keys;
        let (caller, secret) = self.key_owner(access_key_id, session_token.map(TokenHash::of).as_ref())?;
        if !secret.matches(secret_access_key) {
            return Err(SignatureError::WrongSecretKey.into());
        }
        if caller.session.is_none() {
            return Ok(SignInIdentity::of(caller, now));
        }
        let session = self.session(access_key_id)?;
        let session = session.ok_or_else(|| SignatureError::UnknownKey(access_key_id.to_owned()))?;
        Ok(SignInIdentity { caller, expires: session.expires })
    }

    /// Returns the owner of an access key for the record of a sign-in that failed; nothing was verified.
    pub fn owner_of_key(&self, access_key_id: &str) -> Result<Option<Caller>, store::Error> {
        if let Some(session) = self.session(access_key_id)? {
            return Ok(Some(session.caller));
        }
        if self.administrator().is_some_and(|administrator| administrator.key.id == access_key_id) {
            return Ok(Some(Caller::root(self.default_account().clone(), None, None)));
        }
        Ok(self.identities().by_access_key.get(access_key_id).map(|caller| Caller::clone(caller)))
    }

    /// Returns whether an account has a user of the identities file or of the IAM API.
    pub fn is_known_user(&self, account: &AccountId, name: &str) -> bool {
        self.identities().by_git_user_name.contains_key(git_user_name(account, name).as_str())
    }

    /// Returns the caller that a user of an account is, known or not.
    pub(super) fn user_caller(&self, account: &AccountId, name: &str) -> Caller {
        let presented = PresentedCredential::GitUserName(git_user_name(account, name));
        let credentials = Credentials { presented, region: None, token: None };
        self.identities().authenticate(&credentials, None, Partition::Aws)
    }
}

/// Returns whether a text can be the name of a user.
pub(super) fn is_user_name(name: &str) -> bool {
    (1..=USER_NAME_MAX).contains(&name.len()) && name.bytes().all(is_name_byte)
}

/// Returns the Git user name that every user has.
fn git_user_name(account: &AccountId, name: &str) -> String {
    format!("{name}-at-{account}")
}

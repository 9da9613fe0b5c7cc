//! The secrets of access keys that are issued here: derived from one random key and the id, so that none is stored.
//!
//! **Invariant:** the root key is in the store and in memory only; it is never logged or printed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use store::{Error, Store};

use crate::signature::{Redacted, hmac_sha256};
use crate::{DEFAULT_ACCESS_KEY, PasswordHash};

/// The secret of [`DEFAULT_ACCESS_KEY`] in the documentation of AWS.
const DEFAULT_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The beginning of the message of a derivation. Values that are derived for other purposes have other beginnings.
const ACCESS_KEY_DOMAIN: &str = "access key ";

/// Length of a secret in characters, as on AWS.
const SECRET_LENGTH: usize = 40;

/// The random key from which secrets are derived; one for a database.
pub struct RootKey([u8; 32]);

/// A secret access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey(Redacted<String>);

impl RootKey {
    /// Reads the key; creates it on first use.
    pub(crate) fn open(store: &Store) -> Result<Self, Error> {
        let mut new = [0; 32];
        getrandom::fill(&mut new).expect("the system provides random numbers");
        store.random_key("root_key", "key", new).map(Self)
    }

    /// Returns the secret of an access key: the documented one of AWS's example key, and a derived one of any other key.
    pub fn secret(&self, access_key_id: &str) -> SecretKey {
        if let Some(secret) = documented_secret(access_key_id) {
            return secret;
        }
        let mac = hmac_sha256(&self.0, format!("{ACCESS_KEY_DOMAIN}{access_key_id}").as_bytes());
        SecretKey::new(&STANDARD.encode(mac)[..SECRET_LENGTH])
    }

    /// Computes the message authentication code of a text; codes of different purposes have nothing in common.
    pub(crate) fn mac(&self, purpose: MacPurpose, text: &str) -> [u8; 32] {
        hmac_sha256(&self.0, format!("{}{text}", purpose.domain()).as_bytes())
    }
}

/// The purposes of message authentication codes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MacPurpose {
    /// A sign-in token of the console.
    SignInToken,
    /// The token in the forms of the console.
    FormToken,
}

impl MacPurpose {
    /// Returns the beginning of the messages.
    const fn domain(self) -> &'static str {
        match self {
            Self::SignInToken => "sign-in token ",
            Self::FormToken => "form token ",
        }
    }
}

/// Returns the secret of the example key of AWS's documentation.
pub(crate) fn documented_secret(access_key_id: &str) -> Option<SecretKey> {
    (access_key_id == DEFAULT_ACCESS_KEY).then(|| SecretKey::new(DEFAULT_SECRET))
}

impl SecretKey {
    /// Creates a secret from its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Redacted(text.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }

    /// Returns whether a text is the secret, in constant time for any length of the text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        PasswordHash::of(self.as_str()).matches(text)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use store::Durability;

    use super::*;
    use crate::session::STEPS;

    #[test]
    fn a_secret_depends_on_the_root_key_and_on_the_id() {
        let (root, other) = (RootKey([1; 32]), RootKey([2; 32]));
        let secret = root.secret("AKIAI44QH8DHBEXAMPLE");
        assert_eq!(secret.as_str().len(), 40);
        // HMAC-SHA256 of "access key AKIAI44QH8DHBEXAMPLE" with 32 bytes of 1, in base64, cut to 40 characters.
        assert_eq!(secret.as_str(), "PvDUxB+RIw9FiD8iI7W3MkFBl3C4XFW3INkCQREx");
        assert_eq!(secret, root.secret("AKIAI44QH8DHBEXAMPLE"));
        assert_ne!(secret, root.secret("AKIAI44QH8DHBEXAMPLF"));
        assert_ne!(secret, other.secret("AKIAI44QH8DHBEXAMPLE"));
    }

    #[test]
    fn the_example_key_has_its_documented_secret() {
        let secret = RootKey([1; 32]).secret("AKIAIOSFODNN7EXAMPLE");
        assert_eq!(secret.as_str(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    }

    #[test]
    fn the_root_key_is_random_and_survives_a_restart() {
        let secret = |folder: &tempfile::TempDir| {
            let store = Store::open(&folder.path().join("db"), Durability::Normal).expect("the store opens");
            store.migrate("identity", STEPS).expect("the tables are created");
            RootKey::open(&store).expect("the key is stored").secret("AKIA1").as_str().to_owned()
        };
        let [folder, other] = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
        let first = secret(&folder);
        assert_eq!(secret(&folder), first);
        assert_ne!(secret(&other), first);
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let root = RootKey([7; 32]);
        let text = format!("{root:?} {:?}", root.secret("AKIAIOSFODNN7EXAMPLE"));
        assert_eq!(text, "RootKey(redacted) SecretKey(redacted)");
    }
}

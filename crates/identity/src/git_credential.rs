//! The passwords of static Git credentials.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Writes 32 random bytes as a password, in the form of AWS's.
pub fn make_password(random: &[u8; 32]) -> String {
    STANDARD.encode(random)
}

/// The SHA-256 of a password. As passwords are random, it needs no salt and no slow hash.
#[derive(Clone, Copy)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    /// Hashes a password.
    pub fn of(password: &str) -> Self {
        Self(Sha256::digest(password.as_bytes()).into())
    }

    /// Creates a hash from its 32 stored bytes; `None` if it has another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().map(Self).ok()
    }

    /// Returns the bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Tells whether a password has this hash, in constant time.
    pub fn matches(&self, password: &str) -> bool {
        self.0.ct_eq(&Self::of(password).0).into()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::{PasswordHash, make_password};

    #[test]
    fn only_the_password_itself_matches_its_hash() {
        let password = make_password(&[0x93; 32]);
        assert_eq!(password, "k5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5M=");
        let hash = PasswordHash::of(&password);
        let hash = PasswordHash::from_bytes(hash.as_bytes()).expect("the hash has 32 bytes");
        assert!(hash.matches(&password));
        for index in 0..password.len() {
            let mut other = password.clone().into_bytes();
            other[index] ^= 1;
            let other = String::from_utf8(other).expect("the password is ASCII");
            assert!(!hash.matches(&other), "{other}");
        }
        assert!(!hash.matches(""));
        assert!(PasswordHash::from_bytes(b"short").is_none());
    }
}

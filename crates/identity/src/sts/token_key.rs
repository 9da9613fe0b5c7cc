//! The keys that sign web identity tokens: one for each algorithm, created on first use and stored.
//!
//! **Invariant:** a private key is in the store and in memory only; it is never logged or printed.

use aws::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::Digest;
use store::{Store, Transaction};

use crate::Exception;

/// The size of RSA keys in bits.
const RSA_BITS: usize = 2_048;

/// The algorithm of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSA with SHA-256, PKCS#1 v1.5.
    Rs256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl Algorithm {
    const ALL: [Self; 2] = [Self::Rs256, Self::Es384];

    /// Returns the name in tokens and requests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es384 => "ES384",
        }
    }

    /// Parses the name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A key pair of one algorithm.
pub(crate) enum TokenKey {
    Rsa(Box<RsaPrivateKey>),
    Ecdsa(Box<EcdsaKeyPair>),
}

impl TokenKey {
    /// Returns the key of an algorithm; creates it on first use.
    pub(crate) fn of(store: &Store, algorithm: Algorithm) -> Result<Self, Exception> {
        let stored = || store.read(|transaction| read(transaction, algorithm));
        if let Some(private) = stored()? {
            return Self::parse(algorithm, &private);
        }
        let private = generate(algorithm)?;
        store.write(move |transaction| {
            transaction
                .execute(
                    "INSERT INTO token_keys (algorithm, private) VALUES (?1, ?2) ON CONFLICT (algorithm) DO NOTHING",
                    &[algorithm.name().into(), private.as_slice().into()],
                )
                .map(drop)
        })?;
        // Another request may have stored its key first; that one is used then.
        let private = stored()?.ok_or(store::Error::Damaged("the key of web identity tokens"))?;
        Self::parse(algorithm, &private)
    }

    fn parse(algorithm: Algorithm, private: &[u8]) -> Result<Self, Exception> {
        let unreadable = |error: String| Exception::TokenKey(error);
        match algorithm {
            Algorithm::Rs256 => RsaPrivateKey::from_pkcs8_der(private)
                .map(|key| Self::Rsa(Box::new(key)))
                .map_err(|error| unreadable(error.to_string())),
            Algorithm::Es384 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, private, &SystemRandom::new())
                    .map(|key| Self::Ecdsa(Box::new(key)))
                    .map_err(|error| unreadable(error.to_string()))
            }
        }
    }

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa(_) => Algorithm::Rs256,
            Self::Ecdsa(_) => Algorithm::Es384,
        }
    }

    /// Writes a token: its header, its claims, and the signature of both.
    pub(crate) fn sign(&self, claims: &str) -> Result<String, Exception> {
        let public = self.public();
        let header = json!({ "alg": self.algorithm().name(), "kid": public["kid"], "typ": "JWT" });
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
        let signature = match self {
            Self::Rsa(key) => {
                pkcs1v15::SigningKey::<Sha256>::new((**key).clone()).sign(signed.as_bytes()).to_bytes().to_vec()
            }
            Self::Ecdsa(key) => key
                .sign(&SystemRandom::new(), signed.as_bytes())
                .map_err(|error| Exception::TokenKey(error.to_string()))?
                .as_ref()
                .to_vec(),
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Returns the public key as a JSON Web Key; its id is a hash of its values.
    fn public(&self) -> Value {
        let text = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
        let mut key = match self {
            Self::Rsa(key) => json!({
                "kty": "RSA",
                "n": text(&key.n_bytes()),
                "e": text(&key.e_bytes()),
            }),
            Self::Ecdsa(key) => {
                // An uncompressed point: a marker byte and two coordinates.
                let point = key.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": "P-384", "x": text(x), "y": text(y) })
            }
        };
        let kid = hex::encode(&Sha256::digest(key.to_string().as_bytes())[..16]);
        for (name, value) in [("alg", self.algorithm().name()), ("use", "sig"), ("kid", &kid)] {
            key[name] = value.into();
        }
        key
    }
}

/// Returns all public keys as a JSON Web Key Set.
pub(crate) fn published(transaction: &Transaction) -> Result<Value, store::Error> {
    let mut keys = Vec::new();
    for algorithm in Algorithm::ALL {
        if let Some(private) = read(transaction, algorithm)? {
            let key = TokenKey::parse(algorithm, &private);
            keys.push(key.map_err(|_| store::Error::Damaged("the key of web identity tokens"))?.public());
        }
    }
    Ok(json!({ "keys": keys }))
}

fn read(transaction: &Transaction, algorithm: Algorithm) -> Result<Option<Vec<u8>>, store::Error> {
    let query = "SELECT private FROM token_keys WHERE algorithm = ?1";
    transaction.query_one(query, &[algorithm.name().into()], |row| row.blob(0))
}

/// Creates a private key in PKCS#8; an RSA key takes almost a second.
fn generate(algorithm: Algorithm) -> Result<Vec<u8>, Exception> {
    match algorithm {
        Algorithm::Rs256 => {
            let key = RsaPrivateKey::new(&mut UnwrapErr(SysRng), RSA_BITS)
                .map_err(|error| Exception::TokenKey(error.to_string()))?;
            let document = key.to_pkcs8_der().map_err(|error| Exception::TokenKey(error.to_string()))?;
            Ok(document.as_bytes().to_vec())
        }
        Algorithm::Es384 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new())
            .map(|document| document.as_ref().to_vec())
            .map_err(|error| Exception::TokenKey(error.to_string())),
    }
}

//! Signing keys of digests.
//!
//! **Invariant:** a private key exists in the store or in the file of `--signing-key`, and in memory; it is never logged or printed.

mod key_store;

use std::fmt::{self, Debug, Formatter};

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePrivateKey;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;

pub(crate) use self::key_store::KeyStore;
use crate::public_key::fingerprint;

/// The size of CloudTrail's keys, in bits.
const BITS: usize = 2_048;

/// An RSA key pair.
#[derive(Clone)]
pub(crate) struct SigningKey {
    private: RsaPrivateKey,
    public_der: Vec<u8>,
    fingerprint: String,
}

impl SigningKey {
    /// Generates a key; this takes most of a second.
    pub(crate) fn generate() -> Result<Self, String> {
        RsaPrivateKey::new(&mut UnwrapErr(SysRng), BITS).map_err(|error| error.to_string()).and_then(Self::new)
    }

    /// Reads a private key: PKCS#1 or PKCS#8, PEM or DER.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let unreadable =
            || "it is no RSA private key; create one in PEM or DER, for example with openssl genrsa 2048".to_owned();
        let read = match std::str::from_utf8(bytes) {
            Ok(text) => RsaPrivateKey::from_pkcs8_pem(text).or_else(|_| RsaPrivateKey::from_pkcs1_pem(text)).ok(),
            Err(_) => RsaPrivateKey::from_pkcs8_der(bytes).or_else(|_| RsaPrivateKey::from_pkcs1_der(bytes)).ok(),
        };
        let key = Self::new(read.ok_or_else(unreadable)?)?;
        let bits = key.private.n().bit_width();
        if (bits as usize) < BITS {
            return Err(format!("the key has {bits} bits; use one of {BITS} bits or more"));
        }
        Ok(key)
    }

    fn new(private: RsaPrivateKey) -> Result<Self, String> {
        let document = private.to_public_key().to_pkcs1_der().map_err(|error| error.to_string())?;
        let public_der = document.as_bytes().to_vec();
        Ok(Self { private, fingerprint: fingerprint(&public_der), public_der })
    }

    /// Returns the fingerprint that names the public key.
    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Returns the public key: PKCS#1 `RSAPublicKey` in DER.
    pub(crate) fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    /// Signs a text with SHA-256 and PKCS#1 v1.5; the signature is in hexadecimal, and the same text always has the same one.
    pub(crate) fn sign(&self, text: &str) -> String {
        aws::hex::encode(&pkcs1v15::SigningKey::<Sha256>::new(self.private.clone()).sign(text.as_bytes()).to_bytes())
    }

    fn private_der(&self) -> Result<Vec<u8>, String> {
        let document = self.private.to_pkcs1_der().map_err(|error| error.to_string())?;
        Ok(document.as_bytes().to_vec())
    }
}

impl Debug for SigningKey {
    fn fmt(&self, form: &mut Formatter<'_>) -> fmt::Result {
        form.debug_struct("SigningKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::pkcs1::LineEnding;
    use rsa::pkcs8::EncodePrivateKey;

    use aws::Timestamp;

    use super::SigningKey;
    use crate::digest::document::signed_text;
    use crate::public_key::PublicKey;

    /// A key for all tests of the crate, as generating one takes time.
    pub(crate) static KEY: LazyLock<SigningKey> =
        LazyLock::new(|| SigningKey::generate().expect("the system has random numbers"));

    fn public(key: &SigningKey) -> PublicKey {
        let time = Timestamp::from_millis(1_481_739_554_000);
        let (der, fingerprint) = (key.public_der().to_vec(), key.fingerprint().to_owned());
        PublicKey { der, fingerprint, valid_from: time, valid_until: time }
    }

    #[test]
    fn a_signature_is_of_the_text_that_validators_build() {
        let text = signed_text("2016-12-14T18:19:14Z", "bucket", "AWSLogs/key.json.gz", "00ff", None);
        assert_eq!(text, "2016-12-14T18:19:14Z\nbucket/AWSLogs/key.json.gz\n00ff\nnull");
        let next = signed_text("2016-12-14T18:19:14Z", "bucket", "AWSLogs/key.json.gz", "00ff", Some("ab"));
        let (key, signature) = (public(&KEY), KEY.sign(&text));
        assert!(key.verifies(&text, &signature));
        assert!(!key.verifies(&next, &signature));
        assert_eq!(KEY.sign(&text), signature, "the same text gives the same signature");
        assert_eq!(signature.len(), 512, "2,048 bits in hexadecimal");
        assert!(!key.verifies(&text, &signature[2..]));
        assert!(!key.verifies(&text, "no signature"));
        assert!(!key.verifies(&text, ""));
    }

    #[test]
    fn a_public_key_is_270_bytes_of_pkcs1_and_survives_its_file() {
        let key = public(&KEY);
        assert_eq!(key.der.len(), 270);
        assert_eq!(key.fingerprint.len(), 32);
        let file = PublicKey::to_json(std::slice::from_ref(&key));
        assert_eq!(PublicKey::from_json(&file), Some(vec![key]));
        assert_eq!(PublicKey::from_json(b"{\"PublicKeyList\": [{}]}"), None);
        assert_eq!(PublicKey::from_json(b"[]"), None);
    }

    #[test]
    fn a_private_key_is_read_in_every_form_that_openssl_writes() {
        let private = &KEY.private;
        let forms = [
            private.to_pkcs1_der().expect("the key can be encoded").as_bytes().to_vec(),
            private.to_pkcs8_der().expect("the key can be encoded").as_bytes().to_vec(),
            private.to_pkcs1_pem(LineEnding::LF).expect("the key can be encoded").as_bytes().to_vec(),
            private.to_pkcs8_pem(LineEnding::CRLF).expect("the key can be encoded").as_bytes().to_vec(),
        ];
        for form in forms {
            assert_eq!(SigningKey::parse(&form).expect("the key is valid").fingerprint(), KEY.fingerprint());
        }
        for invalid in [&b""[..], b"-----BEGIN RSA PRIVATE KEY-----", b"\x30\x00", b"\xff"] {
            assert!(SigningKey::parse(invalid).expect_err("the text is no key").contains("openssl genrsa 2048"));
        }
    }

    #[test]
    fn debug_output_of_a_key_shows_only_its_fingerprint() {
        assert_eq!(format!("{:?}", *KEY), format!("SigningKey {{ fingerprint: {:?}, .. }}", KEY.fingerprint()));
    }
}

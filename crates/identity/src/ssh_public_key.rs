//! SSH public keys of users, as they are uploaded to IAM.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use aws::Caller;
use md5::{Digest, Md5};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey, LineEnding};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPublicKey};

/// The only algorithm of keys that IAM accepts.
const ALGORITHM: &[u8] = b"ssh-rsa";

/// Sizes of keys that IAM accepts, in bits.
const BITS_MIN: usize = 2_048;
const BITS_MAX: usize = 16_384;

/// An RSA public key in SSH's binary form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshPublicKey(Vec<u8>);

/// The owner of an SSH key id, and the key that proves it.
#[derive(Clone, Debug)]
pub struct SshKeyOwner {
    /// The user; records of SSH show no access key.
    pub caller: Caller,
    /// The key with the id.
    pub key: SshPublicKey,
}

impl SshPublicKey {
    /// Parses a line of a file such as `id_rsa.pub`: the algorithm, the key in base64, and a comment that is ignored.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let mut words = line.split_ascii_whitespace();
        let (Some(algorithm), Some(key)) = (words.next(), words.next()) else {
            return Err("it is not an SSH public key: write the line of a file such as id_rsa.pub".to_owned());
        };
        if algorithm.as_bytes() != ALGORITHM {
            return Err(format!(
                "'{algorithm}' is not ssh-rsa: CodeCommit accepts RSA keys only; create one with ssh-keygen -t rsa"
            ));
        }
        let bytes = STANDARD.decode(key).ok();
        let bits = bytes.as_deref().and_then(modulus_bits);
        match (bytes, bits) {
            (Some(bytes), Some(BITS_MIN..=BITS_MAX)) => Ok(Self(bytes)),
            (_, Some(bits)) => Err(format!("the key has {bits} bits: use one of {BITS_MIN} to {BITS_MAX} bits")),
            _ => Err("the text after ssh-rsa is not an RSA key in base64: write the line of a file such as id_rsa.pub"
                .to_owned()),
        }
    }

    /// Reads a key in PEM: a `PUBLIC KEY` or an `RSA PUBLIC KEY`; `None` if it is none, or not of a permitted size.
    pub(crate) fn from_pem(text: &str) -> Option<Self> {
        let key = RsaPublicKey::from_public_key_pem(text).ok().or_else(|| RsaPublicKey::from_pkcs1_pem(text).ok())?;
        let [exponent, modulus] = [key.e().to_be_bytes_trimmed_vartime(), key.n().to_be_bytes_trimmed_vartime()];
        let mut bytes = Vec::new();
        for number in [ALGORITHM.to_vec(), positive(&exponent), positive(&modulus)] {
            bytes.extend(u32::try_from(number.len()).ok()?.to_be_bytes());
            bytes.extend(number);
        }
        modulus_bits(&bytes).filter(|bits| (BITS_MIN..=BITS_MAX).contains(bits)).map(|_| Self(bytes))
    }

    /// Writes the key in PEM, as a `PUBLIC KEY`.
    pub(crate) fn to_pem(&self) -> String {
        let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
        let fields = field(&self.0).and_then(|(_, rest)| {
            let (exponent, rest) = field(rest)?;
            Some((exponent, field(rest)?.0))
        });
        let key = fields.and_then(|(exponent, modulus)| {
            RsaPublicKey::new_with_max_size(number(modulus), number(exponent), BITS_MAX).ok()
        });
        key.and_then(|key| key.to_public_key_pem(LineEnding::LF).ok()).unwrap_or_default()
    }

    /// Returns the line of the key in the form `ssh-rsa BASE64`.
    pub(crate) fn line(&self) -> String {
        format!("ssh-rsa {}", STANDARD.encode(&self.0))
    }

    /// Returns the MD5 of the key as sixteen pairs of digits.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Md5::digest(&self.0);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
    }

    /// Returns whether this is the key with a binary form.
    pub fn is(&self, bytes: &[u8]) -> bool {
        self.0 == bytes
    }
}

/// Writes a number without leading zeros so that it is positive: a zero byte is before a first byte with its highest bit set.
fn positive(digits: &[u8]) -> Vec<u8> {
    let sign = digits.first().filter(|first| **first >= 0x80).map(|_| 0);
    sign.into_iter().chain(digits.iter().copied()).collect()
}

/// Returns the size of the modulus of a key; `None` if the bytes are no RSA key.
fn modulus_bits(bytes: &[u8]) -> Option<usize> {
    let (algorithm, rest) = field(bytes)?;
    let (_exponent, rest) = field(rest)?;
    let (modulus, rest) = field(rest)?;
    // The number is positive, so a zero byte is before a first byte with its highest bit set.
    let digits = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let first = *digits.first().filter(|_| algorithm == ALGORITHM && rest.is_empty())?;
    Some(digits.len() * 8 - first.leading_zeros() as usize)
}

/// Splits off a field, which begins with its length in four bytes.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Writes a key with a modulus of the given size.
    pub(crate) fn line(bits: usize) -> String {
        let mut modulus = vec![0xff; bits / 8];
        modulus.insert(0, 0);
        let mut bytes = Vec::new();
        for field in [ALGORITHM, &[1, 0, 1], &modulus] {
            bytes.extend(u32::try_from(field.len()).expect("the field is short").to_be_bytes());
            bytes.extend(field);
        }
        format!("ssh-rsa {} mary@example.com", STANDARD.encode(bytes))
    }

    #[test]
    fn a_key_is_compared_by_its_binary_form() {
        let text = line(2_048);
        let key = SshPublicKey::parse(&text).expect("the line is valid");
        let base64 = text.split(' ').nth(1).expect("the line has a key");
        let bytes = STANDARD.decode(base64).expect("the key is in base64");
        assert!(key.is(&bytes));
        assert!(!key.is(&bytes[1..]));
        assert_eq!(SshPublicKey::parse(&format!("ssh-rsa {base64}\n")), Ok(key));
    }

    #[test]
    fn other_keys_are_refused_with_what_to_write() {
        for (text, advice) in [
            (String::new(), "id_rsa.pub"),
            ("ssh-rsa".to_owned(), "id_rsa.pub"),
            ("ssh-rsa AAAA".to_owned(), "id_rsa.pub"),
            ("ssh-rsa *".to_owned(), "id_rsa.pub"),
            ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==".to_owned(), "ssh-keygen -t rsa"),
            (line(1_024), "the key has 1024 bits"),
            (line(16_392), "2048 to 16384 bits"),
            (line(2_048).replace("ssh-rsa AAAAB", "ssh-rsa AAAAC"), "id_rsa.pub"),
        ] {
            let message = SshPublicKey::parse(&text).expect_err("the key is refused");
            assert!(message.contains(advice), "{text}: {message}");
        }
    }
}

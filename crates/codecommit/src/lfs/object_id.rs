//! Ids of large files.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use aws::hex;

/// The id of an object of Git LFS: the SHA-256 of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LfsObjectId([u8; 32]);

impl LfsObjectId {
    /// Creates an id from the hash of a content.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns the path of the object's file in a folder of objects: `AA/BB/ID`, as git-lfs has them.
    pub fn path(&self) -> PathBuf {
        let name = self.to_string();
        [&name[..2], &name[2..4], &name].iter().collect()
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("The ID of an object is its SHA-256 in 64 lower-case hexadecimal digits.")]
pub struct InvalidLfsObjectId;

impl FromStr for LfsObjectId {
    type Err = InvalidLfsObjectId;

    fn from_str(text: &str) -> Result<Self, InvalidLfsObjectId> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(InvalidLfsObjectId),
        };
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| InvalidLfsObjectId)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for LfsObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::LfsObjectId;

    #[test]
    fn an_id_is_64_lower_case_hexadecimal_digits() {
        let text = format!("{}{}", "0123456789abcdef".repeat(3), "f".repeat(16));
        assert_eq!(text.parse::<LfsObjectId>().expect("an id").to_string(), text);
        for other in [
            "",
            &text[1..],
            &text.to_uppercase(),
            &format!("{text}0"),
            &text.replace('0', "g"),
            "é".repeat(32).as_str(),
        ] {
            assert!(other.parse::<LfsObjectId>().is_err(), "{other}");
        }
    }
}

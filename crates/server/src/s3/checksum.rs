//! Checksums of content: S3's algorithms, and the headers and members that carry their values.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::{S3Error, S3ErrorCode};

use super::fault::fault;

/// An algorithm of checksums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// The attribute of an object that tells whether its checksum is that of the whole content or of the checksums of its parts.
pub(super) const TYPE: &str = "checksum-type";

impl Algorithm {
    pub(super) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// Returns the name in requests and replies.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// Finds an algorithm by its name, in any case.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Finds the algorithm of a header such as `x-amz-checksum-crc32`, in any case.
    pub(super) fn of_header(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        Self::find(name.strip_prefix("x-amz-checksum-")?)
    }

    /// Returns the name of the header, which also is that of the attribute of an object.
    pub(super) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    /// Returns the number of bytes of a checksum.
    fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Fails unless a value is a checksum of the algorithm in base64.
    pub(super) fn check(self, value: &str) -> Result<(), S3Error> {
        if decode(value).is_some_and(|bytes| bytes.len() == self.bytes()) {
            return Ok(());
        }
        Err(fault(S3ErrorCode::InvalidRequest, format!("Value for {} header is invalid.", self.header())))
    }

    /// Fails unless the value that the client sent is the computed one.
    pub(super) fn compare(self, sent: &str, computed: &str) -> Result<(), S3Error> {
        if sent == computed {
            return Ok(());
        }
        let message = format!("The {} you specified did not match the calculated checksum.", self.name());
        Err(fault(S3ErrorCode::BadDigest, message))
    }
}

/// A checksum that is being computed.
pub(super) enum Hasher {
    Crc32(Crc32),
    Crc32c(Crc32c),
    Crc64Nvme(Crc64Nvme),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Hasher {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => Self::Crc32(Crc32::new()),
            Algorithm::Crc32c => Self::Crc32c(Crc32c::new()),
            Algorithm::Crc64Nvme => Self::Crc64Nvme(Crc64Nvme::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc32(hasher) => hasher.update(bytes),
            Self::Crc32c(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// Returns the checksum in base64.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Crc32(hasher) => encode(&hasher.finalize()),
            Self::Crc32c(hasher) => encode(&hasher.finalize()),
            Self::Crc64Nvme(hasher) => encode(&hasher.finalize()),
            Self::Sha1(hasher) => encode(hasher.finalize().as_ref()),
            Self::Sha256(hasher) => encode(hasher.finalize().as_ref()),
        }
    }
}

/// Encodes in base64.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Lists the checksums among the members of an input, each with its algorithm.
macro_rules! given {
    ($input:expr) => {{
        use $crate::s3::checksum::Algorithm;
        let members = [
            (Algorithm::Crc32, &$input.checksum_crc32),
            (Algorithm::Crc32c, &$input.checksum_crc32c),
            (Algorithm::Crc64Nvme, &$input.checksum_crc64nvme),
            (Algorithm::Sha1, &$input.checksum_sha1),
            (Algorithm::Sha256, &$input.checksum_sha256),
        ];
        members.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value.clone()?))).collect::<Vec<_>>()
    }};
}

/// Sets the members of an output from the attributes of an object's content.
macro_rules! show {
    ($output:expr, $attributes:expr) => {{
        use $crate::s3::checksum::Algorithm;
        let value = |algorithm: Algorithm| $attributes.get(&algorithm.header()).cloned();
        $output.checksum_crc32 = value(Algorithm::Crc32);
        $output.checksum_crc32c = value(Algorithm::Crc32c);
        $output.checksum_crc64nvme = value(Algorithm::Crc64Nvme);
        $output.checksum_sha1 = value(Algorithm::Sha1);
        $output.checksum_sha256 = value(Algorithm::Sha256);
    }};
}

pub(super) use {given, show};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_values_of_the_algorithms_are_computed() {
        // CRC-32/ISO-HDLC, CRC-32/ISCSI and CRC-64/NVME of "123456789" are the check values of the catalogue of parametrised CRC
        // algorithms; the others are from `sha1sum` and `sha256sum`.
        for (algorithm, hex) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"1234");
            hasher.update(b"56789");
            let computed = hasher.finish();
            assert_eq!(aws::hex::encode(&decode(&computed).expect("the value is base64")), hex);
            assert!(algorithm.check(&computed).is_ok() && algorithm.check("AAA=").is_err());
            assert_eq!(Algorithm::of_header(&algorithm.header().to_uppercase()), Some(algorithm));
        }
    }
}

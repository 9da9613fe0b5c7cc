//! The parts of a request that a signature covers.

use std::borrow::Cow;

use aws::hex;
use percent_encoding::percent_decode;
use sha2::{Digest, Sha256};

/// The parts of a request as they came: a decoded path or a rewritten host would have another signature.
#[derive(Clone, Copy)]
pub struct RequestParts<'r> {
    /// The method, such as `POST`.
    pub method: &'r str,
    /// The percent-encoded path.
    pub path: &'r str,
    /// The percent-encoded query without its `?`; empty if there is none.
    pub query: &'r str,
    /// Names, in lower case, and values of the headers, in their order.
    pub headers: &'r [(&'r str, &'r [u8])],
    /// The bucket in the host name of a request to S3, which version 2 signs as the beginning of the path.
    pub bucket: Option<&'r str>,
    /// The body.
    pub payload: Payload<'r>,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub enum Payload<'r> {
    /// All bytes of the body.
    Bytes(&'r [u8]),
    /// The SHA-256 of the body.
    Sha256([u8; 32]),
    /// A body that is not read before the verification. It is accepted only where a signature does not cover the body.
    Unread,
}

impl<'r> RequestParts<'r> {
    /// Returns the values of the headers of a name, which is in lower case.
    pub(super) fn header_values(&self, name: &str) -> impl Iterator<Item = &'r [u8]> {
        self.headers.iter().filter(move |(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// Returns the value of the first header of a name, without blanks around it.
    pub(super) fn header(&self, name: &str) -> Option<Cow<'r, str>> {
        self.header_values(name).next().map(|value| String::from_utf8_lossy(value.trim_ascii()))
    }

    /// Returns the decoded parameters of the query; `+` is a blank.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
    }

    /// Returns the value of the first parameter of a name.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut values = self.parameters().filter(|(other, _)| other == name.as_bytes());
        values.next().map(|(_, value)| String::from_utf8_lossy(&value).into_owned())
    }
}

impl Payload<'_> {
    /// Returns the SHA-256 of the body in hexadecimal; `None` if the body is unread.
    pub(super) fn hash(&self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => Some(hex::encode(&Sha256::digest(bytes))),
            Self::Sha256(hash) => Some(hex::encode(hash)),
            Self::Unread => None,
        }
    }
}

fn decode(text: &str) -> Vec<u8> {
    let text: Vec<u8> = text.bytes().map(|byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&text).collect()
}

//! The credentials that a request claims to have.

use std::time::Duration;

use aws::{Region, Timestamp};

use super::git::{GitCredential, GitPassword};
use super::version2::Version2;
use super::version4::{CheckedVersion4, Version4};
use super::{ChunkSignatures, RequestParts, SignatureError, git};
use crate::root_key::SecretKey;
use crate::session::TokenHash;

/// Maximum length of the id of an access key, in bytes.
const KEY_ID_BYTES_MAX: usize = 128;

/// The protocol of an endpoint; it decides which credentials are read and how their errors are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON.
    Json,
    /// AWS query.
    Query,
    /// S3.
    S3,
    /// Git over HTTP.
    Git,
}

/// The place of a signature in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// The header `Authorization`.
    Header,
    /// The query of the URL.
    Url,
}

/// The credentials of a request, not verified.
#[derive(Debug)]
pub enum Claim {
    /// No credentials.
    Nothing,
    /// A signature.
    Signature(Signature),
    /// An access key and a password that is generated from its secret, as Git sends them.
    GitPassword(GitPassword),
    /// The user name and password of static Git credentials.
    GitCredential(GitCredential),
}

/// A signature and its fields, not verified.
#[derive(Debug)]
pub enum Signature {
    /// Version 4.
    Version4(Version4),
    /// Version 2, which only S3 accepts.
    Version2(Version2),
}

/// The scope of signatures that an endpoint accepts.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedScope<'e> {
    /// The services; messages name the first one.
    pub services: &'e [&'e str],
    /// The regions, or `None` for every region; messages of S3 name the first one.
    pub regions: Option<&'e [Region]>,
}

/// A signature with an acceptable date and scope; its access key must be found next.
#[derive(Debug)]
pub struct CheckedSignature<'c>(Checked<'c>);

#[derive(Debug)]
enum Checked<'c> {
    Version4(CheckedVersion4<'c>),
    Version2(&'c Version2),
}

impl Claim {
    /// Reads the credentials of a request. Malformed ones are errors; for Git they count as no credentials.
    pub fn read(protocol: Protocol, request: &RequestParts<'_>) -> Result<Self, SignatureError> {
        let mut headers = request.header_values("authorization");
        let authorization = headers.next().map(|value| String::from_utf8_lossy(value.trim_ascii()));
        if protocol == Protocol::Git {
            return Ok(authorization.and_then(|text| git::read(&text)).unwrap_or(Self::Nothing));
        }
        let is_s3 = protocol == Protocol::S3;
        let is_version4_url = Version4::is_in_url(is_s3, request);
        let is_version2_url = is_s3 && Version2::is_in_url(request);
        let signature = match (authorization, is_version4_url, is_version2_url) {
            (None, false, false) => return Ok(Self::Nothing),
            (None, true, false) => Version4::from_url(is_s3, request).map(Signature::Version4),
            (None, false, true) => Version2::from_url(request).map(Signature::Version2),
            (Some(text), false, false) if headers.next().is_none() => match text.strip_prefix("AWS ") {
                Some(fields) if is_s3 => Version2::from_header(fields, request).map(Signature::Version2),
                _ => Version4::from_header(is_s3, &text, request).map(Signature::Version4),
            },
            _ => Err(SignatureError::TwoSignatures),
        };
        signature.map(Self::Signature)
    }

    /// Returns the id of the access key.
    pub fn access_key_id(&self) -> Option<&str> {
        match self {
            Self::Signature(signature) => Some(signature.access_key_id()),
            Self::GitPassword(password) => Some(password.access_key_id()),
            Self::Nothing | Self::GitCredential(_) => None,
        }
    }

    /// Returns the hash of the session token.
    pub fn token_hash(&self) -> Option<TokenHash> {
        match self {
            Self::Signature(signature) => signature.token_hash(),
            Self::GitPassword(password) => password.token_hash(),
            Self::Nothing | Self::GitCredential(_) => None,
        }
    }
}

impl Signature {
    /// Returns the id of the access key.
    pub fn access_key_id(&self) -> &str {
        match self {
            Self::Version4(signature) => signature.access_key_id(),
            Self::Version2(signature) => signature.access_key_id(),
        }
    }

    /// Returns the hash of the session token.
    pub fn token_hash(&self) -> Option<TokenHash> {
        match self {
            Self::Version4(signature) => signature.token.as_ref(),
            Self::Version2(signature) => signature.token.as_ref(),
        }
        .map(|token| TokenHash::of(&token.0))
    }

    /// Returns where the signature is.
    pub fn location(&self) -> Location {
        match self {
            Self::Version4(signature) => signature.location,
            Self::Version2(signature) => signature.location,
        }
    }

    /// Checks the date and the scope.
    ///
    /// The date may differ from `now` by `max_clock_skew`. `None` accepts every date, and then URLs do not expire either.
    pub fn check(
        &self,
        expected: &ExpectedScope<'_>,
        max_clock_skew: Option<Duration>,
        now: Timestamp,
    ) -> Result<CheckedSignature<'_>, SignatureError> {
        let checked = match self {
            Self::Version4(signature) => Checked::Version4(signature.check(expected, max_clock_skew, now)?),
            Self::Version2(signature) => {
                signature.check(max_clock_skew, now)?;
                Checked::Version2(signature)
            }
        };
        if !(1..=KEY_ID_BYTES_MAX).contains(&self.access_key_id().len()) {
            return Err(SignatureError::UnknownKey(self.access_key_id().chars().take(KEY_ID_BYTES_MAX).collect()));
        }
        Ok(CheckedSignature(checked))
    }
}

impl CheckedSignature<'_> {
    /// Returns the region of the scope; version 2 has none.
    pub fn region(&self) -> Option<&Region> {
        match &self.0 {
            Checked::Version4(checked) => Some(&checked.region),
            Checked::Version2(_) => None,
        }
    }

    /// Verifies that the secret gives the signature, and that the signature covers the body as far as it has to.
    ///
    /// Returns what verifies an unread body in chunks that have signatures of their own.
    pub fn verify(
        &self,
        secret: &SecretKey,
        request: &RequestParts<'_>,
    ) -> Result<Option<ChunkSignatures>, SignatureError> {
        match &self.0 {
            Checked::Version4(checked) => checked.verify(secret, request),
            Checked::Version2(signature) => signature.verify(secret, request).map(|()| None),
        }
    }
}

//! The reasons why credentials are refused.

mod message;
mod s3;

use std::time::Duration;

use aws::{Failure, Region, Timestamp};

pub use self::s3::S3Refusal;
use super::Redacted;
use super::claim::Location;

/// Why credentials are refused. `Display` is for the log; the replies have AWS's texts.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The request has no credentials.
    #[error("no credentials")]
    Missing,
    /// The request has several signatures.
    #[error("more than one signature")]
    TwoSignatures,
    /// The algorithm is not that of version 4.
    #[error("unsupported algorithm")]
    UnsupportedAlgorithm {
        /// The place of the signature.
        location: Location,
        /// The name; it may be a token of another scheme.
        algorithm: Redacted<String>,
    },
    /// A part of the header is not a name and a value.
    #[error("malformed Authorization header")]
    NotKeyValue {
        /// The part.
        field: Redacted<String>,
        /// The header.
        header: Redacted<String>,
    },
    /// Fields of the signature are missing.
    #[error("missing fields: {fields:?}")]
    MissingFields {
        /// The place of the signature.
        location: Location,
        /// The missing fields, in AWS's order.
        fields: Vec<Field>,
    },
    /// A URL of version 2 lacks a parameter.
    #[error("incomplete signature of version 2")]
    MissingVersion2Parameters,
    /// The signature does not cover the host.
    #[error("the Host header is not signed")]
    HostNotSigned,
    /// The signature does not cover headers that S3 interprets.
    #[error("unsigned headers: {}", .0.join(", "))]
    HeadersNotSigned(Vec<String>),
    /// The date has another form.
    #[error("malformed date")]
    InvalidDate {
        /// The place of the signature.
        location: Location,
        /// The date, as the request has it.
        date: Redacted<String>,
    },
    /// The end of a URL of version 2 is not a number of seconds.
    #[error("malformed end of the URL")]
    InvalidEnd(Redacted<String>),
    /// The lifetime of a URL is not a number.
    #[error("the lifetime of the URL is not a number")]
    ExpiresNotANumber,
    /// The lifetime of a URL is not positive.
    #[error("the lifetime of the URL is not positive")]
    ExpiresNegative,
    /// The lifetime of a URL is longer than a week.
    #[error("the lifetime of the URL is longer than a week")]
    ExpiresTooLong,
    /// The date is too early.
    #[error("the request was signed too long ago, at {}", .0.date.iso())]
    TooEarly(DateRange),
    /// The date is too late.
    #[error("the request is signed for a later time, {}", .0.date.iso())]
    TooLate(DateRange),
    /// A URL of S3 has expired.
    #[error("the URL expired at {}", expires.iso())]
    UrlExpired {
        /// The lifetime in seconds; version 2 has an end instead.
        seconds: Option<u32>,
        /// The end.
        expires: Timestamp,
        /// The time of the server.
        now: Timestamp,
    },
    /// A URL of S3 is for a later time.
    #[error("the URL is signed for a later time, {}", date.iso())]
    UrlNotYetValid {
        /// The beginning.
        date: Timestamp,
        /// The time of the server.
        now: Timestamp,
    },
    /// The access key and scope do not have five parts.
    #[error("the credential does not have five parts")]
    MalformedScope {
        /// The place of the signature.
        location: Location,
        /// The text.
        scope: Redacted<String>,
    },
    /// The scope is for another region, service or day.
    #[error("the scope is wrong: {}", .0.wrong_parts())]
    WrongScope(Box<WrongScope>),
    /// The header `x-amz-content-sha256` is missing; S3 requires it.
    #[error("the header x-amz-content-sha256 is missing")]
    MissingContentHash,
    /// The header `x-amz-content-sha256` has no value that S3 knows.
    #[error("the header x-amz-content-sha256 is malformed")]
    InvalidContentHash(Redacted<String>),
    /// The access key does not exist, or is inactive.
    #[error("unknown access key {0:?}")]
    UnknownKey(String),
    /// The session token is missing, belongs to another access key, or accompanies a long-term key.
    #[error("invalid session token for the access key {0:?}")]
    InvalidToken(String),
    /// The session has ended.
    #[error("the session of the access key {0:?} has ended")]
    ExpiredToken(String),
    /// The body has another hash than `x-amz-content-sha256`, in a request to S3.
    #[error("the body has the hash {computed}, not {claimed}")]
    ContentHashMismatch {
        /// The hash of the header.
        claimed: String,
        /// The hash of the body.
        computed: String,
    },
    /// The signature does not cover the body, or covers another one.
    #[error("the signature does not cover the body")]
    UnverifiedBody,
    /// The signature is not the one that the secret gives.
    #[error("the signature of the access key {:?} does not match", .0.access_key_id)]
    Mismatch(Box<Mismatch>),
    /// A password of Git is wrong.
    #[error("wrong Git password")]
    WrongPassword,
    /// A secret access key that was entered in the console is wrong.
    #[error("wrong secret access key")]
    WrongSecretKey,
}

/// A field of a signature, in AWS's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `X-Amz-Algorithm`.
    Algorithm,
    /// `Credential`, `X-Amz-Credential`.
    Credential,
    /// `Signature`, `X-Amz-Signature`.
    Signature,
    /// `SignedHeaders`, `X-Amz-SignedHeaders`.
    SignedHeaders,
    /// The headers `X-Amz-Date` and `Date`, `X-Amz-Date` in a URL.
    Date,
    /// `X-Amz-Expires`.
    Expires,
}

/// A date and the range in which it has to be.
#[derive(Clone, Copy, Debug)]
pub struct DateRange {
    /// The date of the signature.
    pub date: Timestamp,
    /// The maximum difference.
    pub skew: Duration,
    /// The time of the server.
    pub now: Timestamp,
}

/// A scope that an endpoint does not accept, with the parts that are wrong.
#[derive(Debug)]
pub struct WrongScope {
    /// The place of the signature.
    pub location: Location,
    /// The region, if it is wrong.
    pub region: Option<String>,
    /// A region that is right; `None` if every region is.
    pub expected_region: Option<Region>,
    /// The service, if it is wrong.
    pub service: Option<String>,
    /// The service that is right.
    pub expected_service: String,
    /// The last part, if it is wrong.
    pub terminator: Option<Redacted<String>>,
    /// The day, if it is not that of the date.
    pub day: Option<Redacted<String>>,
    /// The date of the request, as `20161214T181914Z`.
    pub date: String,
}

/// The headers whose values are logged, as proxies change them or clients sign others.
const LOGGED_HEADERS: [&str; 6] =
    ["content-length", "content-type", "host", "x-amz-content-sha256", "x-amz-date", "x-amz-target"];

/// A signature that is not the computed one, with the texts that S3 shows to the client.
#[derive(Debug)]
pub struct Mismatch {
    /// The id of the access key.
    pub access_key_id: String,
    pub(super) string_to_sign: Redacted<String>,
    pub(super) signature: Redacted<String>,
    /// Version 2 has none.
    pub(super) canonical_request: Option<Redacted<String>>,
}

impl WrongScope {
    /// Names the parts that are wrong, for a log.
    fn wrong_parts(&self) -> String {
        let region = self.region.as_ref().map(|region| format!("region {region:?}"));
        let service =
            self.service.as_ref().map(|service| format!("service {service:?}, expected {:?}", self.expected_service));
        let terminator = self.terminator.as_ref().map(|_| "terminator".to_owned());
        let day = self.day.as_ref().map(|_| "day".to_owned());
        [region, service, terminator, day].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

impl Mismatch {
    /// Returns the parts of the canonical request that a proxy may have changed, for a log: method, path and some headers.
    ///
    /// Parameters and all other headers are left out: they may contain a session token.
    pub fn signed_parts(&self) -> String {
        let canonical = self.canonical_request.as_ref().map_or("", |text| text.0.as_str());
        let is_logged = |line: &str| line.split_once(':').is_some_and(|(name, _)| LOGGED_HEADERS.contains(&name));
        let lines = canonical.split('\n').enumerate();
        let logged: Vec<&str> =
            lines.filter(|(index, line)| *index < 2 || is_logged(line)).map(|(_, line)| line).collect();
        logged.join(" ")
    }
}

impl DateRange {
    /// Fails if the date is out of its range.
    pub(super) fn check(self) -> Result<(), SignatureError> {
        if self.date < self.now.saturating_sub(self.skew).whole_second() {
            return Err(SignatureError::TooEarly(self));
        }
        if self.date > self.now.saturating_add(self.skew) {
            return Err(SignatureError::TooLate(self));
        }
        Ok(())
    }
}

/// The kinds of refusals that services name.
enum RefusalKind {
    Missing,
    Incomplete,
    Mismatch,
    InvalidToken,
    ExpiredToken,
}

impl SignatureError {
    /// Creates the error for those fields of a list that are missing.
    pub(super) fn missing(location: Location, fields: &[(Field, bool)]) -> Self {
        let fields = fields.iter().filter(|(_, is_missing)| *is_missing).map(|(field, _)| *field).collect();
        Self::MissingFields { location, fields }
    }

    /// Returns the failure of services that use AWS JSON.
    pub fn json(&self) -> Failure {
        let name = match self.kind() {
            RefusalKind::Missing => "MissingAuthenticationTokenException",
            RefusalKind::Incomplete => "IncompleteSignatureException",
            RefusalKind::Mismatch => "InvalidSignatureException",
            RefusalKind::InvalidToken => "UnrecognizedClientException",
            RefusalKind::ExpiredToken => "ExpiredTokenException",
        };
        let message =
            if matches!(self, Self::Missing) { "Missing Authentication Token".into() } else { self.message() };
        Failure::client(name, message)
    }

    /// Returns the failure of services that use AWS query.
    pub fn query(&self) -> Failure {
        let (name, status) = match self.kind() {
            RefusalKind::Missing => ("MissingAuthenticationToken", 403),
            RefusalKind::Incomplete => ("IncompleteSignature", 400),
            RefusalKind::Mismatch => ("SignatureDoesNotMatch", 403),
            RefusalKind::InvalidToken => ("InvalidClientTokenId", 403),
            RefusalKind::ExpiredToken => ("ExpiredToken", 403),
        };
        Failure::new(name, self.message(), status)
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Missing => RefusalKind::Missing,
            Self::UnsupportedAlgorithm { .. }
            | Self::NotKeyValue { .. }
            | Self::MissingFields { .. }
            | Self::MissingVersion2Parameters
            | Self::InvalidDate { .. }
            | Self::InvalidEnd(_)
            | Self::ExpiresNotANumber
            | Self::ExpiresNegative
            | Self::ExpiresTooLong
            | Self::MalformedScope { .. }
            | Self::MissingContentHash
            | Self::InvalidContentHash(_) => RefusalKind::Incomplete,
            Self::TwoSignatures
            | Self::HostNotSigned
            | Self::HeadersNotSigned(_)
            | Self::TooEarly(_)
            | Self::TooLate(_)
            | Self::UrlExpired { .. }
            | Self::UrlNotYetValid { .. }
            | Self::WrongScope(_)
            | Self::ContentHashMismatch { .. }
            | Self::UnverifiedBody
            | Self::Mismatch(_)
            | Self::WrongPassword
            | Self::WrongSecretKey => RefusalKind::Mismatch,
            Self::UnknownKey(_) | Self::InvalidToken(_) => RefusalKind::InvalidToken,
            Self::ExpiredToken(_) => RefusalKind::ExpiredToken,
        }
    }
}

//! Signatures of version 4, in the header `Authorization` or in the URL.

mod canonical;
mod check;
mod payload;
mod verify;

use std::fmt;

use aws::Timestamp;

pub(super) use self::check::CheckedVersion4;
use super::claim::Location;
use super::error::Field;
use super::{Redacted, RequestParts, SignatureError};

/// The only algorithm that is accepted.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A signature of version 4 and its fields, not verified.
pub struct Version4 {
    pub(super) location: Location,
    pub(super) token: Option<Redacted<String>>,
    is_s3: bool,
    /// The access key id and the scope.
    credential: String,
    /// The date, as the request has it.
    date: String,
    /// The lifetime of a URL in seconds, as the request has it.
    expires: Option<String>,
    /// The names of the signed headers, each followed by a semicolon except the last.
    signed_headers: String,
    signature: Redacted<String>,
    /// The headers of a request to S3 that must be signed and are not.
    unsigned_headers: Vec<String>,
}

impl Version4 {
    /// Tells whether the URL of a request has a signature.
    pub(super) fn is_in_url(is_s3: bool, request: &RequestParts<'_>) -> bool {
        let is_field = |name: &[u8]| match name {
            b"X-Amz-Algorithm" => true,
            // S3 reports that the algorithm is missing; other services do not see a signature.
            b"X-Amz-Credential" | b"X-Amz-Signature" => is_s3,
            _ => false,
        };
        request.parameters().any(|(name, _)| is_field(&name))
    }

    /// Reads the header `Authorization`: `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`.
    pub(super) fn from_header(
        is_s3: bool,
        authorization: &str,
        request: &RequestParts<'_>,
    ) -> Result<Self, SignatureError> {
        let (algorithm, fields) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if algorithm != ALGORITHM {
            let algorithm = Redacted(algorithm.to_owned());
            return Err(SignatureError::UnsupportedAlgorithm { location: Location::Header, algorithm });
        }
        let [mut credential, mut signature, mut signed_headers] = [None; 3];
        for field in fields.split(',').map(|field| field.trim_matches(' ')).filter(|_| !fields.trim().is_empty()) {
            let Some((name, value)) = field.split_once('=') else {
                let [field, header] = [field, authorization].map(|text| Redacted(text.to_owned()));
                return Err(SignatureError::NotKeyValue { field, header });
            };
            match name {
                "Credential" => credential = Some(value),
                "Signature" => signature = Some(value),
                "SignedHeaders" => signed_headers = Some(value),
                _ => {}
            }
        }
        let date = request.header("x-amz-date").or_else(|| request.header("date"));
        let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
            (credential, signature, signed_headers, date.as_deref())
        else {
            let fields = [
                (Field::Credential, credential.is_none()),
                (Field::Signature, signature.is_none()),
                (Field::SignedHeaders, signed_headers.is_none()),
                (Field::Date, date.is_none()),
            ];
            return Err(SignatureError::missing(Location::Header, &fields));
        };
        Ok(Self {
            location: Location::Header,
            token: request.header("x-amz-security-token").map(|token| Redacted(token.into_owned())),
            is_s3,
            credential: credential.to_owned(),
            date: date.to_owned(),
            expires: None,
            signed_headers: signed_headers.to_owned(),
            signature: Redacted(signature.to_owned()),
            unsigned_headers: unsigned_headers(is_s3, signed_headers, request),
        })
    }

    /// Reads the parameters `X-Amz-...` of the URL.
    pub(super) fn from_url(is_s3: bool, request: &RequestParts<'_>) -> Result<Self, SignatureError> {
        let algorithm = request.parameter("X-Amz-Algorithm").unwrap_or_default();
        if algorithm != ALGORITHM && !(is_s3 && algorithm.is_empty()) {
            let algorithm = Redacted(algorithm);
            return Err(SignatureError::UnsupportedAlgorithm { location: Location::Url, algorithm });
        }
        let credential = request.parameter("X-Amz-Credential");
        let signature = request.parameter("X-Amz-Signature");
        let signed_headers = request.parameter("X-Amz-SignedHeaders");
        let date = request.parameter("X-Amz-Date");
        let expires = request.parameter("X-Amz-Expires");
        let fields = [
            (Field::Algorithm, algorithm.is_empty()),
            (Field::Credential, credential.is_none()),
            (Field::Signature, signature.is_none()),
            (Field::SignedHeaders, signed_headers.is_none()),
            (Field::Date, date.is_none()),
            (Field::Expires, is_s3 && expires.is_none()),
        ];
        let (Some(credential), Some(signature), Some(signed_headers), Some(date), false) =
            (credential, signature, signed_headers, date, fields.iter().any(|(_, is_missing)| *is_missing))
        else {
            return Err(SignatureError::missing(Location::Url, &fields));
        };
        Ok(Self {
            location: Location::Url,
            token: request.parameter("X-Amz-Security-Token").map(Redacted),
            is_s3,
            credential,
            date,
            expires,
            unsigned_headers: unsigned_headers(is_s3, &signed_headers, request),
            signed_headers,
            signature: Redacted(signature),
        })
    }

    /// Returns the id of the access key.
    pub fn access_key_id(&self) -> &str {
        self.credential.split('/').next().unwrap_or_default()
    }

    fn is_signed(&self, header: &str) -> bool {
        is_listed(&self.signed_headers, header)
    }

    /// Reads the date: the basic format of ISO 8601, in the header `Date` also the format of HTTP.
    fn date(&self) -> Option<Timestamp> {
        let http = || Timestamp::from_http(&self.date).filter(|_| self.location == Location::Header);
        Timestamp::from_compact_second(&self.date).or_else(http)
    }
}

impl fmt::Debug for Version4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Version4");
        fields.field("location", &self.location).field("access_key_id", &self.access_key_id()).finish_non_exhaustive()
    }
}

fn is_listed(signed_headers: &str, header: &str) -> bool {
    signed_headers.split(';').any(|name| name == header)
}

/// Lists the headers that S3 interprets and the signature does not cover; S3 accepts none.
fn unsigned_headers(is_s3: bool, signed_headers: &str, request: &RequestParts<'_>) -> Vec<String> {
    let names = request.headers.iter().map(|(name, _)| *name).filter(|name| is_s3 && name.starts_with("x-amz-"));
    names.filter(|name| !is_listed(signed_headers, name)).map(str::to_owned).collect()
}

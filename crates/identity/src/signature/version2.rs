//! Signatures of version 2, which S3 accepts in the header `Authorization` and in the URL. URLs of boto3 have them by default.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use aws::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::claim::Location;
use super::error::{DateRange, Field, Mismatch};
use super::{Redacted, RequestParts, SignatureError, mac};
use crate::root_key::SecretKey;

/// The parameters of an operation that are signed; the other ones are not.
const SIGNED_PARAMETERS: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// A signature of version 2 and its fields, not verified.
#[derive(Debug)]
pub struct Version2 {
    pub(super) location: Location,
    pub(super) token: Option<Redacted<String>>,
    access_key_id: String,
    signature: Redacted<String>,
    /// The date of a header, or the end of a URL in seconds since 1970, as the request has it.
    date: Redacted<String>,
}

impl Version2 {
    /// Tells whether the URL of a request has a signature.
    pub(super) fn is_in_url(request: &RequestParts<'_>) -> bool {
        request.parameters().any(|(name, _)| name == b"AWSAccessKeyId" || name == b"Signature")
    }

    /// Reads the header `Authorization` after its first word: `ACCESS_KEY:SIGNATURE`.
    pub(super) fn from_header(fields: &str, request: &RequestParts<'_>) -> Result<Self, SignatureError> {
        let Some((access_key_id, signature)) = fields.split_once(':') else {
            let [field, header] = [fields.to_owned(), format!("AWS {fields}")].map(Redacted);
            return Err(SignatureError::NotKeyValue { field, header });
        };
        let date = request.header("x-amz-date").or_else(|| request.header("date"));
        let date = date.ok_or_else(|| SignatureError::missing(Location::Header, &[(Field::Date, true)]))?;
        Ok(Self {
            location: Location::Header,
            token: request.header("x-amz-security-token").map(|token| Redacted(token.into_owned())),
            access_key_id: access_key_id.to_owned(),
            signature: Redacted(signature.to_owned()),
            date: Redacted(date.into_owned()),
        })
    }

    /// Reads the parameters of the URL.
    pub(super) fn from_url(request: &RequestParts<'_>) -> Result<Self, SignatureError> {
        let fields = ["AWSAccessKeyId", "Signature", "Expires"].map(|name| request.parameter(name));
        let [Some(access_key_id), Some(signature), Some(date)] = fields else {
            return Err(SignatureError::MissingVersion2Parameters);
        };
        let token = request.parameter("x-amz-security-token").map(Redacted);
        Ok(Self { location: Location::Url, token, access_key_id, signature: Redacted(signature), date: Redacted(date) })
    }

    /// Returns the id of the access key.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// Checks the date of a header, or the end of a URL.
    pub(super) fn check(&self, max_clock_skew: Option<Duration>, now: Timestamp) -> Result<(), SignatureError> {
        let location = self.location;
        if location == Location::Url {
            let seconds: Option<i64> = self.date.0.parse().ok();
            let end = seconds.and_then(|seconds| seconds.checked_mul(1_000)).map(Timestamp::from_millis);
            let end = end.ok_or_else(|| SignatureError::InvalidEnd(self.date.clone()))?;
            if max_clock_skew.is_some() && now > end {
                return Err(SignatureError::UrlExpired { seconds: None, expires: end, now });
            }
            return Ok(());
        }
        let date = Timestamp::from_http(&self.date.0).or_else(|| Timestamp::from_compact_second(&self.date.0));
        let date = date.ok_or_else(|| SignatureError::InvalidDate { location, date: self.date.clone() })?;
        max_clock_skew.map_or(Ok(()), |skew| DateRange { date, skew, now }.check())
    }

    /// Verifies the signature of a request. It does not cover the body.
    pub(super) fn verify(&self, secret: &SecretKey, request: &RequestParts<'_>) -> Result<(), SignatureError> {
        let string_to_sign = self.string_to_sign(request);
        let signature = STANDARD.decode(&self.signature.0).unwrap_or_default();
        // A line feed in a parameter could make one field of the text look like two.
        let is_ambiguous = request.parameters().any(|(name, value)| [name, value].concat().contains(&b'\n'));
        if !is_ambiguous && mac::is_hmac_sha1(secret.as_str().as_bytes(), &string_to_sign, &signature) {
            return Ok(());
        }
        Err(SignatureError::Mismatch(Box::new(Mismatch {
            access_key_id: self.access_key_id.clone(),
            string_to_sign: Redacted(String::from_utf8_lossy(&string_to_sign).into_owned()),
            signature: self.signature.clone(),
            canonical_request: None,
        })))
    }

    fn string_to_sign(&self, request: &RequestParts<'_>) -> Vec<u8> {
        let is_url = self.location == Location::Url;
        // A URL has the headers that are not sent as parameters.
        let parameter = |name: &str| request.parameter(name).filter(|_| is_url).map(Cow::Owned);
        let value = |name: &str| request.header(name).or_else(|| parameter(name)).unwrap_or_default();
        let named = request.headers.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        let all = named.chain(request.parameters().filter(|_| is_url));
        let mut headers: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
        for (name, value) in all.filter(|(name, _)| name.starts_with(b"x-amz-")) {
            headers.entry(name).or_default().push(value.trim_ascii().to_vec());
        }
        let is_dated = !is_url && headers.contains_key(&b"x-amz-date"[..]);
        let date = if is_dated { "" } else { &self.date.0 };
        let (method, md5, content_type) = (request.method, value("content-md5"), value("content-type"));
        let mut text = format!("{method}\n{md5}\n{content_type}\n{date}\n").into_bytes();
        for (name, values) in &headers {
            text.extend([name, &b":"[..], &values.join(&b","[..]), b"\n"].concat());
        }
        text.extend(resource(request));
        text
    }
}

/// Writes the bucket of the host, the path as it came, and the signed parameters in their order.
fn resource(request: &RequestParts<'_>) -> Vec<u8> {
    let signed = |name: &[u8]| SIGNED_PARAMETERS.iter().any(|signed| signed.as_bytes() == name);
    let parameters = request.parameters().filter(|(name, _)| signed(name));
    let mut parameters: Vec<Vec<u8>> =
        parameters.map(|(name, value)| if value.is_empty() { name } else { [name, value].join(&b'=') }).collect();
    parameters.sort_unstable();
    let bucket = request.bucket.map(|bucket| format!("/{bucket}")).unwrap_or_default();
    let separator = if parameters.is_empty() { "" } else { "?" };
    [format!("{bucket}{}{separator}", request.path).into_bytes(), parameters.join(&b'&')].concat()
}

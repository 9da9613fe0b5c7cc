//! The replies of S3 to refused credentials.

use aws::Failure;

use super::{Field, Mismatch, SignatureError, WrongScope};
use crate::signature::claim::Location;
use crate::signature::mac::TERMINATOR;

const ACCESS_DENIED: &str = "AccessDenied";
const MALFORMED_HEADER: &str = "AuthorizationHeaderMalformed";
const MALFORMED_URL: &str = "AuthorizationQueryParametersError";

/// A refusal of S3: the failure, and the members that its document has beside code and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Refusal {
    /// The failure.
    pub failure: Failure,
    /// Names and texts of further members, in their order. Some repeat a signature or token to the client, so none may be logged.
    pub members: Vec<(&'static str, String)>,
}

impl S3Refusal {
    fn new(status: u16, name: &str, message: impl Into<String>) -> Self {
        let failure = Failure::new(name, message, status);
        Self { failure, members: Vec::new() }
    }

    fn with(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.members.push((name, text.into()));
        self
    }
}

impl SignatureError {
    /// Returns the refusal of S3.
    pub fn s3(&self) -> S3Refusal {
        match self {
            Self::Missing | Self::WrongPassword | Self::WrongSecretKey => denied("Access Denied"),
            Self::TooEarly(range) | Self::TooLate(range) => S3Refusal::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            )
            .with("RequestTime", range.date.compact_second())
            .with("ServerTime", range.now.iso())
            .with("MaxAllowedSkewMilliseconds", range.skew.as_millis().to_string()),
            Self::UrlExpired { seconds, expires, now } => {
                let mut refusal = denied("Request has expired");
                if let Some(seconds) = seconds {
                    refusal = refusal.with("X-Amz-Expires", seconds.to_string());
                }
                refusal.with("Expires", expires.iso()).with("ServerTime", now.iso())
            }
            Self::UrlNotYetValid { date, now } => {
                denied("Request is not valid yet").with("RequestTime", date.iso()).with("ServerTime", now.iso())
            }
            Self::UnknownKey(key) | Self::InvalidToken(key) => {
                let message = "The AWS Access Key Id you provided does not exist in our records.";
                S3Refusal::new(403, "InvalidAccessKeyId", message).with("AWSAccessKeyId", key)
            }
            Self::ExpiredToken(_) => S3Refusal::new(400, "ExpiredToken", "The provided token has expired."),
            Self::ContentHashMismatch { claimed, computed } => {
                let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
                S3Refusal::new(400, "XAmzContentSHA256Mismatch", message)
                    .with("ClientComputedContentSHA256", claimed)
                    .with("S3ComputedContentSHA256", computed)
            }
            Self::WrongScope(scope) => scope.s3(),
            Self::UnverifiedBody => mismatch(),
            Self::Mismatch(mismatch) => mismatch.s3(),
            _ => self.malformed(),
        }
    }

    /// Returns the refusal of a request without a complete signature.
    fn malformed(&self) -> S3Refusal {
        let url = |message| S3Refusal::new(400, MALFORMED_URL, message);
        let argument = |message: &str| S3Refusal::new(400, "InvalidArgument", message);
        match self {
            Self::TwoSignatures => argument(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or \
                 the Authorization header should be specified",
            )
            .with("ArgumentName", "Authorization"),
            Self::UnsupportedAlgorithm { location: Location::Header, .. } => {
                argument("Unsupported Authorization Type").with("ArgumentName", "Authorization")
            }
            Self::UnsupportedAlgorithm { location: Location::Url, .. } => {
                url("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"")
            }
            Self::MissingFields { location: Location::Header, fields } if fields[..] == [Field::Date] => invalid_date(),
            Self::MissingFields { location: Location::Url, .. } => url(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
                 X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ),
            Self::MissingVersion2Parameters => {
                denied("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
            }
            Self::HostNotSigned => headers_not_signed("host"),
            Self::HeadersNotSigned(names) => headers_not_signed(&names.join(", ")),
            Self::InvalidDate { location: Location::Header, .. } => invalid_date(),
            Self::InvalidDate { location: Location::Url, .. } => {
                url("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
            }
            Self::InvalidEnd(text) => denied(&format!("Invalid date (should be seconds since epoch): {}", text.0)),
            Self::ExpiresNotANumber => url("X-Amz-Expires should be a number"),
            Self::ExpiresNegative => url("X-Amz-Expires must be non-negative"),
            Self::ExpiresTooLong => url(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 \
                 seconds",
            ),
            Self::MalformedScope { location, .. } => scope_error(
                *location,
                "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            ),
            Self::MissingContentHash => S3Refusal::new(
                400,
                "InvalidRequest",
                "Missing required header for this request: x-amz-content-sha256",
            ),
            Self::InvalidContentHash(value) => argument(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            )
            .with("ArgumentName", "x-amz-content-sha256")
            .with("ArgumentValue", &value.0),
            _ => scope_error(
                Location::Header,
                "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
            ),
        }
    }
}

fn denied(message: &str) -> S3Refusal {
    S3Refusal::new(403, ACCESS_DENIED, message)
}

fn mismatch() -> S3Refusal {
    S3Refusal::new(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    )
}

fn invalid_date() -> S3Refusal {
    denied("AWS authentication requires a valid Date or x-amz-date header")
}

fn headers_not_signed(names: &str) -> S3Refusal {
    denied("There were headers present in the request which were not signed").with("HeadersNotSigned", names)
}

fn scope_error(location: Location, cause: &str) -> S3Refusal {
    let (name, beginning) = match location {
        Location::Header => (MALFORMED_HEADER, "The authorization header is malformed"),
        Location::Url => (MALFORMED_URL, "Error parsing the X-Amz-Credential parameter"),
    };
    S3Refusal::new(400, name, format!("{beginning}; {cause}"))
}

impl WrongScope {
    /// Returns the refusal for the first wrong part.
    fn s3(&self) -> S3Refusal {
        let error = |cause: String| scope_error(self.location, &cause);
        if let Some(region) = &self.region {
            let expected = self.expected_region.as_ref().map_or("us-east-1", |region| region.as_str());
            return error(format!("the region '{region}' is wrong; expecting '{expected}'")).with("Region", expected);
        }
        if let Some(service) = &self.service {
            let expected = &self.expected_service;
            return error(format!("incorrect service \"{service}\". This endpoint belongs to \"{expected}\"."));
        }
        if let Some(terminator) = &self.terminator {
            return error(format!("incorrect terminal \"{}\". This endpoint uses \"{TERMINATOR}\".", terminator.0));
        }
        let (day, date) = (self.day.as_ref().map_or("", |day| day.0.as_str()), &self.date[..8]);
        error(format!("Invalid credential date \"{day}\". This date is not the same as X-Amz-Date: \"{date}\"."))
    }
}

impl Mismatch {
    /// Returns the refusal with the texts that show to the client what it should have signed.
    fn s3(&self) -> S3Refusal {
        let mut refusal = mismatch()
            .with("AWSAccessKeyId", &self.access_key_id)
            .with("StringToSign", &self.string_to_sign.0)
            .with("SignatureProvided", &self.signature.0)
            .with("StringToSignBytes", bytes(&self.string_to_sign.0));
        if let Some(canonical) = &self.canonical_request {
            refusal = refusal.with("CanonicalRequest", &canonical.0).with("CanonicalRequestBytes", bytes(&canonical.0));
        }
        refusal
    }
}

/// Writes bytes in hexadecimal with blanks between them.
fn bytes(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(" ")
}

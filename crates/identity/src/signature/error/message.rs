//! The messages of AWS for refused credentials, for services that use AWS JSON and AWS query.

use std::fmt;
use std::time::Duration;

use aws::Timestamp;

use super::{DateRange, Field, SignatureError, WrongScope};
use crate::signature::claim::Location;
use crate::signature::mac::TERMINATOR;
use crate::signature::version4::ALGORITHM;

/// The message for a signature that does not match.
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
    and signing method. Consult the service documentation for details.";

impl SignatureError {
    /// Returns AWS's message.
    pub(super) fn message(&self) -> String {
        match self {
            Self::Missing => "Request is missing Authentication Token".to_owned(),
            Self::TwoSignatures => String::new(),
            Self::UnsupportedAlgorithm { algorithm, .. } => format!("Unsupported AWS 'algorithm': '{}'.", algorithm.0),
            Self::NotKeyValue { field, header } => format!(
                "'{}' not a valid key=value pair (missing equal-sign) in Authorization header: '{}'.",
                field.0, header.0
            ),
            Self::MissingFields { location, fields } => missing_fields(*location, fields),
            Self::HostNotSigned => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned()
            }
            Self::InvalidDate { date, .. } => format!(
                "Date must be in ISO-8601 'basic format'. Got '{}'. See http://en.wikipedia.org/wiki/ISO_8601",
                date.0
            ),
            Self::TooEarly(range) => too_early(range),
            Self::TooLate(DateRange { date, skew, now }) => {
                let [date, latest, now] = [*date, now.saturating_add(*skew), *now].map(Timestamp::compact_second);
                format!("Signature not yet current: {date} is still later than {latest} ({now} + {})", text(*skew))
            }
            Self::MalformedScope { scope, .. } => format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{}'",
                scope.0
            ),
            Self::WrongScope(scope) => scope.to_string(),
            Self::UnknownKey(_) | Self::InvalidToken(_) => {
                "The security token included in the request is invalid.".to_owned()
            }
            Self::ExpiredToken(_) => "The security token included in the request is expired".to_owned(),
            Self::UnverifiedBody | Self::Mismatch(_) | Self::WrongPassword | Self::WrongSecretKey => {
                MISMATCH.to_owned()
            }
            // Only S3 has these, with messages of its own.
            Self::MissingVersion2Parameters
            | Self::HeadersNotSigned(_)
            | Self::InvalidEnd(_)
            | Self::ExpiresNotANumber
            | Self::ExpiresNegative
            | Self::ExpiresTooLong
            | Self::UrlExpired { .. }
            | Self::UrlNotYetValid { .. }
            | Self::MissingContentHash
            | Self::InvalidContentHash(_)
            | Self::ContentHashMismatch { .. } => self.s3().failure.message,
        }
    }
}

fn missing_fields(location: Location, fields: &[Field]) -> String {
    let sentence = |field: &Field| match (location, field) {
        (Location::Header, Field::Date) => {
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned()
        }
        (Location::Header, _) => format!("Authorization header requires '{field}' parameter."),
        (Location::Url, _) => format!("AWS query-string parameters must include 'X-Amz-{field}'."),
    };
    let mut sentences: Vec<String> = fields.iter().map(sentence).collect();
    sentences.push(match location {
        // The rest of the header is left out: it may have a signature.
        Location::Header => format!("Authorization={ALGORITHM}"),
        Location::Url => "Re-examine the query-string parameters.".to_owned(),
    });
    sentences.join(" ")
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn too_early(DateRange { date, skew, now }: &DateRange) -> String {
    let [date, earliest, now] = [*date, now.saturating_sub(*skew), *now].map(Timestamp::compact_second);
    format!("Signature expired: {date} is now earlier than {earliest} ({now} - {})", text(*skew))
}

/// Writes a duration as in `15 min.`.
fn text(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min.", seconds / 60),
        seconds => format!("{seconds} sec."),
    }
}

/// Writes a sentence for each wrong part; a blank follows each of them, as on AWS.
impl fmt::Display for WrongScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.region.is_some() {
            f.write_str("Credential should be scoped to a valid region. ")?;
        }
        if self.service.is_some() {
            write!(f, "Credential should be scoped to correct service: '{}'. ", self.expected_service)?;
        }
        if let Some(terminator) = &self.terminator {
            write!(f, "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{}'. ", terminator.0)?;
        }
        if let Some(day) = &self.day {
            let (day, expected, date) = (&day.0, &self.date[..8], &self.date);
            write!(
                f,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{day}' != '{expected}', from '{date}'. "
            )?;
        }
        Ok(())
    }
}

//! The date and the scope of a signature of version 4.

use std::time::Duration;

use aws::{Region, Timestamp};

use super::Version4;
use crate::signature::Redacted;
use crate::signature::claim::{ExpectedScope, Location};
use crate::signature::error::{DateRange, SignatureError, WrongScope};
use crate::signature::mac::TERMINATOR;

/// Maximum lifetime of a URL, in seconds: a week.
const URL_SECONDS_MAX: u32 = 604_800;

/// A signature of version 4 with an acceptable date and scope.
#[derive(Debug)]
pub(in crate::signature) struct CheckedVersion4<'c> {
    pub(super) signature: &'c Version4,
    pub(super) date: Timestamp,
    pub(super) service: &'c str,
    pub(in crate::signature) region: Region,
}

impl Version4 {
    /// Checks the date and the scope, in AWS's order.
    pub(in crate::signature) fn check(
        &self,
        expected: &ExpectedScope<'_>,
        max_clock_skew: Option<Duration>,
        now: Timestamp,
    ) -> Result<CheckedVersion4<'_>, SignatureError> {
        if !self.is_signed("host") {
            return Err(SignatureError::HostNotSigned);
        }
        if !self.unsigned_headers.is_empty() {
            return Err(SignatureError::HeadersNotSigned(self.unsigned_headers.clone()));
        }
        let location = self.location;
        let date =
            self.date().ok_or_else(|| SignatureError::InvalidDate { location, date: Redacted(self.date.clone()) })?;
        if self.is_s3 && location == Location::Url {
            self.check_url(date, max_clock_skew, now)?;
        } else if let Some(skew) = max_clock_skew {
            DateRange { date, skew, now }.check()?;
        }
        let parts: Vec<&str> = self.credential.split('/').collect();
        let [_, day, region, service, terminator] = parts[..] else {
            return Err(SignatureError::MalformedScope { location, scope: Redacted(self.credential.clone()) });
        };
        let parsed: Option<Region> = region.parse().ok();
        let is_expected = |region: &Region| expected.regions.is_none_or(|regions| regions.contains(region));
        let http_date = date.compact_second();
        match parsed.filter(is_expected) {
            Some(region)
                if expected.services.contains(&service) && terminator == TERMINATOR && day == &http_date[..8] =>
            {
                Ok(CheckedVersion4 { signature: self, date, service, region })
            }
            valid_region => Err(SignatureError::WrongScope(Box::new(WrongScope {
                location,
                region: valid_region.is_none().then(|| region.to_owned()),
                expected_region: expected.regions.and_then(<[_]>::first).cloned(),
                service: (!expected.services.contains(&service)).then(|| service.to_owned()),
                expected_service: expected.services.first().copied().unwrap_or_default().to_owned(),
                terminator: (terminator != TERMINATOR).then(|| Redacted(terminator.to_owned())),
                day: (day != &http_date[..8]).then(|| Redacted(day.to_owned())),
                date: http_date,
            }))),
        }
    }

    /// Checks the lifetime of a URL of S3. Other services ignore `X-Amz-Expires` and have the same range of dates as for headers.
    fn check_url(
        &self,
        date: Timestamp,
        max_clock_skew: Option<Duration>,
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        let seconds = self.expires.as_deref().unwrap_or_default();
        let seconds: i64 = seconds.parse().map_err(|_| SignatureError::ExpiresNotANumber)?;
        if seconds < 1 {
            return Err(SignatureError::ExpiresNegative);
        }
        let Some(seconds) = u32::try_from(seconds).ok().filter(|seconds| *seconds <= URL_SECONDS_MAX) else {
            return Err(SignatureError::ExpiresTooLong);
        };
        let Some(skew) = max_clock_skew else { return Ok(()) };
        if date.saturating_sub(skew) > now {
            return Err(SignatureError::UrlNotYetValid { date, now });
        }
        let expires = date.saturating_add(Duration::from_secs(seconds.into()));
        if now > expires {
            return Err(SignatureError::UrlExpired { seconds: Some(seconds), expires, now });
        }
        Ok(())
    }
}

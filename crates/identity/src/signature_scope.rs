//! The credential scope of an AWS Signature Version 4, which names the access key, day, region and service of a request.

use std::fmt;

/// A credential scope: `ACCESS_KEY/DATE/REGION/SERVICE/aws4_request`. None of its parts is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureScope {
    /// The access key id.
    pub access_key: String,
    /// The day, as `YYYYMMDD`.
    pub date: String,
    /// The region.
    pub region: String,
    /// The service, such as `codecommit`.
    pub service: String,
}

impl SignatureScope {
    /// Parses the scope in an `Authorization` header:
    /// `AWS4-HMAC-SHA256 Credential=SCOPE, SignedHeaders=..., Signature=...`.
    pub fn from_authorization(header: &str) -> Option<Self> {
        let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
        Self::parse(fields.split([',', ' ']).find_map(|field| field.strip_prefix("Credential="))?)
    }

    /// Parses a scope, the form of `X-Amz-Credential` in a URL too. An access key may contain slashes.
    pub fn parse(scope: &str) -> Option<Self> {
        let mut parts = scope.rsplitn(5, '/').map(str::to_owned);
        let (_terminator, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { service, region, date: parts.next()?, access_key: parts.next()? })
    }
}

impl fmt::Display for SignatureScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { access_key, date, region, service } = self;
        write!(f, "{access_key}/{date}/{region}/{service}/aws4_request")
    }
}

//! TLS of the listeners, and the names that the local certificate authority may certify.

use std::net::IpAddr;
use std::path::PathBuf;

/// Use of TLS on the listeners, which serve plain HTTP on the same ports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// A client uses TLS or plain HTTP.
    #[default]
    Auto,
    /// Clients use plain HTTP; a TLS handshake fails.
    Off,
    /// Clients must use TLS; plain HTTP gets status 426.
    Require,
}

impl TlsMode {
    /// Returns the scheme of URLs that every client can use.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Auto | Self::Off => "http",
            Self::Require => "https",
        }
    }
}

/// TLS of the listeners.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// Use of TLS.
    pub mode: TlsMode,
    /// Names and addresses that certificates are made for, besides those of this machine and of AWS.
    pub names: TlsNames,
    /// Certificate to use instead of those of the local certificate authority.
    pub certificate: Option<CertificateFiles>,
}

/// PEM files of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Host names, each with all names below it, and IP addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsNames {
    pub(crate) domains: Vec<String>,
    pub(crate) addresses: Vec<IpAddr>,
}

impl TlsNames {
    /// Parses the names; fails at the first that is neither a host name nor an IP address.
    pub fn parse(names: Vec<String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        for name in names {
            if let Ok(address) = name.parse::<IpAddr>() {
                parsed.addresses.push(address.to_canonical());
            } else if is_domain(&name) {
                parsed.domains.push(name.to_ascii_lowercase());
            } else {
                return Err(format!(
                    "'{name}' is not a host name; write one such as git.example.com, without a port, which includes the names \
                     below it, or an IP address"
                ));
            }
        }
        Ok(parsed)
    }

    /// Returns the host names, in lower case.
    pub fn domains(&self) -> &[String] {
        &self.domains
    }
}

/// Returns whether a text is a host name of letters, digits, dashes and underscores between dots.
pub(crate) fn is_domain(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_host_names_and_addresses() {
        let names = ["Git.Example.com", "codecommit", "203.0.113.5", "::1"].map(str::to_owned).to_vec();
        let names = TlsNames::parse(names).expect("the names are valid");
        assert_eq!(names.domains(), ["git.example.com", "codecommit"]);
        assert_eq!(names.addresses.len(), 2);
        for name in ["", "*.example.com", "example.com:443", "https://example.com", "a b", ".", "example."] {
            let message = TlsNames::parse(vec![name.to_owned()]).expect_err(name);
            assert!(message.contains("such as git.example.com"), "{message}");
        }
    }
}

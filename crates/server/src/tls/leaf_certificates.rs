//! Certificates for the names of handshakes, signed by the local certificate authority when a name is first used.
//!
//! **Invariant:** no certificate is signed for a name or address that the authority may not certify.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use rcgen::SanType;
use rustls::ServerConfig;
use time::OffsetDateTime;

use crate::tls::certificate_authority::{CertificateAuthority, LeafCertificate, now};
use crate::tls::names::CertifiedNames;
use crate::tls::server_config;

/// Certificates that are kept.
const KEPT_MAX: usize = 64;

/// The certificates of the local certificate authority.
pub(crate) struct LeafCertificates {
    authority: CertificateAuthority,
    names: CertifiedNames,
    /// The kept certificates; the last one was used last.
    kept: Mutex<Vec<KeptCertificate>>,
}

/// What a certificate is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Subject {
    /// The host name that the client sent.
    Name(String),
    /// This machine, for clients without a host name: its addresses.
    Addresses(Vec<IpAddr>),
}

struct KeptCertificate {
    subject: Subject,
    config: Arc<ServerConfig>,
    renewal: OffsetDateTime,
}

impl LeafCertificates {
    pub(crate) fn new(authority: CertificateAuthority, names: CertifiedNames) -> Self {
        Self { authority, names, kept: Mutex::default() }
    }

    pub(crate) fn authority_pem(&self) -> &str {
        self.authority.pem()
    }

    /// Returns the configuration for a host name, or for an address if there is none; `None` if the name is not certified.
    pub(crate) fn config(&self, name: Option<&str>, local: IpAddr) -> Result<Option<Arc<ServerConfig>>, String> {
        let Some(subject) = self.subject(name, local) else { return Ok(None) };
        let mut kept = self.kept.lock();
        let position = kept.iter().position(|certificate| certificate.subject == subject);
        if let Some(position) = position {
            let certificate = kept.remove(position);
            if certificate.renewal > now() {
                let config = Arc::clone(&certificate.config);
                kept.push(certificate);
                return Ok(Some(config));
            }
        }
        let LeafCertificate { certificate, key, renewal } =
            self.authority.sign(subject.names()).map_err(|error| error.to_string())?;
        let config = server_config(vec![certificate], key.into()).map_err(|error| error.to_string())?;
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push(KeptCertificate { subject, config: Arc::clone(&config), renewal });
        Ok(Some(config))
    }

    fn subject(&self, name: Option<&str>, local: IpAddr) -> Option<Subject> {
        match name {
            Some(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                self.names.contains_name(&name).then_some(Subject::Name(name))
            }
            None => Some(Subject::Addresses(self.names.addresses(local))),
        }
    }
}

impl Subject {
    fn names(&self) -> Vec<SanType> {
        let name = |name: &str| SanType::DnsName(name.try_into().expect("a certified name is ASCII"));
        match self {
            Self::Name(text) => vec![name(text)],
            Self::Addresses(addresses) => {
                let addresses = addresses.iter().copied().map(SanType::IpAddress);
                [name("localhost")].into_iter().chain(addresses).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use store::{Durability, Store};

    use super::*;
    use crate::settings::TlsNames;

    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn certificates() -> LeafCertificates {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let store = Store::open(&folder.path().join("database"), Durability::Normal).expect("the folder is writable");
        let names = CertifiedNames::new(&TlsNames::default());
        let authority = CertificateAuthority::open(&store, &names, folder.path()).expect("the folder is writable");
        LeafCertificates::new(authority, names)
    }

    fn config(certificates: &LeafCertificates, name: &str) -> Option<Arc<ServerConfig>> {
        certificates.config(Some(name), LOCAL).expect("the name can be certified")
    }

    #[test]
    fn a_name_keeps_its_certificate_and_only_certified_names_have_one() {
        let certificates = certificates();
        let first = config(&certificates, "localhost").expect("the name is certified");
        let again = config(&certificates, "LOCALHOST.").expect("the name is certified");
        assert!(Arc::ptr_eq(&first, &again));
        assert!(config(&certificates, "example.com").is_none());
        let unnamed = |local: &str| {
            let local = local.parse().expect("the text is an address");
            certificates.config(None, local).expect("an address can be certified").expect("there is a certificate")
        };
        assert!(Arc::ptr_eq(&unnamed("127.0.0.1"), &unnamed("::1")));
        assert!(Arc::ptr_eq(&unnamed("127.0.0.1"), &unnamed("203.0.113.5")));
        assert!(!Arc::ptr_eq(&unnamed("127.0.0.1"), &unnamed("192.168.1.5")));
    }

    #[test]
    fn the_least_recently_used_certificates_are_dropped() {
        let certificates = certificates();
        let first = config(&certificates, "localhost").expect("the name is certified");
        for number in 0..KEPT_MAX - 1 {
            config(&certificates, &format!("a{number}.localhost"));
        }
        let again = config(&certificates, "localhost").expect("the name is certified");
        assert!(Arc::ptr_eq(&first, &again));
        config(&certificates, "b.localhost");
        assert_eq!(certificates.kept.lock().len(), KEPT_MAX);
        let kept = certificates.kept.lock().iter().any(|kept| kept.subject == Subject::Name("a0.localhost".to_owned()));
        assert!(!kept);
    }
}

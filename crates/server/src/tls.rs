//! TLS of the listeners: certificates, and the sessions that records show.

mod certificate_authority;
pub(crate) mod client;
mod given_certificate;
mod leaf_certificates;
mod names;
mod session;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use store::Store;

use crate::StartError;
use crate::settings::{TlsMode, TlsSettings};
use crate::tls::certificate_authority::CertificateAuthority;
use crate::tls::given_certificate::GivenCertificate;
use crate::tls::leaf_certificates::LeafCertificates;
use crate::tls::names::CertifiedNames;

pub(crate) use crate::tls::certificate_authority::{FILE as AUTHORITY_FILE, migrate};
pub(crate) use crate::tls::session::of as session_of;

/// The only protocol that the server offers in the handshake; clients also offer HTTP/2.
const HTTP_1_1: &[u8] = b"http/1.1";

/// The certificates of a server.
pub(crate) enum Certificates {
    /// TLS is off.
    Off,
    /// A certificate of the settings.
    Given(GivenCertificate),
    /// Certificates of the local certificate authority.
    Local(Box<LeafCertificates>),
}

impl Certificates {
    /// Reads the certificate of the settings, or opens the local certificate authority and writes its `ca.pem`.
    pub(crate) fn open(settings: &TlsSettings, store: &Store, data_folder: &Path) -> Result<Self, StartError> {
        if settings.mode == TlsMode::Off {
            return Ok(Self::Off);
        }
        if let Some(files) = &settings.certificate {
            return GivenCertificate::read(files).map(Self::Given);
        }
        let names = CertifiedNames::new(&settings.names);
        let authority = CertificateAuthority::open(store, &names, data_folder)?;
        Ok(Self::Local(Box::new(LeafCertificates::new(authority, names))))
    }

    /// Returns the configuration of a handshake with a client that named the server, on a connection to a local address.
    ///
    /// Returns `None` if there can be no certificate for the name.
    pub(crate) fn config(&self, name: Option<&str>, local: IpAddr) -> Result<Option<Arc<ServerConfig>>, String> {
        match self {
            Self::Off => Ok(None),
            Self::Given(given) => Ok(Some(given.config())),
            Self::Local(leaves) => leaves.config(name, local),
        }
    }

    /// Returns whether handshakes are accepted.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Returns the certificate of the local certificate authority, in PEM.
    pub(crate) fn authority_pem(&self) -> Option<&str> {
        match self {
            Self::Local(leaves) => Some(leaves.authority_pem()),
            Self::Off | Self::Given(_) => None,
        }
    }

    /// Reads the certificate of the settings again; if it cannot be used, the former one stays.
    pub(crate) fn reload(&self) -> Result<(), StartError> {
        match self {
            Self::Given(given) => given.reload(),
            Self::Off | Self::Local(_) => Ok(()),
        }
    }
}

/// Returns the implementation of the cryptography; the only place that names it.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Creates the configuration of handshakes with a certificate.
fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

/// Creates the configuration of handshakes that fail with an alert, because there is no certificate.
pub(crate) fn refusing_config() -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_no_client_auth().with_cert_resolver(Arc::new(NoCertificate))))
}

/// Has no certificate for any client.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

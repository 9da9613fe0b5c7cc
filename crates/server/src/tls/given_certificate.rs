//! The certificate of the settings, for all names.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::StartError;
use crate::settings::CertificateFiles;
use crate::tls::server_config;

/// A certificate that is read from files.
pub(crate) struct GivenCertificate {
    files: CertificateFiles,
    config: RwLock<Arc<ServerConfig>>,
}

impl GivenCertificate {
    /// Reads the files.
    pub(crate) fn read(files: &CertificateFiles) -> Result<Self, StartError> {
        Ok(Self { config: RwLock::new(load(files)?), files: files.clone() })
    }

    /// Reads the files again; if they cannot be used, the former certificate stays.
    pub(crate) fn reload(&self) -> Result<(), StartError> {
        *self.config.write() = load(&self.files)?;
        Ok(())
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config.read())
    }
}

fn load(files: &CertificateFiles) -> Result<Arc<ServerConfig>, StartError> {
    let certificate = |reason: &dyn Display| failed("--tls-cert", &files.certificate, reason);
    let key = |reason: &dyn Display| failed("--tls-key", &files.key, reason);
    let chain = CertificateDer::pem_file_iter(&files.certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| certificate(&reason(&error)))?;
    if chain.is_empty() {
        return Err(certificate(&"it has no certificate; write one in PEM, followed by those of its issuers"));
    }
    let private = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| key(&reason(&error)))?;
    server_config(chain, private).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            key(&format!("it is not the key of the certificate '{}'; name the key of it", files.certificate.display()))
        }
        rustls::Error::InvalidCertificate(_) => certificate(&error),
        error => key(&format!("{error}; write an RSA, ECDSA or Ed25519 key in PEM")),
    })
}

fn reason(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("{error}; name another file, or make it readable"),
        pem::Error::NoItemsFound => "it has no private key; write a key without a password in PEM".to_owned(),
        error => format!("it is not PEM: {error}; convert it, for example with openssl"),
    }
}

fn failed(setting: &'static str, path: &Path, reason: &dyn Display) -> StartError {
    StartError::Certificate { setting, path: path.to_owned(), reason: reason.to_string() }
}

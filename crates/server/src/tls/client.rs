//! TLS of outgoing requests: to destinations of triggers, topics and remote buckets.

use std::io;
use std::path::Path;
use std::sync::Arc;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Creates the TLS settings of requests: trusts the certificate authorities of a PEM file, or the public ones if there is none.
pub fn client_tls(authorities: Option<&Path>) -> io::Result<TlsConfig> {
    let Some(path) = authorities else { return Ok(TlsConfig::default()) };
    let failed = |error: &dyn std::fmt::Display| io::Error::other(format!("'{}': {error}", path.display()));
    let text =
        std::fs::read(path).map_err(|error| failed(&format!("{error}; name another file, or make it readable")))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&text) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| failed(&error))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(failed(&"it has no certificate; write those of the certificate authorities in PEM"));
    }
    Ok(TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build())
}

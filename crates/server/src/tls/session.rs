//! The version and cipher suite of a TLS session in CloudTrail's words, which are those of OpenSSL.

use aws::call::TlsSession;
use rustls::{CipherSuite, ProtocolVersion, ServerConnection};

/// Returns the session of a connection whose handshake is complete; `None` before.
pub(crate) fn of(connection: &ServerConnection) -> Option<TlsSession> {
    let version = connection.protocol_version()?;
    let cipher_suite = connection.negotiated_cipher_suite()?.suite();
    Some(TlsSession { version: version_name(version)?, cipher_suite: cipher_suite_name(cipher_suite)? })
}

fn version_name(version: ProtocolVersion) -> Option<&'static str> {
    match version {
        ProtocolVersion::TLSv1_2 => Some("TLSv1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLSv1.3"),
        _ => None,
    }
}

/// Returns the name of a cipher suite that the provider has.
fn cipher_suite_name(suite: CipherSuite) -> Option<&'static str> {
    Some(match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => "ECDHE-ECDSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => "ECDHE-ECDSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-ECDSA-CHACHA20-POLY1305",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => "ECDHE-RSA-AES128-GCM-SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => "ECDHE-RSA-AES256-GCM-SHA384",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => "ECDHE-RSA-CHACHA20-POLY1305",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::provider;

    #[test]
    fn every_cipher_suite_of_the_provider_has_a_name() {
        for suite in &provider().cipher_suites {
            assert!(cipher_suite_name(suite.suite()).is_some(), "{suite:?}");
            assert!(version_name(suite.version().version).is_some(), "{suite:?}");
        }
        assert_eq!(cipher_suite_name(CipherSuite::TLS13_AES_256_GCM_SHA384), Some("TLS_AES_256_GCM_SHA384"));
    }
}

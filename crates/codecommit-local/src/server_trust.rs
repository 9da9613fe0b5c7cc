//! Trust of the commands that are clients of a running server over https.

use std::io;
use std::path::{Path, PathBuf};

use ureq::tls::TlsConfig;

/// The file with the certificate authority in a data folder.
pub(crate) const AUTHORITY_FILE: &str = "ca.pem";

/// The variable with the certificate authorities that AWS's clients trust.
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// Returns the TLS settings of a client of an endpoint: with https it trusts `AWS_CA_BUNDLE`, else the authority of the default data
/// folder, else the public ones.
pub(crate) fn tls_for(endpoint: &str) -> io::Result<TlsConfig> {
    if !endpoint.starts_with("https://") {
        return Ok(TlsConfig::default());
    }
    let bundle = std::env::var_os(BUNDLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    server::client_tls(bundle.or_else(default_authority).as_deref())
}

/// Returns the TLS settings of a client that verifies nothing, for requests whose replies need not be trusted.
pub(crate) fn unverified() -> TlsConfig {
    TlsConfig::builder().disable_verification(true).build()
}

fn default_authority() -> Option<PathBuf> {
    let folder = std::env::var_os("CODECOMMIT_LOCAL_DATA_DIR").map(PathBuf::from);
    let folder = folder.or(codecommit_local::Settings::default().data_dir)?;
    authority_in(&folder)
}

/// Returns the authority's file in a data folder, if it exists.
pub(crate) fn authority_in(data_folder: &Path) -> Option<PathBuf> {
    Some(data_folder.join(AUTHORITY_FILE)).filter(|path| path.is_file())
}

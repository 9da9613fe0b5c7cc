//! The certificate authority that clients trust with https.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;

use crate::server_trust;

/// The file in the working directory to which the authority of a running server is saved.
const SAVED: &str = "codecommit-local-ca.pem";

/// Timeout of the request for the authority.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Limit of the reply to that request.
const BYTES_MAX: u64 = 1 << 20;

/// The authority's file.
pub(super) struct Authority {
    /// The absolute path.
    pub(super) path: String,
    /// Where the file is from.
    pub(super) comment: String,
}

/// Finds the file that is given, that of the data folder, or that of the running server, which is saved.
pub(super) fn find(given: Option<&Path>, data_folder: &Path, endpoint: &str) -> Result<Authority, String> {
    if let Some(path) = given {
        if !path.is_file() {
            return Err(format!(
                "--ca: '{}' is not a file; name the PEM file of the certificate authority",
                path.display()
            ));
        }
        return Ok(Authority {
            comment: format!("The certificate authority is {}.", path.display()),
            path: absolute(path)?,
        });
    }
    if let Some(path) = server_trust::authority_in(data_folder) {
        return Ok(Authority {
            comment: format!("The certificate authority is {}.", path.display()),
            path: absolute(&path)?,
        });
    }
    let path = PathBuf::from(SAVED);
    let failed = |error: &dyn std::fmt::Display| {
        format!("cannot save the certificate authority of {endpoint} to '{SAVED}': {error}; name its file with --ca")
    };
    fs::write(&path, download(endpoint).map_err(|error| failed(&error))?).map_err(|error| failed(&error))?;
    let comment = format!("Saved the certificate authority of {endpoint} to {SAVED}. Nothing verified that server.");
    Ok(Authority { path: absolute(&path)?, comment })
}

/// Requests the authority; nothing can verify the server before its authority is known.
fn download(endpoint: &str) -> Result<String, String> {
    let agent = Agent::config_builder()
        .proxy(None)
        .timeout_global(Some(TIMEOUT))
        .tls_config(server_trust::unverified())
        .build();
    let mut reply =
        Agent::from(agent).get(format!("{endpoint}/_local/ca.pem")).call().map_err(|error| error.to_string())?;
    let text = reply.body_mut().with_config().limit(BYTES_MAX).read_to_string().map_err(|error| error.to_string())?;
    if text.starts_with("-----BEGIN CERTIFICATE-----") {
        Ok(text)
    } else {
        Err("the reply is not a certificate".to_owned())
    }
}

fn absolute(path: &Path) -> Result<String, String> {
    let absolute = std::path::absolute(path).map_err(|error| error.to_string())?;
    absolute.into_os_string().into_string().map_err(|path| format!("the path {} is not UTF-8", path.display()))
}

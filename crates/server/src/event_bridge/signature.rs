//! The SigV4 signature of a request to EventBridge.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningError, SigningSettings, sign as sign_request};
use aws_sigv4::sign::v4::SigningParams;
use ureq::http::Request;

/// Adds `authorization` and `x-amz-date` to a request.
pub(super) fn sign(
    request: &mut Request<Vec<u8>>,
    (id, secret): (&str, &str),
    region: &str,
    time: SystemTime,
) -> Result<(), String> {
    let failed = |error: SigningError| format!("cannot sign a request: {error}");
    let identity = Credentials::new(id, secret, None, None, "settings").into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("events")
        .time(time)
        .settings(SigningSettings::default())
        .build();
    let parameters = parameters.map_err(|error| format!("cannot sign a request: {error}"))?.into();
    let uri = request.uri().to_string();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
    let signable = SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::Bytes(request.body()));
    let signed = sign_request(signable.map_err(failed)?, &parameters).map_err(failed)?;
    signed.into_parts().0.apply_to_request_http1x(request);
    Ok(())
}

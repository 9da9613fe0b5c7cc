//! The SigV4 signatures of a simulated service.

use aws::{Clock, Region, SystemClock};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningError, SigningSettings,
    UriPathNormalizationMode, sign as sign_request,
};
use aws_sigv4::sign::v4::SigningParams;
use ureq::http::Request;

/// An access key, and the token of a temporary one.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) session_token: Option<String>,
}

/// Signs a request to a service.
pub(super) fn sign(request: &mut Request<Vec<u8>>, key: &Key, region: &Region, service: &str) -> Result<(), String> {
    let failed = |error: SigningError| format!("cannot sign a request: {error}");
    let identity = Credentials::new(&key.id, &key.secret, key.session_token.clone(), None, "simulate").into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name(service)
        .time(SystemClock.now().to_system_time())
        .settings(settings)
        .build();
    let parameters = parameters.map_err(|error| format!("cannot sign a request: {error}"))?.into();
    let uri = request.uri().to_string();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
    let signable = SignableRequest::new(request.method().as_str(), uri, headers, SignableBody::Bytes(request.body()));
    let signed = sign_request(signable.map_err(failed)?, &parameters).map_err(failed)?;
    signed.into_parts().0.apply_to_request_http1x(request);
    Ok(())
}

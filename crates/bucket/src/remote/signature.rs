//! The SigV4 signature of a request to S3.

use std::io;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign as sign_request,
};
use aws_sigv4::sign::v4::SigningParams;
use ureq::http::Request;

/// Adds `authorization`, `x-amz-date` and `x-amz-content-sha256` to a request whose path is escaped.
pub(super) fn sign<B>(
    request: &mut Request<B>,
    content: SignableBody<'_>,
    (id, secret): (&str, &str),
    region: &str,
    time: SystemTime,
) -> io::Result<()> {
    let identity = Credentials::new(id, secret, None, None, "settings").into();
    // S3 signs the path as it is sent, and the hash of the content as a header.
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let parameters =
        SigningParams::builder().identity(&identity).region(region).name("s3").time(time).settings(settings);
    let parameters = parameters.build().map_err(io::Error::other)?.into();
    let uri = request.uri().to_string();
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default()));
    let signable = SignableRequest::new(request.method().as_str(), uri, headers, content);
    let signed = sign_request(signable.map_err(io::Error::other)?, &parameters).map_err(io::Error::other)?;
    signed.into_parts().0.apply_to_request_http1x(request);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The example of a PUT request in "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
    #[test]
    fn the_signature_is_that_of_the_example_in_the_reference_of_s3() {
        let mut request = Request::put("http://examplebucket.s3.amazonaws.com/test%24file.text")
            .header("date", "Fri, 24 May 2013 00:00:00 GMT")
            .header("x-amz-storage-class", "REDUCED_REDUNDANCY")
            .body(())
            .expect("the request is well-formed");
        let access_key = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let time = SystemTime::UNIX_EPOCH + Duration::from_hours(380_376);
        let content = SignableBody::Bytes(b"Welcome to Amazon S3.");
        sign(&mut request, content, access_key, "us-east-1", time).expect("the parameters are complete");
        assert_eq!(request.headers()["x-amz-date"], "20130524T000000Z");
        let authorization = request.headers()["authorization"].to_str().expect("the header is ASCII");
        let (signed, signature) = authorization.split_once(", Signature=").expect("there is a signature");
        assert!(signed.ends_with("date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"), "{signed}");
        assert_eq!(signature, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    }
}

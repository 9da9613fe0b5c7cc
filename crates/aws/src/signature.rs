//! Signatures of requests to AWS, version 4, and `Authorization` headers that only have the scope of one.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningError, SigningSettings,
    UriPathNormalizationMode, sign as sign_request,
};
use aws_sigv4::sign::v4::SigningParams;
use http::Request;

use crate::{Region, Timestamp};

/// An access key, and the token of a temporary one.
#[derive(Clone, Copy)]
pub struct SigningKey<'k> {
    /// The id.
    pub id: &'k str,
    /// The secret.
    pub secret: &'k str,
    /// The session token.
    pub session_token: Option<&'k str>,
}

/// Signs a request to a service: adds `authorization`, `x-amz-date` and what else the service demands.
///
/// The path of a request to S3 must be escaped. The error does not contain the secret.
pub fn sign(
    request: &mut Request<Vec<u8>>,
    key: SigningKey<'_>,
    region: &Region,
    service: &str,
    time: Timestamp,
) -> Result<(), String> {
    let failed = |error: SigningError| format!("cannot sign a request: {error}");
    let SigningKey { id, secret, session_token } = key;
    let identity = Credentials::new(id, secret, session_token.map(str::to_owned), None, "settings").into();
    let mut settings = SigningSettings::default();
    if service == "s3" {
        // S3 signs the path as it is sent, and the hash of the content as a header.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name(service)
        .time(time.to_system_time())
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

/// Writes an `Authorization` header that names an access key, a day, a region and a service; the signature is all zeros.
///
/// Endpoints that stand in for AWS read the scope and check no signature.
pub fn unsigned_authorization(access_key: &str, region: &Region, service: &str, time: Timestamp) -> String {
    let day = time.day_folder().replace('/', "");
    let signature = "0".repeat(64);
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/{day}/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature={signature}"
    )
}

#[cfg(test)]
mod tests {
    use http::header::AUTHORIZATION;
    use http::request::Builder;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    /// Signs a request; returns it with the names of the signed headers and the signature.
    fn signed(
        request: Builder,
        body: &str,
        service: &str,
        time: &str,
        token: Option<&str>,
    ) -> (Request<Vec<u8>>, String, String) {
        let mut request = request.body(body.as_bytes().to_vec()).expect("the request is well-formed");
        let key = SigningKey { id: "AKIAIOSFODNN7EXAMPLE", secret: SECRET, session_token: token };
        let region = "us-east-1".parse().expect("the name is that of a region");
        let time = Timestamp::from_iso(time).expect("the time is well-formed");
        sign(&mut request, key, &region, service, time).expect("the parameters are complete");
        let authorization = request.headers()[AUTHORIZATION].to_str().expect("the header is ASCII");
        let (head, signature) = authorization.split_once(", Signature=").expect("there is a signature");
        let (_, names) = head.split_once("SignedHeaders=").expect("there are signed headers");
        let (names, signature) = (names.to_owned(), signature.to_owned());
        (request, names, signature)
    }

    /// The example of a PUT request in "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
    #[test]
    fn the_signature_is_that_of_the_example_in_the_reference_of_s3() {
        let request = Request::put("http://examplebucket.s3.amazonaws.com/test%24file.text")
            .header("date", "Fri, 24 May 2013 00:00:00 GMT")
            .header("x-amz-storage-class", "REDUCED_REDUNDANCY");
        let (request, names, signature) = signed(request, "Welcome to Amazon S3.", "s3", "2013-05-24T00:00:00Z", None);
        assert_eq!(request.headers()["x-amz-date"], "20130524T000000Z");
        assert_eq!(names, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class");
        assert_eq!(signature, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    }

    #[test]
    fn a_session_token_is_signed_and_other_services_get_no_hash_of_the_content() {
        let post = || Request::post("http://127.0.0.1:1/").header("x-amz-target", "AWSEvents.PutEvents");
        let signed_with = |token| signed(post(), "{}", "events", "2013-05-24T00:00:00Z", token);
        let (request, names, signature) = signed_with(Some("a token"));
        assert_eq!(request.headers()["x-amz-security-token"], "a token");
        assert_eq!(names, "host;x-amz-date;x-amz-security-token;x-amz-target");
        let (request, names, without) = signed_with(None);
        assert!(!request.headers().contains_key("x-amz-content-sha256"));
        assert_eq!(names, "host;x-amz-date;x-amz-target");
        assert_ne!(signature, without);
    }
}

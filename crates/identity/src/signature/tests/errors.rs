//! The errors of AWS, in its order.

use aws::Failure;

use super::{KEY, Request, region, time, verify};
use crate::signature::{Claim, ExpectedScope, Protocol, SignatureError};

const NOW: &str = "20150830T124000Z";
const HOST: (&str, &str) = ("host", "localhost");
const DATE: (&str, &str) = ("x-amz-date", "20150830T123600Z");
const HASH: (&str, &str) = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
const SIGNATURE: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

fn refused(request: &Request, protocol: Protocol) -> SignatureError {
    let service = if protocol == Protocol::S3 { "s3" } else { "codecommit" };
    let (services, regions) = ([service], [region("us-east-2"), region("us-east-1")]);
    let expected = ExpectedScope { services: &services, regions: Some(&regions) };
    let error = request
        .with(|request| verify(request, protocol, &expected, time(NOW)))
        .expect_err("the signature is not a right one");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains(SIGNATURE) && !text.contains("TOKEN"), "{text}");
    }
    error
}

fn header(authorization: &str, headers: &[(&str, &str)]) -> Request {
    let headers: Vec<_> = headers.iter().copied().chain([("authorization", authorization)]).collect();
    Request::new("GET", "/", &headers)
}

fn signed(scope: &str, headers: &[(&str, &str)]) -> Request {
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let fields = format!("Credential={scope}, SignedHeaders={names}, Signature={SIGNATURE}");
    header(&format!("AWS4-HMAC-SHA256 {fields}"), headers)
}

fn parts(failure: &Failure) -> (&str, u16, &str) {
    (&failure.name, failure.status, &failure.message)
}

#[test]
fn malformed_headers_have_the_messages_of_aws() {
    let five = format!("{KEY}/20150830/us-east-1/codecommit/aws4_request");
    let not_yet = ("x-amz-date", "20150830T125501Z");
    let complete = format!("AWS4-HMAC-SHA256 Credential={five}, SignedHeaders=host, Signature={SIGNATURE}");
    for (request, code, message) in [
        (header("AWS5-HMAC-SHA256 x", &[]), "Incomplete", "Unsupported AWS 'algorithm': 'AWS5-HMAC-SHA256'."),
        (
            header("AWS4-HMAC-SHA256 FooBar, BazBurp", &[]),
            "Incomplete",
            "'FooBar' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 FooBar, \
             BazBurp'.",
        ),
        (
            header("AWS4-HMAC-SHA256", &[]),
            "Incomplete",
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a \
             'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256",
        ),
        (
            header(&format!("AWS4-HMAC-SHA256 Credential=a, Signature={SIGNATURE}, Credential=b"), &[DATE]),
            "Incomplete",
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
        ),
        (signed("x", &[DATE]), "Mismatch", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."),
        (
            signed("x", &[HOST, ("x-amz-date", "2015-08-30")]),
            "Incomplete",
            "Date must be in ISO-8601 'basic format'. Got '2015-08-30'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            signed("x", &[HOST, ("date", "Sun, 30 Aug 2015 12:24:59 GMT")]),
            "Mismatch",
            "Signature expired: 20150830T122459Z is now earlier than 20150830T122500Z (20150830T124000Z - 15 min.)",
        ),
        (
            signed("x", &[HOST, not_yet]),
            "Mismatch",
            "Signature not yet current: 20150830T125501Z is still later than 20150830T125500Z (20150830T124000Z + 15 min.)",
        ),
        (
            signed("x/y", &[HOST, DATE]),
            "Incomplete",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'x/y'",
        ),
        (
            signed(&format!("{KEY}/20150830/eu-west-1/sts/aws4_request"), &[HOST, DATE]),
            "Mismatch",
            "Credential should be scoped to a valid region. Credential should be scoped to correct service: 'codecommit'. ",
        ),
        (
            signed(&format!("{KEY}/20150831/us-east-1/codecommit/aws4"), &[HOST, DATE]),
            "Mismatch",
            "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'. Date in Credential scope does not \
             match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'. ",
        ),
        (
            signed("/20150830/us-east-1/codecommit/aws4_request", &[HOST, DATE]),
            "Invalid",
            "The security token included in the request is invalid.",
        ),
        (
            signed(&format!("{}/20150830/us-east-1/codecommit/aws4_request", "A".repeat(129)), &[HOST, DATE]),
            "Invalid",
            "The security token included in the request is invalid.",
        ),
        (
            signed(&five, &[HOST, DATE]),
            "Mismatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
             and signing method. Consult the service documentation for details.",
        ),
        (header(&complete, &[HOST, DATE, ("authorization", "Basic eDp5")]), "Mismatch", ""),
    ] {
        let (json, (query, status)) = match code {
            "Incomplete" => ("IncompleteSignatureException", ("IncompleteSignature", 400)),
            "Invalid" => ("UnrecognizedClientException", ("InvalidClientTokenId", 403)),
            _ => ("InvalidSignatureException", ("SignatureDoesNotMatch", 403)),
        };
        let error = refused(&request, Protocol::Json);
        assert_eq!(parts(&error.json()), (json, 400, message));
        let error = refused(&request, Protocol::Query);
        assert_eq!(parts(&error.query()), (query, status, message));
    }
}

#[test]
fn malformed_urls_have_the_messages_of_aws() {
    let all = "X-Amz-Credential=x&X-Amz-Signature=0&X-Amz-SignedHeaders=host&X-Amz-Date=20150830T123600Z";
    for (query, message) in [
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256",
            "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include \
             'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must \
             include 'X-Amz-Date'. Re-examine the query-string parameters.",
        ),
        (
            &format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&{all}"),
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'x'",
        ),
        (
            &format!("X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&{all}"),
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        ),
    ] {
        let error = refused(&Request::new("GET", &format!("/?{query}"), &[HOST]), Protocol::Query);
        assert_eq!(parts(&error.query()), ("IncompleteSignature", 400, message));
    }
    // Without an algorithm there is no signature.
    let request = Request::new("GET", &format!("/?{all}"), &[HOST]);
    assert!(matches!(request.with(|request| Claim::read(Protocol::Query, request)), Ok(Claim::Nothing)));
    let request = header("AWS4-HMAC-SHA256 x", &[]);
    let request = Request { query: "X-Amz-Algorithm=".to_owned(), ..request };
    assert_eq!(parts(&refused(&request, Protocol::Query).query()), ("SignatureDoesNotMatch", 403, ""));
}

#[test]
fn the_headers_of_s3_have_errors_of_their_own() {
    let scope = |region: &str, service: &str| format!("{KEY}/20150830/{region}/{service}/aws4_request");
    let right = scope("us-east-1", "s3");
    for (request, name, status, message, members) in [
        (Request::new("GET", "/b", &[HOST]), "AccessDenied", 403, "Access Denied", vec![]),
        (
            header("Bearer TOKEN", &[]),
            "InvalidArgument",
            400,
            "Unsupported Authorization Type",
            vec![("ArgumentName", "Authorization")],
        ),
        (
            header("AWS4-HMAC-SHA256 Credential=x", &[DATE]),
            "AuthorizationHeaderMalformed",
            400,
            "The authorization header is malformed; the authorization header requires three components: Credential, \
             SignedHeaders, and Signature.",
            vec![],
        ),
        (
            signed(&right, &[HOST, HASH]),
            "AccessDenied",
            403,
            "AWS authentication requires a valid Date or x-amz-date header",
            vec![],
        ),
        (
            header(
                &format!("AWS4-HMAC-SHA256 Credential={right},SignedHeaders=host;x-amz-date,Signature={SIGNATURE}"),
                &[HOST, DATE, HASH, ("x-amz-acl", "private")],
            ),
            "AccessDenied",
            403,
            "There were headers present in the request which were not signed",
            vec![("HeadersNotSigned", "x-amz-content-sha256, x-amz-acl")],
        ),
        (
            signed(&right, &[HOST, HASH, ("x-amz-date", "20150830T125501Z")]),
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
            vec![
                ("RequestTime", "20150830T125501Z"),
                ("ServerTime", "2015-08-30T12:40:00Z"),
                ("MaxAllowedSkewMilliseconds", "900000"),
            ],
        ),
        (
            signed("x", &[HOST, HASH, DATE]),
            "AuthorizationHeaderMalformed",
            400,
            "The authorization header is malformed; the Credential is mal-formed; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
            vec![],
        ),
        (
            signed(&scope("eu-west-1", "s3"), &[HOST, HASH, DATE]),
            "AuthorizationHeaderMalformed",
            400,
            "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-2'",
            vec![("Region", "us-east-2")],
        ),
        (
            signed(&scope("us-east-1", "sts"), &[HOST, HASH, DATE]),
            "AuthorizationHeaderMalformed",
            400,
            "The authorization header is malformed; incorrect service \"sts\". This endpoint belongs to \"s3\".",
            vec![],
        ),
        (
            signed("AKIA1/20150830/us-east-1/s3/aws4_request", &[HOST, HASH, DATE]),
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
            vec![("AWSAccessKeyId", "AKIA1")],
        ),
        (
            signed(&right, &[HOST, DATE]),
            "InvalidRequest",
            400,
            "Missing required header for this request: x-amz-content-sha256",
            vec![],
        ),
        (
            signed(&right, &[HOST, DATE, ("x-amz-content-sha256", "0")]),
            "InvalidArgument",
            400,
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
             STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            vec![("ArgumentName", "x-amz-content-sha256"), ("ArgumentValue", "0")],
        ),
    ] {
        let refusal = refused(&request, Protocol::S3).s3();
        assert_eq!(parts(&refusal.failure), (name, status, message));
        let texts: Vec<_> = refusal.members.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(texts, members);
    }
}

#[test]
fn the_urls_of_s3_have_errors_of_their_own() {
    let complete = |credential: &str, date: &str, expires: &str| {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={date}&X-Amz-Expires={expires}\
             &X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token=TOKEN"
        )
    };
    let right = format!("{KEY}/20150830/us-east-1/s3/aws4_request");
    let wrong = format!("{KEY}/20150830/eu-west-1/s3/aws4_request");
    for (query, name, message) in [
        (
            "X-Amz-Signature=0".to_owned(),
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
             X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ),
        (
            complete(&right, DATE.1, "1").replace("X-Amz-Expires", "Other"),
            "AuthorizationQueryParametersError",
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, \
             X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ),
        (
            complete(&right, "today", "900"),
            "AuthorizationQueryParametersError",
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        ),
        (complete(&right, DATE.1, "x"), "AuthorizationQueryParametersError", "X-Amz-Expires should be a number"),
        (complete(&right, DATE.1, "-1"), "AuthorizationQueryParametersError", "X-Amz-Expires must be non-negative"),
        (
            complete(&right, DATE.1, "604801"),
            "AuthorizationQueryParametersError",
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 \
             seconds",
        ),
        (complete(&right, "20150830T125501Z", "900"), "AccessDenied", "Request is not valid yet"),
        (complete(&right, DATE.1, "239"), "AccessDenied", "Request has expired"),
        (
            complete(&wrong, DATE.1, "900"),
            "AuthorizationQueryParametersError",
            "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'us-east-2'",
        ),
        (
            complete(&right, DATE.1, "604800"),
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ),
    ] {
        let refusal = refused(&Request::new("GET", &format!("/b/k?{query}"), &[HOST]), Protocol::S3).s3();
        assert_eq!((refusal.failure.name.as_str(), refusal.failure.message.as_str()), (name, message));
    }
}

#[test]
fn a_mismatch_of_s3_shows_what_was_signed() {
    let request = signed(&format!("{KEY}/20150830/us-east-1/s3/aws4_request"), &[HOST, HASH, DATE]);
    let error = refused(&request, Protocol::S3);
    let SignatureError::Mismatch(mismatch) = &error else { panic!("{error}") };
    let logged = "GET / host:localhost x-amz-content-sha256:UNSIGNED-PAYLOAD x-amz-date:20150830T123600Z";
    assert_eq!(mismatch.signed_parts(), logged);
    let members = error.s3().members;
    let canonical = "GET\n/\n\nhost:localhost\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:20150830T123600Z\n\n\
        host;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD";
    let text = |name: &str| members.iter().find(|(other, _)| *other == name).map(|(_, text)| text.as_str());
    assert_eq!(text("AWSAccessKeyId"), Some(KEY));
    assert_eq!(text("SignatureProvided"), Some(SIGNATURE));
    assert_eq!(text("CanonicalRequest"), Some(canonical));
    let string_to_sign = text("StringToSign").expect("the error shows the value");
    assert!(string_to_sign.starts_with("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/s3/aws4_request\n"));
    assert!(text("StringToSignBytes").expect("the error shows the value").starts_with("41 57 53 34 2d"));
    assert!(text("CanonicalRequestBytes").expect("the error shows the value").starts_with("47 45 54 0a 2f"));
}

#[test]
fn only_s3_accepts_an_unsigned_payload() {
    for hash in ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "0"] {
        let request = signed(
            &format!("{KEY}/20150830/us-east-1/codecommit/aws4_request"),
            &[HOST, DATE, ("x-amz-content-sha256", hash)],
        );
        assert_eq!(refused(&request, Protocol::Json).json().name, "InvalidSignatureException");
    }
}

#[test]
fn errors_of_the_access_key_have_the_words_of_each_service() {
    let key = || KEY.to_owned();
    for (error, json, query, s3) in [
        (
            SignatureError::Missing,
            ("MissingAuthenticationTokenException", 400, "Missing Authentication Token"),
            ("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
            ("AccessDenied", 403, "Access Denied"),
        ),
        (
            SignatureError::InvalidToken(key()),
            ("UnrecognizedClientException", 400, "The security token included in the request is invalid."),
            ("InvalidClientTokenId", 403, "The security token included in the request is invalid."),
            ("InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist in our records."),
        ),
        (
            SignatureError::ExpiredToken(key()),
            ("ExpiredTokenException", 400, "The security token included in the request is expired"),
            ("ExpiredToken", 403, "The security token included in the request is expired"),
            ("ExpiredToken", 400, "The provided token has expired."),
        ),
    ] {
        assert_eq!(parts(&error.json()), json);
        assert_eq!(parts(&error.query()), query);
        assert_eq!(parts(&error.s3().failure), s3);
    }
}

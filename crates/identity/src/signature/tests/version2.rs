//! Signatures of version 2.

use super::{KEY, Request, time};
use crate::signature::{Claim, Protocol};

const URL: &str =
    "/b/a%20b.gz?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=ZPtrAcEQIl60Lpy7FLO4Iq%2BiCXo%3D&Expires=1795907040";

/// A URL that boto3 signed.
#[test]
fn a_url_is_valid_until_its_end() {
    let request = Request::new("GET", URL, &[("host", "127.0.0.1:38369")]);
    request.verify(Protocol::S3, "s3", time("20261128T230400Z")).expect("boto3 signed it");
    let late = request.verify(Protocol::S3, "s3", time("20261128T230401Z")).expect_err("the URL has expired").s3();
    assert_eq!((late.failure.name.as_str(), late.failure.message.as_str()), ("AccessDenied", "Request has expired"));
}

#[test]
fn the_host_can_name_the_bucket() {
    let url = URL.replace("/b/", "/");
    let mut request = Request::new("GET", &url, &[("host", "b.localhost:38369")]);
    request.verify(Protocol::S3, "s3", time("20261128T230400Z")).expect_err("the bucket is missing");
    request.bucket = Some("b".to_owned());
    request.verify(Protocol::S3, "s3", time("20261128T230400Z")).expect("the bucket is in the host");
}

#[test]
fn each_changed_byte_of_a_url_is_refused() {
    let now = time("20261128T230400Z");
    for index in 0..URL.len() {
        for byte in [b'A', b'0', b'%', b'&', b'=', b'z'] {
            let mut url = URL.as_bytes().to_vec();
            if url[index] == byte || index == URL.find('?').expect("the URL has a query") {
                continue;
            }
            url[index] = byte;
            let url = String::from_utf8(url).expect("the URL is ASCII");
            let request = Request::new("GET", &url, &[]);
            let error = request.verify(Protocol::S3, "s3", now).expect_err(&url);
            assert!(!error.to_string().contains("ZPtrAcEQ"), "{error}");
        }
    }
}

/// The examples of "Signing and Authenticating REST Requests" in the Amazon S3 API Reference.
#[test]
fn the_header_has_the_signatures_of_the_documentation() {
    let host = ("host", "awsexamplebucket1.us-west-1.s3.amazonaws.com");
    let date = |text| ("date", text);
    // The documentation's dates are those of mails.
    for (method, url, headers, signature, now) in [
        (
            "GET",
            "/photos/puppy.jpg",
            vec![host, date("Tue, 27 Mar 2007 19:36:42 +0000")],
            "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
            "20070327T193642Z",
        ),
        (
            "PUT",
            "/photos/puppy.jpg",
            vec![
                host,
                ("content-type", "image/jpeg"),
                ("content-length", "94328"),
                date("Tue, 27 Mar 2007 21:15:45 +0000"),
            ],
            "iqRzw+ileNPu1fhspnRs8nOjjIA=",
            "20070327T211545Z",
        ),
        (
            "GET",
            "/?prefix=photos&max-keys=50&marker=puppy",
            vec![host, date("Tue, 27 Mar 2007 19:42:41 +0000")],
            "m0WP8eCtspQl5Ahe6L1SozdX9YA=",
            "20070327T194241Z",
        ),
        (
            "GET",
            "/?acl",
            vec![host, date("Tue, 27 Mar 2007 19:44:46 +0000")],
            "82ZHiFIjc+WbcwFKGUVEQspPn+0=",
            "20070327T194446Z",
        ),
    ] {
        let authorization = format!("AWS {KEY}:{signature}");
        let mut request = Request::new(method, url, &headers);
        request.headers.push(("authorization".to_owned(), authorization));
        request.bucket = Some("awsexamplebucket1".to_owned());
        request.verify(Protocol::S3, "s3", time(now)).expect(url);
        request.method = "DELETE".to_owned();
        let error = request.verify(Protocol::S3, "s3", time(now)).expect_err("another method was signed");
        let members: Vec<_> = error.s3().members.into_iter().map(|(name, _)| name).collect();
        assert_eq!(members, ["AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes"]);
        let late = request.verify(Protocol::S3, "s3", time("20261128T000000Z")).expect_err("the date is old").s3();
        assert_eq!(late.failure.name, "RequestTimeTooSkewed");
    }
}

#[test]
fn malformed_signatures_have_the_errors_of_s3() {
    let now = time("20261128T230400Z");
    let both = "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or \
        the Authorization header should be specified";
    for (url, authorization, message) in [
        ("/b?AWSAccessKeyId=A&X-Amz-Algorithm=AWS4-HMAC-SHA256", None, both),
        (URL, Some("AWS A:b"), both),
        (
            "/b?AWSAccessKeyId=A",
            None,
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
        ),
        ("/b?AWSAccessKeyId=A&Signature=&Expires=now", None, "Invalid date (should be seconds since epoch): now"),
        ("/b", Some("AWS A:b"), "AWS authentication requires a valid Date or x-amz-date header"),
        (
            "/b",
            Some("AWS A"),
            "The authorization header is malformed; the authorization header requires three components: Credential, \
             SignedHeaders, and Signature.",
        ),
    ] {
        let mut request = Request::new("GET", url, &[]);
        request.headers.extend(authorization.map(|text| ("authorization".to_owned(), text.to_owned())));
        let error = request.verify(Protocol::S3, "s3", now).expect_err(url);
        assert_eq!(error.s3().failure.message, message);
    }
}

#[test]
fn a_line_feed_in_a_parameter_is_refused() {
    for (content_type, signature, is_accepted) in
        [("a", "ZBRsh1sgux5ynbZkbhomEfyU2gg%3D", true), ("a%0Ab", "jkXsy2a7irdW6dXXbT3ENFZni4s%3D", false)]
    {
        let url =
            format!("/b?AWSAccessKeyId={KEY}&Signature={signature}&Expires=1795907040&content-type={content_type}");
        let verified = Request::new("GET", &url, &[]).verify(Protocol::S3, "s3", time("20261128T230400Z"));
        assert_eq!(verified.is_ok(), is_accepted, "{content_type}");
    }
}

#[test]
fn other_services_know_only_version_4() {
    let request = Request::new("GET", URL, &[]);
    let claim = request.with(|request| Claim::read(Protocol::Query, request));
    assert!(matches!(claim, Ok(Claim::Nothing)));
    let request = Request::new("GET", "/", &[("authorization", "AWS A:b")]);
    let error = request.verify(Protocol::Json, "codecommit", time("20261128T230400Z")).expect_err("no such algorithm");
    assert_eq!(error.json().message, "Unsupported AWS 'algorithm': 'AWS'.");
}

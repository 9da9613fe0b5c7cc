//! Requests that boto3 signed, with the example key of AWS's documentation.

use sha2::{Digest, Sha256};

use super::{KEY, Request, SECRET, region, time, verify};
use crate::root_key::SecretKey;
use crate::signature::{Claim, ExpectedScope, Location, Payload, Protocol, RequestParts, SignatureError};

const HOST: (&str, &str) = ("host", "127.0.0.1:38369");
const EMPTY_HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn authorization(date: &str, service: &str, signed_headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={KEY}/{date}/us-east-1/{service}/aws4_request, SignedHeaders={signed_headers}, \
         Signature={signature}"
    )
}

fn create_repository() -> Request {
    let authorization = authorization(
        "20261128",
        "codecommit",
        "content-type;host;x-amz-date;x-amz-target",
        "e537aeb38bb1b35421d20136d32da4be6ab2cafeae4b5b82bdd8ac1bc6887ad0",
    );
    Request::new(
        "POST",
        "/",
        &[
            HOST,
            ("accept-encoding", "identity"),
            ("x-amz-target", "CodeCommit_20150413.CreateRepository"),
            ("content-type", "application/x-amz-json-1.1"),
            ("user-agent", "Boto3/1.44.8"),
            ("x-amz-date", "20261128T224859Z"),
            ("authorization", &authorization),
            ("content-length", "74"),
        ],
    )
    .with_body(r#"{"repositoryName": "MyDemoRepo", "repositoryDescription": "\u00e4 \u00f6"}"#)
}

#[test]
fn a_request_of_aws_json_verifies() {
    let request = create_repository();
    assert_eq!(request.body.len(), 74);
    request.verify(Protocol::Json, "codecommit", time("20261128T225859Z")).expect("boto3 signed it");
    request.with(|request| {
        let claim = Claim::read(Protocol::Json, request).expect("the header is complete");
        assert_eq!(claim.access_key_id(), Some(KEY));
        assert_eq!(claim.token_hash(), None);
    });
}

#[test]
fn a_request_of_s3_verifies_however_its_path_is_escaped() {
    let authorization = authorization(
        "20261128",
        "s3",
        "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
        "87b35371f8c6ed9d31b06f64bd667859c1e9af44f7e7e6378d4e30b33eeab5c8",
    );
    let headers = [
        HOST,
        ("x-amz-checksum-mode", "ENABLED"),
        ("x-amz-content-sha256", EMPTY_HASH),
        ("x-amz-date", "20261128T224900Z"),
        ("authorization", authorization.as_str()),
    ];
    let now = time("20261128T224901Z");
    let request = Request::new("GET", "/b/a%20b/c%2Bd~%C3%A4%281%29.gz", &headers);
    request.verify(Protocol::S3, "s3", now).expect("boto3 signed it");
    // The same path, escaped in another way.
    let request = Request::new("GET", "/b/a%20b/c%2bd%7E%c3%a4(1).gz", &headers);
    request.verify(Protocol::S3, "s3", now).expect("the path is the same");
}

#[test]
fn a_url_of_s3_verifies_until_it_expires() {
    let url = format!(
        "/b/a%20b.gz?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY}%2F20261128%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20261128T224900Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=TOKEN%2F%2B%3D%3D\
         &X-Amz-Signature=ea258eadd33c1f0af67827d21cbc170560d63a44c3f7625a63db4d97497cf278"
    );
    let request = Request::new("GET", &url, &[HOST]);
    request.verify(Protocol::S3, "s3", time("20261128T230400Z")).expect("boto3 signed it");
    request.with(|request| {
        let claim = Claim::read(Protocol::S3, request).expect("the URL is complete");
        assert_eq!(claim.token_hash(), Some(crate::TokenHash::of("TOKEN/+==")));
        let Claim::Signature(signature) = claim else { panic!("the request has a signature") };
        assert_eq!(signature.location(), Location::Url);
    });
    let late = request.verify(Protocol::S3, "s3", time("20261128T230401Z")).expect_err("the URL has expired");
    let refusal = late.s3();
    assert_eq!((refusal.failure.status, refusal.failure.message.as_str()), (403, "Request has expired"));
    let members =
        [("X-Amz-Expires", "900"), ("Expires", "2026-11-28T23:04:00Z"), ("ServerTime", "2026-11-28T23:04:01Z")];
    assert_eq!(refusal.members, members.map(|(name, text)| (name, text.to_owned())));
}

#[test]
fn a_url_of_sts_is_signed_for_post() {
    let url = format!(
        "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential={KEY}%2F20261128%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20261128T224900Z&X-Amz-Expires=60\
         &X-Amz-SignedHeaders=host&X-Amz-Signature=55c540a05dc09ce441ddb17dd83f9f35ead26c03a087c4df5072a106a672c36c"
    );
    let request = Request::new("POST", &url, &[HOST]);
    // STS ignores X-Amz-Expires.
    request.verify(Protocol::Query, "sts", time("20261128T230000Z")).expect("boto3 signed it");
    let late = request.verify(Protocol::Query, "sts", time("20261128T230401Z")).expect_err("the URL has expired");
    assert_eq!(
        late.query().message,
        "Signature expired: 20261128T224900Z is now earlier than 20261128T224901Z (20261128T230401Z - 15 min.)"
    );
    let get = Request::new("GET", &url, &[HOST]).verify(Protocol::Query, "sts", time("20261128T230000Z"));
    assert_eq!(get.expect_err("another method was signed").query().name, "SignatureDoesNotMatch");
}

#[test]
fn a_changed_or_unread_body_does_not_match() {
    let now = time("20261128T225859Z");
    let scope = ExpectedScope { services: &["cloudtrail", "codecommit"], regions: Some(&[region("us-east-1")]) };
    let verify = |payload: Payload<'_>| {
        create_repository().with(|request| verify(&RequestParts { payload, ..*request }, Protocol::Json, &scope, now))
    };
    let body = create_repository().body;
    verify(Payload::Bytes(&body)).expect("boto3 signed it");
    verify(Payload::Sha256(Sha256::digest(&body).into())).expect("the hash is that of the body");
    for payload in [Payload::Bytes(b"{}"), Payload::Sha256([0; 32]), Payload::Unread] {
        let failure = verify(payload).expect_err("the body is another").json();
        assert_eq!((failure.name.as_str(), failure.status), ("InvalidSignatureException", 400));
        assert!(failure.message.starts_with("The request signature we calculated does not match"));
    }
}

#[test]
fn a_body_of_s3_has_the_hash_of_its_header() {
    let authorization = authorization(
        "20261128",
        "s3",
        "host;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date",
        "87b35371f8c6ed9d31b06f64bd667859c1e9af44f7e7e6378d4e30b33eeab5c8",
    );
    let headers = [
        HOST,
        ("x-amz-checksum-mode", "ENABLED"),
        ("x-amz-content-sha256", EMPTY_HASH),
        ("x-amz-date", "20261128T224900Z"),
        ("authorization", authorization.as_str()),
    ];
    let request = Request::new("GET", "/b/a%20b/c%2Bd~%C3%A4%281%29.gz", &headers);
    let (scope, now) = (ExpectedScope { services: &["s3"], regions: None }, time("20261128T224901Z"));
    request
        .with(|request| verify(&RequestParts { payload: Payload::Unread, ..*request }, Protocol::S3, &scope, now))
        .expect("an unread body needs no hash");
    let error = request.with_body("x").verify(Protocol::S3, "s3", now).expect_err("the body is another");
    let refusal = error.s3();
    assert_eq!((refusal.failure.name.as_str(), refusal.failure.status), ("XAmzContentSHA256Mismatch", 400));
    assert_eq!(refusal.members[0], ("ClientComputedContentSHA256", EMPTY_HASH.to_owned()));
    assert_eq!(refusal.members[1].0, "S3ComputedContentSHA256");
}

#[test]
fn without_a_maximum_every_date_is_accepted() {
    let scope = ExpectedScope { services: &["codecommit"], regions: None };
    create_repository().with(|request| {
        let claim = Claim::read(Protocol::Json, request).expect("the header is complete");
        let Claim::Signature(signature) = &claim else { panic!("the request has a signature") };
        let checked = signature.check(&scope, None, time("20161214T181914Z")).expect("no clock is compared");
        assert_eq!(checked.region(), Some(&region("us-east-1")));
        checked.verify(&SecretKey::new(SECRET), request).expect("boto3 signed it");
        let error = checked.verify(&SecretKey::new("other"), request).expect_err("the secret is another");
        assert!(matches!(error, SignatureError::Mismatch(_)));
    });
}

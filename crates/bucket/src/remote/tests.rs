use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::SystemTime;

use super::endpoint::{listener, reply, replying, settings};
use super::*;

/// Answers one request for each status with that status.
fn endpoint(listener: TcpListener, statuses: &[u16]) -> Receiver<(String, Vec<u8>)> {
    replying(listener, statuses.iter().map(|status| reply(*status, "etag: \"tag\"\r\n", "")).collect())
}

fn bucket(settings: RemoteSettings) -> RemoteBucket {
    RemoteBucket::new("far", settings, Arc::new(|| SystemTime::UNIX_EPOCH), TlsConfig::default())
}

const KEY: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2016/12/14/file.json.gz";

#[test]
fn an_object_is_put_signed_encrypted_and_with_its_metadata() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[200]);
    let bucket = bucket(RemoteSettings {
        region: "us-east-2".to_owned(),
        access_key: Some(("AKIA1".to_owned(), Secret::new("hidden".to_owned()))),
        encryption: Some("aws:kms".to_owned()),
        kms_key_id: Some("alias/logs".to_owned()),
        ..settings(&url)
    });
    bucket
        .put(KEY, b"content", &[("signature", "00ff"), ("signature-algorithm", "SHA256withRSA")])
        .expect("the endpoint accepts it");
    let (head, body) = requests.recv().expect("the request arrived");
    assert_eq!(body, b"content");
    assert!(head.starts_with(&format!("put /far/{} http/1.1\r\n", KEY.to_lowercase())), "{head}");
    for line in [
        "x-amz-server-side-encryption: aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id: alias/logs",
        "x-amz-meta-signature: 00ff",
        "x-amz-meta-signature-algorithm: sha256withrsa",
        "content-type: application/json",
        "content-encoding: gzip",
    ] {
        assert!(head.lines().any(|sent| sent == line), "{line}\n{head}");
    }
    assert!(head.contains("credential=akia1/") && head.contains("/us-east-2/s3/aws4_request"), "{head}");
    assert!(head.contains("x-amz-date: 19700101t000000z") && !head.contains("hidden"), "{head}");
}

#[test]
fn a_key_is_escaped_in_the_url() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[200]);
    bucket(settings(&url)).put("a b/\u{e9}+~%.zip", b"", &[]).expect("the endpoint accepts it");
    let (head, _) = requests.recv().expect("the request arrived");
    assert!(head.starts_with("put /far/a%20b/%c3%a9%2b~%25.zip http/1.1\r\n"), "{head}");
}

#[test]
fn without_a_key_requests_are_not_signed_and_without_encryption_no_header_asks_for_it() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[200, 200]);
    bucket(settings(&url)).put("a/b/", b"", &[]).expect("the endpoint accepts it");
    let (head, body) = requests.recv().expect("the request arrived");
    assert!(
        body.is_empty()
            && head.starts_with("put /far/a/b/ http/1.1\r\n")
            && head.contains("x-amz-server-side-encryption: aes256"),
        "{head}"
    );
    assert!(!head.contains("authorization") && !head.contains("content-encoding"), "{head}");
    bucket(RemoteSettings { encryption: None, ..settings(&url) })
        .put("a/b", b"", &[])
        .expect("the endpoint accepts it");
    let (head, _) = requests.recv().expect("the request arrived");
    assert!(!head.contains("x-amz-server-side-encryption"), "{head}");
}

#[test]
fn an_error_has_the_kind_of_the_status_and_nothing_is_sent_twice() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[404, 403, 500, 302, 200]);
    let bucket = bucket(settings(&url));
    for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::Other, io::ErrorKind::Other] {
        assert_eq!(bucket.put(KEY, b"content", &[]).expect_err("the endpoint refuses it").kind(), kind);
    }
    bucket.put(KEY, b"content", &[]).expect("the endpoint accepts it");
    assert_eq!(requests.iter().count(), 5);
}

#[test]
fn a_put_succeeds_once_the_endpoint_is_reachable() {
    let (listener, url) = listener();
    let address = listener.local_addr().expect("the listener is bound");
    drop(listener);
    let bucket = bucket(settings(&url));
    let error = bucket.put(KEY, b"content", &[]).expect_err("nothing listens");
    assert!(error.to_string().contains("far"), "{error}");
    let requests = endpoint(TcpListener::bind(address).expect("the port is free again"), &[200]);
    bucket.put(KEY, b"content", &[]).expect("the endpoint accepts it");
    assert!(requests.recv().is_ok());
}

#[test]
fn a_key_that_is_no_path_is_refused() {
    for key in ["a//b", "/a", "a/../b", "/", "", "a\n"] {
        let error = bucket(settings("http://127.0.0.1:1")).put(key, b"", &[]).expect_err("the key is not a path");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{key}");
    }
}

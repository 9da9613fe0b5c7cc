use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// Hears requests on a listener, answers each with the next of these statuses, and then hears no more.
fn endpoint(listener: TcpListener, statuses: &'static [u16]) -> Receiver<(String, Vec<u8>)> {
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for status in statuses {
            let (stream, _) = listener.accept().expect("a connection can be taken");
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).expect("a head is text") > 0 {}
            let head = head.to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("the body is as long as it says");
            let reply =
                format!("HTTP/1.1 {status} Said\r\nconnection: close\r\netag: \"tag\"\r\ncontent-length: 0\r\n\r\n");
            stream.get_mut().write_all(reply.as_bytes()).expect("the client listens");
            sender.send((head, body)).expect("the test goes on");
        }
    });
    requests
}

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    (listener, url)
}

fn bucket(settings: &settings::RemoteBucket) -> RemoteBucket {
    RemoteBucket::new("far", settings).expect("the settings are complete")
}

fn settings(url: &str) -> settings::RemoteBucket {
    settings::RemoteBucket {
        endpoint: url.to_owned(),
        region: "us-east-1".parse().expect("it is a region"),
        access_key: None,
        encryption: Some("AES256".to_owned()),
        kms_key_id: None,
    }
}

const KEY: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2016/12/14/file.json.gz";

#[test]
fn an_object_is_put_signed_encrypted_and_with_its_metadata() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[200]);
    let bucket = bucket(&settings::RemoteBucket {
        region: "us-east-2".parse().expect("it is a region"),
        access_key: Some(("AKIA1".to_owned(), settings::Secret::new("hidden".to_owned()))),
        encryption: Some("aws:kms".to_owned()),
        kms_key_id: Some("alias/logs".to_owned()),
        ..settings(&url)
    });
    bucket
        .put(KEY, b"content", &[("signature", "00ff"), ("signature-algorithm", "SHA256withRSA")])
        .expect("it is taken");
    let (head, body) = requests.recv().expect("it came");
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
        assert!(head.lines().any(|it| it == line), "{line}\n{head}");
    }
    assert!(head.contains("credential=akia1/") && head.contains("/us-east-2/s3/aws4_request"), "{head}");
    assert!(!head.contains("hidden"));
}

#[test]
fn what_is_not_said_is_not_sent_but_for_the_encryption() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[200, 200]);
    bucket(&settings(&url)).put("a/b/", b"", &[]).expect("it is taken");
    let (head, body) = requests.recv().expect("it came");
    assert!(
        body.is_empty()
            && head.starts_with("put /far/a/b/ http/1.1\r\n")
            && head.contains("x-amz-server-side-encryption: aes256"),
        "{head}"
    );
    assert!(!head.contains("authorization") && !head.contains("content-encoding"), "{head}");
    bucket(&settings::RemoteBucket { encryption: None, ..settings(&url) }).put("a/b", b"", &[]).expect("it is taken");
    let (head, _) = requests.recv().expect("it came");
    assert!(!head.contains("x-amz-server-side-encryption"), "{head}");
}

#[test]
fn a_refusal_tells_why_and_nothing_is_tried_twice() {
    let (listener, url) = listener();
    let requests = endpoint(listener, &[404, 403, 500, 302, 200]);
    let bucket = bucket(&settings(&url));
    for kind in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::Other, io::ErrorKind::Other] {
        assert_eq!(bucket.put(KEY, b"content", &[]).expect_err("it is refused").kind(), kind);
    }
    bucket.put(KEY, b"content", &[]).expect("it is taken");
    assert_eq!(requests.iter().count(), 5);
}

#[test]
fn a_bucket_that_cannot_be_reached_can_be_later() {
    let (listener, url) = listener();
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let bucket = bucket(&settings(&url));
    let error = bucket.put(KEY, b"content", &[]).expect_err("nobody listens");
    assert!(error.to_string().contains("far"), "{error}");
    let requests = endpoint(TcpListener::bind(address).expect("it is free again"), &[200]);
    bucket.put(KEY, b"content", &[]).expect("it is taken");
    assert!(requests.recv().is_ok());
}

#[test]
fn a_key_that_is_no_path_is_refused() {
    for key in ["a//b", "/a", "a/../b", "/", ""] {
        let error = bucket(&settings("http://127.0.0.1:1")).put(key, b"", &[]).expect_err("it is none");
        let expected = if key.is_empty() { io::ErrorKind::Other } else { io::ErrorKind::InvalidInput };
        assert_eq!(error.kind(), expected, "{key}");
    }
}

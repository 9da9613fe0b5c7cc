use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::SystemTime;

use tempfile::NamedTempFile;

use super::*;
use crate::Secret;
use crate::remote::endpoint::{listener, reply, replying, settings};

type Requests = Receiver<(String, Vec<u8>)>;

/// Starts an endpoint that sends these replies.
fn objects(replies: Vec<String>) -> (RemoteObjects, Requests) {
    let (listener, url) = listener();
    let access_key = Some(("AKIA1".to_owned(), Secret::new("hidden".to_owned())));
    let settings = RemoteSettings { access_key, ..settings(&url) };
    let clock: Clock = Arc::new(|| SystemTime::UNIX_EPOCH);
    (RemoteObjects::new("far", settings, clock, TlsConfig::default()), replying(listener, replies))
}

fn file(content: &str) -> NamedTempFile {
    let file = NamedTempFile::new().expect("the disk has space");
    fs::write(file.path(), content).expect("the file is writable");
    file
}

fn ok() -> String {
    reply(200, "", "")
}

/// Returns the first lines of the requests, without the version.
fn lines(requests: &Requests) -> Vec<String> {
    let lines = requests.iter().map(|(head, _)| head.lines().next().expect("a request has a line").to_owned());
    lines.map(|line| line.trim_end_matches(" http/1.1").to_owned()).collect()
}

#[test]
fn a_file_is_put_with_the_hash_of_its_content() {
    let (objects, requests) = objects(vec![ok()]);
    objects.put("a/b.pack", file("content").path()).expect("the endpoint accepts it");
    let (head, body) = requests.recv().expect("the request arrived");
    assert_eq!(body, b"content");
    assert!(head.starts_with("put /far/a/b.pack http/1.1\r\n"), "{head}");
    for line in [
        "content-length: 7",
        "x-amz-server-side-encryption: aes256",
        "x-amz-content-sha256: ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
    ] {
        assert!(head.lines().any(|sent| sent == line), "{line}\n{head}");
    }
    assert!(head.contains("credential=akia1/") && !head.contains("hidden"), "{head}");
}

#[test]
fn a_large_file_is_put_in_parts() {
    let tag = |tag: &str| reply(200, &format!("etag: \"{tag}\"\r\n"), "");
    let begun =
        reply(200, "", "<InitiateMultipartUploadResult><UploadId>i+d</UploadId></InitiateMultipartUploadResult>");
    let completed = reply(200, "", "<CompleteMultipartUploadResult/>");
    let (mut objects, requests) = objects(vec![begun, tag("one"), tag("two"), tag("three"), completed]);
    objects.part_bytes = 5;
    objects.put("a/b", file("content is 13").path()).expect("the endpoint accepts it");
    let requests: Vec<_> = requests.iter().collect();
    let expected = [
        ("post /far/a/b?uploads= ", ""),
        ("put /far/a/b?partnumber=1&uploadid=i%2bd ", "conte"),
        ("put /far/a/b?partnumber=2&uploadid=i%2bd ", "nt is"),
        ("put /far/a/b?partnumber=3&uploadid=i%2bd ", " 13"),
        (
            "post /far/a/b?uploadid=i%2bd ",
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"one\"</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>\"two\"</ETag></Part>\
             <Part><PartNumber>3</PartNumber><ETag>\"three\"</ETag></Part></CompleteMultipartUpload>",
        ),
    ];
    assert_eq!(requests.len(), expected.len());
    for ((head, body), (line, content)) in requests.iter().zip(expected) {
        assert!(head.starts_with(line), "{head}");
        assert_eq!(String::from_utf8_lossy(body), content);
    }
    let is_encrypted = |(head, _): &(String, _)| head.contains("x-amz-server-side-encryption");
    assert!(is_encrypted(&requests[0]) && !requests[1..].iter().any(is_encrypted));
}

#[test]
fn an_upload_in_parts_that_fails_is_given_up() {
    let begun =
        reply(200, "", "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>");
    let (mut objects, requests) = objects(vec![begun, reply(403, "", "<Error/>"), reply(204, "", "")]);
    objects.part_bytes = 5;
    let error = objects.put("a/b", file("content").path()).expect_err("the endpoint refuses a part");
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    let expected = ["post /far/a/b?uploads=", "put /far/a/b?partnumber=1&uploadid=id", "delete /far/a/b?uploadid=id"];
    assert_eq!(lines(&requests), expected);
}

#[test]
fn what_may_pass_is_tried_again_and_a_refusal_is_not() {
    let (objects, requests) = objects(vec![reply(503, "", "slow down"), String::new(), ok()]);
    objects.put("a", file("content").path()).expect("the endpoint accepts it at last");
    assert_eq!(lines(&requests).len(), 3);
    let (objects, requests) = self::objects(vec![reply(500, "", "<Code>InternalError</Code>"); 3]);
    let error = objects.put("a", file("content").path()).expect_err("the endpoint fails").to_string();
    assert!(error.contains("PUT http://127.0.0.1:") && error.contains("/far/a: HTTP status 500"), "{error}");
    assert!(error.contains("InternalError") && !error.contains("hidden"), "{error}");
    assert_eq!(lines(&requests).len(), 3);
    for status in [400, 403, 404] {
        let (objects, requests) = self::objects(vec![reply(status, "", "")]);
        objects.put("a", file("content").path()).expect_err("the endpoint refuses it");
        assert_eq!(lines(&requests).len(), 1, "{status}");
    }
}

#[test]
fn an_object_is_fetched_from_where_its_transfer_broke_off() {
    let broken = reply(200, "", "content").replace("content-length: 7", "content-length: 11");
    let rest = |status| reply(status, "", if status == 206 { " is" } else { "content is!" });
    for (status, expected) in [(206, "content is"), (200, "content is!")] {
        let (objects, requests) = objects(vec![broken.clone(), rest(status)]);
        let mut file = file("");
        objects.get("a/b", file.as_file_mut()).expect("the object is fetched");
        assert_eq!(fs::read_to_string(file.path()).expect("the file is there"), expected);
        let heads: Vec<_> = requests.iter().map(|(head, _)| head).collect();
        assert!(!heads[0].contains("range:") && heads[1].contains("range: bytes=7-\r\n"), "{heads:?}");
    }
    let (objects, _requests) = objects(vec![reply(404, "", "<Code>NoSuchKey</Code>")]);
    let error = objects.get("a/b", file("").as_file_mut()).expect_err("nothing is there");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert!(error.to_string().contains("NoSuchKey"), "{error}");
}

#[test]
fn a_listing_has_the_ages_of_the_objects_of_all_pages() {
    let date = "date: Wed, 14 Dec 2016 18:19:14 GMT\r\n";
    let page = |key: &str, time: &str, end: &str| {
        let object = format!("<Contents><Key>{key}</Key><LastModified>{time}</LastModified></Contents>");
        reply(200, date, &format!("<ListBucketResult>{object}{end}</ListBucketResult>"))
    };
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>to=</NextContinuationToken>";
    let (objects, requests) = objects(vec![
        page("x/one", "2016-12-14T17:19:14.000Z", more),
        page("x/two", "2016-12-14T18:19:20.000Z", "<IsTruncated>false</IsTruncated>"),
    ]);
    let mut found = Vec::new();
    objects.list("x/", |object| found.push((object.key, object.age.as_secs()))).expect("the replies are listings");
    assert_eq!(found, [("x/one".to_owned(), 3_600), ("x/two".to_owned(), 0)]);
    let first = "get /far/?list-type=2&prefix=x%2f";
    assert_eq!(lines(&requests), [first.to_owned(), format!("{first}&continuation-token=to%3d")]);
}

#[test]
fn an_object_that_is_not_there_has_no_length_and_can_be_removed() {
    let (objects, requests) = objects(vec![
        reply(200, "", "content").replace("\r\n\r\ncontent", "\r\n\r\n"),
        reply(404, "", ""),
        reply(204, "", ""),
        reply(404, "", ""),
    ]);
    assert_eq!(objects.length("a").expect("the endpoint replies"), Some(7));
    assert_eq!(objects.length("a").expect("the endpoint replies"), None);
    objects.remove("a").expect("it is removed");
    objects.remove("a").expect("nothing is there");
    assert_eq!(lines(&requests), ["head /far/a", "head /far/a", "delete /far/a", "delete /far/a"]);
}

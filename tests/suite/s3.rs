//! Reading buckets through the S3 endpoint, with the AWS CLI, boto3 and raw requests, and the refusals of all of its requests.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{World, log_files, wire};

const BUCKET: &str = "codecommit-local-trail";

/// Starts a server with one log file in the bucket of its trail and another bucket with known objects.
fn world() -> World {
    // Log files are written on demand only.
    let world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    let bucket = world.folder().join("data/buckets/more-logs");
    for (key, content) in [("a/1", "one"), ("a/2", "two"), ("a.b", "0123456789"), ("b/c/ \u{e9}+&<", "odd"), ("z", "")]
    {
        let path = bucket.join(key);
        fs::create_dir_all(path.parent().expect("the path is below the folder")).expect("the folder is writable");
        fs::write(path, content).expect("the folder is writable");
    }
    let metadata = bucket.join(".metadata/a");
    fs::create_dir_all(&metadata).expect("the folder is writable");
    fs::write(metadata.join("1.json"), r#"{"signature":"00ff"}"#).expect("the folder is writable");
    world
}

/// Returns the events of S3.
fn events(world: &World) -> Vec<Value> {
    world.events().into_iter().filter(|event| event["eventSource"] == "s3.amazonaws.com").collect()
}

fn last_event(world: &World) -> Value {
    events(world).pop().expect("an element exists")
}

fn code(document: &str) -> &str {
    let (_, rest) = document.split_once("<Code>").expect("the reply is a failure");
    rest.split_once("</Code>").expect("the reply is a failure").0
}

#[test]
fn the_cli_copies_lists_and_synchronizes_a_bucket() {
    let world = world();
    let list = world.aws(&["s3", "ls"]).ok();
    assert!(list.lines().any(|line| line.ends_with(BUCKET)), "{list}");
    assert!(list.lines().any(|line| line.ends_with("more-logs")), "{list}");

    world.aws(&["s3", "cp", "--recursive", &format!("s3://{BUCKET}"), "copy", "--quiet"]).ok();
    let (ours, copied) = (log_files(&world.trail_folder()), log_files(&world.folder().join("copy")));
    assert_eq!(copied.len(), 1);
    let relative = |files: &[std::path::PathBuf], folder: std::path::PathBuf| -> Vec<_> {
        files.iter().map(|file| file.strip_prefix(&folder).expect("the path is below the folder").to_owned()).collect()
    };
    assert_eq!(relative(&ours, world.trail_folder()), relative(&copied, world.folder().join("copy")));
    assert_eq!(fs::read(&ours[0]).expect("the file exists"), fs::read(&copied[0]).expect("the file exists"));
    assert!(!world.folder().join("copy/events.ndjson").exists());

    let list = world.aws(&["s3", "ls", "s3://more-logs"]).ok();
    let names: Vec<_> = list.lines().map(|line| line.trim_start().rsplit(' ').next().unwrap_or_default()).collect();
    assert_eq!(names, ["a/", "b/", "a.b", "z"]);
    world.aws(&["s3", "sync", "s3://more-logs", "synchronized", "--quiet"]).ok();
    let odd = world.folder().join("synchronized/b/c/ \u{e9}+&<");
    assert_eq!(fs::read_to_string(odd).expect("the reply arrived"), "odd");
    // A second run copies nothing.
    assert_eq!(world.aws(&["s3", "sync", "s3://more-logs", "synchronized"]).ok(), "");
}

#[test]
fn a_large_object_can_be_read_in_parts() {
    let world = world();
    let content: Vec<u8> = (0..5_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let path = world.folder().join("data/buckets/more-logs/large");
    fs::write(path, &content).expect("the folder is writable");
    assert!(world.send("GET", "/more-logs/large", &[], b"").body == content);
    // The CLI reads parts of the object in parallel, each with a condition on the entity tag.
    world.aws(&["s3", "cp", "s3://more-logs/large", "copy", "--quiet"]).ok();
    assert!(fs::read(world.folder().join("copy")).expect("the reply arrived") == content);
    let ranged = |event: &&Value| event["eventName"] == "GetObject";
    assert!(events(&world).iter().filter(ranged).count() > 2);
}

#[test]
fn the_cli_calls_each_operation() {
    let world = world();
    let api = |arguments: &[&str]| {
        let all = [&["s3api"], arguments, &["--output", "json"]].concat();
        let text = world.aws(&all).ok();
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("the text is JSON") }
    };
    let buckets = api(&["list-buckets"]);
    let names: Vec<_> = buckets["Buckets"]
        .as_array()
        .expect("the value is a list")
        .iter()
        .map(|bucket| bucket["Name"].clone())
        .collect();
    assert_eq!(names, [BUCKET, "more-logs"]);
    assert_eq!(api(&["get-bucket-location", "--bucket", BUCKET]), json!({ "LocationConstraint": null }));
    assert_eq!(api(&["head-bucket", "--bucket", BUCKET])["BucketRegion"], "us-east-1");
    let first = api(&["list-objects", "--bucket", "more-logs", "--delimiter", "/"]);
    assert_eq!(first["CommonPrefixes"], json!([{ "Prefix": "a/" }, { "Prefix": "b/" }]));
    let head = api(&["head-object", "--bucket", "more-logs", "--key", "a/1"]);
    assert_eq!(head["Metadata"], json!({ "signature": "00ff" }));
    assert_eq!((&head["ContentLength"], &head["ServerSideEncryption"]), (&json!(3), &json!("AES256")));
    let got = api(&["get-object", "--bucket", "more-logs", "--key", "a.b", "--range", "bytes=2-4", "part"]);
    assert_eq!(got["ContentRange"], "bytes 2-4/10");
    assert_eq!(fs::read_to_string(world.folder().join("part")).expect("the reply arrived"), "234");
    let refused = world.aws(&["s3api", "get-object", "--bucket", "more-logs", "--key", "no", "x"]).failed();
    assert!(refused.contains("NoSuchKey"), "{refused}");
    let refused = world.aws(&["s3api", "list-objects-v2", "--bucket", "no-such-bucket"]).failed();
    assert!(refused.contains("NoSuchBucket"), "{refused}");
}

#[test]
fn a_bucket_of_another_region_reports_its_region() {
    let world = World::with(|settings| settings.region = "eu-west-1".parse().expect("the value is valid"));
    let location = world.aws(&["s3api", "get-bucket-location", "--bucket", BUCKET, "--output", "text"]).ok();
    assert_eq!(location, "eu-west-1");
}

#[test]
fn boto3_pages_signs_urls_and_sends_unsigned_requests() {
    let world = world();
    let program = r#"
import boto3, urllib.request
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
keys = ["a.b", "a/1", "a/2", "b/c/ \u00e9+&<", "z"]
for size in (1, 2, 3, 1000):
    for name in ("list_objects", "list_objects_v2"):
        pages = s3.get_paginator(name).paginate(Bucket="more-logs", PaginationConfig={"PageSize": size})
        assert [item["Key"] for page in pages for item in page.get("Contents", [])] == keys, (size, name)
        pages = s3.get_paginator(name).paginate(Bucket="more-logs", Delimiter="/", PaginationConfig={"PageSize": size})
        assert [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])] == ["a/", "b/"], (size, name)
page = s3.list_objects_v2(Bucket="more-logs", StartAfter="a/1", Prefix="a", MaxKeys=1)
assert (page["KeyCount"], page["IsTruncated"], page["Contents"][0]["Key"]) == (1, False, "a/2"), page
got = s3.get_object(Bucket="more-logs", Key=keys[3])
assert got["Body"].read() == b"odd" and s3.get_object(Bucket="more-logs", Key="z")["Body"].read() == b""
tag = got["ETag"]
assert s3.head_object(Bucket="more-logs", Key=keys[3])["ETag"] == tag
def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response
    raise AssertionError(code)
refused("304", s3.get_object, Bucket="more-logs", Key=keys[3], IfNoneMatch=tag)
refused("PreconditionFailed", s3.get_object, Bucket="more-logs", Key=keys[3], IfMatch='"no"')
refused("304", s3.head_object, Bucket="more-logs", Key=keys[3], IfModifiedSince=got["LastModified"])
refused("InvalidRange", s3.get_object, Bucket="more-logs", Key="z", Range="bytes=0-")
refused("InvalidArgument", s3.list_objects_v2, Bucket="more-logs", ContinuationToken="none of ours")
refused("NotImplemented", s3.get_object_torrent, Bucket="more-logs", Key="z")
refused("404", s3.head_bucket, Bucket="no-such-bucket")
assert s3.get_object(Bucket="more-logs", Key="a.b", Range="bytes=-3")["Body"].read() == b"789"
url = s3.generate_presigned_url("get_object", Params={"Bucket": "more-logs", "Key": "a/2"})
assert urllib.request.urlopen(url).read() == b"two"
old = boto3.client("s3", config=Config(signature_version="s3"))
url = old.generate_presigned_url("get_object", Params={"Bucket": "more-logs", "Key": "a/1"})
assert urllib.request.urlopen(url).read() == b"one" and len(old.list_buckets()["Buckets"]) == 2
given = boto3.client("sts").assume_role(RoleArn="arn:aws:iam::111122223333:role/Reader", RoleSessionName="me")["Credentials"]
names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey", "aws_session_token": "SessionToken"}
for version in ("s3", "s3v4"):
    role = boto3.client("s3", config=Config(signature_version=version), **{name: given[it] for name, it in names.items()})
    assert role.head_object(Bucket="more-logs", Key="a/1")["ContentLength"] == 3
    url = role.generate_presigned_url("get_object", Params={"Bucket": "more-logs", "Key": "a/1"})
    assert urllib.request.urlopen(url).read() == b"one", url
unsigned = boto3.client("s3", config=Config(signature_version=UNSIGNED))
assert unsigned.get_object(Bucket="more-logs", Key="a/1")["Metadata"] == {"signature": "00ff"}
"#;
    world.python(program).ok();
    let of_role = |event: &&Value| event["userIdentity"]["arn"] == "arn:aws:sts::111122223333:assumed-role/Reader/me";
    assert_eq!(events(&world).iter().filter(of_role).count(), 4);
    let ways: Vec<_> =
        events(&world).iter().map(|event| event["additionalEventData"]["AuthenticationMethod"].clone()).collect();
    assert!(ways.contains(&json!("QueryString")) && ways.last() == Some(&Value::Null), "{ways:?}");
}

#[test]
fn each_call_of_s3_is_recorded() {
    let world = world();
    world.aws(&["s3api", "get-object", "--bucket", "more-logs", "--key", "a/1", "x"]).ok();
    let event = last_event(&world);
    assert_eq!((&event["eventName"], &event["userIdentity"]["userName"]), (&json!("GetObject"), &json!("Mary_Major")));
    let host = world.endpoint().replace("http://", "");
    assert_eq!(event["requestParameters"], json!({ "bucketName": "more-logs", "Host": host, "key": "a/1" }));
    assert_eq!(event["responseElements"], Value::Null);
    assert_eq!(
        event["additionalEventData"],
        json!({
            "SignatureVersion": "SigV4",
            "bytesTransferredIn": 0,
            "AuthenticationMethod": "AuthHeader",
            "bytesTransferredOut": 3,
        })
    );
    assert_eq!(
        event["resources"],
        json!([
            { "ARN": "arn:aws:s3:::more-logs/a/1", "type": "AWS::S3::Object" },
            { "ARN": "arn:aws:s3:::more-logs", "accountId": "111122223333", "type": "AWS::S3::Bucket" },
        ])
    );
    assert_eq!((&event["readOnly"], &event["eventType"]), (&json!(true), &json!("AwsApiCall")));

    let reply = world.send("GET", "/more-logs?list-type=2&prefix=a%2F&max-keys=1", &[], b"");
    let event = last_event(&world);
    assert_eq!(event["eventName"], "ListObjects");
    assert_eq!(reply.header("x-amz-request-id"), event["requestID"].as_str());
    let parameters = &event["requestParameters"];
    assert_eq!(
        (&parameters["list-type"], &parameters["prefix"], &parameters["max-keys"]),
        (&json!("2"), &json!("a/"), &json!("1"))
    );

    let reply = world.send("GET", "/more-logs/no%20key", &[], b"");
    assert_eq!((reply.status, code(&reply.text())), (404, "NoSuchKey"));
    let event = last_event(&world);
    assert_eq!(
        (&event["errorCode"], &event["errorMessage"]),
        (&json!("NoSuchKey"), &json!("The specified key does not exist."))
    );
    assert_eq!(event["requestParameters"]["key"], "no key");
    assert!(
        reply.text().contains(&format!("<RequestId>{}</RequestId>", event["requestID"].as_str().unwrap_or_default()))
    );

    assert_eq!(world.send("HEAD", "/more-logs/a/1", &[], b"").status, 200);
    assert_eq!(last_event(&world)["additionalEventData"]["bytesTransferredOut"], 0);
    assert_eq!(world.send("DELETE", "/more-logs/a/1", &[], b"").status, 204);
    let event = last_event(&world);
    assert_eq!((&event["eventName"], &event["readOnly"]), (&json!("DeleteObject"), &json!(false)));
    let headers = [("x-amz-acl", "bucket-owner-full-control"), ("x-amz-storage-class", "STANDARD_IA")];
    assert_eq!(world.send("PUT", "/more-logs/new", &headers, b"content").status, 200);
    let event = last_event(&world);
    assert_eq!(
        event["requestParameters"],
        json!({
            "bucketName": "more-logs",
            "Host": host,
            "key": "new",
            "x-amz-acl": "bucket-owner-full-control",
            "x-amz-storage-class": "STANDARD_IA",
        })
    );
    assert_eq!(
        (&event["eventName"], &event["additionalEventData"]["bytesTransferredIn"]),
        (&json!("PutObject"), &json!(7))
    );
}

#[test]
fn invalid_requests_are_refused_in_the_form_of_s3() {
    let world = world();
    let form = ("content-type", "multipart/form-data; boundary=x");
    let none = ("accept", "*/*");
    for (method, path, header, status, expected) in [
        ("GET", "/more-logs?max-keys=many", none, 400, "InvalidArgument"),
        ("GET", "/more-logs?max-keys=-1", none, 400, "InvalidArgument"),
        ("GET", "/more-logs?list-type=2&encoding-type=xml", none, 400, "InvalidArgument"),
        ("GET", "/more-logs?list-type=2&continuation-token=", none, 400, "InvalidArgument"),
        ("GET", "/more-logs/z?versionId=1", none, 400, "InvalidArgument"),
        ("GET", "/more-logs/a.b?partNumber=2", none, 400, "InvalidArgument"),
        ("GET", "/more-logs/a.b", ("range", "bytes=10-"), 416, "InvalidRange"),
        ("GET", "/more-logs/%ff", none, 400, "InvalidURI"),
        ("GET", "/more-logs/a.b?torrent", none, 501, "NotImplemented"),
        ("POST", "/more-logs?delete", none, 400, "MissingRequestBodyError"),
        ("POST", "/more-logs?delete", ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="), 400, "BadDigest"),
        ("PUT", "/more-logs/a/../b", none, 400, "InvalidArgument"),
        ("PUT", "/more-logs/a//b", none, 400, "InvalidArgument"),
        ("PUT", "/more-logs/.metadata/a", none, 400, "InvalidArgument"),
        ("PUT", "/more-logs/new", ("content-md5", "AAAA"), 400, "InvalidDigest"),
        ("PUT", "/more-logs/new", ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="), 400, "BadDigest"),
        ("PUT", "/more-logs/new", ("x-amz-checksum-crc32", "AAAA"), 400, "InvalidRequest"),
        ("PUT", "/more-logs/new", ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="), 400, "BadDigest"),
        ("PUT", "/more-logs/new", ("x-amz-acl", "public-read"), 400, "AccessControlListNotSupported"),
        ("PUT", "/more-logs/new", ("if-match", "\"no\""), 404, "NoSuchKey"),
        ("PUT", "/more-logs/a.b", ("if-match", "\"no\""), 412, "PreconditionFailed"),
        ("PUT", "/more-logs/a.b", ("if-none-match", "*"), 412, "PreconditionFailed"),
        ("PUT", "/more-logs/a.b", ("if-none-match", "\"no\""), 501, "NotImplemented"),
        ("PUT", "/more-logs/new", ("x-amz-copy-source", "/more-logs/missing"), 404, "NoSuchKey"),
        ("PUT", "/more-logs/a.b", ("x-amz-copy-source", "/more-logs/a.b"), 400, "InvalidRequest"),
        ("PUT", "/more-logs/new", ("x-amz-expected-bucket-owner", "999999999999"), 403, "AccessDenied"),
        ("PUT", "/more-logs/new?partNumber=1&uploadId=none", none, 404, "NoSuchUpload"),
        ("PUT", "/more-logs/new?partNumber=0&uploadId=none", none, 400, "InvalidArgument"),
        ("DELETE", "/more-logs/new?uploadId=..", none, 404, "NoSuchUpload"),
        ("DELETE", "/more-logs", none, 409, "BucketNotEmpty"),
        ("POST", "/more-logs/a.b?restore", none, 400, "MalformedXML"),
        ("POST", "/more-logs", form, 400, "MalformedPOSTRequest"),
        ("PATCH", "/more-logs/z", none, 501, "NotImplemented"),
    ] {
        let reply = world.send(method, path, &[header], b"");
        assert_eq!((reply.status, code(&reply.text())), (status, expected), "{method} {path}: {}", reply.text());
        assert!(!reply.text().contains("<Message></Message>"), "{}", reply.text());
    }
    let codes: Vec<_> = events(&world).iter().map(|event| event["errorCode"].clone()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "InvalidArgument").count(), 10, "{codes:?}");
    assert!(!world.folder().join("data/buckets/more-logs/new").exists());
    // HTTP ignores a malformed range.
    let reply = world.send("GET", "/more-logs/a.b", &[("range", "bytes=4-2")], b"");
    assert_eq!((reply.status, reply.text().as_str()), (200, "0123456789"));
}

#[test]
fn a_host_can_name_the_bucket() {
    let world = world();
    let reply = world.send("GET", "/a/1", &[("host", "more-logs.localhost:4599")], b"");
    assert_eq!((reply.status, reply.text().as_str()), (200, "one"));
    assert_eq!(last_event(&world)["requestParameters"]["bucketName"], "more-logs");
    let reply = world.send("GET", "/?prefix=a%2F", &[("host", "more-logs.localhost:4599")], b"");
    assert!(reply.text().contains("<Key>a/2</Key>"), "{}", reply.text());
    assert_eq!(world.send("GET", "/a/1", &[("host", "no-bucket.localhost:4599")], b"").status, 404);
    assert_eq!(events(&world).len(), 2);
}

#[test]
fn requests_without_an_s3_signature_or_bucket_are_not_found() {
    let world = world();
    let signed = wire::signed("AKIAIOSFODNN7EXAMPLE", "us-east-1");
    let for_s3 = signed.replace("/codecommit/", "/s3/");
    for (path, authorization) in [("/", &signed), ("/no-such-bucket", &signed), ("/favicon.ico", &String::new())] {
        let reply = world.send("GET", path, &[("authorization", authorization)], b"");
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().starts_with("There is nothing here."), "{path}: {}", reply.text());
    }
    assert!(events(&world).is_empty());
    let reply = world.send("GET", "/", &[("authorization", &for_s3)], b"");
    assert!(reply.status == 200 && reply.text().contains("<Name>more-logs</Name>"), "{}", reply.text());
    let reply = world.send("GET", "/no-such-bucket", &[("authorization", &for_s3)], b"");
    assert_eq!((reply.status, code(&reply.text())), (404, "NoSuchBucket"));
    let reply = world.send("GET", "/No_Bucket", &[("authorization", &for_s3)], b"");
    assert_eq!((reply.status, code(&reply.text())), (400, "InvalidBucketName"));
}

#[test]
fn no_path_leaves_its_bucket() {
    let world = world();
    fs::write(world.folder().join("data/buckets/secret"), "secret").expect("the folder is writable");
    std::os::unix::fs::symlink(world.folder(), world.folder().join("data/buckets/more-logs/link"))
        .expect("the folder is writable");
    let for_s3 = wire::signed("AKIAIOSFODNN7EXAMPLE", "us-east-1").replace("/codecommit/", "/s3/");
    for path in [
        "/more-logs/../secret",
        "/more-logs/%2e%2e/secret",
        "/more-logs/..%2fsecret",
        "/more-logs/a/%2e%2e/%2e%2e/secret",
        "/more-logs//secret",
        "/more-logs/%2Fetc/passwd",
        "/more-logs/link/data/buckets/secret",
        "/more-logs/.metadata/a/1.json",
        "/more-logs/a%00",
        "/../data/codecommit.db",
        "/..%2fcodecommit.db",
        "/secret",
    ] {
        for authorization in ["", for_s3.as_str()] {
            let reply = world.send("GET", path, &[("authorization", authorization)], b"");
            assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
            assert!(!reply.text().contains("secret\n") && reply.text() != "secret", "{path}");
        }
    }
    let trail = format!("/{BUCKET}/events.ndjson");
    assert_eq!(world.send("GET", &trail, &[], b"").status, 404);
}

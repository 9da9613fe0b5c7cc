//! Changing buckets and objects through the S3 endpoint, with the AWS CLI, boto3 and raw requests.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tests::World;
use tests::clients::outcome;

fn world() -> World {
    World::with(|settings| settings.log_interval = Duration::from_hours(1))
}

/// Returns the names of the recorded calls to S3 that failed or changed something.
fn changes(world: &World) -> Vec<String> {
    let events = world.events().into_iter();
    let changes = events.filter(|event| event["eventSource"] == "s3.amazonaws.com" && event["readOnly"] == false);
    changes.map(|event| event["eventName"].as_str().unwrap_or_default().to_owned()).collect()
}

fn left(world: &World, path: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(world.folder().join(path)) else { return Vec::new() };
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be listed").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn the_cli_makes_fills_synchronizes_and_removes_a_bucket() {
    let world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    let local = world.folder().join("local");
    for (path, content) in [("a/1.txt", "one"), ("a/2.txt", "two"), ("b c/\u{e9}+&.bin", "odd")] {
        let path = local.join(path);
        fs::create_dir_all(path.parent().expect("the path is below the folder")).expect("the folder is writable");
        fs::write(path, content).expect("the folder is writable");
    }
    world.aws(&["s3", "cp", "local/a/1.txt", "s3://my-logs/single"]).ok();
    world.aws(&["s3", "sync", "local", "s3://my-logs/copy", "--quiet"]).ok();
    // A second run has nothing to do.
    assert_eq!(world.aws(&["s3", "sync", "local", "s3://my-logs/copy"]).ok(), "");
    world.aws(&["s3", "mv", "s3://my-logs/single", "s3://my-logs/a/moved"]).ok();
    world.aws(&["s3", "rm", "s3://my-logs/copy/a/2.txt"]).ok();
    let list = world.aws(&["s3", "ls", "s3://my-logs", "--recursive"]).ok();
    let keys: Vec<_> =
        list.lines().map(|line| line.splitn(4, char::is_whitespace).last().unwrap_or_default().trim()).collect();
    assert!(
        keys[0].ends_with("a/moved") && keys[1].ends_with("copy/a/1.txt") && keys[2].ends_with("\u{e9}+&.bin"),
        "{list}"
    );
    assert_eq!(keys.len(), 3, "{list}");
    let refused = world.aws(&["s3", "rb", "s3://my-logs"]).failed();
    assert!(refused.contains("BucketNotEmpty"), "{refused}");
    world.aws(&["s3", "rb", "s3://my-logs", "--force"]).ok();
    assert!(!world.folder().join("data/buckets/my-logs").exists());
    assert_eq!(
        changes(&world),
        [
            "CreateBucket",
            "PutObject",
            "PutObject",
            "PutObject",
            "PutObject",
            "CopyObject",
            "DeleteObject",
            "DeleteObject",
            "DeleteBucket",
            "DeleteObject",
            "DeleteObject",
            "DeleteObject",
            "DeleteBucket",
        ]
    );
}

#[test]
fn boto3_puts_copies_and_deletes_objects_with_all_that_belongs_to_them() {
    let world = world();
    let program = r#"
import base64, hashlib, boto3
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return
    raise AssertionError(code)
s3.create_bucket(Bucket="my-logs")
s3.create_bucket(Bucket="my-logs")
body = b"hello" * 1000
md5 = hashlib.md5(body)
sums = {}
for name in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
    try:
        put = s3.put_object(Bucket="my-logs", Key=name, Body=body, ChecksumAlgorithm=name)
    except Exception as error:
        assert "botocore[crt]" in str(error), error  # The algorithm needs another package.
        continue
    sums[name] = put["Checksum" + name]
    head = s3.head_object(Bucket="my-logs", Key=name, ChecksumMode="ENABLED")
    assert head["Checksum" + name] == sums[name] and head["ChecksumType"] == "FULL_OBJECT", head
assert sums["SHA256"] == base64.b64encode(hashlib.sha256(body).digest()).decode(), sums
put = s3.put_object(
    Bucket="my-logs", Key="a/b", Body=body, ContentMD5=base64.b64encode(md5.digest()).decode(), ContentType="text/plain",
    ContentEncoding="identity", CacheControl="no-cache", ContentDisposition="attachment", ContentLanguage="en",
    Metadata={"owner": "me"}, StorageClass="STANDARD_IA", Tagging="team=blue&stage=test")
assert put["ETag"] == '"%s"' % md5.hexdigest() and put["ServerSideEncryption"] == "AES256", put
got = s3.get_object(Bucket="my-logs", Key="a/b")
assert got["Body"].read() == body
names = ["ContentType", "ContentEncoding", "CacheControl", "ContentDisposition", "ContentLanguage", "Metadata", "StorageClass", "TagCount"]
assert [got[name] for name in names] == ["text/plain", "identity", "no-cache", "attachment", "en", {"owner": "me"}, "STANDARD_IA", 2], got
listed = s3.list_objects_v2(Bucket="my-logs", Prefix="a/")["Contents"][0]
assert (listed["ETag"], listed["StorageClass"], listed["Size"]) == (put["ETag"], "STANDARD_IA", 5000), listed
copied = s3.copy_object(Bucket="my-logs", Key="copy", CopySource="my-logs/a/b")["CopyObjectResult"]
assert copied["ETag"] == put["ETag"], copied
head = s3.head_object(Bucket="my-logs", Key="copy")
assert (head["Metadata"], head["ContentType"], "StorageClass" in head) == ({"owner": "me"}, "text/plain", False), head
assert s3.get_object_tagging(Bucket="my-logs", Key="copy")["TagSet"] == [dict(Key="team", Value="blue"), dict(Key="stage", Value="test")]
s3.copy_object(Bucket="my-logs", Key="copy", CopySource="my-logs/copy", MetadataDirective="REPLACE", Metadata={"new": "1"})
head = s3.head_object(Bucket="my-logs", Key="copy")
assert (head["Metadata"], head["ContentType"]) == ({"new": "1"}, "binary/octet-stream"), head
s3.put_object_tagging(Bucket="my-logs", Key="copy", Tagging=dict(TagSet=[dict(Key="k", Value="v")]))
assert s3.get_object_tagging(Bucket="my-logs", Key="copy")["TagSet"] == [dict(Key="k", Value="v")]
assert s3.head_object(Bucket="my-logs", Key="copy")["ETag"] == put["ETag"]
s3.delete_object_tagging(Bucket="my-logs", Key="copy")
assert s3.get_object_tagging(Bucket="my-logs", Key="copy")["TagSet"] == []
refused("PreconditionFailed", s3.put_object, Bucket="my-logs", Key="copy", Body=b"", IfNoneMatch="*")
s3.put_object(Bucket="my-logs", Key="copy", Body=b"2", IfMatch=put["ETag"])
refused("PreconditionFailed", s3.put_object, Bucket="my-logs", Key="copy", Body=b"", IfMatch=put["ETag"])
s3.put_object(Bucket="my-logs", Key="folder/", Body=b"")
s3.put_object(Bucket="my-logs", Key="folder/inside", Body=b"")
s3.put_object(Bucket="my-logs", Key="folder", Body=b"same name")
page = s3.list_objects_v2(Bucket="my-logs", Prefix="folder")
assert [item["Key"] for item in page["Contents"]] == ["folder", "folder/", "folder/inside"], page
assert s3.head_object(Bucket="my-logs", Key="folder/")["ContentLength"] == 0
s3.delete_object(Bucket="my-logs", Key="folder/")
refused("404", s3.head_object, Bucket="my-logs", Key="folder/")
assert s3.get_object(Bucket="my-logs", Key="folder")["Body"].read() == b"same name"
versions = s3.list_object_versions(Bucket="my-logs")["Versions"]
assert {version["VersionId"] for version in versions} == {"null"}
deleted = s3.delete_objects(Bucket="my-logs", Delete=dict(Objects=[dict(Key=one["Key"], VersionId="null") for one in versions] + [dict(Key="missing")]))
assert len(deleted["Deleted"]) == len(versions) + 1 and "Errors" not in deleted, deleted
s3.delete_object(Bucket="my-logs", Key="missing")
s3.delete_bucket(Bucket="my-logs")
refused("NoSuchBucket", s3.put_object, Bucket="my-logs", Key="k", Body=b"")
refused("InvalidBucketState", s3.delete_bucket, Bucket="codecommit-local-trail")
other = boto3.client("s3", region_name="eu-west-1")
refused("IllegalLocationConstraintException", other.create_bucket, Bucket="europe")
other.create_bucket(Bucket="europe", CreateBucketConfiguration=dict(LocationConstraint="eu-west-1"))
refused("BucketAlreadyOwnedByYou", other.create_bucket, Bucket="europe", CreateBucketConfiguration=dict(LocationConstraint="eu-west-1"))
assert s3.get_bucket_location(Bucket="europe")["LocationConstraint"] == "eu-west-1"
assert s3.head_bucket(Bucket="europe")["BucketRegion"] == "eu-west-1"
"#;
    world.python(program).ok();
    assert!(
        !world.folder().join("data/buckets/my-logs").exists() && world.folder().join("data/buckets/europe").exists()
    );
}

#[test]
fn the_transfer_manager_of_boto3_sends_and_gets_an_object_in_parts() {
    let world = world();
    let program = r#"
import boto3, hashlib
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
s3.create_bucket(Bucket="my-logs")
content = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(524288)) * 4
open("large", "wb").write(content)
config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
s3.upload_file("large", "my-logs", "large", Config=config, ExtraArgs=dict(Metadata={"a": "b"}, ContentType="text/plain"))
head = s3.head_object(Bucket="my-logs", Key="large", ChecksumMode="ENABLED")
parts = [content[at:at + (5 << 20)] for at in range(0, len(content), 5 << 20)]
tag = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
assert head["ETag"] == '"%s-%d"' % (tag, len(parts)), head
assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (len(content), {"a": "b"}, "text/plain"), head
s3.download_file("my-logs", "large", "back", Config=config)
assert open("back", "rb").read() == content
s3.copy(dict(Bucket="my-logs", Key="large"), "my-logs", "copy", Config=config)
assert s3.get_object(Bucket="my-logs", Key="copy")["Body"].read() == content
assert s3.list_multipart_uploads(Bucket="my-logs").get("Uploads") is None

def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return
    raise AssertionError(code)
one = s3.create_multipart_upload(Bucket="my-logs", Key="parts", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")["UploadId"]
name = dict(Bucket="my-logs", Key="parts", UploadId=one)
tags = [s3.upload_part(**name, PartNumber=number, Body=part, ChecksumAlgorithm="CRC32") for number, part in ((1, b"1" * (5 << 20)), (3, b"3"), (2, b"2"))]
listed = s3.list_parts(**name, MaxParts=2)
assert [part["PartNumber"] for part in listed["Parts"]] == [1, 2] and listed["IsTruncated"], listed
rest = s3.list_parts(**name, PartNumberMarker=listed["NextPartNumberMarker"])
assert [part["Size"] for part in rest["Parts"]] == [1], rest
uploads = s3.list_multipart_uploads(Bucket="my-logs")["Uploads"]
assert [upload["Key"] for upload in uploads] == ["parts"], uploads
part = lambda number, index: dict(PartNumber=number, ETag=tags[index]["ETag"])
refused("InvalidPartOrder", s3.complete_multipart_upload, **name, MultipartUpload=dict(Parts=[part(3, 1), part(1, 0)]))
refused("InvalidPart", s3.complete_multipart_upload, **name, MultipartUpload=dict(Parts=[part(1, 1)]))
refused("EntityTooSmall", s3.complete_multipart_upload, **name, MultipartUpload=dict(Parts=[part(1, 0), part(2, 2), part(3, 1)]))
done = s3.complete_multipart_upload(**name, MultipartUpload=dict(Parts=[part(1, 0), part(3, 1)]))
import base64, zlib
crc = base64.b64encode(zlib.crc32(b"1" * (5 << 20) + b"3").to_bytes(4, "big")).decode()
assert (done["ChecksumCRC32"], done["ChecksumType"]) == (crc, "FULL_OBJECT"), done
refused("NoSuchUpload", s3.complete_multipart_upload, **name, MultipartUpload=dict(Parts=[part(1, 0)]))
two = s3.create_multipart_upload(Bucket="my-logs", Key="parts")["UploadId"]
copied = s3.upload_part_copy(Bucket="my-logs", Key="parts", UploadId=two, PartNumber=1, CopySource="my-logs/large", CopySourceRange="bytes=10-19")
assert copied["CopyPartResult"]["ETag"] == '"%s"' % hashlib.md5(content[10:20]).hexdigest(), copied
s3.abort_multipart_upload(Bucket="my-logs", Key="parts", UploadId=two)
refused("NoSuchUpload", s3.list_parts, Bucket="my-logs", Key="parts", UploadId=two)
"#;
    world.python(program).ok();
    let own = "data/buckets/my-logs/.metadata/.metadata";
    assert!(left(&world, &format!("{own}/uploads")).is_empty() && left(&world, &format!("{own}/incoming")).is_empty());
}

#[test]
fn the_sdk_for_javascript_puts_gets_and_deletes_objects() {
    let world = world();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/s3/transfer.mjs");
    let mut node = Command::new("node");
    node.arg(program)
        .arg("my-logs")
        .current_dir(world.folder())
        .env("AWS_ENDPOINT_URL", world.endpoint())
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    outcome(&mut node).ok();
    assert!(left(&world, "data/buckets/my-logs/.metadata/.metadata/incoming").is_empty());
}

#[test]
fn content_in_chunks_is_stored_without_them() {
    let world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    let signature = "0".repeat(64);
    let signed = format!("5;chunk-signature={signature}\r\nhello\r\n0;chunk-signature={signature}\r\n\r\n");
    let trailed = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    let wrong = trailed.replace("NhCmhg==", "AAAAAA==");
    for (body, sha256, trailer, status) in [
        (signed.as_str(), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "", 200),
        (trailed, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-checksum-crc32", 200),
        (&wrong, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-checksum-crc32", 400),
        ("6\r\nhello!\r\n0\r\n\r\n", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", 400),
        ("5\r\nhel", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", 400),
        ("hello", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "", 400),
    ] {
        let headers = [
            ("x-amz-content-sha256", sha256),
            ("content-encoding", "aws-chunked,br"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", trailer),
        ];
        let reply = world.send("PUT", "/my-logs/k", &headers, body.as_bytes());
        assert_eq!(reply.status, status, "{body}: {}", reply.text());
        if status == 200 {
            let got = world.send("GET", "/my-logs/k", &[], b"");
            assert_eq!((got.text().as_str(), got.header("content-encoding")), ("hello", Some("br")));
            assert_eq!(world.send("DELETE", "/my-logs/k", &[], b"").status, 204);
        }
        assert_eq!(world.send("GET", "/my-logs/k", &[], b"").status, 404);
    }
    assert!(left(&world, "data/buckets/my-logs/.metadata/.metadata/incoming").is_empty());
}

#[test]
fn nothing_is_written_over_links_and_a_changed_file_loses_its_tag() {
    let world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    let bucket = world.folder().join("data/buckets/my-logs");
    std::os::unix::fs::symlink(world.folder(), bucket.join("link")).expect("links can be created");
    let reply = world.send("PUT", "/my-logs/link/out", &[], b"x");
    assert_eq!(reply.status, 403, "{}", reply.text());
    assert!(!world.folder().join("out").exists());
    let put = world.send("PUT", "/my-logs/file", &[("x-amz-meta-a", "b")], b"one");
    let tag = put.header("etag").map(str::to_owned);
    assert_eq!(world.send("HEAD", "/my-logs/file", &[], b"").header("etag").map(str::to_owned), tag);
    fs::write(bucket.join("file"), "another").expect("the folder is writable");
    let head = world.send("HEAD", "/my-logs/file", &[("x-amz-checksum-mode", "ENABLED")], b"");
    assert_ne!(head.header("etag").map(str::to_owned), tag);
    assert_eq!((head.header("x-amz-meta-a"), head.header("x-amz-checksum-crc64nvme")), (Some("b"), None));
    // A bucket with files that are no objects is not removed.
    assert_eq!(world.send("DELETE", "/my-logs/file", &[], b"").status, 204);
    assert_eq!(world.send("DELETE", "/my-logs", &[], b"").status, 409);
    fs::remove_file(bucket.join("link")).expect("the folder is writable");
    assert_eq!(world.send("DELETE", "/my-logs", &[], b"").status, 204);
    assert!(!bucket.exists());
}

#[test]
fn a_restart_removes_what_was_not_received_and_keeps_uploads() {
    let mut world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    let upload = world.aws(&["s3api", "create-multipart-upload", "--bucket", "my-logs", "--key", "k"]).ok();
    let upload: Value = serde_json::from_str(&upload).expect("the CLI prints JSON");
    let own = world.folder().join("data/buckets/my-logs/.metadata/.metadata");
    fs::create_dir_all(own.join("incoming")).expect("the folder is writable");
    fs::write(own.join("incoming/half"), "half").expect("the folder is writable");
    world.restart();
    assert!(!own.join("incoming/half").exists());
    let listed = world.aws(&["s3api", "list-multipart-uploads", "--bucket", "my-logs"]).ok();
    let listed: Value = serde_json::from_str(&listed).expect("the CLI prints JSON");
    assert_eq!(listed["Uploads"][0]["UploadId"], upload["UploadId"]);
    assert_eq!(listed["Uploads"][0]["Key"], json!("k"));
}

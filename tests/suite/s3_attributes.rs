//! The attributes of objects through the S3 endpoint, with the AWS CLI: entity tag, checksum, size, storage class and parts.

use std::fs;

use serde_json::{Value, json};
use tests::World;

const ALL: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

/// Returns attributes of an object as the AWS CLI prints them, without the time.
fn attributes(world: &World, key: &str, names: &[&str], further: &[&str]) -> Value {
    let operation = ["s3api", "get-object-attributes", "--bucket", "my-logs", "--key", key, "--output", "json"];
    let printed = world.aws(&[&operation[..], &["--object-attributes"], names, further].concat()).ok();
    let mut printed: Value = serde_json::from_str(&printed).expect("the CLI prints JSON");
    let modified = printed.as_object_mut().expect("an object").remove("LastModified");
    assert!(modified.is_some_and(|time| time.is_string()), "the time is a header of the reply");
    printed
}

#[test]
fn an_object_of_one_put_has_the_attributes_that_are_asked_for() {
    let world = World::new();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    fs::write(world.folder().join("file"), "content").expect("the folder is writable");
    let put = ["s3api", "put-object", "--bucket", "my-logs", "--key", "a/b", "--body", "file"];
    world.aws(&[&put[..], &["--checksum-algorithm", "SHA256", "--storage-class", "STANDARD_IA"]].concat()).ok();
    // The tag and the checksum are those of `md5sum` and of `sha256sum | xxd -r -p | base64`.
    let tag = "9a0364b9e99bb480dd25e1f0284c8555";
    let sha256 = "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=";
    let expected = json!({
        "ETag": tag, "Checksum": { "ChecksumSHA256": sha256, "ChecksumType": "FULL_OBJECT" },
        "StorageClass": "STANDARD_IA", "ObjectSize": 7,
    });
    assert_eq!(attributes(&world, "a/b", &ALL, &[]), expected, "an object of one put has no parts");
    assert_eq!(attributes(&world, "a/b", &["ObjectSize"], &[]), json!({ "ObjectSize": 7 }));
    let event = world.last_event();
    assert_eq!((&event["eventName"], &event["readOnly"]), (&json!("GetObjectAttributes"), &json!(true)));
    // A file that another program wrote has no checksum.
    fs::write(world.folder().join("data/buckets/my-logs/made"), "by hand").expect("the folder is writable");
    let made = attributes(&world, "made", &ALL, &[]);
    assert_eq!((&made["ObjectSize"], &made["StorageClass"]), (&json!(7), &json!("STANDARD")));
    assert_eq!((made.get("Checksum"), made.get("ObjectParts")), (None, None));
    let raw = |names: &str, key: &str| {
        let reply =
            world.send("GET", &format!("/my-logs/{key}?attributes"), &[("x-amz-object-attributes", names)], b"");
        (reply.status, reply.text())
    };
    for (names, key, status, part) in [
        ("ETag, ObjectSize", "a/b", 200, "<ETag>9a0364b9e99bb480dd25e1f0284c8555</ETag>"),
        ("ETag,Colour", "a/b", 400, "<Code>InvalidArgument</Code>"),
        ("ETag", "absent", 404, "<Code>NoSuchKey</Code>"),
    ] {
        let (found, text) = raw(names, key);
        assert!(found == status && text.contains(part), "{names} of {key}: {found} {text}");
    }
}

#[test]
fn an_object_of_several_parts_tells_them_in_pages() {
    let world = World::new();
    let program = r#"
import base64, boto3, zlib
s3 = boto3.client("s3")
s3.create_bucket(Bucket="my-logs")
def upload(key, **how):
    upload = s3.create_multipart_upload(Bucket="my-logs", Key=key, **how)["UploadId"]
    parts = []
    for number, body in ((1, b"1" * (5 << 20)), (4, b"4" * (5 << 20)), (7, b"seven")):
        sent = s3.upload_part(Bucket="my-logs", Key=key, UploadId=upload, PartNumber=number, Body=body)
        parts.append(dict(PartNumber=number, ETag=sent["ETag"]))
    s3.complete_multipart_upload(Bucket="my-logs", Key=key, UploadId=upload, MultipartUpload=dict(Parts=parts))
upload("sums", ChecksumAlgorithm="CRC32")
print(base64.b64encode(zlib.crc32(b"seven").to_bytes(4, "big")).decode())
"#;
    let last = world.python(program).ok();
    let whole = attributes(&world, "sums", &ALL, &[]);
    assert!(whole["ETag"].as_str().is_some_and(|tag| tag.ends_with("-3") && !tag.contains('"')), "{whole}");
    assert_eq!((&whole["ObjectSize"], &whole["Checksum"]["ChecksumType"]), (&json!(10_485_765), &json!("COMPOSITE")));
    let numbers = |parts: &Value| -> Vec<Value> {
        parts["Parts"].as_array().expect("there are parts").iter().map(|part| part["PartNumber"].clone()).collect()
    };
    let parts = &whole["ObjectParts"];
    assert_eq!((&parts["TotalPartsCount"], &parts["IsTruncated"], numbers(parts).len()), (&json!(3), &json!(false), 3));
    assert_eq!(parts["Parts"][2], json!({ "PartNumber": 7, "Size": 5, "ChecksumCRC32": last }));
    let first = attributes(&world, "sums", &["ObjectParts"], &["--max-parts", "2"])["ObjectParts"].clone();
    assert_eq!((numbers(&first), &first["IsTruncated"]), (vec![json!(1), json!(4)], &json!(true)));
    let marker = first["NextPartNumberMarker"].to_string();
    let rest = attributes(&world, "sums", &["ObjectParts"], &["--part-number-marker", &marker])["ObjectParts"].clone();
    assert_eq!((numbers(&rest), &rest["IsTruncated"]), (vec![json!(7)], &json!(false)));
    // A copy is one object.
    world.aws(&["s3api", "copy-object", "--bucket", "my-logs", "--key", "copy", "--copy-source", "my-logs/sums"]).ok();
    assert_eq!(attributes(&world, "copy", &ALL, &[]).get("ObjectParts"), None);
}

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A bucket of two objects, of which one has metadata, beside a file that is no object.
fn bucket() -> (TempDir, FolderBucket) {
    let folder = tempfile::tempdir().expect("there is room");
    let bucket = FolderBucket::new(folder.path().join("bucket"), false);
    bucket.put("events.ndjson", b"{}", &[]).expect("the folder is writable");
    bucket.put("a/b.json.gz", b"content", &[("signature", "00ff")]).expect("the folder is writable");
    bucket.put("a/events.ndjson", b"below", &[]).expect("the folder is writable");
    fs::write(folder.path().join("secret"), "secret").expect("the folder is writable");
    (folder, bucket)
}

#[test]
fn an_object_is_opened_with_its_size_and_metadata() {
    let (_folder, bucket) = bucket();
    let (object, mut file) = bucket.open("a/b.json.gz").expect("it is readable").expect("it is there");
    assert_eq!((object.key.as_str(), object.bytes), ("a/b.json.gz", 7));
    let mut content = String::new();
    file.read_to_string(&mut content).expect("it is readable");
    assert_eq!(content, "content");
    let metadata = bucket.metadata("a/b.json.gz").expect("it is readable");
    assert_eq!(metadata.get("signature").map(String::as_str), Some("00ff"));
    assert!(bucket.open("a/events.ndjson").expect("it is readable").is_some());
}

#[test]
fn a_key_leads_to_an_object_or_nowhere() {
    let (folder, bucket) = bucket();
    let inside = folder.path().join("bucket");
    symlink(folder.path(), inside.join("out")).expect("links can be made");
    symlink(inside.join("a/b.json.gz"), inside.join("link")).expect("links can be made");
    fs::write(inside.join("a/c.partial"), "half").expect("the folder is writable");
    let long = "k/".repeat(600);
    for key in [
        "",
        "/",
        "a",
        "a/",
        "/a/b.json.gz",
        "a//b.json.gz",
        "a/./b.json.gz",
        "a/../a/b.json.gz",
        "../secret",
        "..",
        "a/../../secret",
        "out/secret",
        "link",
        "a/b.json.gz/c",
        "a/c.partial",
        "events.ndjson",
        ".metadata/a/b.json.gz.json",
        "a/\0",
        &"n".repeat(300),
        &long,
        "missing",
    ] {
        assert!(bucket.open(key).expect("it is no failure").is_none(), "{key}");
    }
}

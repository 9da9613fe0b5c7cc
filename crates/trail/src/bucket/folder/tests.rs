use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::Listing;
use crate::public_key::PublicKey;

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

fn read(bucket: &FolderBucket, key: &str) -> Option<String> {
    let (object, mut file) = bucket.open(key).expect("it is no failure")?;
    let mut content = String::new();
    file.read_to_string(&mut content).expect("it is readable");
    assert_eq!((object.key.as_str(), object.bytes), (key, content.len() as u64));
    Some(content)
}

fn keys(bucket: &FolderBucket) -> Vec<String> {
    let page = bucket.list(Listing { max: 100, ..Listing::default() }).expect("it is readable");
    page.objects.into_iter().map(|object| object.key).collect()
}

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().expect("it is below")).expect("the folder is writable");
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is there").success());
}

#[test]
fn what_is_no_regular_file_is_no_object_and_nothing_waits_for_it() {
    let (folder, bucket) = bucket();
    let inside = folder.path().join("bucket");
    pipe(&inside.join("pipe"));
    pipe(&inside.join("a/pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).expect("the folder is writable");
    pipe(&inside.join(".metadata/a/events.ndjson.json"));
    for key in ["pipe", "a/pipe", "socket", "pipe/below"] {
        assert!(bucket.open(key).expect("it is no failure").is_none(), "{key}");
    }
    assert_eq!(keys(&bucket), ["a/b.json.gz", "a/events.ndjson"]);
    assert!(bucket.metadata("a/events.ndjson").is_err());
    // An object takes the place of a pipe, also where it is written before it is whole.
    pipe(&inside.join("new.partial"));
    bucket.put("new", b"new", &[]).expect("the folder is writable");
    bucket.put("pipe", b"object", &[]).expect("the folder is writable");
    assert_eq!((read(&bucket, "new").as_deref(), read(&bucket, "pipe").as_deref()), (Some("new"), Some("object")));
    let error = bucket.put("a/pipe/below", b"", &[]).expect_err("a pipe is in the way").to_string();
    assert!(error.contains("a/pipe/below"), "{error}");
    pipe(&inside.join(PUBLIC_KEYS));
    let error = bucket.keep_public_keys(b"{}").expect_err("it is no file of keys").to_string();
    assert!(error.contains("public-keys.json") && error.contains("no regular file"), "{error}");
}

#[test]
fn a_key_can_be_the_beginning_of_other_keys() {
    let (folder, bucket) = bucket();
    for key in ["logs", "logs/AWSLogs/1", "logs/AWSLogs", "logs-", "a/b.json.gz/c"] {
        bucket.put(key, key.as_bytes(), &[]).expect("the folder is writable");
    }
    let expected =
        ["a/b.json.gz", "a/b.json.gz/c", "a/events.ndjson", "logs", "logs-", "logs/AWSLogs", "logs/AWSLogs/1"];
    assert_eq!(keys(&bucket), expected);
    assert_eq!(read(&bucket, "a/b.json.gz").as_deref(), Some("content"));
    assert_eq!(bucket.metadata("a/b.json.gz").expect("it is readable")["signature"], "00ff");
    for key in &expected[3..] {
        assert_eq!(read(&bucket, key).as_deref(), Some(*key));
    }
    bucket.put("logs", b"another", &[]).expect("the folder is writable");
    assert_eq!(read(&bucket, "logs").as_deref(), Some("another"));
    let page = bucket.list(Listing { delimiter: "/", max: 100, ..Listing::default() }).expect("it is readable");
    assert_eq!(page.prefixes, ["a/", "logs/"]);
    assert!(bucket.open("logs/.object").expect("it is no failure").is_none());
    assert!(folder.path().join("bucket/logs/.object").is_file());
    // An attempt that ended half-way is finished by the next one.
    bucket.put("half", b"half", &[]).expect("the folder is writable");
    let inside = folder.path().join("bucket");
    fs::create_dir(inside.join("half.folder.partial")).expect("the folder is writable");
    fs::rename(inside.join("half"), inside.join("half.folder.partial/.object")).expect("the folder is writable");
    bucket.put("half/whole", b"whole", &[]).expect("the folder is writable");
    assert_eq!(
        (read(&bucket, "half").as_deref(), read(&bucket, "half/whole").as_deref()),
        (Some("half"), Some("whole"))
    );
    bucket.put("marked", b"object", &[]).expect("the folder is writable");
    bucket.put("marked/AWSLogs/1/", b"", &[]).expect("the folder is writable");
    assert!(inside.join("marked/AWSLogs/1").is_dir() && read(&bucket, "marked").as_deref() == Some("object"));
}

#[test]
fn a_prefix_is_removed_while_others_put_objects_there() {
    let (folder, bucket) = bucket();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let bucket = &bucket;
            scope.spawn(move || {
                for number in 0..300 {
                    let key = format!("AWSLogs/1/CloudTrail/{writer}/{}/{number}", number % 7);
                    bucket.put(&key, b"content", &[("signature", "00")]).expect("it is put at last");
                    bucket.put("AWSLogs/1/CloudTrail/", b"", &[]).expect("it is put at last");
                }
            });
        }
        for _ in 0..200 {
            bucket.remove_all("AWSLogs/1/").expect("it is removed at last");
        }
    });
    bucket.remove_all("AWSLogs/1/").expect("the folder is writable");
    assert_eq!(keys(&bucket), ["a/b.json.gz", "a/events.ndjson"]);
    let inside = folder.path().join("bucket");
    let left = |path: &str| fs::read_dir(inside.join(path)).map_or(0, Iterator::count);
    assert!(!inside.join("AWSLogs").exists());
    assert_eq!(left(".metadata"), 1, "the metadata of what stays");
}

#[test]
fn keys_are_added_to_the_file_of_public_keys_and_none_is_lost() {
    let folder = tempfile::tempdir().expect("there is room");
    let bucket = FolderBucket::new(folder.path().to_owned(), false);
    let path = folder.path().join(PUBLIC_KEYS);
    let file = |ids: &[u8]| {
        let keys: Vec<PublicKey> = ids.iter().map(|id| public_key(*id)).collect();
        PublicKey::to_json(&keys)
    };
    for (kept, expected) in [(&[1][..], &[1][..]), (&[2], &[1, 2]), (&[2], &[1, 2]), (&[3, 1], &[1, 2, 3])] {
        bucket.keep_public_keys(&file(kept)).expect("the folder is writable");
        assert_eq!(fs::read(&path).expect("it is there"), file(expected));
    }
    fs::write(&path, "").expect("the folder is writable");
    bucket.keep_public_keys(&file(&[4])).expect("the folder is writable");
    assert_eq!(fs::read(&path).expect("it is there"), file(&[4]));
    assert!(folder.path().join(".metadata/public-keys.json.damaged").exists());
}

/// A key whose numbers mean nothing, but can be read.
fn public_key(id: u8) -> PublicKey {
    let mut der = vec![0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];
    der.extend([0xc1; 255]);
    der.extend([id * 2 + 1, 0x02, 0x03, 0x01, 0x00, 0x01]);
    let time = |day: i64| aws::Timestamp::from_millis(day * 86_400_000);
    let (valid_from, valid_until) = (time(i64::from(id)), time(i64::from(id) + 30));
    PublicKey { fingerprint: crate::public_key::fingerprint(&der), der, valid_from, valid_until }
}

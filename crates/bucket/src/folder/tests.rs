use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;
use crate::Listing;

/// A bucket with three objects, one of them with metadata, and with files that are no objects.
fn bucket() -> (TempDir, FolderBucket) {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let bucket = FolderBucket::new(
        folder.path().join("bucket"),
        FolderOptions { reserved: &["events.ndjson"], ..FolderOptions::default() },
    );
    bucket.put("events.ndjson", b"{}", &[]).expect("the folder is writable");
    bucket.put("a/b.json.gz", b"content", &[("signature", "00ff")]).expect("the folder is writable");
    bucket.put("a/events.ndjson", b"below", &[]).expect("the folder is writable");
    fs::write(folder.path().join("secret"), "secret").expect("the folder is writable");
    (folder, bucket)
}

#[test]
fn an_object_is_opened_with_its_size_and_metadata() {
    let (_folder, bucket) = bucket();
    let (object, mut file) = bucket.open("a/b.json.gz").expect("the file is readable").expect("the object exists");
    assert_eq!((object.key.as_str(), object.bytes), ("a/b.json.gz", 7));
    let mut content = String::new();
    file.read_to_string(&mut content).expect("the file is readable");
    assert_eq!(content, "content");
    let metadata = bucket.metadata("a/b.json.gz").expect("the file is readable");
    assert_eq!(metadata.get("signature").map(String::as_str), Some("00ff"));
    assert!(bucket.open("a/events.ndjson").expect("the file is readable").is_some());
}

#[test]
fn a_key_opens_an_object_or_nothing() {
    let (folder, bucket) = bucket();
    let inside = folder.path().join("bucket");
    symlink(folder.path(), inside.join("out")).expect("links can be created");
    symlink(inside.join("a/b.json.gz"), inside.join("link")).expect("links can be created");
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
        assert!(bucket.open(key).expect("the folder is readable").is_none(), "{key}");
    }
}

fn read(bucket: &FolderBucket, key: &str) -> Option<String> {
    let (object, mut file) = bucket.open(key).expect("the folder is readable")?;
    let mut content = String::new();
    file.read_to_string(&mut content).expect("the file is readable");
    assert_eq!((object.key.as_str(), object.bytes), (key, content.len() as u64));
    Some(content)
}

fn keys(bucket: &FolderBucket) -> Vec<String> {
    let page = bucket.list(Listing { max: 100, ..Listing::default() }).expect("the file is readable");
    page.objects.into_iter().map(|object| object.key).collect()
}

fn pipe(path: &Path) {
    fs::create_dir_all(path.parent().expect("the path has a parent")).expect("the folder is writable");
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo is installed").success());
}

#[test]
fn pipes_and_sockets_are_no_objects_and_are_never_opened() {
    let (folder, bucket) = bucket();
    let inside = folder.path().join("bucket");
    pipe(&inside.join("pipe"));
    pipe(&inside.join("a/pipe"));
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).expect("the folder is writable");
    pipe(&inside.join(".metadata/a/events.ndjson.json"));
    for key in ["pipe", "a/pipe", "socket", "pipe/below"] {
        assert!(bucket.open(key).expect("the folder is readable").is_none(), "{key}");
    }
    assert_eq!(keys(&bucket), ["a/b.json.gz", "a/events.ndjson"]);
    assert!(bucket.metadata("a/events.ndjson").is_err());
    // An object replaces a pipe, also at the path of its temporary file.
    pipe(&inside.join("new.partial"));
    bucket.put("new", b"new", &[]).expect("the folder is writable");
    bucket.put("pipe", b"object", &[]).expect("the folder is writable");
    assert_eq!((read(&bucket, "new").as_deref(), read(&bucket, "pipe").as_deref()), (Some("new"), Some("object")));
    let error = bucket.put("a/pipe/below", b"", &[]).expect_err("a pipe is in the way").to_string();
    assert!(error.contains("a/pipe/below"), "{error}");
}

#[test]
fn a_side_file_is_written_beside_the_metadata_and_a_pipe_is_never_read() {
    let (folder, bucket) = bucket();
    assert_eq!(bucket.read_side_file("keys.json").expect("the folder is readable"), None);
    bucket.write_side_file("keys.json", b"{}").expect("the folder is writable");
    assert_eq!(bucket.read_side_file("keys.json").expect("the file is readable").as_deref(), Some(&b"{}"[..]));
    assert!(bucket.open(".metadata/keys.json").expect("the folder is readable").is_none());
    pipe(&folder.path().join("bucket/.metadata/pipe"));
    let error = bucket.read_side_file("pipe").expect_err("a pipe is no file").to_string();
    assert!(error.contains(".metadata/pipe") && error.contains("no regular file"), "{error}");
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
    assert_eq!(bucket.metadata("a/b.json.gz").expect("the file is readable")["signature"], "00ff");
    for key in &expected[3..] {
        assert_eq!(read(&bucket, key).as_deref(), Some(*key));
    }
    bucket.put("logs", b"another", &[]).expect("the folder is writable");
    assert_eq!(read(&bucket, "logs").as_deref(), Some("another"));
    let page = bucket.list(Listing { delimiter: "/", max: 100, ..Listing::default() }).expect("the file is readable");
    assert_eq!(page.prefixes, ["a/", "logs/"]);
    assert!(bucket.open("logs/.object").expect("the folder is readable").is_none());
    assert!(folder.path().join("bucket/logs/.object").is_file());
    // The next put finishes one that was interrupted between its two renames.
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
                    bucket.put(&key, b"content", &[("signature", "00")]).expect("a put is repeated until it succeeds");
                    bucket.put("AWSLogs/1/CloudTrail/", b"", &[]).expect("a put is repeated until it succeeds");
                }
            });
        }
        for _ in 0..200 {
            bucket.remove_all("AWSLogs/1/").expect("a removal is repeated until it succeeds");
        }
    });
    bucket.remove_all("AWSLogs/1/").expect("the folder is writable");
    assert_eq!(keys(&bucket), ["a/b.json.gz", "a/events.ndjson"]);
    let inside = folder.path().join("bucket");
    let left = |path: &str| fs::read_dir(inside.join(path)).map_or(0, Iterator::count);
    assert!(!inside.join("AWSLogs").exists());
    assert_eq!(left(".metadata"), 1, "the metadata of the remaining objects");
}

/// Content during whose reading another writer writes the same file.
struct Overtaken<'p> {
    path: &'p Path,
    rest: &'static [u8],
    has_begun: bool,
}

impl Read for Overtaken<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.has_begun, true) {
            let other = FolderOptions { writer: Some(2), ..FolderOptions::default() };
            file::write_file(self.path, &mut &b"the same"[..], other)?;
        }
        self.rest.read(buffer)
    }
}

#[test]
fn two_writers_of_a_file_do_not_share_an_incomplete_one() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let path = folder.path().join("a.json.gz");
    let mut content = Overtaken { path: &path, rest: b"the same", has_begun: false };
    let options = FolderOptions { writer: Some(1), ..FolderOptions::default() };
    file::write_file(&path, &mut content, options).expect("the folder is writable");
    assert_eq!(fs::read(&path).expect("the file was written"), b"the same");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder exists").count(), 1, "nothing incomplete is left");
}

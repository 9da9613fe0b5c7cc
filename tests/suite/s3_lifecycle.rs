//! Lifecycle rules of buckets: log files expire or are archived, and validation finds what was tampered with through S3.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use aws::Clock;
use serde_json::{Value, json};
use tests::{World, log_files};

const BUCKET: &str = "codecommit-local-trail";
const DAY: u64 = 24 * 60 * 60;

fn world() -> World {
    let world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    flush(&world);
    world
}

fn flush(world: &World) {
    let reply = world.send("POST", "/_local/flush", &[], b"");
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Gives a file an age by the clock of the server.
fn age(world: &World, path: &Path, days: u64) {
    let now = u64::try_from(world.clock().now().millis()).expect("the clock is after 1970");
    let time = SystemTime::UNIX_EPOCH + Duration::from_millis(now) - Duration::from_secs(days * DAY);
    File::options().append(true).open(path).and_then(|file| file.set_modified(time)).expect("the file is writable");
}

fn put_rules(world: &World, bucket: &str, rules: &Value) {
    let rules = json!({ "Rules": rules }).to_string();
    let put = ["s3api", "put-bucket-lifecycle-configuration", "--bucket", bucket, "--lifecycle-configuration", &rules];
    world.aws(&put).ok();
}

#[test]
fn a_rule_removes_the_log_files_that_are_old_enough() {
    let world = world();
    let [file] = &log_files(&world.trail_folder())[..] else { panic!("there is one log file") };
    let expire = |days: u32, status: &str, prefix: &str| json!([{ "ID": "old", "Status": status, "Filter": { "Prefix": prefix }, "Expiration": { "Days": days } }]);
    age(&world, file, 10);
    for (days, status, prefix) in [(12, "Enabled", "AWSLogs/"), (3, "Disabled", "AWSLogs/"), (3, "Enabled", "other/")] {
        put_rules(&world, BUCKET, &expire(days, status, prefix));
        flush(&world);
        assert!(file.exists(), "{days} {status} {prefix}");
    }
    put_rules(&world, BUCKET, &expire(3, "Enabled", "AWSLogs/"));
    flush(&world);
    assert!(!file.exists());
    // Newer files and those that are no objects stay.
    assert!(!log_files(&world.trail_folder()).is_empty());
    assert!(world.trail_folder().join("events.ndjson").exists());
}

#[test]
fn a_rule_archives_objects_which_are_read_after_they_were_restored() {
    let world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    let folder = world.folder().join("data/buckets/my-logs");
    for (key, bytes) in [("large", 200_000), ("small", 10)] {
        assert_eq!(world.send("PUT", &format!("/my-logs/{key}"), &[], &vec![b'x'; bytes]).status, 200);
        age(&world, &folder.join(key), 40);
    }
    let archive = |class: &str| {
        json!([{ "ID": "old", "Status": "Enabled", "Filter": {}, "Transitions": [
        { "Days": 30, "StorageClass": "STANDARD_IA" }, { "Days": 35, "StorageClass": class }] }])
    };
    put_rules(&world, "my-logs", &archive("GLACIER"));
    flush(&world);
    let head = |key: &str| world.send("HEAD", &format!("/my-logs/{key}"), &[], b"");
    assert_eq!(head("large").header("x-amz-storage-class"), Some("GLACIER"));
    assert_eq!(head("small").header("x-amz-storage-class"), None, "small objects stay where they are");
    let list = world.send("GET", "/my-logs", &[], b"").text();
    assert!(
        list.contains("<StorageClass>GLACIER</StorageClass>") && list.contains("<StorageClass>STANDARD</StorageClass>"),
        "{list}"
    );
    let refused = world.send("GET", "/my-logs/large", &[], b"");
    assert!(refused.status == 403 && refused.text().contains("<Code>InvalidObjectState</Code>"), "{}", refused.text());
    let refused = world.send("PUT", "/my-logs/copy", &[("x-amz-copy-source", "/my-logs/large")], b"");
    assert!(refused.text().contains("<Code>InvalidObjectState</Code>"), "{}", refused.text());
    let restore = |key: &str| {
        world.aws(&["s3api", "restore-object", "--bucket", "my-logs", "--key", key, "--restore-request", "Days=2"])
    };
    restore("large").ok();
    assert!(restore("small").failed().contains("InvalidObjectState"));
    let restored = head("large").header("x-amz-restore").map(str::to_owned).expect("the object is restored");
    assert!(restored.starts_with("ongoing-request=\"false\", expiry-date=\""), "{restored}");
    assert_eq!(world.send("GET", "/my-logs/large", &[], b"").body.len(), 200_000);
    world.move_clock(i64::try_from(3 * DAY).expect("three days are few seconds"));
    assert_eq!(world.send("GET", "/my-logs/large", &[], b"").status, 403);
    // What is colder already is not moved back, and expiration removes it.
    put_rules(&world, "my-logs", &archive("ONEZONE_IA"));
    flush(&world);
    assert_eq!(head("large").header("x-amz-storage-class"), Some("GLACIER"));
    put_rules(
        &world,
        "my-logs",
        &json!([{ "ID": "gone", "Status": "Enabled", "Filter": { "ObjectSizeGreaterThan": 100 }, "Expiration": { "Days": 1 } }]),
    );
    flush(&world);
    assert_eq!((head("large").status, head("small").status), (404, 200));
}

#[test]
fn uploads_that_nobody_completes_are_aborted() {
    let world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    world.aws(&["s3api", "create-multipart-upload", "--bucket", "my-logs", "--key", "k"]).ok();
    let uploads = world.folder().join("data/buckets/my-logs/.metadata/.metadata/uploads");
    let upload = std::fs::read_dir(&uploads).expect("there is an upload").next().expect("there is an upload");
    age(&world, &upload.expect("the folder can be listed").path().join("upload.json"), 10);
    put_rules(
        &world,
        "my-logs",
        &json!([{ "ID": "abort", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 30 } }]),
    );
    flush(&world);
    assert_eq!(std::fs::read_dir(&uploads).expect("the folder exists").count(), 1);
    put_rules(
        &world,
        "my-logs",
        &json!([{ "ID": "abort", "Status": "Enabled", "Filter": {}, "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 } }]),
    );
    flush(&world);
    assert_eq!(std::fs::read_dir(&uploads).expect("the folder exists").count(), 0);
}

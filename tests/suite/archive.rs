//! Archives of the files of a commit: their content, their destination and the states of their uploads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::git;
use tests::process::memory_peak;
use tests::{World, bomb, wait_until, wire};
use zip::ZipArchive;

/// Creates a repository with a file, an executable file, a symbolic link, a folder, an empty file and a submodule.
fn world() -> (World, String) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    world.git_commit("work", "docs/a guide.md", "A guide.\n");
    world.git_commit("work", "docs/empty", "");
    world.git_commit("work", "bin/run", "#!/bin/sh\n");
    world.git("work", &["update-index", "--chmod=+x", "bin/run"]).ok();
    std::os::unix::fs::symlink("docs/a guide.md", world.folder().join("work/link")).expect("a new name");
    world.git("work", &["add", "link"]).ok();
    let module = format!("160000,{},module", "1".repeat(40));
    world.git("work", &["update-index", "--add", "--cacheinfo", &module]).ok();
    world.git("work", &["commit", "--quiet", "--message", "All kinds"]).ok();
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let commit = world.git("work", &["rev-parse", "HEAD"]).ok();
    (world, commit)
}

fn upload(world: &World, commit: &str, key: &str) -> String {
    let output = world.ok("UploadArchive", &input(commit, key));
    output["uploadId"].as_str().expect("an upload has an id").to_owned()
}

fn input(commit: &str, key: &str) -> Value {
    json!({
        "repositoryName": "MyDemoRepo", "commitId": commit, "archiveType": "ZIP", "s3Bucket": "artifacts", "s3Key": key,
    })
}

fn status(world: &World, id: &str) -> Value {
    world.ok("GetUploadArchiveStatus", &json!({ "repositoryName": "MyDemoRepo", "uploadId": id }))
}

/// Waits for the end of an upload.
fn ended(world: &World, id: &str) -> Value {
    wait_until("the upload ends", || status(world, id)["status"] != "IN_PROGRESS");
    status(world, id)
}

fn artifact(world: &World, key: &str) -> PathBuf {
    world.folder().join("data/buckets/artifacts").join(key)
}

/// Returns the names in a ZIP file, each with the mode and the content.
fn entries(path: &std::path::Path) -> BTreeMap<String, (Option<u32>, Vec<u8>)> {
    let mut archive = ZipArchive::new(File::open(path).expect("the file exists")).expect("the file is a ZIP archive");
    let count = archive.len();
    let entry = |at| {
        let mut file = archive.by_index(at).expect("the archive has the entry");
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("its checksum is right");
        (file.name().expect("the output is UTF-8").into_owned(), (file.unix_mode(), content))
    };
    (0..count).map(entry).collect()
}

#[test]
fn an_archive_has_the_files_that_git_archive_has() {
    let (world, commit) = world();
    let id = upload(&world, &commit, "MyDemoRepo/source.zip");
    assert_eq!(ended(&world, &id), json!({ "uploadId": id, "status": "SUCCEEDED" }));
    let ours = entries(&artifact(&world, "MyDemoRepo/source.zip"));
    world.git("work", &["archive", "--format=zip", "--output=../git.zip", "HEAD"]).ok();
    let git = entries(&world.folder().join("git.zip"));
    let contents = |all: &BTreeMap<String, (Option<u32>, Vec<u8>)>| {
        all.iter().map(|(name, (_, content))| (name.clone(), content.clone())).collect::<Vec<_>>()
    };
    assert_eq!(contents(&ours), contents(&git));
    let modes: Vec<_> = ours.iter().map(|(name, (mode, _))| (name.as_str(), mode.unwrap_or(0))).collect();
    let expected = [
        ("README.md", 0o100_644),
        ("bin/", 0o040_755),
        ("bin/run", 0o100_755),
        ("docs/", 0o040_755),
        ("docs/a guide.md", 0o100_644),
        ("docs/empty", 0o100_644),
        ("link", 0o120_777),
        ("module/", 0o040_755),
    ];
    assert_eq!(modes, expected);
}

#[test]
fn an_archive_of_one_commit_always_has_the_same_bytes_and_times() {
    let (world, commit) = world();
    let read = |key: &str| {
        ended(&world, &upload(&world, &commit, key));
        std::fs::read(artifact(&world, key)).expect("the file exists")
    };
    assert_eq!(read("one"), read("two"));
    let mut archive = ZipArchive::new(File::open(artifact(&world, "one")).expect("the file exists"))
        .expect("the file is a ZIP archive");
    let time = archive
        .by_name("README.md")
        .expect("the archive has the entry")
        .last_modified()
        .expect("archives store the time of each entry");
    assert_eq!(time.to_string(), "2016-12-14 18:19:14");
}

#[test]
fn an_upload_and_its_record_name_the_bucket_and_the_key() {
    let (world, commit) = world();
    let id = upload(&world, &commit, "a/b");
    let record = world.events().pop().expect("the call is recorded");
    assert_eq!(record["eventName"], "UploadArchive");
    assert_eq!(record["readOnly"], false);
    let parameters = json!({
        "archiveType": "ZIP", "commitId": commit, "repositoryName": "MyDemoRepo", "s3Bucket": "artifacts", "s3Key": "a/b",
    });
    assert_eq!(record["requestParameters"].to_string(), parameters.to_string());
    assert_eq!(record["responseElements"], json!({ "uploadId": id }));
    assert_eq!(record["resources"][0]["ARN"], "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo");
}

#[test]
fn an_upload_that_a_stop_interrupted_is_restarted() {
    let (mut world, commit) = world();
    let ids: Vec<_> = (0..20).map(|number| upload(&world, &commit, &format!("{number}.zip"))).collect();
    world.restart();
    for (number, id) in ids.iter().enumerate() {
        assert_eq!(ended(&world, id)["status"], "SUCCEEDED");
        assert_eq!(entries(&artifact(&world, &format!("{number}.zip"))).len(), 8);
    }
    let left = tests::files(&world.folder().join("data/archives"));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_upload_can_be_cancelled_until_it_has_ended() {
    let (world, commit) = world();
    let cancel = |id: &str| world.ok("CancelUploadArchive", &json!({ "repositoryName": "MyDemoRepo", "uploadId": id }));
    let done = upload(&world, &commit, "done.zip");
    ended(&world, &done);
    assert_eq!(cancel(&done)["status"], "SUCCEEDED");
    // A large file keeps the worker busy while the upload after it is cancelled.
    let noise: String = (0..4_000_000_u64).map(|at| char::from(b'!' + (at.wrapping_mul(at) % 89) as u8)).collect();
    let large = world.git_commit("work", "large", &noise);
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    // On a busy machine the worker may still finish first, so the test tries several times.
    let (waiting, key) = (0..100)
        .find_map(|attempt| {
            upload(&world, &large, "large.zip");
            let key = format!("waiting-{attempt}.zip");
            let waiting = upload(&world, &commit, &key);
            let returned = cancel(&waiting);
            (returned == json!({ "uploadId": waiting, "status": "CANCELLED" })).then_some((waiting, key))
        })
        .expect("what waits can be cancelled");
    let last = upload(&world, &commit, "last.zip");
    assert_eq!(ended(&world, &last)["status"], "SUCCEEDED");
    assert_eq!(status(&world, &waiting)["status"], "CANCELLED");
    assert!(!artifact(&world, &key).exists());
}

#[test]
fn a_failed_upload_reports_its_cause() {
    let (world, commit) = world();
    std::fs::create_dir_all(world.folder().join("data/buckets")).expect("the folder is writable");
    std::fs::write(world.folder().join("data/buckets/artifacts"), "in the way").expect("the folder is writable");
    let ended = ended(&world, &upload(&world, &commit, "a.zip"));
    assert_eq!(ended["status"], "FAILED");
    let message = ended["statusMessage"].as_str().expect("the failure has a message");
    assert!(message.starts_with("cannot put a.zip into the bucket artifacts: "), "{message}");
}

#[test]
fn an_archive_of_too_many_files_fails_without_much_memory() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let server = Running::start(&["--data-dir", data.to_str().expect("a plain path")]);
    let call = |operation: &str, input: &Value| {
        let reply = wire::send(wire::request(server.endpoint(), operation, input));
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
        reply.json()
    };
    call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    git(folder.path(), &["init", "--quiet", "work"]).ok();
    let work = folder.path().join("work");
    let url = format!("{}/v1/repos/MyDemoRepo", server.endpoint());
    // The names are so long that few files reach the limit of their total size.
    let commit = bomb::commit(&work, "x", 10, 200, None);
    bomb::push(&work, &url, &commit, "main");
    let upload = call("UploadArchive", &input(&commit, "bomb.zip"));
    let status = || {
        let input = json!({ "repositoryName": "MyDemoRepo", "uploadId": upload["uploadId"] });
        call("GetUploadArchiveStatus", &input)
    };
    wait_until("the upload ends", || status()["status"] != "IN_PROGRESS");
    let ended = status();
    assert_eq!(ended["status"], "FAILED", "{ended}");
    let message = ended["statusMessage"].as_str().expect("the failure has a message");
    assert!(message.contains("more than 67108864 bytes"), "{message}");
    assert!(!data.join("buckets/artifacts/bomb.zip").exists());
    let left = tests::files(&data.join("archives"));
    assert!(left.is_empty(), "{left:?}");
    let megabytes = memory_peak(server.id()) >> 20;
    assert!(megabytes < 400, "{megabytes} MB");
}

#[test]
fn an_upload_is_deleted_with_its_repository() {
    let (world, commit) = world();
    let id = upload(&world, &commit, "a.zip");
    ended(&world, &id);
    world.ok("CreateRepository", &json!({ "repositoryName": "Other" }));
    let of_another = world.call("GetUploadArchiveStatus", &json!({ "repositoryName": "Other", "uploadId": id }));
    assert_eq!(of_another.failure()["__type"], "ValidationException");
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let gone = world.call("GetUploadArchiveStatus", &json!({ "repositoryName": "MyDemoRepo", "uploadId": id }));
    assert_eq!(gone.failure()["__type"], "ValidationException");
    let empty = world.call("UploadArchive", &input(&commit, "a.zip"));
    assert_eq!(empty.failure()["__type"], "CommitIdDoesNotExistException");
}

#[test]
fn an_archive_never_overwrites_files_of_a_trail() {
    let (world, commit) = world();
    for (name, bucket, prefix) in [("Logs", "my-logs", "pre"), ("Own", "codecommit-local-trail", "own")] {
        world.ok("CreateTrail", &json!({ "Name": name, "S3BucketName": bucket, "S3KeyPrefix": prefix }));
    }
    world.ok("DeleteTrail", &json!({ "Name": "Own" }));
    let refused = |bucket: &str, key: &str| {
        let mut input = input(&commit, key);
        input["s3Bucket"] = bucket.into();
        let reply = world.call("UploadArchive", &input);
        assert_eq!(reply.failure()["__type"], "ValidationException", "{bucket} {key}: {}", reply.text());
    };
    for (bucket, keys) in [
        (
            "codecommit-local-trail",
            ["AWSLogs", "AWSLogs/111122223333/CloudTrail/us-east-2", "own/AWSLogs/x", "events.ndjson"],
        ),
        ("codecommit-local-trail", ["awslogs/x", "Events.ndjson", ".metadata/public-keys.json", ".Metadata/lock"]),
        ("my-logs", ["pre/AWSLogs", "pre/AWSLogs/111122223333/CloudTrail/x.json.gz", "PRE/awslogs/x", "pre/.object"]),
    ] {
        for key in keys {
            refused(bucket, key);
        }
    }
    let id = upload(&world, &commit, "pre/AWSLogs/111122223333");
    assert_eq!(ended(&world, &id)["status"], "SUCCEEDED", "no trail delivers to that bucket");
}

#[test]
fn a_trail_delivers_below_the_key_of_an_archive() {
    let (world, commit) = world();
    for key in ["logs", "AWSLogs/111122223333/CloudTrail/us-east-1"] {
        assert_eq!(ended(&world, &upload(&world, &commit, key))["status"], "SUCCEEDED");
    }
    for (name, prefix) in [("Prefixed", Some("logs")), ("Plain", None)] {
        world.ok("CreateTrail", &json!({ "Name": name, "S3BucketName": "artifacts", "S3KeyPrefix": prefix }));
        world.ok("StartLogging", &json!({ "Name": name }));
    }
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    let bucket = world.folder().join("data/buckets/artifacts");
    for prefix in ["", "logs"] {
        let delivered = tests::log_files(&bucket.join(prefix));
        assert!(
            delivered.iter().any(|path| path.extension().is_some_and(|end| end == "gz")),
            "{prefix}: {delivered:?}"
        );
    }
    for key in ["logs", "AWSLogs/111122223333/CloudTrail/us-east-1"] {
        let reply = world.send("GET", &format!("/artifacts/{key}"), &[], b"");
        assert_eq!((reply.status, &reply.body[..2]), (200, &b"PK"[..]), "{key}");
    }
    assert_eq!(ended(&world, &upload(&world, &commit, "logs"))["status"], "SUCCEEDED", "it is replaced where it is");
}

#[test]
fn a_trail_created_during_an_upload_keeps_its_keys() {
    let (mut world, commit) = world();
    // The first upload keeps the others waiting until the trail exists.
    world.restart_with(|settings| settings.log_interval = std::time::Duration::from_hours(1));
    let ids: Vec<_> = (0..20).map(|at| upload(&world, &commit, &format!("AWSLogs/111122223333/{at}"))).collect();
    world.ok("CreateTrail", &json!({ "Name": "Late", "S3BucketName": "artifacts" }));
    let ended: Vec<Value> = ids.iter().map(|id| ended(&world, id)).collect();
    let is_sound = |ended: &Value| {
        ended["status"] == "SUCCEEDED"
            || ended["statusMessage"].as_str().is_some_and(|message| message.contains("for the files of a trail"))
    };
    assert!(ended.iter().all(is_sound), "{ended:?}");
}

//! The stop of the program: running requests get a grace period, recorded events are delivered, and no client delays it.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::{git, git_fed};
use tests::destination::Destination;
use tests::push::{Push, noise};
use tests::{World, bomb, read_log_files, wait_until, wire};

/// Starts a push without its last byte; the server has started to answer it.
fn stalled_push(folder: &Path, url: &str) -> (Push, TcpStream) {
    let work = folder.join("work");
    git(folder, &["init", "--quiet", "--bare", "work"]).ok();
    let noise = noise(400_000);
    let commit = format!(
        "commit refs/heads/main\ncommitter Mary Major <mary@example.com> 1481739554 +0000\ndata 6\nChange\n\
         M 100644 inline noise\ndata {}\n{noise}\n",
        noise.len()
    );
    git_fed(&work, &["fast-import", "--quiet"], commit.as_bytes());
    let push = Push::new(&work, "refs/heads/main", None, &git(&work, &["rev-parse", "main"]).ok());
    let stalled = push.begin(url, push.bytes() - 1).expect("the server reads the request");
    stalled.peek(&mut [0]).expect("the server starts to answer");
    (push, stalled)
}

/// Starts a merge of too many files to finish.
fn slow_call(folder: &Path, endpoint: &str) -> TcpStream {
    let work = folder.join("bomb");
    git(folder, &["init", "--quiet", "--bare", "bomb"]).ok();
    let base = bomb::commit(&work, "base", 10, 1, None);
    for side in ["ours", "theirs"] {
        let commit = bomb::commit(&work, side, 10, 1, Some(&base));
        bomb::push(&work, &format!("{endpoint}/v1/repos/demo"), &commit, side);
    }
    let input = json!({
        "repositoryName": "demo", "destinationCommitSpecifier": "ours", "sourceCommitSpecifier": "theirs",
        "mergeOption": "THREE_WAY_MERGE",
    });
    wire::begin(endpoint, "GetMergeConflicts", &input)
}

#[test]
fn a_second_signal_changes_nothing_and_what_was_acknowledged_is_in_the_log_files() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    // Only the end of the grace period ends the push and the merge.
    let running = Running::start(
        &[
            ["--data-dir", data.to_str().expect("the path is text")],
            ["--log-interval", "1h"],
            ["--stop-timeout", "1s"],
            ["--git-timeout", "1h"],
            ["--merge-timeout", "1h"],
            ["--merge-max-items", "1000000000000"],
        ]
        .concat(),
    );
    let create = |name: &str| {
        let request = wire::request(running.endpoint(), "CreateRepository", &json!({ "repositoryName": name }));
        wire::try_send(request).is_ok_and(|reply| reply.status == 200)
    };
    assert!(create("demo"));
    let (_push, stalled) = stalled_push(folder.path(), &format!("{}/v1/repos/demo", running.endpoint()));
    let slow = slow_call(folder.path(), running.endpoint());
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (create, acknowledged) = (&create, &acknowledged);
            scope.spawn(move || {
                for name in (0..).map(|number| format!("r{thread}-{number}")) {
                    if !create(&name) {
                        break;
                    }
                    acknowledged.lock().push(name);
                }
            });
        }
        wait_until("there are calls", || acknowledged.lock().len() >= 30);
        running.signal();
        let address = running.endpoint().trim_start_matches("http://");
        wait_until("it stops", || TcpStream::connect(address).is_err());
        running.signal();
    });
    assert_eq!(running.wait(), Some(0));
    let mut created: Vec<String> = read_log_files(&data.join("trail"))
        .iter()
        .filter(|event| event["eventName"] == "CreateRepository")
        .map(|event| event["requestParameters"]["repositoryName"].as_str().expect("the call is recorded").to_owned())
        .collect();
    created.sort();
    let mut acknowledged = acknowledged.into_inner();
    acknowledged.push("demo".to_owned());
    for name in acknowledged {
        assert_eq!(created.iter().filter(|created| **created == name).count(), 1, "{name}");
    }
    drop((stalled, slow));
}

#[test]
fn stalled_clients_do_not_delay_the_stop() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let data_dir = data.to_str().expect("the path is text");
    // The grace period is long enough for all of the requests, and much shorter than the time limit of a stalled client.
    let running = Running::start(&["--data-dir", data_dir, "--log-interval", "1h", "--stop-timeout", "300ms"]);
    let created = wire::request(running.endpoint(), "CreateRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(wire::send(created).status, 200);
    let url = format!("{}/v1/repos/demo", running.endpoint());
    let (push, stalled) = stalled_push(folder.path(), &url);
    let begun = push.begin(&url, 100).expect("the server reads the request");
    let mut call = TcpStream::connect(running.endpoint().trim_start_matches("http://")).expect("the server listens");
    call.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        .expect("the server reads the request");
    assert_eq!(running.terminate(), Some(0));
    let events: Vec<_> = read_log_files(&data.join("trail")).iter().map(|event| event["eventName"].clone()).collect();
    assert!(events.contains(&json!("CreateRepository")), "{events:?}");
    drop((stalled, begun, call));
}

#[test]
fn the_last_log_files_are_written_and_their_notifications_kept() {
    let mut world = World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.triggers.first_retry = Duration::from_mins(5);
        let nobody = server::settings::Destination::Url("http://127.0.0.1:1".to_owned());
        settings.triggers.destinations = [("arn:aws:sns:".to_owned(), nobody)].into_iter().collect();
    });
    world.ok("CreateTrail", &json!({ "Name": "Mine", "S3BucketName": "my-logs", "SnsTopicName": "Files" }));
    world.ok("StartLogging", &json!({ "Name": "Mine" }));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.stop();
    let bucket = world.folder().join("data/buckets/my-logs");
    let names: Vec<_> = read_log_files(&bucket).iter().map(|event| event["eventName"].clone()).collect();
    assert!(names.contains(&json!("CreateRepository")), "{names:?}");
    let destination = Destination::start(&[]);
    // Past the time of the next attempt.
    world.move_clock(600);
    world.restart_with(|settings| {
        let somebody = server::settings::Destination::Url(destination.url().to_owned());
        settings.triggers.destinations = [("arn:aws:sns:".to_owned(), somebody)].into_iter().collect();
    });
    let messages = [destination.next().body, destination.next().body];
    let key = messages.iter().find_map(|message| {
        let message: Value = serde_json::from_str(message).ok()?;
        Some(message["s3ObjectKey"][0].as_str()?.to_owned())
    });
    let key = key.expect("one message names a log file, the other validates the topic");
    assert!(bucket.join(&key).is_file(), "{key}");
}

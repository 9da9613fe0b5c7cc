//! The folders of a server: locks against a second server, overlapping folders, and several servers one after another.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tests::binary::{self, Running};
use tests::digests::{digests, signing_key, verify};
use tests::{Reply, World, log_files, read_events, wire};
use ureq::http::Request;

/// Starts the program with invalid arguments and returns its error.
fn refused(arguments: &[&str]) -> String {
    let output = Command::new(binary::path()).env_clear().args(["--listen", "127.0.0.1:0"]).args(arguments).output();
    let output = output.expect("the program is built");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).expect("the output is UTF-8")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

#[test]
fn a_trail_directory_serves_one_server_only() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = folder.path().join("trail");
    let running = Running::start(&["--ephemeral", "--trail-dir", text(&trail)]);
    let before = fs::read(trail.join("events.ndjson")).expect("the file exists");
    let message = refused(&["--ephemeral", "--trail-dir", text(&trail)]);
    for part in [text(&trail), "--trail-dir", &format!("process {}", running.id()), running.endpoint()] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&trail, &link).expect("links can be made");
    assert!(refused(&["--ephemeral", "--trail-dir", text(&link)]).contains("another server"));
    assert_eq!(fs::read(trail.join("events.ndjson")).expect("the file exists"), before);
    assert_eq!(running.terminate(), Some(0));
    Running::start(&["--ephemeral", "--trail-dir", text(&trail)]).kill();
    // A killed process holds no lock, and its leftover files are ignored.
    Running::start(&["--ephemeral", "--trail-dir", text(&trail)]).terminate();
}

#[test]
fn a_data_folder_that_is_in_use_is_refused_by_its_name() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let (data, trail) = (folder.path().join("data"), folder.path().join("trail"));
    let running = Running::start(&["--data-dir", text(&data)]);
    let message = refused(&["--data-dir", text(&data), "--trail-dir", text(&trail)]);
    for part in [text(&data), "--data-dir", running.endpoint()] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    assert!(!trail.exists(), "a server that is refused makes nothing");
}

#[test]
fn a_folder_of_buckets_serves_one_server_only() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let [one, other, buckets] = ["one", "other", "shared"].map(|name| folder.path().join(name));
    let named = ["--data-dir", text(&other), "--buckets-dir", text(&buckets)];
    let running = Running::start(&["--data-dir", text(&one), "--buckets-dir", text(&buckets)]);
    let message = refused(&named);
    for part in [text(&buckets), "--buckets-dir", &format!("process {}", running.id()), running.endpoint()] {
        assert!(message.contains(part), "{part} is not in {message}");
    }
    assert_eq!(running.terminate(), Some(0));
    Running::start(&named).kill();
    Running::start(&named).terminate();
    // Adjacent trail directories share a folder of buckets unless a setting changes it.
    let [left, right] = ["left", "right"].map(|name| folder.path().join(name));
    let _running = Running::start(&["--ephemeral", "--trail-dir", text(&left)]);
    let message = refused(&["--ephemeral", "--trail-dir", text(&right)]);
    assert!(message.contains("--buckets-dir"), "{message}");
    Running::start(&["--ephemeral", "--trail-dir", text(&right), "--buckets-dir", text(&buckets)]).terminate();
}

#[test]
fn nested_folders_are_refused_before_anything_is_created() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let [data, trail] = ["data", "trail"].map(|name| folder.path().join(name));
    let inside = data.join("repositories");
    let config = folder.path().join("served/config.toml");
    let served = config.parent().expect("the file is in a folder");
    fs::create_dir_all(served).expect("the folder is writable");
    fs::write(&config, "").expect("the folder is writable");
    for (arguments, settings) in [
        (vec!["--data-dir", text(&data), "--trail-dir", text(&data)], ["--data-dir", "--trail-dir"]),
        (vec!["--data-dir", text(&inside), "--trail-dir", text(&data)], ["--data-dir", "--trail-dir"]),
        (vec!["--data-dir", text(&data), "--buckets-dir", text(&data)], ["--data-dir", "--buckets-dir"]),
        (vec!["--data-dir", text(&data), "--buckets-dir", text(&inside)], ["--data-dir", "--buckets-dir"]),
        (
            vec!["--data-dir", text(&data), "--trail-dir", text(&trail), "--trail-archive", text(&trail)],
            ["--trail-archive", "--trail-dir"],
        ),
        (
            vec!["--data-dir", text(&data), "--trail-dir", text(served), "--config", text(&config)],
            ["--config", "--trail-dir"],
        ),
    ] {
        let message = refused(&arguments);
        assert!(settings.iter().all(|setting| message.contains(setting)), "{arguments:?}: {message}");
        assert!(!data.exists() && !trail.exists(), "{arguments:?}");
    }
}

fn send(method: &str, url: &str) -> Reply {
    wire::send(Request::builder().method(method).uri(url).body(Vec::new()).expect("the request is well formed"))
}

/// Starts a server that keeps only its trail, and lets it record, deliver and digest a call.
fn run_once(trail: &Path, arguments: &[&str]) {
    let running = Running::start(&[&["--ephemeral", "--trail-dir", text(trail)], arguments].concat());
    let list = wire::request(running.endpoint(), "ListRepositories", &json!({}));
    assert_eq!(wire::send(list).status, 200);
    assert_eq!(send("POST", &format!("{}/_local/digest", running.endpoint())).status, 200);
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_trail_directory_stays_valid_over_several_servers() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = folder.path().join("trail");
    let key = signing_key();
    // Servers with different keys, and two with the same key that start within a second.
    let with_key = ["--signing-key", text(&key)];
    for (round, arguments) in [&[][..], &[], &[], &with_key, &with_key, &with_key].into_iter().enumerate() {
        run_once(&trail, arguments);
        assert_eq!(read_events(&trail).len(), round + 1);
        assert_eq!(
            log_files(&trail).iter().filter(|path| path.is_file()).count(),
            round + 1,
            "no log file is replaced"
        );
        assert!(digests(&trail).len() > round, "no digest is replaced");
        let outcome = verify(&trail, &[]);
        let log_files = format!("{0}/{0} log files valid", round + 1);
        assert!(outcome.success && outcome.out.contains(&log_files), "{}\n{}", outcome.out, outcome.err);
    }
}

#[test]
fn a_digest_of_another_server_is_not_replaced() {
    // Two servers, one after the other, with clocks that return the same times.
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = folder.path().join("trail");
    for round in 1..=2 {
        let world = World::with(|settings| settings.trail_dir = Some(trail.clone()));
        world.ok("ListRepositories", &json!({}));
        world.digest();
        drop(world);
        assert!(digests(&trail).len() >= round);
        assert_eq!(log_files(&trail).len(), round);
        let outcome = verify(&trail, &[]);
        assert!(outcome.success, "{}\n{}", outcome.out, outcome.err);
    }
}

#[test]
fn special_files_in_a_bucket_block_no_request() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = folder.path().join("trail");
    let running = Running::start(&["--ephemeral", "--trail-dir", text(&trail)]);
    for name in ["pipe", "notifications.ndjson"] {
        assert!(Command::new("mkfifo").arg(trail.join(name)).status().expect("mkfifo is there").success());
    }
    let _socket = std::os::unix::net::UnixListener::bind(trail.join("socket")).expect("the folder is writable");
    let get = |path: &str| send("GET", &format!("{}/{path}", running.endpoint()));
    for name in ["pipe", "socket"] {
        assert_eq!(get(&format!("codecommit-local-trail/{name}")).status, 404, "{name}");
    }
    let listing = get("codecommit-local-trail");
    assert!(listing.status == 200 && !listing.text().contains("<Key>"), "{}", listing.text());
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn a_reset_under_load_is_answered() {
    let world = World::with(|settings| {
        settings.allow_reset = true;
        settings.log_interval = std::time::Duration::from_millis(1);
    });
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (world, done) = (&world, &done);
            scope.spawn(move || {
                for number in 0.. {
                    if done.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    // A trail creates folders in its bucket; whether the trail is created depends on the resets.
                    let name = format!("Trail{thread}-{number}");
                    let trail = json!({ "Name": name, "S3BucketName": "codecommit-local-trail" });
                    assert!(world.call("CreateTrail", &trail).status < 500);
                    assert!(world.call("DeleteTrail", &json!({ "Name": name })).status < 500);
                }
            });
        }
        for _ in 0..60 {
            let reply = world.send("POST", "/_local/reset", &[], b"");
            done.store(reply.status != 200, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    let left = |folder: &str| fs::read_dir(world.trail_folder().join(folder)).map_or(0, Iterator::count);
    assert!(left(".metadata/removed.partial") == 0);
}

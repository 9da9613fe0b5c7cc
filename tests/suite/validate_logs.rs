//! The unmodified `aws cloudtrail validate-logs`: short digest intervals, a restart, and every kind of tampering.

use std::fs;
use std::path::Path;

use serde_json::json;
use tests::binary::Running;
use tests::clients::Outcome;
use tests::digests::{digests, signing_key};
use tests::{World, log_files, wait_until};

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local";

/// Validates everything that was delivered on the day of the test clock.
fn validate(world: &World) -> Outcome {
    validate_trail(world, TRAIL)
}

fn validate_trail(world: &World, arn: &str) -> Outcome {
    let times = ["--start-time", "2016-12-14T00:00:00Z", "--end-time", "2016-12-15T00:00:00Z"];
    world.aws(&[&["cloudtrail", "validate-logs", "--verbose", "--trail-arn", arn][..], &times].concat())
}

/// Starts a server with a chain of digests that includes a restart; nothing else is delivered during the test.
fn chained() -> World {
    let mut world = World::with(|settings| settings.log_interval = std::time::Duration::from_hours(1));
    for round in 0..6 {
        world.ok("ListRepositories", &json!({}));
        if round == 3 {
            world.restart();
        }
        world.digest();
    }
    world
}

/// Asserts that the CLI counts these files as valid, and checks its exit status.
fn assert_counts(outcome: &Outcome, success: bool, lines: &[&str]) {
    assert_eq!(outcome.success, success, "{}\n{}", outcome.out, outcome.err);
    for line in lines {
        assert!(outcome.out.lines().any(|found| found == *line), "{line}\n{}\n{}", outcome.out, outcome.err);
    }
}

#[test]
fn a_chain_over_a_restart_is_valid() {
    let outcome = validate(&chained());
    assert_counts(&outcome, true, &["6/6 digest files valid", "6/6 log files valid"]);
}

#[test]
fn changed_and_deleted_log_files_are_reported() {
    let world = chained();
    let files = log_files(&world.trail_folder());
    fs::remove_file(&files[0]).expect("the file exists");
    fs::copy(&files[2], &files[1]).expect("the folder is writable");
    let outcome = validate(&world);
    assert_counts(&outcome, false, &["6/6 digest files valid", "4/6 log files valid, 2/6 log files INVALID"]);
    assert!(outcome.err.contains("INVALID: not found"), "{}", outcome.err);
    assert!(outcome.err.contains("INVALID: hash value doesn't match"), "{}", outcome.err);
    assert_counts(&world.verify(), false, &["4/6 log files valid, 2/6 log files INVALID"]);
}

#[test]
fn forged_and_deleted_digests_are_reported() {
    let world = chained();
    let digests = world.digests();
    let mut forged = digests[3].content.clone();
    forged["logFiles"] = json!([]);
    write(&digests[3].path, &forged.to_string());
    let outcome = validate(&world);
    let lines = ["5/6 digest files valid, 1/6 digest files INVALID", "5/5 log files valid"];
    assert_counts(&outcome, false, &lines);
    assert!(outcome.err.contains("INVALID: signature verification failed"), "{}", outcome.err);
    assert_counts(&world.verify(), false, &lines);
    fs::remove_file(&digests[3].path).expect("the file exists");
    let outcome = validate(&world);
    assert_counts(&outcome, false, &lines);
    assert!(outcome.err.contains("INVALID: not found"), "{}", outcome.err);
    assert_counts(&world.verify(), false, &lines);
}

#[test]
fn chains_stay_valid_after_jumps_of_the_clock() {
    let world = World::with(|settings| settings.log_interval = std::time::Duration::from_hours(1));
    let digest = || {
        world.ok("ListRepositories", &json!({}));
        world.digest();
    };
    digest();
    let days = 60 * 24 * 3_600;
    world.move_clock(days);
    digest();
    world.move_clock(-days);
    digest();
    digest();
    let outcome = validate(&world);
    assert_counts(&outcome, true, &["3/3 digest files valid", "3/3 log files valid"]);
    assert!(world.digests().len() <= 1 + 25 + 2, "{}", world.digests().len());
    let outcome = world.verify().ok();
    assert!(outcome.contains("4/4 log files valid") && !outcome.contains("not covered"), "{outcome}");
}

#[test]
fn stopped_and_deleted_trails_are_valid() {
    let world = World::with(|settings| settings.log_interval = std::time::Duration::from_hours(1));
    for (name, end) in [("Stopped", "StopLogging"), ("Deleted", "DeleteTrail")] {
        let bucket = format!("{}-logs", name.to_lowercase());
        world.ok("CreateTrail", &json!({ "Name": name, "S3BucketName": bucket, "EnableLogFileValidation": true }));
        world.ok("StartLogging", &json!({ "Name": name }));
        assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
        world.ok(end, &json!({ "Name": name }));
        world.digest();
        world.digest();
        let outcome = tests::digests::verify(&world.folder().join("data/buckets").join(bucket), &[]).ok();
        assert_eq!(outcome, "1/1 digest files valid\n2/2 log files valid", "{name}");
    }
    let stopped = validate_trail(&world, "arn:aws:cloudtrail:us-east-1:111122223333:trail/Stopped");
    assert_counts(&stopped, true, &["1/1 digest files valid", "2/2 log files valid"]);
}

fn write(path: &Path, content: &str) {
    let file = fs::File::create(path).expect("the folder is writable");
    let mut gzip = flate2::GzBuilder::new().write(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, content.as_bytes()).expect("a temporary folder can be created");
    gzip.finish().expect("a temporary folder can be created");
}

#[test]
fn digests_are_created_on_time_and_continue_after_a_kill() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let key = signing_key();
    let arguments =
        ["--data-dir", data.to_str().expect("the path is UTF-8"), "--digest-interval", "1s", "--log-interval", "100ms"];
    let arguments = [&arguments[..], &["--signing-key", key.to_str().expect("the path is UTF-8")]].concat();
    let trail = data.join("trail");
    for round in 1..=3 {
        let running = Running::start(&arguments);
        let before = if trail.exists() { digests(&trail).len() } else { 0 };
        let list = tests::wire::request(running.endpoint(), "ListRepositories", &json!({}));
        assert_eq!(tests::wire::send(list).status, 200);
        wait_until("two more digests, and the log file is in one", || {
            let digests = digests(&trail);
            let covered =
                digests.iter().flat_map(|digest| digest.content["logFiles"].as_array().cloned().unwrap_or_default());
            digests.len() >= before + 2 && covered.count() >= round
        });
        running.kill();
    }
    let digests = digests(&trail);
    for pair in digests.windows(2) {
        assert_eq!(pair[1].content["previousDigestS3Object"], pair[0].content["digestS3Object"]);
        assert_eq!(pair[1].content["digestStartTime"], pair[0].content["digestEndTime"]);
    }
    let outcome = tests::digests::verify(&trail, &[]);
    assert!(outcome.success && outcome.out.contains("\n3/3 log files valid"), "{}\n{}", outcome.out, outcome.err);
}

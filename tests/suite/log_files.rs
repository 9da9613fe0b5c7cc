//! The files of the trail: `events.ndjson` over restarts, and log files in the layout of AWS.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tests::wire::signed;
use tests::{World, log_files, read_log_files};

/// Starts a server that writes log files on demand, when one is full, and at its stop.
fn world(log_bytes: u64) -> World {
    World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.log_bytes = log_bytes;
        settings.allow_reset = true;
    })
}

fn flush(world: &World) {
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
}

fn call(world: &World, count: usize) {
    for _ in 0..count {
        world.ok("ListRepositories", &json!({}));
    }
}

fn ids(records: &[Value]) -> Vec<String> {
    let mut ids: Vec<_> =
        records.iter().map(|record| record["eventID"].as_str().expect("the member is a string").to_owned()).collect();
    ids.sort();
    ids
}

/// Asserts that the log files contain the records of `events.ndjson`, each once.
fn assert_delivered_once(world: &World) {
    let (events, mut delivered) = (world.events(), read_log_files(&world.trail_folder()));
    assert_eq!(ids(&delivered), ids(&events));
    let by_id = |records: &[Value]| -> BTreeMap<String, String> {
        records.iter().map(|record| (record["eventID"].to_string(), record.to_string())).collect()
    };
    assert_eq!(by_id(&delivered), by_id(&events));
    delivered.clear();
}

fn events_path(world: &World) -> std::path::PathBuf {
    world.trail_folder().join("events.ndjson")
}

/// Returns the text of a log file, which must consist of one gzip member.
fn text(path: &Path) -> String {
    let bytes = fs::read(path).expect("the file was listed");
    let mut rest = &bytes[..];
    let mut text = String::new();
    flate2::bufread::GzDecoder::new(&mut rest).read_to_string(&mut text).expect("the file is compressed text");
    assert!(rest.is_empty(), "there is more than one member in {}", path.display());
    text
}

#[test]
fn log_files_have_the_layout_and_names_of_aws() {
    let world = world(5 << 20);
    call(&world, 2);
    let ohio = signed("AKIAIOSFODNN7EXAMPLE", "us-east-2");
    world.call_as("ListRepositories", &json!({}), &[("authorization", &ohio)]);
    let basic = "Basic TGlfSnVhbi1hdC00NDQ0NTU1NTY2NjY6eA==";
    world.call_as("ListRepositories", &json!({}), &[("authorization", basic)]);
    flush(&world);
    let mut found = Vec::new();
    for path in log_files(&world.trail_folder()) {
        let inside = path
            .strip_prefix(world.trail_folder())
            .expect("the path is below the folder")
            .to_str()
            .expect("the text is ASCII")
            .to_owned();
        let parts: Vec<&str> = inside.split('/').collect();
        let ["AWSLogs", account, "CloudTrail", region, "2016", "12", "14", name] = parts[..] else {
            panic!("{inside}")
        };
        let start = format!("{account}_CloudTrail_{region}_20161214T18");
        let rest = name
            .strip_prefix(&start)
            .and_then(|rest| rest.strip_suffix(".json.gz"))
            .unwrap_or_else(|| panic!("{name}"));
        let (minute, unique) = rest.split_once("Z_").unwrap_or_else(|| panic!("{name}"));
        assert!(minute.len() == 2 && minute.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
        assert!(unique.len() == 16 && unique.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{name}");
        let text = text(&path);
        assert!(text.starts_with("{\"Records\":[{") && text.ends_with("}]}") && !text.contains('\n'), "{text}");
        let content: Value = serde_json::from_str(&text).expect("the text is JSON");
        let records = content["Records"].as_array().expect("the value is a list");
        for record in records {
            assert_eq!(
                (record["recipientAccountId"].as_str(), record["awsRegion"].as_str()),
                (Some(account), Some(region))
            );
        }
        found.push((account.to_owned(), region.to_owned(), records.len()));
    }
    let expected =
        [("111122223333", "us-east-1", 2), ("111122223333", "us-east-2", 1), ("444455556666", "us-east-1", 1)];
    assert_eq!(found, expected.map(|(account, region, count)| (account.to_owned(), region.to_owned(), count)));
    assert_delivered_once(&world);
}

#[test]
fn without_events_no_log_file_is_written() {
    let mut world = world(5 << 20);
    flush(&world);
    world.restart();
    assert_eq!(log_files(&world.trail_folder()), Vec::<std::path::PathBuf>::new());
}

#[test]
fn each_event_is_in_exactly_one_file_over_flushes_and_restarts() {
    let mut world = world(5 << 20);
    call(&world, 3);
    flush(&world);
    assert_delivered_once(&world);
    flush(&world);
    assert_eq!(log_files(&world.trail_folder()).len(), 1);
    call(&world, 2);
    flush(&world);
    assert_delivered_once(&world);
    call(&world, 2);
    world.restart();
    assert_delivered_once(&world);
    call(&world, 1);
    world.stop();
    assert_delivered_once(&world);
    assert_eq!(log_files(&world.trail_folder()).len(), 4);
}

#[test]
fn files_are_cut_by_size_and_a_record_larger_than_that_has_its_own() {
    let world = world(2_000);
    call(&world, 20);
    world.ok("CreateRepository", &json!({ "repositoryName": "a", "repositoryDescription": "x".repeat(1_000) }));
    call(&world, 20);
    flush(&world);
    assert_delivered_once(&world);
    let files = log_files(&world.trail_folder());
    assert!(files.len() > 10, "{} files", files.len());
    for path in files {
        assert_fits(&path, 2_000);
    }
}

#[test]
fn sizes_are_bytes_whatever_the_letters() {
    let world = world(10_000);
    for name in ["a", "b", "c", "d"] {
        let description = "\u{1f600}".repeat(1_000);
        world.ok("CreateRepository", &json!({ "repositoryName": name, "repositoryDescription": description }));
    }
    flush(&world);
    assert_delivered_once(&world);
    for path in log_files(&world.trail_folder()) {
        assert_fits(&path, 10_000);
    }
}

fn assert_fits(path: &Path, bytes_max: usize) {
    let content: Value = serde_json::from_str(&text(path)).expect("the text is JSON");
    let records = content["Records"].as_array().expect("the value is a list");
    let bytes: usize = records.iter().map(|record| record.to_string().len()).sum();
    assert!(records.len() == 1 || bytes <= bytes_max, "{} records of {bytes} bytes", records.len());
}

#[test]
fn a_torn_last_line_is_completed_at_the_next_start() {
    for cut in [1, 2, 100] {
        let mut world = world(5 << 20);
        call(&world, 3);
        let before = fs::read(events_path(&world)).expect("the file exists");
        world.stop();
        fs::write(events_path(&world), &before[..before.len() - cut]).expect("the folder is writable");
        world.restart();
        assert_eq!(fs::read(events_path(&world)).expect("the file exists"), before, "{cut} bytes lacked");
        call(&world, 1);
        assert_eq!(world.events().len(), 4);
        assert_delivered_after_flush(&world);
    }
}

#[test]
fn a_torn_line_without_a_commit_is_removed() {
    let mut world = world(5 << 20);
    call(&world, 2);
    let before = fs::read(events_path(&world)).expect("the file exists");
    world.stop();
    append(&world, "{\"eventVersion\":\"1.05\",\"userIden");
    world.restart();
    assert_eq!(fs::read(events_path(&world)).expect("the file exists"), before);
}

#[test]
fn missing_lines_are_written_again() {
    let mut world = world(5 << 20);
    call(&world, 200);
    let before = fs::read_to_string(events_path(&world)).expect("the file exists");
    for kept in [199, 100, 1, 0] {
        world.stop();
        let lines: String = before.lines().take(kept).fold(String::new(), |text, line| text + line + "\n");
        fs::write(events_path(&world), lines).expect("the folder is writable");
        world.restart();
        assert_eq!(fs::read_to_string(events_path(&world)).expect("the file exists"), before, "{kept} lines were kept");
    }
    world.stop();
    fs::remove_file(events_path(&world)).expect("the file exists");
    world.restart();
    assert_eq!(fs::read_to_string(events_path(&world)).expect("the file exists"), before);
}

#[test]
fn a_foreign_line_is_kept() {
    let mut world = world(5 << 20);
    call(&world, 3);
    let before = fs::read_to_string(events_path(&world)).expect("the file exists");
    let lines: Vec<&str> = before.lines().collect();
    let foreign = ["{\"eventID\":\"0d6e8a1c-0000-4000-8000-00000000a5a5\"}", "not even JSON", ""];
    world.stop();
    let text = format!("{}\n{}\n{}\n", foreign[0], lines[0], foreign[1..].join("\n"));
    fs::write(events_path(&world), &text).expect("the folder is writable");
    world.restart();
    let expected = format!("{text}{}\n{}\n", lines[1], lines[2]);
    assert_eq!(fs::read_to_string(events_path(&world)).expect("the file exists"), expected);
    world.restart();
    assert_eq!(fs::read_to_string(events_path(&world)).expect("the file exists"), expected);
}

#[test]
fn a_long_foreign_end_does_not_hide_the_last_record() {
    let mut world = world(5 << 20);
    call(&world, 3);
    world.stop();
    // Longer than a read buffer, as one line and as many.
    append(&world, &format!("{}\n", "x".repeat(200_000)));
    append(&world, &"{}\n".repeat(50_000));
    let before = fs::read(events_path(&world)).expect("the file exists");
    world.restart();
    assert_eq!(fs::read(events_path(&world)).expect("the file exists"), before);
    world.stop();
    append(&world, &"y".repeat(200_000));
    world.restart();
    assert_eq!(fs::read(events_path(&world)).expect("the file exists"), before);
}

fn append(world: &World, text: &str) {
    let mut file = OpenOptions::new().append(true).open(events_path(world)).expect("the file exists");
    file.write_all(text.as_bytes()).expect("a temporary folder can be created");
}

fn assert_delivered_after_flush(world: &World) {
    flush(world);
    assert_delivered_once(world);
}

#[test]
fn a_reset_empties_everything() {
    let mut world = world(5 << 20);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:refs/heads/main"]).ok();
    flush(&world);
    call(&world, 1);
    let reply = world.send("POST", "/_local/reset", &[], b"");
    assert_eq!((reply.status, reply.json()), (200, json!({ "status": "done" })));
    assert_eq!(world.events(), Vec::<Value>::new());
    assert_eq!(log_files(&world.trail_folder()), Vec::<std::path::PathBuf>::new());
    assert_eq!(world.ok("ListRepositories", &json!({})), json!({ "repositories": [] }));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" })), json!({ "branches": [] }));
    assert_eq!(world.events().len(), 3);
    assert_delivered_after_flush(&world);
    world.restart();
    assert_eq!(world.events().len(), 3);
    assert_delivered_once(&world);
}

#[test]
fn a_reset_that_is_not_allowed_changes_nothing() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let reply = world.send("POST", "/_local/reset", &[], b"");
    assert_eq!(reply.status, 403);
    assert!(reply.json()["message"].as_str().is_some_and(|message| message.contains("--allow-reset")));
    assert_eq!(world.events().len(), 1);
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
}

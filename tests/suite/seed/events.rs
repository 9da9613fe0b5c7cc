//! The history of events that a seed begins with.

use std::io::Write;

use serde_json::{Value, json};

use super::*;

fn record(id: &str, time: &str, account: &str) -> Value {
    json!({
        "eventVersion": "1.05",
        "userIdentity": { "type": "IAMUser", "userName": "Li_Juan" },
        "eventTime": time,
        "eventSource": "codecommit.amazonaws.com",
        "eventName": "CreateBranch",
        "awsRegion": "us-east-1",
        "eventID": id,
        "readOnly": false,
        "recipientAccountId": account,
    })
}

/// A seed with two events in a file of lines, and these and a third in a log file.
fn seed_with_events() -> SeedFolder {
    let seed = SeedFolder::new();
    let first = record("1", "2026-01-02T00:00:00Z", "111122223333");
    let second = record("2", "2026-01-01T00:00:00Z", "111122223333");
    let third = record("3", "2026-01-03T00:00:00Z", "444455556666");
    seed.write("events.ndjson", &format!("{first}\n\n{second}\n"));
    let path = seed.write("events/AWSLogs/some.json.gz", "");
    let file = fs::File::create(path).expect("the folder is writable");
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::default());
    let content = json!({ "Records": [third, first] }).to_string();
    encoder.write_all(content.as_bytes()).and_then(|()| encoder.finish().map(drop)).expect("the file is writable");
    seed
}

#[test]
fn events_are_in_the_history_the_file_and_valid_log_files_before_the_first_call() {
    let seed = seed_with_events();
    let world = seed.world();
    let ids: Vec<_> = world.events().iter().map(|event| event["eventID"].clone()).collect();
    assert_eq!(ids, ["2", "1", "3"], "oldest first, each once");
    assert_eq!(tests::read_log_files(&world.trail_folder()).len(), 3);
    assert_eq!(world.send("POST", "/_local/digest", &[], b"").status, 200);
    let verified = Command::new(tests::binary::path()).arg("verify").arg(world.trail_folder()).output();
    let verified = verified.expect("the program is built");
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let trail = "arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local";
    let times = ["--start-time", "2016-12-14T00:00:00Z", "--end-time", "2016-12-15T00:00:00Z"];
    let validated = world.aws(&[&["cloudtrail", "validate-logs", "--trail-arn", trail][..], &times].concat()).ok();
    assert!(validated.contains("1/1 log files valid"), "{validated}");
    reset(&world);
    assert_eq!(world.events().len(), 3);
}

#[test]
fn events_can_end_now() {
    let seed = seed_with_events();
    seed.write("seed.toml", "event-times = \"end-now\"\n");
    let world = seed.world();
    let found = world.run(world.cloudtrail().lookup_events().send()).expect("the call succeeds");
    let names: Vec<_> = found.events().iter().map(|event| (event.event_name(), event.username())).collect();
    assert_eq!(names, [(Some("CreateBranch"), Some("Li_Juan")); 2]);
    let times: Vec<_> = world.events().iter().map(|event| event["eventTime"].clone()).collect();
    let seconds = |time: &Value| {
        let time = time.as_str().expect("it is a text");
        aws::Timestamp::from_iso(time).expect("it is a time").millis() / 1_000
    };
    assert_eq!(seconds(&times[2]) - seconds(&times[0]), 2 * 24 * 60 * 60);
}

#[test]
fn faults_of_events_name_the_file_and_the_record() {
    let incomplete = record("", "2026-01-02T00:00:00Z", "111122223333").to_string();
    let no_time = record("1", "now", "111122223333").to_string();
    for (name, content, expected) in [
        ("events.ndjson", "\nx\n", "events.ndjson': line 2: it is no JSON"),
        ("events.ndjson", &incomplete, "line 1: it has no `eventID`; write a record of CloudTrail"),
        ("events/more.ndjson", &no_time, "line 1: its eventTime 'now' is no time"),
        ("one.json.gz", "x", "it is no log file of CloudTrail in gzip"),
    ] {
        let seed = SeedFolder::new();
        seed.write(name, content);
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let message = seed.refused(&folder.path().join("data"));
        assert!(message.contains(expected), "{message}");
    }
}

//! SIGKILL under load: every acknowledged change has exactly one event in the file, and arrives at a destination.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tests::binary::Running;
use tests::destination::Destination;
use tests::wire::{request, try_send};

/// Number of kills, unless `CRASH_ROUNDS` in the environment sets another.
const ROUNDS: usize = 3;

/// Number of acknowledged changes before a kill.
const CHANGES_PER_ROUND: usize = 400;

#[test]
fn every_acknowledged_change_has_one_event() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    let destination = Destination::start(&[]);
    let data_dir = data.to_str().expect("the path is UTF-8");
    let flags = ["--data-dir", data_dir, "--eventbridge-url", destination.url()];
    let server = Running::start(&flags);
    call(server.endpoint(), "CreateRepository", &json!({ "repositoryName": "changed" })).expect("the server runs");
    let file = json!({
        "repositoryName": "changed", "branchName": "main", "filePath": "a.txt", "fileContent": "QQ==",
    });
    let commit = call(server.endpoint(), "PutFile", &file).expect("the server runs")["commitId"].clone();
    drop(server);
    let acknowledged = Mutex::new(BTreeSet::from(["main".to_owned()]));
    let rounds = std::env::var("CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    for round in 0..rounds {
        let server = Running::start(&flags);
        let endpoint = &server.endpoint().to_owned();
        let (done, progress) = channel();
        let (acknowledged, commit, is_killed) = (&acknowledged, &commit, &AtomicBool::new(false));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let done = done.clone();
                let prefix = format!("r{round}-{thread}");
                scope.spawn(move || create_many(endpoint, &prefix, commit, (acknowledged, is_killed), &done));
            }
            drop(done);
            assert_eq!(progress.iter().take(CHANGES_PER_ROUND).count(), CHANGES_PER_ROUND);
            is_killed.store(true, Ordering::Relaxed);
            server.kill();
        });
    }
    let server = Running::start(&flags);
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    let written = read(&data);
    for event in &written {
        assert_eq!(event["detail"]["event"], "referenceCreated");
        *events.entry(event["detail"]["referenceName"].to_string()).or_default() += 1;
    }
    let acknowledged = acknowledged.into_inner();
    for name in &acknowledged {
        assert_eq!(events.get(&json!(name).to_string()), Some(&1), "{name} was acknowledged");
    }
    let ids: BTreeSet<_> = written.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), written.len(), "no event is there twice");
    let mut missing = ids;
    while !missing.is_empty() {
        missing.remove(&destination.next_json()["id"].to_string());
    }
    drop(server);
}

fn create_many(
    endpoint: &str,
    prefix: &str,
    commit: &Value,
    (acknowledged, is_killed): (&Mutex<BTreeSet<String>>, &AtomicBool),
    done: &Sender<()>,
) {
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        let input = json!({ "repositoryName": "changed", "branchName": name, "commitId": commit });
        let created = call(endpoint, "CreateBranch", &input);
        if created.is_some() {
            acknowledged.lock().insert(name);
        }
        // The receiver ends when it has counted enough.
        let _ = done.send(());
        if created.is_none() || is_killed.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Calls an operation, which must succeed if it is answered.
fn call(endpoint: &str, operation: &str, input: &Value) -> Option<Value> {
    let reply = try_send(request(endpoint, operation, input)).ok()?;
    assert_eq!(reply.status, 200, "{}", reply.text());
    Some(if reply.body.is_empty() { Value::Null } else { reply.json() })
}

fn read(data: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(data.join("eventbridge.ndjson")).expect("the file exists");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

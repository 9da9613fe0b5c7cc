//! Panics in background work: each worker logs its panic and continues with the next round.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tests::{World, digests, files, wait_until};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// The names of all workers, which are those of their threads.
const WORKERS: [&str; 12] = [
    "archives",
    "database",
    "event-history",
    "eventbridge-file",
    "idle",
    "lifecycle",
    "maintenance",
    "notifications",
    "trail-delivery",
    "trail-digests",
    "trail-events",
    "triggers",
];

/// The workers whose panics were logged.
static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A log writer that keeps the injected panics of workers only.
struct Panics;

impl Subscriber for Panics {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        if line.error.contains("a test injected this panic") {
            logged().insert(line.worker);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn logged() -> parking_lot::MutexGuard<'static, BTreeSet<String>> {
    LOGGED.lock()
}

/// The members of a log line about a worker.
#[derive(Default)]
struct Line {
    worker: String,
    error: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "worker" => format!("{value:?}").trim_matches('"').clone_into(&mut self.worker),
            "error" => self.error = format!("{value:?}"),
            _ => {}
        }
    }
}

/// Returns the number of files with an extension below a folder.
fn count(folder: &Path, ending: &str) -> usize {
    files(folder).iter().filter(|path| path.extension().is_some_and(|end| end == ending)).count()
}

#[test]
fn every_kind_of_background_work_continues_after_a_panic() {
    tracing::subscriber::set_global_default(Panics).expect("no other test of the suite has a log");
    let order = worker::faults::first_rounds_panic();
    let world = World::with(|settings| {
        settings.log_interval = Duration::from_millis(1);
        settings.digest_interval = Duration::from_secs(1);
        settings.cache_idle = Duration::from_millis(1);
        settings.git.pack_limit = 2;
    });
    drop(order);
    let mut all: BTreeSet<String> = WORKERS.map(str::to_owned).into();
    if world.store().is_remote() {
        all.insert("cluster".to_owned());
    }
    wait_until("the panics are logged", || *logged() == all);

    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    world.ok("CreateTrail", &json!({ "Name": "Mine", "S3BucketName": "mine-logs", "SnsTopicName": "Files" }));
    let trigger = json!({ "name": "all", "destinationArn": "arn:aws:sns:us-east-1:111122223333:T", "branches": [], "events": ["all"] });
    world.ok("PutRepositoryTriggers", &json!({ "repositoryName": "demo", "triggers": [trigger] }));
    let mut commit = json!(null);
    for content in ["YQ==", "Yg==", "Yw==", "ZA=="] {
        let mut file =
            json!({ "repositoryName": "demo", "branchName": "main", "filePath": "a", "fileContent": content });
        if commit.is_string() {
            file["parentCommitId"] = commit;
        }
        commit = world.ok("PutFile", &file)["commitId"].clone();
    }
    let upload = json!({
        "repositoryName": "demo", "commitId": commit, "archiveType": "ZIP", "s3Bucket": "artifacts", "s3Key": "a.zip",
    });
    world.ok("UploadArchive", &upload);

    let data = world.folder().join("data");
    let text = |path: &str| fs::read_to_string(data.join(path)).unwrap_or_default();
    wait_until("archives are uploaded", || data.join("buckets/artifacts/a.zip").exists());
    wait_until("topics of triggers hear", || text("triggers.ndjson").lines().count() >= 4);
    wait_until("topics of trails hear", || text("trail/notifications.ndjson").lines().count() >= 1);
    wait_until("log files are delivered", || count(&data.join("trail"), "gz") > 0);
    wait_until("digests are made", || files(&data.join("trail")).iter().any(|path| digests::is_digest(path)));
    wait_until("packs are rolled up", || count(&data.join("repositories"), "pack") <= 2);
    let repositories = data.join("repositories").display().to_string();
    wait_until("what is idle is closed", || {
        !fs::read_to_string("/proc/self/maps").expect("Linux tells").contains(&repositories)
    });
    let name = json!({ "LookupAttributes": [{ "AttributeKey": "EventName", "AttributeValue": "PutFile" }] });
    assert_eq!(world.ok("LookupEvents", &name)["Events"].as_array().map(Vec::len), Some(4));
}

//! Recorded calls: acknowledgements, rows, `events.ndjson` and log files agree after every failure.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws::call::Origin;
use aws::{Call, Caller, SystemClock};
use bucket::{Buckets, FolderOptions};
use cluster::Cluster;
use faulty_disk::Faults;
use flate2::read::GzDecoder;
use parking_lot::Mutex;
use serde_json::Value;
use store::{Durability, Error, Store};
use trail::{Event, EventVersion, Notifier, Retention, Settings, Trail};

use crate::faults;

/// Number of rows of a large call: more than the cache of a connection holds, so that pages are written before the commit.
const PARTS: i64 = 80;

/// A notifier that does nothing.
struct NoNotifier;

impl Notifier for NoNotifier {
    fn wake(&self) {}
}

/// A trail and the acknowledged calls.
struct RecordedCalls {
    store: Arc<Store>,
    trail: Trail,
    folder: PathBuf,
    acknowledged: Mutex<BTreeSet<String>>,
}

impl RecordedCalls {
    fn open(folder: &Path) -> Self {
        let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
        let steps = &["CREATE TABLE notes (request TEXT NOT NULL); CREATE TABLE parts (bytes BLOB NOT NULL)"];
        store.migrate("test", steps).expect("the statements are valid");
        let (store, folder) = (Arc::new(store), folder.join("trail"));
        let settings = Settings {
            folder: folder.clone(),
            home_region: "us-east-1".parse().expect("the value is valid"),
            event_version: EventVersion::V1_05,
            console_events: None,
            kms_events: false,
            log_interval: Duration::from_hours(1),
            log_bytes: 5 << 20,
            digest_interval: Duration::from_hours(1),
            signing_key: None,
            key_rotation: Duration::from_hours(360),
            retention: Retention::default(),
            strict_buckets: false,
            sync: false,
        };
        let own = ("own".to_owned(), folder.clone());
        let buckets =
            Arc::new(Buckets::new(own, folder.with_file_name("buckets"), BTreeMap::new(), FolderOptions::default()));
        let trail = Trail::open(
            Arc::clone(&store),
            settings,
            buckets,
            Arc::new(SystemClock),
            Arc::new(NoNotifier),
            &Cluster::alone(),
        );
        Self { store, trail: trail.expect("the folder is writable"), folder, acknowledged: Mutex::default() }
    }

    fn call(&self, account: u64, parts: i64) {
        let account: aws::AccountId = format!("{account:012}").parse().expect("an account id has twelve digits");
        let origin = Origin {
            account: account.clone(),
            region: "us-east-1".parse().expect("the name is that of a region"),
            source_ip_address: "127.0.0.1".to_owned(),
            user_agent: None,
            host: None,
            clone_url_base: String::new(),
            ssh_clone_url_base: String::new(),
            is_secure: false,
            tls: None,
            is_console: false,
        };
        let call = Arc::new(Call::begin(Caller::root(account, None, None), origin, &SystemClock));
        let request = call.request_id().to_owned();
        let noted = request.clone();
        let outcome = self.trail.transact(call, move |transaction| {
            let change = || {
                transaction.execute("INSERT INTO notes (request) VALUES (?1)", &[(&noted).into()])?;
                for _ in 0..parts {
                    transaction.execute("INSERT INTO parts (bytes) VALUES (zeroblob(65536))", &[])?;
                }
                transaction.execute("DELETE FROM parts", &[])
            };
            let changed: Result<usize, Error> = transaction.savepoint(change);
            (changed.is_ok(), Event::new("PutNote", "example.amazonaws.com"))
        });
        if outcome == Ok(true) {
            self.acknowledged.lock().insert(request);
        }
    }

    /// Compares the acknowledged calls with the rows, the lines and the log files.
    fn check(&self, context: &str) {
        self.trail.flush().expect("the store works again");
        let acknowledged = self.acknowledged.lock();
        let read: Result<_, Error> = self.store.read(|transaction| {
            let notes = transaction.query("SELECT request FROM notes", &[], |row| row.text(0))?;
            let records = transaction.query("SELECT record FROM events ORDER BY seq", &[], |row| row.text(0))?;
            Ok((notes, records))
        });
        let (notes, records) = read.expect("the store works again");
        assert_eq!(notes.len(), acknowledged.len(), "{context}: rows");
        assert_eq!(notes.into_iter().collect::<BTreeSet<_>>(), *acknowledged, "{context}: rows");
        let lines = std::fs::read_to_string(trail::events_path(&self.folder)).expect("the file exists");
        assert!(lines.lines().eq(records.iter().map(String::as_str)), "{context}: lines and records");
        let mut ids: Vec<_> = records.iter().map(|record| id(&parse(record), "eventID")).collect();
        ids.sort();
        assert_eq!(delivered(&self.folder), ids, "{context}: log files");
        let recorded: Vec<_> = records.iter().map(|record| id(&parse(record), "requestID")).collect();
        let once: BTreeSet<_> = recorded.iter().cloned().collect();
        assert_eq!(recorded.len(), once.len(), "{context}: no call has two records");
        assert!(acknowledged.is_subset(&once), "{context}: each acknowledged call has a record");
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the text is JSON")
}

fn id(record: &Value, member: &str) -> String {
    record[member].as_str().expect("the record has the id").to_owned()
}

/// Returns the sorted ids of the events in log files.
fn delivered(folder: &Path) -> Vec<String> {
    let (mut ids, mut folders) = (Vec::new(), vec![folder.join("AWSLogs")]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut content = String::new();
            let file = std::fs::File::open(path).expect("the file was listed");
            GzDecoder::new(file).read_to_string(&mut content).expect("a log file is compressed text");
            let records = parse(&content)["Records"].as_array().expect("no digest is due").clone();
            ids.extend(records.iter().map(|record| id(record, "eventID")));
        }
    }
    ids.sort();
    ids
}

#[test]
fn calls_rows_lines_and_log_files_agree_after_every_failure() {
    let injection = Faults::install();
    let mut folder = tempfile::tempdir().expect("a temporary folder can be created");
    let mut calls = RecordedCalls::open(folder.path());
    let mut failed = 0;
    for (run, fault) in faults(5_000).enumerate() {
        // A new folder bounds the amount of data to compare.
        if run % 50 == 49 {
            let fresh = tempfile::tempdir().expect("a temporary folder can be created");
            calls = RecordedCalls::open(fresh.path());
            folder = fresh;
        }
        injection.inject(fault.failure, fault.number, fault.lasts);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let calls = &calls;
                scope.spawn(move || {
                    for number in 0..3_u64 {
                        // The first call of an account creates its default trail.
                        let account =
                            if number == 2 { 100_000 + u64::try_from(run).expect("the number is small") } else { 1 };
                        calls.call(account, if (thread, number) == (0, 1) { PARTS } else { 0 });
                    }
                });
            }
            // Log files are planned and written at the same time; failed ones are retried.
            scope.spawn(|| drop(calls.trail.flush()));
        });
        failed += u64::from(injection.remove() > 0);
        let context = format!("run {run}, {:?} at {}, lasts: {}", fault.failure, fault.number, fault.lasts);
        calls.check(&context);
        calls.call(1, 0);
        calls.check(&context);
    }
    drop((calls, folder));
    println!("{failed} runs had a failure");
    assert!(failed > 16, "most runs have a failure");
}

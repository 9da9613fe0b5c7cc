mod files;
mod statements;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use aws::call::Origin;
use aws::permission::Request;
use aws::{Authority, Call, Caller, Clock, Denial, Facts, SystemClock, Timestamp};
use bucket::{Buckets, FolderOptions};
use cluster::Cluster;
use flate2::read::GzDecoder;
use serde_json::Value;
use store::{Durability, Error, Store};

use crate::{Event, EventVersion, Notifier, Retention, Settings, Trail, events_path};

/// A notifier that does nothing.
struct NoNotifier;

impl Notifier for NoNotifier {
    fn wake(&self) {}
}

/// A clock that advances by a second with each reading.
#[derive(Default)]
struct Seconds(AtomicI64);

impl Clock for Seconds {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_481_739_554_262 + 1_000 * self.0.fetch_add(1, Ordering::Relaxed))
    }

    fn seed(&self) -> u128 {
        SystemClock.seed()
    }
}

/// A trail with its own store.
struct TestTrail {
    store: Arc<Store>,
    trail: Trail,
    folder: PathBuf,
}

impl TestTrail {
    fn open(folder: &Path) -> Self {
        let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
        let store = Arc::new(store);
        store.migrate("test", &["CREATE TABLE notes (text TEXT NOT NULL)"]).expect("the statement is valid");
        let folder = folder.join("trail");
        let settings = Settings {
            folder: folder.clone(),
            home_region: "us-east-1".parse().expect("the region is valid"),
            event_version: EventVersion::V1_05,
            console_events: None,
            log_interval: Duration::from_hours(1),
            log_bytes: 5 << 20,
            digest_interval: Duration::from_hours(1),
            signing_key: None,
            key_rotation: Duration::from_hours(360),
            retention: Retention::default(),
            strict_buckets: false,
            sync: false,
            kms_events: false,
        };
        let own = ("own".to_owned(), folder.clone());
        let buckets =
            Arc::new(Buckets::new(own, folder.with_file_name("buckets"), BTreeMap::new(), FolderOptions::default()));
        let trail = Trail::open(
            Arc::clone(&store),
            settings,
            buckets,
            Arc::<Seconds>::default(),
            Arc::new(NoNotifier),
            &Cluster::alone(),
        );
        Self { store, trail: trail.expect("the folder is writable"), folder }
    }

    /// Makes the database refuse a statement.
    fn refuse(&self, statement: &str) {
        let trigger =
            format!("CREATE TRIGGER refusal BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'refused by a test'); END");
        self.store.write(move |transaction| transaction.execute_all(&trigger)).expect("the statement is valid");
    }

    fn accept(&self) {
        self.store.write(|transaction| transaction.execute_all("DROP TRIGGER refusal")).expect("the trigger exists");
    }

    fn notes(&self) -> Vec<String> {
        let notes: Result<_, Error> =
            self.store.read(|transaction| transaction.query("SELECT text FROM notes", &[], |row| row.text(0)));
        notes.expect("the table exists")
    }

    /// The ids of the events in `events.ndjson`.
    fn events(&self) -> Vec<String> {
        let text = std::fs::read_to_string(events_path(&self.folder)).expect("the file exists");
        let ids = text.lines().map(|line| id(&serde_json::from_str(line).expect("a line is a record")));
        ids.collect()
    }

    /// The ids of the events in log files, sorted.
    fn delivered(&self) -> Vec<String> {
        let files = self.files("CloudTrail");
        let records = files.iter().flat_map(|file| file["Records"].as_array().expect("a log file has records"));
        let mut ids: Vec<_> = records.map(id).collect();
        ids.sort();
        ids
    }

    /// The contents of the files of a kind, in no particular order.
    fn files(&self, kind: &str) -> Vec<Value> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder.join("AWSLogs/111122223333").join(kind)]);
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let mut content = String::new();
                let file = std::fs::File::open(path).expect("the file was listed");
                GzDecoder::new(file).read_to_string(&mut content).expect("the file is gzip");
                files.push(serde_json::from_str(&content).expect("the content is JSON"));
            }
        }
        files
    }
}

fn id(record: &Value) -> String {
    record["eventID"].as_str().expect("a record has an id").to_owned()
}

fn call(region: &str) -> Arc<Call> {
    let account = || "111122223333".parse().expect("the account is valid");
    let origin = Origin {
        account: account(),
        region: region.parse().expect("the region is valid"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: None,
        host: None,
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: false,
    };
    Arc::new(Call::begin(Caller::root(account(), None, None), origin, &SystemClock))
}

fn event() -> Event {
    Event::new("PutNote", "example.amazonaws.com")
}

#[test]
fn a_call_that_cannot_be_recorded_is_rolled_back() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    trail.refuse("INSERT ON events WHEN NEW.name = 'PutNote'");
    let has_hook_run = Arc::new(AtomicBool::new(false));
    let hook_run = Arc::clone(&has_hook_run);
    let outcome = trail.trail.transact(call("us-east-1"), move |transaction| {
        let added = transaction.execute("INSERT INTO notes (text) VALUES ('lost')", &[]);
        transaction.after_commit(move || hook_run.store(true, Ordering::Relaxed));
        (added.is_ok(), event())
    });
    assert_eq!(outcome.expect_err("the record is refused").status, 500);
    assert_eq!((trail.notes(), trail.events()), (vec![], vec![]));
    assert!(!has_hook_run.load(Ordering::Relaxed));
}

/// Allows everything, as a decision of policies.
#[derive(Debug, Default)]
struct Everything(BTreeMap<String, String>);

impl Authority for Everything {
    fn decide(&self, _: &Request<'_>) -> Result<(), Denial> {
        Ok(())
    }

    fn mentions(&self, _: &str) -> bool {
        false
    }

    fn deny_everywhere(&self, _: &str, _: &Caller) -> Option<Denial> {
        None
    }

    fn principal_tags(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[test]
fn a_call_that_requested_no_permission_is_rolled_back() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let put_note = |requests: bool| {
        let call = Arc::into_inner(call("us-east-1")).expect("nothing else has the call");
        let call = Arc::new(call.with_authority(Arc::new(Everything::default())));
        if requests {
            call.allow("*", &Facts::default()).expect("everything is allowed");
        }
        trail.trail.transact(call, move |transaction| {
            let added = transaction.execute("INSERT INTO notes (text) VALUES ('a note')", &[]);
            (added.is_ok(), event())
        })
    };
    let failure = put_note(false).expect_err("nothing decided about the call");
    assert_eq!((failure.status, failure.name.as_str()), (500, "InternalFailure"));
    assert_eq!((trail.notes(), trail.events()), (vec![], vec![]));
    assert!(put_note(true).expect("the call was allowed"));
    assert_eq!((trail.notes().len(), trail.events().len()), (1, 1));
}

#[test]
fn after_a_failed_plan_each_event_is_in_one_log_file() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    for region in ["us-east-1", "eu-west-1", "ap-south-1", "us-east-1"] {
        trail.trail.record(&call(region), event()).expect("the store works");
    }
    trail.refuse("INSERT ON log_files WHEN (SELECT COUNT(*) FROM log_files) = 2");
    trail.trail.flush().expect_err("the third file cannot be planned");
    trail.accept();
    trail.trail.flush().expect("the store works");
    let mut expected = trail.events();
    expected.sort();
    assert_eq!((trail.delivered(), expected.len()), (expected, 4));
}

#[test]
fn a_failed_flush_names_the_folder_and_the_next_one_delivers() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    trail.trail.record(&call("us-east-1"), event()).expect("the store works");
    let link = trail.folder.join("AWSLogs");
    std::os::unix::fs::symlink("nowhere", &link).expect("links can be created");
    let error = trail.trail.flush().expect_err("the link is no folder").to_string();
    let expected = format!("cannot write log files to the folder '{}': ", trail.folder.display());
    assert!(error.starts_with(&expected), "{error}");
    std::fs::remove_file(link).expect("the folder is writable");
    trail.trail.flush().expect("the folder is writable");
    assert_eq!(trail.delivered(), trail.events());
}

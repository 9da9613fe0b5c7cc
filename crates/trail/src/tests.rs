mod statements;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use aws::call::Origin;
use aws::{Call, Caller, Clock, SystemClock, Timestamp};
use bucket::{Buckets, FolderOptions};
use flate2::read::GzDecoder;
use serde_json::Value;
use store::{Durability, Error, Store};

use crate::{Event, EventVersion, Notifier, Retention, Settings, Trail, events_path};

/// Nothing is notified.
struct Nobody;

impl Notifier for Nobody {
    fn wake(&self) {}
}

/// A clock of which each reading is a second later.
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

/// A trail over a store of its own.
struct Place {
    store: Arc<Store>,
    trail: Trail,
    folder: PathBuf,
}

impl Place {
    fn open(folder: &Path) -> Self {
        let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
        let store = Arc::new(store);
        store.migrate("test", &["CREATE TABLE notes (text TEXT NOT NULL)"]).expect("the statement is good");
        let folder = folder.join("trail");
        let settings = Settings {
            folder: folder.clone(),
            home_region: "us-east-1".parse().expect("it is one"),
            event_version: EventVersion::V1_05,
            log_interval: Duration::from_hours(1),
            log_bytes: 5 << 20,
            digest_interval: Duration::from_hours(1),
            signing_key: None,
            key_rotation: Duration::from_hours(360),
            retention: Retention::default(),
            sync: false,
            kms_events: false,
        };
        let own = ("own".to_owned(), folder.clone());
        let buckets =
            Arc::new(Buckets::new(own, folder.with_file_name("buckets"), BTreeMap::new(), FolderOptions::default()));
        let trail = Trail::open(Arc::clone(&store), settings, buckets, Arc::<Seconds>::default(), Arc::new(Nobody));
        Self { store, trail: trail.expect("the folder is writable"), folder }
    }

    /// Has the database refuse a statement from now on.
    fn refuse(&self, statement: &str) {
        let trigger =
            format!("CREATE TRIGGER refusal BEFORE {statement} BEGIN SELECT RAISE(ABORT, 'refused by a test'); END");
        self.store.write(move |transaction| transaction.execute_all(&trigger)).expect("the statement is good");
    }

    fn refuse_no_more(&self) {
        self.store.write(|transaction| transaction.execute_all("DROP TRIGGER refusal")).expect("it is there");
    }

    fn notes(&self) -> Vec<String> {
        let notes: Result<_, Error> =
            self.store.read(|transaction| transaction.query("SELECT text FROM notes", &[], |row| row.text(0)));
        notes.expect("the table is there")
    }

    /// The ids of the events in `events.ndjson`.
    fn events(&self) -> Vec<String> {
        let text = std::fs::read_to_string(events_path(&self.folder)).expect("it is there");
        let ids = text.lines().map(|line| id(&serde_json::from_str(line).expect("it is a record")));
        ids.collect()
    }

    /// The ids of the events in log files, sorted.
    fn delivered(&self) -> Vec<String> {
        let files = self.files("CloudTrail");
        let records = files.iter().flat_map(|file| file["Records"].as_array().expect("it has records"));
        let mut ids: Vec<_> = records.map(id).collect();
        ids.sort();
        ids
    }

    /// What the files of a kind hold, in no particular order.
    fn files(&self, kind: &str) -> Vec<Value> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder.join("AWSLogs/111122223333").join(kind)]);
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let mut content = String::new();
                let file = std::fs::File::open(path).expect("it was listed");
                GzDecoder::new(file).read_to_string(&mut content).expect("it is compressed text");
                files.push(serde_json::from_str(&content).expect("it is JSON"));
            }
        }
        files
    }
}

fn id(record: &Value) -> String {
    record["eventID"].as_str().expect("it has an id").to_owned()
}

fn call(region: &str) -> Arc<Call> {
    let account = || "111122223333".parse().expect("it has twelve digits");
    let origin = Origin {
        account: account(),
        region: region.parse().expect("it is a region"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: None,
        host: None,
        clone_url_base: String::new(),
    };
    Arc::new(Call::begin(Caller::root(account(), None, None), origin, &SystemClock))
}

fn event() -> Event {
    Event::new("PutNote", "example.amazonaws.com")
}

#[test]
fn a_call_that_cannot_be_recorded_has_not_happened() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    place.refuse("INSERT ON events WHEN NEW.name = 'PutNote'");
    let has_acted = Arc::new(AtomicBool::new(false));
    let acted = Arc::clone(&has_acted);
    let outcome = place.trail.transact(call("us-east-1"), move |transaction| {
        let added = transaction.execute("INSERT INTO notes (text) VALUES ('lost')", &[]);
        transaction.after_commit(move || acted.store(true, Ordering::Relaxed));
        (added.is_ok(), event())
    });
    assert_eq!(outcome.expect_err("it cannot be recorded").status, 500);
    assert_eq!((place.notes(), place.events()), (vec![], vec![]));
    assert!(!has_acted.load(Ordering::Relaxed));
}

#[test]
fn a_plan_of_log_files_that_fails_leaves_each_event_to_one_file() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    for region in ["us-east-1", "eu-west-1", "ap-south-1", "us-east-1"] {
        place.trail.record(&call(region), event()).expect("the store works");
    }
    place.refuse("INSERT ON log_files WHEN (SELECT COUNT(*) FROM log_files) = 2");
    place.trail.flush().expect_err("the third file cannot be planned");
    place.refuse_no_more();
    place.trail.flush().expect("the store works");
    let mut expected = place.events();
    expected.sort();
    assert_eq!((place.delivered(), expected.len()), (expected, 4));
}

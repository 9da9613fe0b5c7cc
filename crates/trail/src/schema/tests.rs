use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws::SystemClock;
use bucket::{Bucket, Buckets, FolderBucket, FolderOptions, Listing};
use cluster::Cluster;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use store::{Durability, Store};

use super::STEPS;
use crate::{EventVersion, Notifier, Retention, Settings, Trail};

/// A notifier that does nothing.
struct NoNotifier;

impl Notifier for NoNotifier {
    fn wake(&self) {}
}

/// A database of the first version of the program, without trails: of four events one is delivered, and one is in a planned log file.
fn first_version(path: &Path) -> Store {
    let store = Store::open(path, Durability::Normal).expect("the folder is writable");
    store.migrate("trail", &STEPS[..1]).expect("the migration is valid");
    let written = store.write(|transaction| {
        let scopes = [("111122223333", "us-east-1"), ("111122223333", "us-east-2"), ("444455556666", "us-east-1")];
        for (seq, scope) in [(1, 0), (2, 1), (3, 0), (4, 2)] {
            let (account, region) = scopes[scope];
            let record = json!({ "eventID": format!("id-{seq}"), "eventName": "ListRepositories" }).to_string();
            transaction.execute(
                "INSERT INTO events (seq, event_id, account, region, time, name, record) \
                 VALUES (?1, 'id-' || ?1, ?2, ?3, ?1 * 1000, 'ListRepositories', ?4)",
                &[seq.into(), account.into(), region.into(), (&record).into()],
            )?;
        }
        for (path, seq, written) in [("first.json.gz", 1, 1), ("second.json.gz", 2, 0)] {
            transaction.execute(
                "INSERT INTO log_files (path, account, region, first_seq, last_seq, written) \
                 SELECT 'AWSLogs/' || ?1, account, region, seq, seq, ?3 FROM events WHERE seq = ?2",
                &[path.into(), seq.into(), written.into()],
            )?;
        }
        transaction.execute("UPDATE delivery SET last_seq = 2", &[]).map(drop)
    });
    written.expect("the rows can be inserted");
    store
}

#[test]
fn events_of_the_first_version_are_delivered_exactly_once() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = Arc::new(first_version(&folder.path().join("test.db")));
    let trail = folder.path().join("trail");
    let bucket = FolderBucket::new(trail.clone(), FolderOptions::default());
    bucket.put("AWSLogs/first.json.gz", b"delivered before", &[]).expect("the folder is writable");
    let settings = Settings {
        folder: trail.clone(),
        home_region: "us-east-1".parse().expect("the region is valid"),
        event_version: EventVersion::V1_05,
        console_events: None,
        log_interval: Duration::from_hours(1),
        log_bytes: 5 << 20,
        retention: Retention::default(),
        digest_interval: Duration::from_hours(1),
        signing_key: None,
        key_rotation: Duration::from_hours(360),
        strict_buckets: false,
        sync: false,
        kms_events: false,
    };
    let own = ("own".to_owned(), trail);
    let buckets = Arc::new(Buckets::new(own, folder.path().join("buckets"), BTreeMap::new(), FolderOptions::default()));
    let opened = Trail::open(store, settings, buckets, Arc::new(SystemClock), Arc::new(NoNotifier), &Cluster::alone())
        .expect("the trail can be opened");
    opened.flush().expect("the folder is writable");

    let listing = Listing { prefix: "AWSLogs/", max: 10, ..Listing::default() };
    let objects = bucket.list(listing).expect("the folder is readable").objects;
    let keys: Vec<&str> = objects.iter().map(|object| object.key.as_str()).collect();
    let id = |key: &str| {
        let (_, file) = bucket.open(key).expect("the folder is readable").expect("the object was listed");
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).expect("a log file is gzip");
        let content: Value = serde_json::from_str(&text).expect("a log file is JSON");
        content["Records"].as_array().expect("a log file has records")[0]["eventID"].to_string()
    };
    let delivered: BTreeMap<_, _> =
        keys.iter().filter(|key| **key != "AWSLogs/first.json.gz").map(|key| (id(key), *key)).collect();
    assert_eq!(delivered.keys().collect::<Vec<_>>(), ["\"id-2\"", "\"id-3\"", "\"id-4\""]);
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert_eq!(delivered["\"id-2\""], "AWSLogs/second.json.gz");
    assert!(delivered["\"id-4\""].starts_with("AWSLogs/444455556666/CloudTrail/us-east-1/"));
}

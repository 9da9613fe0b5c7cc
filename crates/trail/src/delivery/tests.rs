use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use std::{io, ops::RangeInclusive};

use aws::{Clock, SystemClock, Timestamp};
use bucket::{Bucket, Buckets, FolderOptions};
use cluster::{Cluster, Role};
use parking_lot::Mutex;
use store::{Durability, Store};
use worker::Waker;

use super::{Cut, Delivery, DeliveryState};
use crate::destination::Destinations;
use crate::trails::DefaultTrails;
use crate::{EventVersion, Notifier, Retention, Settings, schema};

const ACCOUNT: &str = "111122223333";

/// The size of the records of these tests.
const RECORD_BYTES: usize = 100;

/// A notifier that does nothing.
struct NoNotifier;

impl Notifier for NoNotifier {
    fn wake(&self) {}
}

fn settings(folder: &Path, log_interval: Duration, log_bytes: u64) -> Settings {
    Settings {
        folder: folder.to_owned(),
        home_region: "us-east-1".parse().expect("the region is valid"),
        event_version: EventVersion::V1_05,
        console_events: None,
        log_interval,
        log_bytes,
        digest_interval: Duration::from_hours(1),
        signing_key: None,
        key_rotation: Duration::from_hours(360),
        retention: Retention::default(),
        strict_buckets: false,
        sync: false,
        kms_events: false,
    }
}

/// A store with the default trail of one account, whose bucket is `own`.
fn store(folder: &Path) -> Arc<Store> {
    let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the migrations are valid");
    let default_trails = DefaultTrails::open(&store, "us-east-1".parse().expect("the region is valid"), "own")
        .expect("the tables exist");
    Arc::new(default_trails)
        .ensure_default_trail(&store, ACCOUNT, Timestamp::from_millis(0))
        .expect("the tables exist");
    Arc::new(store)
}

/// Buckets with `own` as given.
fn buckets(folder: &Path, own: Arc<dyn Bucket>) -> Arc<Buckets> {
    let primary = ("other".to_owned(), folder.join("other"));
    Arc::new(Buckets::new(
        primary,
        folder.join("buckets"),
        BTreeMap::from([("own".to_owned(), own)]),
        FolderOptions::default(),
    ))
}

fn shared(folder: &Path, store: &Arc<Store>, own: Arc<dyn Bucket>, log_bytes: u64) -> DeliveryState {
    let buckets = buckets(folder, own);
    DeliveryState {
        store: Arc::clone(store),
        settings: settings(folder, Duration::from_hours(1), log_bytes),
        destinations: Destinations { store: Arc::clone(store), buckets: Arc::clone(&buckets), strict: false },
        buckets,
        clock: Arc::new(SystemClock),
        notifier: Arc::new(NoNotifier),
        stop: Waker::default().stop_flag().clone(),
        cluster: Cluster::alone(),
        role: Role::always(),
        bytes_waiting: 0.into(),
        turn: Mutex::default(),
    }
}

/// Records events of the regions in turn, all with the same size.
fn record(store: &Store, regions: &'static [&'static str], count: usize) {
    let recorded = store.write(move |transaction| {
        for number in 0..count {
            transaction.execute(
                "INSERT INTO events (event_id, account, region, time, name, record) VALUES ('', ?1, ?2, 0, '', ?3)",
                &[ACCOUNT.into(), regions[number % regions.len()].into(), (&"1".repeat(RECORD_BYTES)).into()],
            )?;
        }
        Ok::<_, store::Error>(())
    });
    recorded.expect("the table exists");
}

/// The region of each planned file, and the `seq` of its first and last event.
fn files(store: &Store) -> Vec<(String, RangeInclusive<i64>)> {
    let files: Result<_, store::Error> = store.read(|transaction| {
        transaction.query("SELECT region, first_seq, last_seq FROM log_files ORDER BY id", &[], |row| {
            Ok((row.text(0)?, row.integer(1)?..=row.integer(2)?))
        })
    });
    files.expect("the table exists")
}

/// A bucket that drops everything.
struct NullBucket;

impl Bucket for NullBucket {
    fn put(&self, _key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn full_files_have_the_same_ends_for_any_number_of_deliveries() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    let shared = shared(folder.path(), &store, Arc::new(NullBucket), 10 * RECORD_BYTES as u64);
    for _ in 0..100 {
        record(&store, &["us-east-1"], 7);
        shared.deliver(Cut::FullFiles, &mut HashMap::new()).expect("the store works");
    }
    shared.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    let expected: Vec<_> = (0..70).map(|file| ("us-east-1".to_owned(), file * 10 + 1..=file * 10 + 10)).collect();
    assert_eq!(files(&store), expected);
}

#[test]
fn the_files_of_all_regions_end_together_once_the_events_fill_one() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    let shared = shared(folder.path(), &store, Arc::new(NullBucket), 10 * RECORD_BYTES as u64);
    record(&store, &["us-east-1", "us-east-2"], 19);
    shared.deliver(Cut::FullFiles, &mut HashMap::new()).expect("the store works");
    let file = |region: &str, range| (region.to_owned(), range);
    let full = [file("us-east-1", 1..=9), file("us-east-2", 2..=10)];
    assert_eq!(files(&store), full);
    shared.deliver(Cut::FullFiles, &mut HashMap::new()).expect("the store works");
    assert_eq!(files(&store), full, "the rest stays pending");
    shared.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    assert_eq!(files(&store)[2..], [file("us-east-1", 11..=19), file("us-east-2", 12..=18)]);
}

#[test]
fn the_size_of_pending_records_is_exact_after_each_delivery() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    let shared = shared(folder.path(), &store, Arc::new(NullBucket), 10 * RECORD_BYTES as u64);
    let pending = || shared.bytes_waiting.load(Ordering::Relaxed);
    record(&store, &["us-east-1"], 23);
    // The count includes line ends, which log files do not have.
    shared.bytes_waiting.store(23 * (RECORD_BYTES as u64 + 1), Ordering::Relaxed);
    shared.deliver(Cut::FullFiles, &mut HashMap::new()).expect("the store works");
    assert_eq!(pending(), 3 * RECORD_BYTES as u64);
    shared.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    assert_eq!(pending(), 0);
}

/// A bucket of a busy server: while a file is written, another event is recorded.
struct BusyBucket(Arc<Store>);

impl Bucket for BusyBucket {
    fn put(&self, _key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        record(&self.0, &["us-east-1"], 1);
        Ok(())
    }
}

#[test]
fn events_recorded_while_files_are_written_are_in_the_next_delivery() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    let shared = shared(folder.path(), &store, Arc::new(BusyBucket(Arc::clone(&store))), 1 << 20);
    record(&store, &["us-east-1"], 5);
    for _ in 0..3 {
        shared.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    }
    assert_eq!(files(&store).into_iter().map(|(_, range)| range).collect::<Vec<_>>(), [1..=5, 6..=6, 7..=7]);
}

/// Something that happens once, while a delivery is in the middle of its work.
struct Interruption(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Interruption {
    fn new(happens: impl FnOnce() + Send + 'static) -> Self {
        Self(Mutex::new(Some(Box::new(happens))))
    }

    fn happen(&self) {
        let happens = self.0.lock().take();
        if let Some(happens) = happens {
            happens();
        }
    }
}

/// A clock whose first reading, between a plan and its storing, is interrupted.
struct InterruptedClock(Interruption);

impl Clock for InterruptedClock {
    fn now(&self) -> Timestamp {
        self.0.happen();
        SystemClock.now()
    }

    fn seed(&self) -> u128 {
        SystemClock.seed()
    }
}

/// A bucket whose first put is interrupted.
struct InterruptedBucket(Interruption);

impl Bucket for InterruptedBucket {
    fn put(&self, _key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        self.0.happen();
        Ok(())
    }
}

#[test]
fn a_plan_that_another_node_has_overtaken_is_begun_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    let other = shared(folder.path(), &store, Arc::new(NullBucket), 1 << 20);
    let clock = InterruptedClock(Interruption::new(move || {
        record(&other.store, &["us-east-1"], 2);
        other.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    }));
    let shared =
        DeliveryState { clock: Arc::new(clock), ..shared(folder.path(), &store, Arc::new(NullBucket), 1 << 20) };
    record(&store, &["us-east-1"], 5);
    for _ in 0..2 {
        shared.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
        record(&store, &["us-east-1"], 1);
    }
    assert_eq!(files(&store).into_iter().map(|(_, range)| range).collect::<Vec<_>>(), [1..=7, 8..=8]);
}

#[test]
fn a_file_that_two_nodes_write_is_counted_and_notified_once() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    let with_topic: Result<_, store::Error> =
        store.write(|transaction| transaction.execute("UPDATE trail_spans SET topic = 'files'", &[]));
    assert_eq!(with_topic.expect("the table exists"), 1);
    let other = shared(folder.path(), &store, Arc::new(NullBucket), 1 << 20);
    let bucket = InterruptedBucket(Interruption::new(move || {
        other.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    }));
    let shared = shared(folder.path(), &store, Arc::new(bucket), 1 << 20);
    record(&store, &["us-east-1"], 1);
    shared.deliver(Cut::Everything, &mut HashMap::new()).expect("the store works");
    let counts: Result<_, store::Error> = store.read(|transaction| {
        let sql = "SELECT (SELECT COUNT(*) FROM log_files WHERE events = 1), (SELECT COUNT(*) FROM notifications)";
        transaction.query_one(sql, &[], |row| Ok((row.integer(0)?, row.integer(1)?)))
    });
    assert_eq!(counts.expect("the tables exist"), Some((1, 1)));
}

/// A bucket whose first put panics; it sends the keys of the others to the test.
struct PanickingBucket {
    puts: AtomicUsize,
    keys: Mutex<Sender<String>>,
}

impl Bucket for PanickingBucket {
    fn put(&self, key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        assert!(self.puts.fetch_add(1, Ordering::Relaxed) > 0, "a bucket of the test panics");
        self.keys.lock().send(key.to_owned()).expect("the test receives");
        Ok(())
    }
}

#[test]
fn a_round_that_panics_is_followed_by_one_that_delivers_and_so_does_a_flush() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(folder.path());
    record(&store, &["us-east-1"], 1);
    let (keys, delivered) = channel();
    let own = Arc::new(PanickingBucket { puts: AtomicUsize::new(0), keys: Mutex::new(keys) });
    let (buckets, settings) = (buckets(folder.path(), own), settings(folder.path(), Duration::ZERO, 1 << 20));
    let destinations = Destinations { store: Arc::clone(&store), buckets, strict: false };
    let delivery =
        Delivery::start(settings, destinations, Arc::new(SystemClock), Arc::new(NoNotifier), &Cluster::alone());
    let delivery = delivery.expect("a thread can be started");
    let first = delivered.recv().expect("the round after the panic delivers");
    record(&store, &["us-east-1"], 1);
    delivery.deliver().expect("the store works");
    let second = delivered.recv().expect("the flush, or a round before it, delivers");
    delivery.stop();
    assert_ne!(first, second);
    assert_eq!((delivered.try_iter().count(), files(&store).len()), (0, 2), "each event is in one file");
}

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use aws::{Clock, Timestamp};
use bucket::{Bucket, Buckets, FolderOptions};
use cluster::{Cluster, Role};
use parking_lot::Mutex;
use store::{Durability, Error, Store};
use worker::Waker;

use super::{Chains, DigestState, Digests};
use crate::destination::Destinations;
use crate::schema;
use crate::signing_key::KeyStore;
use crate::signing_key::tests::KEY;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// The time at which the trail of these tests starts to log.
const BEGIN: i64 = 17_000 * DAY;

/// A clock that the test sets.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn seed(&self) -> u128 {
        0
    }
}

/// A bucket that drops everything.
struct NullBucket;

impl Bucket for NullBucket {
    fn put(&self, _key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        Ok(())
    }
}

/// The digests of a trail that logs, with validation and its own bucket.
struct TestDigests {
    clock: Arc<SetClock>,
    shared: DigestState,
    folder: tempfile::TempDir,
}

/// The end of a digest's window, and the number of log files that it covers.
#[derive(Debug, PartialEq, Eq)]
struct DigestSummary {
    end: i64,
    covers: usize,
}

fn store(folder: &Path) -> Arc<Store> {
    let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the migrations are valid");
    let added = store.write(|transaction| {
        transaction.execute(
            "INSERT INTO trails (account, home_region, name, bucket, multi_region, global_events, validation, selectors, \
             logging, created, started) VALUES ('111122223333', 'us-east-1', 'Trail', 'own', 1, 1, 1, '', 1, ?1, ?1)",
            &[BEGIN.into()],
        )
    });
    added.expect("the table exists");
    Arc::new(store)
}

fn buckets(folder: &Path, own: Arc<dyn Bucket>) -> Arc<Buckets> {
    let primary = ("other".to_owned(), folder.join("other"));
    Arc::new(Buckets::new(
        primary,
        folder.join("buckets"),
        BTreeMap::from([("own".to_owned(), own)]),
        FolderOptions::default(),
    ))
}

fn destinations(store: &Arc<Store>, buckets: Arc<Buckets>) -> Destinations {
    Destinations { store: Arc::clone(store), buckets, strict: false }
}

fn keys(store: &Arc<Store>) -> Arc<KeyStore> {
    Arc::new(KeyStore::new(Arc::clone(store), Some(KEY.clone()), Duration::from_hours(360)))
}

impl TestDigests {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let (store, clock) = (store(folder.path()), Arc::new(SetClock(AtomicI64::new(BEGIN))));
        let shared = DigestState {
            keys: keys(&store),
            destinations: destinations(&store, buckets(folder.path(), Arc::new(NullBucket))),
            store,
            clock: Arc::<SetClock>::clone(&clock),
            interval: Duration::from_hours(1),
            stop: Waker::default().stop_flag().clone(),
            cluster: Cluster::alone(),
            role: Role::always(),
            turn: Mutex::default(),
        };
        Self { clock, shared, folder }
    }

    /// Sets the clock, relative to the start of logging.
    fn at(&self, time: i64) -> &Self {
        self.clock.0.store(BEGIN + time, Ordering::Relaxed);
        self
    }

    /// Adds a log file that is delivered now.
    fn deliver(&self) -> &Self {
        let now = self.clock.now().millis();
        self.execute(&format!(
            "INSERT INTO log_files (trail, span, account, region, bucket, key, first_seq, last_seq, delivered, hash, oldest, \
             newest, validated) SELECT id, 1, account, home_region, bucket, 'key', 1, 1, {now}, '00', {now}, {now}, validation \
             FROM trails"
        ))
    }

    fn execute(&self, statement: &str) -> &Self {
        let statement = statement.to_owned();
        let executed = self.shared.store.write(move |transaction| transaction.execute_all(&statement));
        executed.expect("the statement is valid");
        self
    }

    /// Creates the digests that are due, as the worker does.
    fn round(&self) -> &Self {
        self.shared.create(Chains::Active).expect("the store works");
        self
    }

    /// Creates the digests of all chains, as `POST /_local/digest` does.
    fn digest(&self) -> &Self {
        self.shared.create(Chains::All).expect("the store works");
        self
    }

    fn summaries(&self) -> Vec<DigestSummary> {
        let rows: Result<_, Error> = self.shared.store.read(|transaction| {
            let query = "SELECT window_end, (SELECT COUNT(*) FROM log_files WHERE digest = digests.id), document FROM digests \
                         ORDER BY id";
            transaction.query(query, &[], |row| {
                assert_eq!(row.optional_text(2)?, None, "the digest is written");
                let covers = usize::try_from(row.integer(1)?).expect("a count is not negative");
                Ok((row.integer(0)? - BEGIN, covers))
            })
        });
        let last_digests: Result<Vec<i64>, Error> = self.shared.store.read(|transaction| {
            transaction.query("SELECT window_end FROM digests WHERE is_last = 1", &[], |row| row.integer(0))
        });
        assert!(last_digests.expect("the table exists").len() <= 1, "a chain has one last digest");
        rows.expect("the table exists").into_iter().map(|(end, covers)| DigestSummary { end, covers }).collect()
    }

    fn ends(&self) -> Vec<i64> {
        self.summaries().into_iter().map(|digest| digest.end).collect()
    }

    fn uncovered(&self) -> usize {
        let ids: Result<Vec<i64>, Error> = self.shared.store.read(|transaction| {
            transaction.query("SELECT id FROM log_files WHERE digest IS NULL", &[], |row| row.integer(0))
        });
        ids.expect("the table exists").len()
    }

    fn wait(&self) -> i64 {
        i64::try_from(self.shared.wait().expect("the store works").as_millis()).expect("the time is short")
    }
}

#[test]
fn the_first_digest_is_due_an_interval_after_stored_times() {
    let digests = TestDigests::new();
    assert_eq!(digests.at(0).wait(), HOUR);
    assert_eq!(digests.at(HOUR - 5 * SECOND).wait(), 5 * SECOND, "also after a restart");
    assert_eq!(digests.at(HOUR).wait(), 0);
    digests.deliver();
    assert_eq!(digests.at(HOUR + 10 * SECOND).wait(), HOUR - 10 * SECOND, "a file's delivery is later than the start");
    digests.at(2 * HOUR).round();
    assert_eq!((digests.wait(), digests.ends()), (HOUR, vec![2 * HOUR]));
    assert_eq!(digests.at(7 * HOUR).wait(), 0);
}

#[test]
fn files_delivered_before_logging_or_validation_ended_are_covered_once() {
    for change in ["logging = 0", "validation = 0", "logging = 0, deleted = 7"] {
        let digests = TestDigests::new();
        digests.at(SECOND).deliver().execute(&format!("UPDATE trails SET {change}"));
        assert_eq!(digests.at(60 * SECOND).wait(), HOUR - 59 * SECOND, "{change}");
        digests.at(HOUR).round();
        assert_eq!(digests.ends(), [HOUR], "{change}");
        assert_eq!(digests.uncovered(), 0, "{change}");
        digests.at(2 * HOUR).round().digest();
        assert_eq!(digests.ends(), [HOUR], "{change}: no file is uncovered");
        assert_eq!(digests.wait(), HOUR, "{change}");
    }
}

#[test]
fn a_file_delivered_after_a_trail_stopped_gets_a_digest() {
    let digests = TestDigests::new();
    digests.at(SECOND).deliver().at(HOUR).round();
    digests.execute("UPDATE trails SET logging = 0").at(2 * HOUR).round();
    digests.at(2 * HOUR + SECOND).deliver().digest().at(3 * HOUR).round();
    assert_eq!(digests.uncovered(), 0);
    assert_eq!(digests.ends(), [HOUR, 2 * HOUR, 2 * HOUR + SECOND]);
}

#[test]
fn a_clock_that_jumps_ahead_and_back_causes_few_digests_and_a_new_chain() {
    let digests = TestDigests::new();
    digests.deliver().at(HOUR).round();
    digests.at(60 * DAY).deliver().round();
    let ahead = digests.ends().len() - 1;
    assert!((1..=25).contains(&ahead), "{ahead}");
    digests.deliver().at(2 * HOUR).deliver();
    assert_eq!(digests.wait(), 0, "a digest is due at once");
    digests.round();
    assert_eq!(digests.uncovered(), 0, "files delivered with the clock ahead are covered");
    assert_eq!(digests.wait(), HOUR);
    digests.at(3 * HOUR).deliver().round();
    assert_eq!(digests.ends()[ahead + 1..], [2 * HOUR, 3 * HOUR]);
    assert_eq!(digests.uncovered(), 0);
    digests.at(60 * DAY).deliver().round().digest();
    assert_eq!(digests.uncovered(), 0, "also when the clock reaches that time again");
}

#[test]
fn a_clock_set_back_a_little_does_not_end_the_chain() {
    let digests = TestDigests::new();
    digests.at(HOUR).deliver().round();
    digests.at(HOUR - 30 * SECOND).deliver().digest().digest();
    assert_eq!(digests.ends(), [HOUR, HOUR + SECOND, HOUR + 2 * SECOND]);
    assert_eq!(digests.uncovered(), 0);
    assert_eq!(digests.wait(), HOUR, "none is due before the clock has caught up");
}

#[test]
fn a_chain_is_idle_after_a_day_without_log_files_and_continues_with_the_next_one() {
    let digests = TestDigests::new();
    digests.deliver();
    for hour in 1..=40 {
        digests.at(hour * HOUR).round();
    }
    assert_eq!(digests.ends().len(), 24);
    assert_eq!(digests.wait(), HOUR);
    digests.at(400 * HOUR).deliver();
    assert_eq!(digests.wait(), 0);
    digests.round();
    let summaries = digests.summaries();
    assert!(summaries.len() <= 24 + 25, "{}", summaries.len());
    assert_eq!(summaries.last(), Some(&DigestSummary { end: 400 * HOUR, covers: 1 }));
    digests.at(500 * HOUR).digest();
    assert_eq!(digests.ends().last(), Some(&(500 * HOUR)), "a call creates one anyway");
}

#[test]
fn a_digest_that_cannot_be_stored_is_created_later() {
    let digests = TestDigests::new();
    digests.deliver().deliver().execute(
        "CREATE TRIGGER refusal BEFORE UPDATE OF digest ON log_files WHEN OLD.id = 2 BEGIN SELECT RAISE(ABORT, 'refused'); END",
    );
    digests.at(HOUR).shared.create(Chains::Active).expect_err("the second file cannot be covered");
    assert_eq!((digests.ends(), digests.uncovered()), (vec![], 2));
    digests.execute("DROP TRIGGER refusal").round();
    assert_eq!(digests.summaries(), [DigestSummary { end: HOUR, covers: 2 }]);
}

#[test]
fn a_digest_whose_key_is_taken_ends_a_second_later() {
    let digests = TestDigests::new();
    digests.deliver().at(HOUR).round();
    digests
        .execute("UPDATE digests SET trail = 77, is_last = 0, window_end = 0; UPDATE log_files SET digest = NULL")
        .deliver()
        .digest();
    assert_eq!(digests.ends().len(), 2);
    assert_eq!(digests.uncovered(), 0);
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
fn a_round_that_panics_is_followed_by_one_that_writes_the_same_digest() {
    let digests = TestDigests::new();
    digests.deliver().at(HOUR + 1_800 * SECOND);
    let (keys_of_objects, written) = channel();
    let own = Arc::new(PanickingBucket { puts: AtomicUsize::new(0), keys: Mutex::new(keys_of_objects) });
    let store = Arc::clone(&digests.shared.store);
    let (keys, destinations) = (keys(&store), destinations(&store, buckets(digests.folder.path(), own)));
    let clock = Arc::<SetClock>::clone(&digests.clock);
    let worker = Digests::start(keys, destinations, clock, Duration::from_hours(1), &Cluster::alone());
    let worker = worker.expect("a thread can be started");
    let first = written.recv().expect("the round after the panic writes it");
    digests.at(HOUR + 1_830 * SECOND);
    worker.create().expect("the store works");
    worker.stop();
    let others: Vec<String> = written.try_iter().collect();
    assert!(first.ends_with("T013000Z.json.gz"), "{first}");
    assert!(others.last().is_some_and(|key| key.ends_with("T013030Z.json.gz")), "{others:?}");
    assert_eq!(digests.ends().len(), 1 + others.len(), "each is written once");
}

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use aws::{Clock, Timestamp};
use bucket::{Bucket, Buckets, FolderOptions};
use parking_lot::Mutex;
use store::{Durability, Error, Store};
use worker::Waker;

use super::{Chains, Digests, Shared};
use crate::schema;
use crate::signing_key::KeyRing;
use crate::signing_key::tests::KEY;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// When the trail of these tests begins to log.
const BEGIN: i64 = 17_000 * DAY;

/// A clock that a test sets.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn seed(&self) -> u128 {
        0
    }
}

/// Takes everything, and forgets it.
struct Nowhere;

impl Bucket for Nowhere {
    fn put(&self, _key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        Ok(())
    }
}

/// Digests of a trail that logs, is validated, and has a bucket of its own.
struct Place {
    clock: Arc<SetClock>,
    shared: Shared,
    folder: tempfile::TempDir,
}

/// A digest: the end of its window, and how many log files it covers.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    end: i64,
    covers: usize,
}

fn store(folder: &Path) -> Arc<Store> {
    let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the steps are good");
    let added = store.write(|transaction| {
        transaction.execute(
            "INSERT INTO trails (account, home_region, name, bucket, multi_region, global_events, validation, selectors, \
             logging, created, started) VALUES ('111122223333', 'us-east-1', 'Trail', 'own', 1, 1, 1, '', 1, ?1, ?1)",
            &[BEGIN.into()],
        )
    });
    added.expect("the table is there");
    Arc::new(store)
}

fn buckets(folder: &Path, own: Arc<dyn Bucket>) -> Arc<Buckets> {
    let other = ("other".to_owned(), folder.join("other"));
    Arc::new(Buckets::new(
        other,
        folder.join("buckets"),
        BTreeMap::from([("own".to_owned(), own)]),
        FolderOptions::default(),
    ))
}

fn keys(store: &Arc<Store>) -> Arc<KeyRing> {
    Arc::new(KeyRing::new(Arc::clone(store), Some(KEY.clone()), Duration::from_hours(360)))
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let (store, clock) = (store(folder.path()), Arc::new(SetClock(AtomicI64::new(BEGIN))));
        let shared = Shared {
            keys: keys(&store),
            store,
            buckets: buckets(folder.path(), Arc::new(Nowhere)),
            clock: Arc::<SetClock>::clone(&clock),
            interval: Duration::from_hours(1),
            stop: Waker::default().stop_flag().clone(),
            turn: Mutex::default(),
        };
        Self { clock, shared, folder }
    }

    /// Sets the clock, counted from when the trail began to log.
    fn at(&self, time: i64) -> &Self {
        self.clock.0.store(BEGIN + time, Ordering::Relaxed);
        self
    }

    /// Delivers a log file now.
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
        let done = self.shared.store.write(move |transaction| transaction.execute_all(&statement));
        done.expect("the statement is good");
        self
    }

    /// Makes the digests that are due, as the worker does.
    fn round(&self) -> &Self {
        self.shared.make(Chains::Active).expect("the store works");
        self
    }

    /// Makes the digests of all chains, as a call of `POST /_local/digest` does.
    fn digest(&self) -> &Self {
        self.shared.make(Chains::All).expect("the store works");
        self
    }

    fn made(&self) -> Vec<Made> {
        let made: Result<_, Error> = self.shared.store.read(|transaction| {
            let query = "SELECT window_end, (SELECT COUNT(*) FROM log_files WHERE digest = digests.id), document FROM digests \
                         ORDER BY id";
            transaction.query(query, &[], |row| {
                assert_eq!(row.optional_text(2)?, None, "it is written");
                let covers = usize::try_from(row.integer(1)?).expect("it counts up");
                Ok((row.integer(0)? - BEGIN, covers))
            })
        });
        let ends_of_chains: Result<Vec<i64>, Error> = self.shared.store.read(|transaction| {
            transaction.query("SELECT window_end FROM digests WHERE is_last = 1", &[], |row| row.integer(0))
        });
        assert!(ends_of_chains.expect("the table is there").len() <= 1, "a chain has one end");
        made.expect("the table is there").into_iter().map(|(end, covers)| Made { end, covers }).collect()
    }

    fn ends(&self) -> Vec<i64> {
        self.made().into_iter().map(|made| made.end).collect()
    }

    fn uncovered(&self) -> usize {
        let found: Result<Vec<i64>, Error> = self.shared.store.read(|transaction| {
            transaction.query("SELECT id FROM log_files WHERE digest IS NULL", &[], |row| row.integer(0))
        });
        found.expect("the table is there").len()
    }

    fn wait(&self) -> i64 {
        i64::try_from(self.shared.wait().expect("the store works").as_millis()).expect("it is short")
    }
}

#[test]
fn the_first_digest_is_due_an_interval_after_what_is_stored() {
    let place = Place::new();
    assert_eq!(place.at(0).wait(), HOUR);
    assert_eq!(place.at(HOUR - 5 * SECOND).wait(), 5 * SECOND, "whatever process looks");
    assert_eq!(place.at(HOUR).wait(), 0);
    place.deliver();
    assert_eq!(place.at(HOUR + 10 * SECOND).wait(), HOUR - 10 * SECOND, "a file's delivery is later than the start");
    place.at(2 * HOUR).round();
    assert_eq!((place.wait(), place.ends()), (HOUR, vec![2 * HOUR]));
    assert_eq!(place.at(7 * HOUR).wait(), 0);
}

#[test]
fn what_was_delivered_before_logging_or_validation_ended_is_covered_once() {
    for change in ["logging = 0", "validation = 0", "logging = 0, deleted = 7"] {
        let place = Place::new();
        place.at(SECOND).deliver().execute(&format!("UPDATE trails SET {change}"));
        assert_eq!(place.at(60 * SECOND).wait(), HOUR - 59 * SECOND, "{change}");
        place.at(HOUR).round();
        assert_eq!(place.ends(), [HOUR], "{change}");
        assert_eq!(place.uncovered(), 0, "{change}");
        place.at(2 * HOUR).round().digest();
        assert_eq!(place.ends(), [HOUR], "{change}: nothing is left to be covered");
        assert_eq!(place.wait(), HOUR, "{change}");
    }
}

#[test]
fn a_file_that_a_stopped_trail_delivers_late_gets_a_digest_too() {
    let place = Place::new();
    place.at(SECOND).deliver().at(HOUR).round();
    place.execute("UPDATE trails SET logging = 0").at(2 * HOUR).round();
    place.at(2 * HOUR + SECOND).deliver().digest().at(3 * HOUR).round();
    assert_eq!(place.uncovered(), 0);
    assert_eq!(place.ends(), [HOUR, 2 * HOUR, 2 * HOUR + SECOND]);
}

#[test]
fn a_clock_that_jumps_ahead_and_back_costs_few_digests_and_they_go_on() {
    let place = Place::new();
    place.deliver().at(HOUR).round();
    place.at(60 * DAY).deliver().round();
    let ahead = place.ends().len() - 1;
    assert!((1..=25).contains(&ahead), "{ahead}");
    place.deliver().at(2 * HOUR).deliver();
    assert_eq!(place.wait(), 0, "it is noticed at once");
    place.round();
    assert_eq!(place.uncovered(), 0, "what was delivered with the clock ahead is covered now");
    assert_eq!(place.wait(), HOUR);
    place.at(3 * HOUR).deliver().round();
    assert_eq!(place.ends()[ahead + 1..], [2 * HOUR, 3 * HOUR]);
    assert_eq!(place.uncovered(), 0);
    place.at(60 * DAY).deliver().round().digest();
    assert_eq!(place.uncovered(), 0, "also when the time comes that was told before");
}

#[test]
fn a_clock_that_goes_back_a_little_does_not_break_the_chain() {
    let place = Place::new();
    place.at(HOUR).deliver().round();
    place.at(HOUR - 30 * SECOND).deliver().digest().digest();
    assert_eq!(place.ends(), [HOUR, HOUR + SECOND, HOUR + 2 * SECOND]);
    assert_eq!(place.uncovered(), 0);
    assert_eq!(place.wait(), HOUR, "no more is due before the clock is there again");
}

#[test]
fn a_chain_rests_after_a_day_without_log_files_and_goes_on_with_the_next_one() {
    let place = Place::new();
    place.deliver();
    for hour in 1..=40 {
        place.at(hour * HOUR).round();
    }
    assert_eq!(place.ends().len(), 24);
    assert_eq!(place.wait(), HOUR);
    place.at(400 * HOUR).deliver();
    assert_eq!(place.wait(), 0);
    place.round();
    let made = place.made();
    assert!(made.len() <= 24 + 25, "{}", made.len());
    assert_eq!(made.last(), Some(&Made { end: 400 * HOUR, covers: 1 }));
    place.at(500 * HOUR).digest();
    assert_eq!(place.ends().last(), Some(&(500 * HOUR)), "a call makes one all the same");
}

#[test]
fn a_digest_that_cannot_be_kept_is_made_whole_later() {
    let place = Place::new();
    place.deliver().deliver().execute(
        "CREATE TRIGGER refusal BEFORE UPDATE OF digest ON log_files WHEN OLD.id = 2 BEGIN SELECT RAISE(ABORT, 'refused'); END",
    );
    place.at(HOUR).shared.make(Chains::Active).expect_err("the second file cannot be covered");
    assert_eq!((place.ends(), place.uncovered()), (vec![], 2));
    place.execute("DROP TRIGGER refusal").round();
    assert_eq!(place.made(), [Made { end: HOUR, covers: 2 }]);
}

#[test]
fn a_digest_whose_key_is_taken_ends_a_second_later() {
    let place = Place::new();
    place.deliver().at(HOUR).round();
    place
        .execute("UPDATE digests SET trail = 77, is_last = 0, window_end = 0; UPDATE log_files SET digest = NULL")
        .deliver()
        .digest();
    assert_eq!(place.ends().len(), 2);
    assert_eq!(place.uncovered(), 0);
}

/// Panics at first, and then tells of each object.
struct Panicking {
    puts: AtomicUsize,
    keys: Mutex<Sender<String>>,
}

impl Bucket for Panicking {
    fn put(&self, key: &str, _content: &[u8], _metadata: &[(&str, &str)]) -> io::Result<()> {
        assert!(self.puts.fetch_add(1, Ordering::Relaxed) > 0, "a bucket of the test panics");
        self.keys.lock().send(key.to_owned()).expect("the test listens");
        Ok(())
    }
}

#[test]
fn a_round_that_panics_is_followed_by_one_that_writes_the_same_digest_and_so_does_a_call() {
    let place = Place::new();
    place.deliver().at(HOUR + 1_800 * SECOND);
    let (keys_of_objects, written) = channel();
    let own = Arc::new(Panicking { puts: AtomicUsize::new(0), keys: Mutex::new(keys_of_objects) });
    let store = Arc::clone(&place.shared.store);
    let (keys, buckets) = (keys(&store), buckets(place.folder.path(), own));
    let digests = Digests::start(store, keys, buckets, Arc::<SetClock>::clone(&place.clock), Duration::from_hours(1));
    let digests = digests.expect("a thread can be made");
    let first = written.recv().expect("the round after the panic writes it");
    place.at(HOUR + 1_830 * SECOND);
    digests.make().expect("the lock works");
    digests.stop();
    let further: Vec<String> = written.try_iter().collect();
    assert!(first.ends_with("T013000Z.json.gz"), "{first}");
    assert!(further.last().is_some_and(|key| key.ends_with("T013030Z.json.gz")), "{further:?}");
    assert_eq!(place.ends().len(), 1 + further.len(), "each is written once");
}

//! Changes of a store: an acknowledged change is kept and its action has run once; of other changes nothing is left.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use faulty_disk::{Failure, Faults};
use parking_lot::Mutex;
use store::{Durability, Error, Store};

use crate::{FAILURES, faults};

/// Number of parts of a large change: more than the cache of a connection holds, so that pages are written before the commit.
const PARTS: i64 = 80;

/// A store and the acknowledged changes.
struct Ledger {
    store: Store,
    next: AtomicI64,
    acknowledged: Mutex<BTreeSet<i64>>,
    /// The changes whose after-commit actions have run.
    acted: Arc<Mutex<Vec<i64>>>,
}

impl Ledger {
    fn open(folder: &Path, durability: Durability) -> Self {
        let store = Store::open(&folder.join("test.db"), durability).expect("the folder is writable");
        let steps = &["CREATE TABLE notes (id INTEGER PRIMARY KEY, size INTEGER NOT NULL); \
             CREATE TABLE parts (note INTEGER NOT NULL, bytes BLOB NOT NULL); \
             CREATE TABLE total (notes INTEGER NOT NULL); INSERT INTO total VALUES (0)"];
        store.migrate("test", steps).expect("the statements are valid");
        Self { store, next: AtomicI64::new(1), acknowledged: Mutex::default(), acted: Arc::default() }
    }

    /// Makes a change with a number of parts and notes whether it was acknowledged.
    fn change(&self, parts: i64) {
        let id = self.next.fetch_add(1, Ordering::SeqCst);
        let acted = Arc::clone(&self.acted);
        let changed = self.store.write(move |transaction| {
            transaction.execute("INSERT INTO notes (id, size) VALUES (?1, ?2)", &[id.into(), parts.into()])?;
            transaction.after_commit(move || acted.lock().push(id));
            transaction.savepoint(|| {
                for _ in 0..parts {
                    let statement = "INSERT INTO parts (note, bytes) VALUES (?1, zeroblob(65536))";
                    transaction.execute(statement, &[id.into()])?;
                }
                Ok::<_, Error>(())
            })?;
            transaction.execute("UPDATE total SET notes = notes + 1", &[])?;
            // Deleting old parts frees space for the next run.
            transaction.execute("DELETE FROM parts WHERE note < ?1 - 20", &[id.into()])?;
            Ok::<_, Error>(())
        });
        if changed.is_ok() {
            self.acknowledged.lock().insert(id);
        }
    }

    /// Compares the acknowledged changes, the actions and the rows.
    fn check(&self, context: &str) {
        let acknowledged = self.acknowledged.lock();
        let acted = self.acted.lock();
        assert_eq!(acted.len(), acknowledged.len(), "{context}: each action runs once");
        assert_eq!(acted.iter().copied().collect::<BTreeSet<_>>(), *acknowledged, "{context}: actions");
        assert_eq!(kept(&self.store), *acknowledged, "{context}: rows");
    }
}

/// Returns the ids of the notes in a store; asserts that parts and total agree with them.
fn kept(store: &Store) -> BTreeSet<i64> {
    let found: Result<_, Error> = store.read(|transaction| {
        let notes = transaction.query("SELECT id FROM notes", &[], |row| row.integer(0))?;
        let total = transaction.query_one("SELECT notes FROM total", &[], |row| row.integer(0))?;
        let torn = "SELECT COUNT(*) FROM parts WHERE note NOT IN (SELECT id FROM notes)";
        let torn = transaction.query_one(torn, &[], |row| row.integer(0))?;
        Ok((notes, total, torn))
    });
    let (notes, total, torn) = found.expect("the store works again");
    assert_eq!((total, torn), (Some(i64::try_from(notes.len()).expect("the number is small")), Some(0)));
    notes.into_iter().collect()
}

/// Returns the notes in a copy of the files, as they are after a kill.
fn kept_after_a_kill(folder: &Path) -> BTreeSet<i64> {
    let copy = tempfile::tempdir().expect("a temporary folder can be created");
    for name in ["test.db", "test.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).expect("the file exists");
    }
    kept(&Store::open(&copy.path().join("test.db"), Durability::Normal).expect("the database opens"))
}

#[test]
fn a_small_change_is_kept_or_rolled_back_at_each_failure() {
    let injection = Faults::install();
    for failure in FAILURES {
        for (lasts, durability) in [(false, Durability::Normal), (true, Durability::Normal), (false, Durability::Full)]
        {
            let folder = tempfile::tempdir().expect("a temporary folder can be created");
            let ledger = Ledger::open(folder.path(), durability);
            ledger.change(0);
            for number in 1.. {
                injection.inject(failure, number, lasts);
                ledger.change(1);
                let failed = injection.remove();
                ledger.check(&format!("{failure:?} at {number}, lasts: {lasts}"));
                ledger.change(0);
                ledger.check(&format!("after {failure:?} at {number}, lasts: {lasts}"));
                if failed == 0 {
                    assert!(number > 4, "{failure:?}: some calls can fail");
                    break;
                }
            }
            let count = i64::try_from(ledger.acknowledged.lock().len()).expect("the number is small");
            assert!(count > ledger.next.load(Ordering::SeqCst) / 2, "changes after a failure are kept");
        }
    }
}

#[test]
fn changes_of_many_threads_are_kept_exactly_if_they_are_acknowledged() {
    let injection = Faults::install();
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let ledger = Ledger::open(folder.path(), Durability::Normal);
    let mut failed = 0;
    for (run, fault) in faults(4_000).enumerate() {
        injection.inject(fault.failure, fault.number, fault.lasts);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let ledger = &ledger;
                scope.spawn(move || {
                    for number in 0..3 {
                        ledger.change(if (thread, number) == (0, 1) { PARTS } else { number });
                    }
                });
            }
        });
        failed += u64::from(injection.remove() > 0);
        let context = format!("run {run}, {:?} at {}, lasts: {}", fault.failure, fault.number, fault.lasts);
        ledger.check(&context);
        if run % 16 == 0 {
            let after = kept_after_a_kill(folder.path());
            let acknowledged = ledger.acknowledged.lock();
            assert!(after.is_superset(&acknowledged), "{context}: acknowledged changes survive a kill");
        }
        ledger.change(0);
        ledger.check(&context);
    }
    println!("{failed} runs had a failure");
    assert!(failed > 16, "most runs have a failure");
    let Ledger { store, acknowledged, .. } = ledger;
    drop(store);
    let again = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the database opens");
    assert_eq!(kept(&again), acknowledged.into_inner());
}

#[test]
fn a_failed_reader_is_not_used_again() {
    let injection = Faults::install();
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let ledger = Ledger::open(folder.path(), Durability::Normal);
    ledger.change(PARTS);
    for number in 1.. {
        injection.inject(Failure::Allocation, number, false);
        let sorted = "SELECT note FROM parts ORDER BY hex(bytes) DESC, rowid";
        let read: Result<Vec<i64>, Error> =
            ledger.store.read(|transaction| transaction.query(sorted, &[], |row| row.integer(0)));
        let failed = injection.remove();
        assert!(failed > 0 || read.is_ok(), "{read:?}");
        ledger.check(&format!("allocation {number}"));
        if failed == 0 || number > 400 {
            break;
        }
    }
}

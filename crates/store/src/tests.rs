use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::test_database::{TestDatabase, notes};
use crate::{Durability, Error, Store, Transaction};

/// Opens a file of SQLite, for tests that look at files.
fn open(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    let steps = &["CREATE TABLE notes (number INTEGER PRIMARY KEY, text TEXT NOT NULL)"];
    store.migrate("test", steps).expect("the statement is valid");
    store
}

fn add(transaction: &Transaction, text: &str) -> Result<(), Error> {
    transaction.execute("INSERT INTO notes (text) VALUES (?1)", &[text.into()]).map(drop)
}

#[test]
fn committed_changes_are_there_after_reopening() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    store.write(|transaction| add(transaction, "kept")).expect("the write succeeds");
    drop(store);
    assert_eq!(notes(&database.open_notes()), ["kept"]);
}

#[test]
fn a_closed_database_is_one_file() {
    let folder = tempfile::tempdir().expect("the disk has space");
    let store = open(&folder);
    store.write(|transaction| add(transaction, "kept")).expect("the write succeeds");
    assert_eq!(notes(&store), ["kept"]);
    drop(store);
    let names =
        fs::read_dir(folder.path()).expect("the folder is readable").map(|entry| entry.map(|entry| entry.file_name()));
    assert_eq!(names.collect::<Result<Vec<_>, _>>().expect("the folder is readable"), ["test.db"]);
}

#[test]
fn a_failed_savepoint_rolls_back_its_own_changes_and_actions_only() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let actions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&actions);
    store
        .write(move |transaction| {
            add(transaction, "before")?;
            let failed: Result<(), Error> = transaction.savepoint(|| {
                add(transaction, "inside")?;
                let counted = Arc::clone(&counted);
                transaction.after_commit(move || counted.store(100, Ordering::Relaxed));
                Err(Error::Panicked)
            });
            assert!(failed.is_err(), "the failure of the savepoint is returned");
            transaction.after_commit(move || counted.store(1, Ordering::Relaxed));
            add(transaction, "after")
        })
        .expect("the write succeeds");
    assert_eq!(notes(&store), ["before", "after"]);
    assert_eq!(actions.load(Ordering::Relaxed), 1, "actions run before the write returns");
}

#[test]
fn a_panic_rolls_back_one_change_and_later_writes_succeed() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let outcome: Result<(), Error> = store.write(|transaction| {
        add(transaction, "lost").expect("the write succeeds");
        let inside: Result<(), Error> = transaction.savepoint(|| panic!("a test's own panic"));
        inside
    });
    assert!(matches!(outcome, Err(Error::Panicked)));
    store.write(|transaction| add(transaction, "kept")).expect("the write succeeds");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_failed_change_is_rolled_back_and_its_actions_do_not_run() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let actions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&actions);
    let outcome: Result<(), Error> = store.write(move |transaction| {
        add(transaction, "lost")?;
        transaction.after_commit(move || counted.store(1, Ordering::Relaxed));
        transaction.execute("INSERT INTO notes (text) VALUES (NULL)", &[]).map(drop)
    });
    assert!(matches!(outcome, Err(Error::Database { .. })), "{outcome:?}");
    assert_eq!((notes(&store), actions.load(Ordering::Relaxed)), (vec![], 0));
}

#[test]
fn a_panic_in_an_action_affects_no_other_action_or_write() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let actions = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (store, actions) = (&store, Arc::clone(&actions));
            scope.spawn(move || {
                let written = store.write(move |transaction| {
                    transaction.after_commit(|| panic!("a test's own panic"));
                    transaction.after_commit(move || {
                        actions.fetch_add(1, Ordering::Relaxed);
                    });
                    add(transaction, &number.to_string())
                });
                written.expect("a committed change stays committed");
            });
        }
    });
    assert_eq!((notes(&store).len(), actions.load(Ordering::Relaxed)), (8, 8));
}

#[test]
fn a_transaction_that_sqlite_rolled_back_is_reported_as_failed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = open(&folder);
    let actions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&actions);
    let outcome: Result<(), Error> = store.write(move |transaction| {
        add(transaction, "lost")?;
        transaction.after_commit(move || counted.store(1, Ordering::Relaxed));
        // SQLite does this itself when the disk is full.
        transaction.execute_all("ROLLBACK")?;
        drop(add(transaction, "in a transaction of its own"));
        drop(transaction.savepoint(|| add(transaction, "in another transaction")));
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::NotCommitted(_))), "{outcome:?}");
    assert_eq!((notes(&store), actions.load(Ordering::Relaxed)), (vec![], 0));
    store.write(|transaction| add(transaction, "kept")).expect("the write succeeds");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_change_that_ends_the_transaction_is_rolled_back() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let outcome: Result<(), Error> = store.write(|transaction| {
        transaction.execute_all("ROLLBACK; BEGIN")?;
        add(transaction, "lost")
    });
    assert!(outcome.is_err());
    assert_eq!(notes(&store), [""; 0]);
    store.write(|transaction| add(transaction, "kept")).expect("the write succeeds");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn every_acknowledged_change_of_many_threads_is_kept() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..50 {
                    store
                        .write(move |transaction| add(transaction, &format!("{thread}-{number}")))
                        .expect("the write succeeds");
                }
            });
        }
    });
    assert_eq!(notes(&store).len(), 400);
}

#[test]
fn a_migration_runs_once() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    store
        .migrate("test", &["", "INSERT INTO notes (text) VALUES ('step two')"])
        .expect("the second step alone is valid here");
    assert_eq!(notes(&store), ["step two"]);
}

#[test]
fn only_its_owner_can_read_the_database() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = open(&folder);
    store.write(|transaction| add(transaction, "secret")).expect("the write succeeds");
    for file in fs::read_dir(folder.path()).expect("the folder exists") {
        let file = file.expect("the folder can be listed");
        let mode = file.metadata().expect("the file exists").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}

#[test]
fn a_checkpoint_in_the_background_is_due_after_many_commits_and_lets_a_long_log_begin_anew() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = open(&folder);
    let wakes = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&wakes);
    let wake = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    store.maintain_in_background(wake).expect("the store is open");
    let size = |name: &str| fs::metadata(folder.path().join(name)).expect("the file exists").len();
    // The header of the log counts how often it began anew.
    let beginnings = || fs::read(folder.path().join("test.db-wal")).expect("the log exists")[12..16].to_vec();
    let text = "x".repeat(20_000);
    let write = || {
        let text = text.clone();
        store.write(move |transaction| add(transaction, &text)).expect("the write succeeds");
    };
    while size("test.db-wal") < 20 << 20 {
        write();
    }
    assert_eq!(wakes.load(Ordering::Relaxed), 1, "one wake until the checkpoint");
    let before = beginnings();
    store.maintain().expect("the database is writable");
    assert!(size("test.db") > 10 << 20, "the pages are in the database");
    write();
    assert_ne!(beginnings(), before);
}

#[test]
fn a_read_of_one_statement_has_no_second_one() {
    let database = TestDatabase::new();
    let store = database.open_notes();
    let read = |statements: usize| {
        store.read_once::<_, Error>(|transaction| {
            for _ in 1..statements {
                transaction.query("SELECT 1", &[], |row| row.integer(0))?;
            }
            transaction.query_one("SELECT 2", &[], |row| row.integer(0))
        })
    };
    assert_eq!(read(1).expect("the statement is valid"), Some(2));
    assert!(matches!(read(2), Err(Error::Refused(_))));
    assert_eq!(read(1).expect("the connection can be used again"), Some(2));
}

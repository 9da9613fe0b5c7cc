use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Durability, Error, Store, Transaction};

fn open(folder: &tempfile::TempDir) -> Store {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("test", &["CREATE TABLE notes (text TEXT NOT NULL)"]).expect("the statement is good");
    store
}

fn add(transaction: &Transaction, text: &str) -> Result<(), Error> {
    transaction.execute("INSERT INTO notes (text) VALUES (?1)", &[text.into()]).map(drop)
}

fn notes(store: &Store) -> Vec<String> {
    store
        .read(|transaction| transaction.query("SELECT text FROM notes ORDER BY rowid", &[], |row| row.text(0)))
        .expect("the table is there")
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    store.write(|transaction| add(transaction, "kept")).expect("it is written");
    drop(store);
    assert_eq!(notes(&open(&folder)), ["kept"]);
}

#[test]
fn a_failed_savepoint_takes_back_its_own_changes_and_hooks_only() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    let hooks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hooks);
    store
        .write(move |transaction| {
            add(transaction, "before")?;
            let failed: Result<(), Error> = transaction.savepoint(|| {
                add(transaction, "inside")?;
                let counted = Arc::clone(&counted);
                transaction.after_commit(move || counted.store(100, Ordering::Relaxed));
                Err(Error::Panicked)
            });
            assert!(failed.is_err(), "the part's own failure comes back");
            transaction.after_commit(move || counted.store(1, Ordering::Relaxed));
            add(transaction, "after")
        })
        .expect("it is written");
    assert_eq!(notes(&store), ["before", "after"]);
    assert_eq!(hooks.load(Ordering::Relaxed), 1, "hooks run before the writer answers");
}

#[test]
fn a_panic_takes_back_one_change_and_the_store_goes_on() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    let outcome: Result<(), Error> = store.write(|transaction| {
        add(transaction, "lost").expect("it is written");
        let inside: Result<(), Error> = transaction.savepoint(|| panic!("a test's own panic"));
        inside
    });
    assert!(matches!(outcome, Err(Error::Panicked)));
    store.write(|transaction| add(transaction, "kept")).expect("it is written");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_change_that_fails_is_rolled_back_whole_and_its_actions_are_not_run() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
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
fn an_action_that_panics_harms_no_other_and_the_store_goes_on() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
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
                written.expect("what is committed is committed");
            });
        }
    });
    assert_eq!((notes(&store).len(), actions.load(Ordering::Relaxed)), (8, 8));
}

#[test]
fn a_transaction_that_the_database_rolled_back_is_kept_for_nobody() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    let actions = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&actions);
    let outcome: Result<(), Error> = store.write(move |transaction| {
        add(transaction, "lost")?;
        transaction.after_commit(move || counted.store(1, Ordering::Relaxed));
        // As SQLite does by itself when the disk is full.
        transaction.execute_all("ROLLBACK")?;
        drop(add(transaction, "in a transaction of its own"));
        drop(transaction.savepoint(|| add(transaction, "in another transaction")));
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::NotCommitted(_))), "{outcome:?}");
    assert_eq!((notes(&store), actions.load(Ordering::Relaxed)), (vec![], 0));
    store.write(|transaction| add(transaction, "kept")).expect("it is written");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_part_that_is_in_another_transaction_at_its_end_is_kept_for_nobody() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    let outcome: Result<(), Error> = store.write(|transaction| {
        transaction.execute_all("ROLLBACK; BEGIN")?;
        add(transaction, "lost")
    });
    assert!(outcome.is_err());
    assert_eq!(notes(&store), [""; 0]);
    store.write(|transaction| add(transaction, "kept")).expect("it is written");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn many_threads_write_and_every_acknowledged_change_is_there() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..50 {
                    store
                        .write(move |transaction| add(transaction, &format!("{thread}-{number}")))
                        .expect("it is written");
                }
            });
        }
    });
    assert_eq!(notes(&store).len(), 400);
}

#[test]
fn a_migration_runs_once_and_a_newer_database_is_refused() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    store
        .migrate("test", &["CREATE TABLE notes (text TEXT NOT NULL)", "INSERT INTO notes VALUES ('step two')"])
        .expect("only the second step runs");
    assert_eq!(notes(&store), ["step two"]);
    assert!(matches!(store.migrate("test", &["SELECT 1"]), Err(Error::TooNew(_))));
}

#[test]
fn nobody_but_its_owner_reads_the_database() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("there is room");
    let store = open(&folder);
    store.write(|transaction| add(transaction, "secret")).expect("it is written");
    for file in std::fs::read_dir(folder.path()).expect("it is there") {
        let file = file.expect("it can be listed");
        let mode = file.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.path().display());
    }
}

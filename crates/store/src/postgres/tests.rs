//! What only a server does: locks, batches, lost connections. Without a server these tests have nothing to look at.

mod proxy;
mod tls;

use std::fmt::Display;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use self::proxy::Proxy;
use super::{READERS_MAX, ServerSettings};
use crate::test_database::server_url;
use crate::{Cause, ColumnType, Durability, Error, LineSink, NumberedTable, Store, Transaction};

static EVENTS: NumberedTable = NumberedTable {
    name: "events",
    number: "seq",
    columns: &[("text", ColumnType::Text), ("size", ColumnType::Integer), ("bytes", ColumnType::Blob)],
    insert: "INSERT INTO events (text, size, bytes) VALUES (?1, ?2, ?3)",
};

const STEPS: &[&str] = &["
    CREATE TABLE events (seq INTEGER NOT NULL PRIMARY KEY, text TEXT NOT NULL, size INTEGER NOT NULL, bytes BLOB);
    CREATE TABLE notes (number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
"];

/// Returns the URL of a new schema; these tests run with `scripts/postgres` only.
fn url() -> Option<String> {
    let url = server_url();
    if url.is_none() {
        eprintln!("not run: there is no server; scripts/postgres starts one");
    }
    url
}

fn open(url: &str) -> Store {
    let settings = ServerSettings::parse(url).expect("the URL is valid");
    let store = Store::connect(settings, Durability::Normal).expect("the server of the tests runs");
    store.migrate("test", STEPS).expect("the statements are valid");
    store
}

fn record(transaction: &Transaction, text: &str) -> Result<(), Error> {
    let size = i64::try_from(text.len()).expect("the texts are short");
    transaction.insert_numbered(&EVENTS, &[text.into(), size.into(), text.as_bytes().into()])
}

fn add(transaction: &Transaction, text: &str) -> Result<(), Error> {
    transaction.note("INSERT INTO notes (text) VALUES (?1)", &[text.into()])
}

fn events(store: &Store) -> Vec<(i64, String)> {
    let sql = "SELECT seq, text FROM events ORDER BY seq";
    let read = store.read(|transaction| transaction.query(sql, &[], |row| Ok((row.integer(0)?, row.text(1)?))));
    let read: Result<_, Error> = read;
    read.expect("the table exists")
}

fn notes(store: &Store) -> Vec<String> {
    crate::test_database::notes(store)
}

fn numbered(texts: &[&str]) -> Vec<(i64, String)> {
    (1..).zip(texts).map(|(number, text)| (number, (*text).to_owned())).collect()
}

/// Repeats until it succeeds, as clients do after a failure.
fn until_it_succeeds<R, E: Display>(mut attempt: impl FnMut() -> Result<R, E>) -> R {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match attempt() {
            Ok(result) => return result,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::yield_now();
    }
}

#[test]
fn numbers_have_no_gaps_and_the_order_of_commits_over_several_processes() {
    let Some(url) = url() else { return };
    let stores = [open(&url), open(&url)];
    thread::scope(|scope| {
        for number in 0..8 {
            let store = &stores[number % 2];
            scope.spawn(move || {
                for count in 0..25 {
                    let text = format!("{number}/{count:02}");
                    let written: Result<(), Error> = store.write(move |transaction| {
                        record(transaction, &text)?;
                        if count % 5 == 0 { Err(Error::Refused("a test rolls this back")) } else { Ok(()) }
                    });
                    assert_eq!(written.is_err(), count % 5 == 0);
                }
            });
        }
    });
    let all = events(&stores[0]);
    assert_eq!(all.len(), 160);
    assert!(all.iter().zip(1..).all(|((seq, _), expected)| *seq == expected), "{all:?}");
    for number in 0..8 {
        let prefix = format!("{number}/");
        let own: Vec<_> = all.iter().filter(|(_, text)| text.starts_with(&prefix)).collect();
        assert!(own.is_sorted_by_key(|(_, text)| text), "a thread's calls keep their order");
    }
}

#[test]
fn a_schema_can_have_the_name_of_a_word_of_sql_and_the_first_host_can_be_away() {
    let Some(url) = url() else { return };
    let (url, _) = url.split_once("schema=").expect("the URL has a schema");
    // The first of the two folders has no socket.
    let url = format!("{}schema=order", url.replace("host=", "host=/nowhere&host="));
    open(&url).write(|transaction| record(transaction, "kept")).expect("the server of the tests runs");
    assert_eq!(events(&open(&url)), numbered(&["kept"]));
}

#[test]
fn statements_see_the_rows_that_wait() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let seen = store.write(|transaction| {
        record(transaction, "first")?;
        let max = || transaction.query_one("SELECT MAX(seq) FROM events", &[], |row| row.integer(0));
        let before = max()?;
        record(transaction, "second")?;
        Ok::<_, Error>((before, max()?))
    });
    assert_eq!(seen.expect("the statements are valid"), (Some(1), Some(2)));
    assert_eq!(events(&store), numbered(&["first", "second"]));
}

#[test]
fn a_change_that_is_rolled_back_takes_no_row_of_another_change_with_it() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let (release, released) = mpsc::channel::<()>();
    let holder = store.submit::<(), Error>(move |transaction| {
        released.recv().expect("the test releases it");
        record(transaction, "holder")
    });
    let changes = [
        store.submit(|transaction| record(transaction, "only a record")),
        store.submit(|transaction| {
            record(transaction, "rolled back")?;
            let part: Result<(), Error> = transaction.savepoint(|| {
                record(transaction, "rolled back with its part")?;
                add(transaction, "rolled back with its part")?;
                Err(Error::Refused("a test rolls this back"))
            });
            assert!(part.is_err());
            add(transaction, "rolled back")?;
            record(transaction, "rolled back, too")?;
            let sql = "SELECT COUNT(*) FROM events";
            assert_eq!(transaction.query_one(sql, &[], |row| row.integer(0))?, Some(4));
            Err(Error::Refused("a test rolls this back"))
        }),
        store.submit(|transaction| {
            record(transaction, "rolled back without a statement")?;
            Err(Error::Refused("a test rolls this back"))
        }),
        store.submit(|transaction| {
            add(transaction, "kept")?;
            record(transaction, "with a statement")
        }),
    ];
    release.send(()).expect("the change waits for it");
    holder.wait().expect("it is committed");
    assert_eq!(changes.map(|change| change.wait().is_ok()), [true, false, false, true]);
    assert_eq!(events(&store), numbered(&["holder", "only a record", "with a statement"]));
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_note_that_fails_fails_its_part_only() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let written = store.write(|transaction| {
        add(transaction, "first")?;
        let part: Result<(), Error> = transaction.savepoint(|| {
            add(transaction, "first")?;
            add(transaction, "second")
        });
        assert!(matches!(part, Err(Error::Database { .. })), "{part:?}");
        add(transaction, "third")
    });
    written.expect("the rest is valid");
    assert_eq!(notes(&store), ["first", "third"]);
}

#[test]
fn a_change_with_a_failed_statement_fails_whatever_it_returns() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let written = store.write(|transaction| {
        add(transaction, "lost")?;
        drop(transaction.execute("INSERT INTO notes (text) VALUES (NULL)", &[]));
        let after = transaction.execute("INSERT INTO notes (text) VALUES ('lost, too')", &[]);
        assert!(
            after.expect_err("the server ignores it").to_string().contains("null value"),
            "the first error is told"
        );
        Ok::<_, Error>(())
    });
    assert!(written.expect_err("a statement failed").to_string().contains("23502"));
    store.write(|transaction| add(transaction, "kept")).expect("the next change is not concerned");
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_statement_cannot_end_the_transaction() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let written: Result<(), Error> = store.write(|transaction| {
        add(transaction, "lost")?;
        transaction.execute_all("ROLLBACK")
    });
    assert!(written.expect_err("it is refused").to_string().contains("which only the store may do"));
    assert_eq!(notes(&store), [""; 0]);
}

#[test]
fn a_read_has_one_snapshot_and_changes_nothing() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let count =
        |transaction: &Transaction| transaction.query_one("SELECT COUNT(*) FROM notes", &[], |row| row.integer(0));
    let counts: Result<_, Error> = store.read(|transaction| {
        let before = count(transaction)?;
        store.write(|transaction| add(transaction, "meanwhile"))?;
        Ok((before, count(transaction)?))
    });
    assert_eq!(counts.expect("the statements are valid"), (Some(0), Some(0)));
    let written: Result<(), Error> =
        store.read(|transaction| add(transaction, "refused").and_then(|()| count(transaction).map(drop)));
    assert!(written.expect_err("readers cannot write").to_string().contains("read-only"));
    assert_eq!(notes(&store), ["meanwhile"]);
}

#[test]
fn more_readers_than_connections_wait_for_one() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let (begun, has_begun) = mpsc::channel();
    thread::scope(|scope| {
        let readers: Vec<_> = (0..=READERS_MAX)
            .map(|_| {
                let (release, released) = mpsc::channel::<()>();
                let (store, begun) = (&store, begun.clone());
                scope.spawn(move || {
                    let read: Result<(), Error> = store.read(|_transaction| {
                        begun.send(()).expect("the test waits for it");
                        released.recv().expect("the test releases it");
                        Ok(())
                    });
                    read.expect("the server is there");
                });
                release
            })
            .collect();
        for _ in 0..READERS_MAX {
            has_begun.recv().expect("the reader runs");
        }
        assert!(has_begun.try_recv().is_err(), "the last one waits");
        for release in readers {
            release.send(()).expect("the reader waits for it");
        }
        has_begun.recv().expect("the last one runs");
    });
}

#[test]
fn a_change_whose_connection_was_lost_is_not_kept_and_the_next_one_connects_again() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let written: Result<(), Error> = store.write(|transaction| {
        add(transaction, "lost")?;
        transaction.query("SELECT pg_terminate_backend(pg_backend_pid())", &[], |_row| Ok(())).map(drop)
    });
    let error = written.expect_err("the connection was lost");
    assert!(matches!(error, Error::Database { cause: Cause::Unreachable, .. }), "{error:?}");
    until_it_succeeds(|| {
        store.write::<_, Error>(|transaction| transaction.execute("INSERT INTO notes (text) VALUES ('kept')", &[]))
    });
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_commit_that_the_server_could_not_make_is_reported_as_such() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let trigger = "
        CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
        CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION end_connection()";
    store.write(move |transaction| transaction.execute_all(trigger)).expect("the statements are valid");
    let written: Result<(), Error> = store.write(|transaction| add(transaction, "lost"));
    let error = written.expect_err("the server ended the connection");
    assert!(matches!(error, Error::NotCommitted(_)) && !error.is_unknown(), "{error:?}");
    store.write(|transaction| transaction.execute_all("DROP TRIGGER at_commit ON notes")).expect("it connects again");
    assert_eq!(notes(&store), [""; 0]);
}

#[test]
fn a_commit_whose_answer_was_lost_is_looked_up() {
    let Some(url) = url() else { return };
    let (proxy, through) = Proxy::start(&url);
    let store = open(&through);
    store.write(|transaction| add(transaction, "before")).expect("the proxy forwards it");
    proxy.lose_answer_of_commit();
    let (acted, has_acted) = mpsc::channel();
    let written = store.write(move |transaction| {
        transaction.after_commit(move || acted.send(()).expect("the test waits for it"));
        add(transaction, "committed")?;
        record(transaction, "committed")
    });
    written.expect("the receipt was found");
    has_acted.recv().expect("the actions ran");
    assert_eq!(notes(&store), ["before", "committed"]);
    assert_eq!(events(&store), numbered(&["committed"]));
}

#[test]
fn a_commit_that_did_not_reach_the_server_is_not_kept() {
    let Some(url) = url() else { return };
    let (proxy, through) = Proxy::start(&url);
    let store = open(&through);
    store.write(|transaction| add(transaction, "before")).expect("the proxy forwards it");
    proxy.lose_commit();
    let written: Result<(), Error> = store.write(|transaction| add(transaction, "lost"));
    let error = written.expect_err("it was not committed");
    assert!(matches!(error, Error::NotCommitted(_)) && !error.is_unknown(), "{error:?}");
    store.write(|transaction| add(transaction, "after")).expect("it connects again");
    assert_eq!(notes(&store), ["before", "after"]);
}

#[test]
fn a_server_that_is_away_is_told_at_once_and_needs_no_hand_to_be_used_again() {
    let Some(url) = url() else { return };
    let (proxy, through) = Proxy::start(&url);
    let store = open(&through);
    proxy.refuse();
    let error = store.write(|transaction| add(transaction, "lost")).expect_err("the server is away");
    assert!(error.to_string().contains("check that the server runs"), "{error}");
    assert!(!error.to_string().contains("postgres:x@"), "{error}");
    assert_eq!(error.summary(), "the database cannot be reached");
    assert!(store.check().is_err(), "readers, too");
    proxy.accept();
    until_it_succeeds(|| {
        store.write::<_, Error>(|transaction| transaction.execute("INSERT INTO notes (text) VALUES ('kept')", &[]))
    });
    until_it_succeeds(|| store.check());
    assert_eq!(notes(&store), ["kept"]);
}

#[test]
fn a_database_that_does_not_exist_is_told_without_waiting() {
    let Some(url) = url() else { return };
    let missing = url.replacen("/postgres?", "/missing?", 1);
    assert_ne!(missing, url, "the URL of the tests names the database postgres");
    let settings = ServerSettings::parse(&missing).expect("the URL is valid");
    let Err(error) = Store::connect(settings, Durability::Full) else { panic!("there is no such database") };
    assert!(matches!(error, Error::Database { cause: Cause::Refused, .. }), "{error:?}");
    assert!(error.to_string().contains("\"missing\" does not exist"), "{error}");
}

#[test]
fn durability_is_what_a_commit_waits_for() {
    let Some(url) = url() else { return };
    for (durability, expected) in [(Durability::Full, "on"), (Durability::Normal, "off")] {
        let settings = ServerSettings::parse(&url).expect("the URL is valid");
        let store = Store::connect(settings, durability).expect("the server of the tests runs");
        let sql = "SELECT current_setting('synchronous_commit')";
        let set = store.write(move |transaction| transaction.query_one(sql, &[], |row| row.text(0)));
        assert_eq!(set.expect("the statement is valid"), Some(expected.to_owned()));
    }
}

#[test]
fn a_transaction_for_which_others_wait_may_pause_for_a_short_time_only() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let limit = |transaction: &Transaction| {
        let sql = "SELECT current_setting('idle_in_transaction_session_timeout')";
        transaction.query_one(sql, &[], |row| row.text(0))
    };
    assert_eq!(store.write(limit).expect("the statement is valid"), Some("5s".to_owned()));
    assert_eq!(store.read(limit).expect("the statement is valid"), Some("30s".to_owned()));
}

/// A sink that keeps the number of the last row of each commit.
#[derive(Default)]
struct LastNumbers(Mutex<Vec<Option<i64>>>);

impl LineSink for LastNumbers {
    fn append(&self, _lines: &[String], last_number: Option<i64>) {
        self.0.lock().push(last_number);
    }
}

#[test]
fn a_sink_gets_the_number_of_the_last_row_of_a_commit() {
    let Some(url) = url() else { return };
    let stores = [open(&url), open(&url)];
    let sink = Arc::<LastNumbers>::default();
    for (store, rows) in [(&stores[0], 1), (&stores[1], 2), (&stores[0], 3), (&stores[1], 0)] {
        let lines = Arc::clone(&sink);
        let written: Result<(), Error> = store.write(move |transaction| {
            for _ in 0..rows {
                record(transaction, "a record")?;
            }
            transaction.append_after_commit(lines, "a line".to_owned());
            Ok(())
        });
        written.expect("the server works");
    }
    assert_eq!(*sink.0.lock(), [Some(1), Some(3), Some(6), None]);
}

#[test]
fn a_new_table_gets_statistics_by_which_the_index_of_a_unique_name_is_chosen() {
    let Some(url) = url() else { return };
    let store = open(&url);
    let steps = &["
        CREATE TABLE places (id TEXT PRIMARY KEY, account TEXT NOT NULL, name TEXT NOT NULL, date INTEGER NOT NULL, UNIQUE (account, name));
        CREATE INDEX places_by_date ON places (account, date, name);
    "];
    store.migrate("places", steps).expect("the statements are valid");
    let rows =
        "INSERT INTO places SELECT CAST(n AS TEXT), 'one', CAST(n AS TEXT), n FROM generate_series(1, 1000) AS n";
    let inserted = store.write(move |transaction| transaction.execute(rows, &[]));
    assert_eq!(inserted.expect("the statement is valid"), 1_000);
    let plan = || -> String {
        let sql = "EXPLAIN SELECT id FROM places WHERE account = 'one' AND name = '7'";
        let lines = store.read_once::<_, Error>(|transaction| transaction.query(sql, &[], |row| row.text(0)));
        lines.expect("the statement is valid").join(" ")
    };
    // The server counts the rows a moment later.
    until_it_succeeds(|| {
        store.maintain().map_err(|error| error.to_string())?;
        let plan = plan();
        if plan.contains("places_account_name_key") { Ok(()) } else { Err(plan) }
    });
}

//! Each statement of a call, a delivery, a digest and of indexing fails in turn.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::{Call, Failure, Operation};
use serde_json::Value;
use store::{Error, Transaction};

use super::{Place, call, event};
use crate::Source;

const SOURCE: Source = Source { event_source: "example.amazonaws.com", api_version: Some("2026-01-01") };

/// Does something with its first statement failing, then with its second, until it has none that has not failed.
fn with_each_statement(place: &Place, before: impl Fn(), act: impl Fn() -> bool, after: impl Fn(&str, bool)) -> u64 {
    for number in 1.. {
        before();
        place.store.fail_statement(number);
        let is_done = act();
        let is_over = place.store.fail_statement(0) > 0;
        after(&format!("statement {number}"), is_done);
        if is_over {
            assert!(is_done, "nothing failed");
            return number - 1;
        }
    }
    unreachable!("nothing has so many statements")
}

/// Counts what a query counts.
fn count(place: &Place, query: &str) -> usize {
    let found: Result<_, Error> =
        place.store.read(|transaction| transaction.query_one(query, &[], |row| row.integer(0)));
    found.expect("the store works").and_then(|count| usize::try_from(count).ok()).expect("it counts")
}

fn record_three(place: &Place) {
    for region in ["us-east-1", "eu-west-1", "us-east-1"] {
        place.trail.record(&call(region), event()).expect("the store works");
    }
}

#[test]
fn a_call_has_happened_and_is_recorded_or_has_not_and_says_so() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    let operation = Operation::<(), Transaction>::unpublished_write("PutNote", |(), _: &Arc<Call>, input: Value| {
        let change: aws::operation::Change<Transaction, Value, Failure> = Box::new(move |transaction| {
            let add = || transaction.execute("INSERT INTO notes (text) VALUES ('a note')", &[]);
            let added = add().and_then(|_| transaction.savepoint(add));
            added.map_or_else(|_| Err(Failure::internal()), |_| Ok(input))
        });
        Ok::<_, Failure>(change)
    });
    let put = || place.trail.call(SOURCE, &operation, &(), &call("us-east-1"), Ok(b"{}")).is_ok();
    let statements = with_each_statement(
        &place,
        || (),
        put,
        |context, is_done| {
            let events = place.events();
            let failed = count(&place, "SELECT COUNT(*) FROM events WHERE record LIKE '%\"errorCode\"%'");
            assert_eq!(events.len(), count(&place, "SELECT COUNT(*) FROM events"), "{context}: lines and rows");
            assert_eq!(place.notes().len(), 2 * (events.len() - failed), "{context}: changes and records of success");
            assert!(is_done || events.len() == failed, "{context}: no failed call has happened");
        },
    );
    assert!(statements > 8, "{statements}");
}

#[test]
fn an_event_is_in_one_log_file_whichever_statement_of_its_delivery_fails() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    let statements = with_each_statement(
        &place,
        || record_three(&place),
        || place.trail.flush().is_ok(),
        |context, _| {
            place.trail.flush().expect("the store works");
            let mut events = place.events();
            events.sort();
            assert_eq!(place.delivered(), events, "{context}");
        },
    );
    assert!(statements > 20, "{statements}");
}

#[test]
fn a_log_file_is_in_one_digest_whichever_statement_of_its_making_fails() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    let files = |digest: &Value| {
        let files = digest["logFiles"].as_array().expect("it lists log files").clone();
        files.into_iter().map(|file| file["s3Object"].as_str().expect("it has a key").to_owned()).collect::<Vec<_>>()
    };
    let statements = with_each_statement(
        &place,
        || {
            record_three(&place);
            place.trail.flush().expect("the store works");
        },
        || place.trail.digest().is_ok(),
        |context, _| {
            place.trail.digest().expect("the store works");
            let covered: Vec<String> = place.files("CloudTrail-Digest").iter().flat_map(files).collect();
            let once: BTreeSet<_> = covered.iter().collect();
            assert_eq!(covered.len(), once.len(), "{context}: no log file is in two digests");
            assert_eq!(covered.len(), place.files("CloudTrail").len(), "{context}: each is in one");
            let unwritten = count(&place, "SELECT COUNT(*) FROM digests WHERE document IS NOT NULL");
            assert_eq!(unwritten, 0, "{context}: each is written");
        },
    );
    assert!(statements > 20, "{statements}");
}

#[test]
fn an_event_is_indexed_once_whichever_statement_of_indexing_fails() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    let history = place.trail.history();
    let statements = with_each_statement(
        &place,
        || record_three(&place),
        || history.catch_up().is_ok(),
        |context, _| {
            history.catch_up().expect("the store works");
            let events = place.events().len();
            let by_name =
                "SELECT COUNT(*) FROM history_index JOIN history_values USING (value_id) WHERE value = 'PutNote'";
            assert_eq!(count(&place, by_name), events, "{context}: by name");
            assert_eq!(count(&place, "SELECT COUNT(*) FROM history_ids"), events, "{context}: by id");
        },
    );
    assert!(statements > 10, "{statements}");
}

#[test]
fn a_reset_is_whole_or_nothing_whichever_of_its_statements_fails() {
    let folder = tempfile::tempdir().expect("there is room");
    let place = Place::open(folder.path());
    let rows = || count(&place, "SELECT COUNT(*) FROM events");
    with_each_statement(
        &place,
        || record_three(&place),
        || place.trail.reset().is_ok(),
        |context, is_done| {
            assert_eq!(place.events().len(), rows(), "{context}: lines and rows");
            assert_eq!(rows() == 0, is_done, "{context}");
        },
    );
}

//! Makes each statement of a call, a delivery, a digest and of indexing fail in turn.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws::{Call, Failure, Operation};
use serde_json::Value;
use store::{Error, Transaction};

use super::{TestTrail, call, event};
use crate::Source;

const SOURCE: Source = Source { event_source: "example.amazonaws.com", api_version: Some("2026-01-01") };

/// Repeats an action with its first statement failing, then its second, and so on, until none fails; returns their number.
fn with_each_statement(
    trail: &TestTrail,
    before: impl Fn(),
    act: impl Fn() -> bool,
    after: impl Fn(&str, bool),
) -> u64 {
    for number in 1.. {
        before();
        trail.store.fail_statement(number);
        let is_done = act();
        let is_last = trail.store.fail_statement(0) > 0;
        after(&format!("statement {number}"), is_done);
        if is_last {
            assert!(is_done, "an action without a failing statement succeeds");
            return number - 1;
        }
    }
    unreachable!("the loop returns")
}

/// Returns the number that a query selects.
fn count(trail: &TestTrail, query: &str) -> usize {
    let number: Result<_, Error> =
        trail.store.read(|transaction| transaction.query_one(query, &[], |row| row.integer(0)));
    number.expect("the store works").and_then(|count| usize::try_from(count).ok()).expect("a count is not negative")
}

fn record_three(trail: &TestTrail) {
    for region in ["us-east-1", "eu-west-1", "us-east-1"] {
        trail.trail.record(&call(region), event()).expect("the store works");
    }
}

#[test]
fn a_call_commits_with_its_record_or_fails_without_a_change() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    // A statement of the worker's first round could be the one that fails.
    trail.trail.recorder.indexer.stop();
    let operation = Operation::<(), Transaction>::write_serde("PutNote", |(), _: &Arc<Call>, input: Value| {
        let change: aws::operation::Change<Transaction, Value, Failure> = Box::new(move |transaction| {
            let add = || transaction.execute("INSERT INTO notes (text) VALUES ('a note')", &[]);
            let added = add().and_then(|_| transaction.savepoint(add));
            added.map_or_else(|_| Err(Failure::internal()), |_| Ok(input))
        });
        Ok::<_, Failure>(change)
    });
    let put = || trail.trail.call(SOURCE, &operation, &(), &call("us-east-1"), Ok(b"{}")).is_ok();
    let statements = with_each_statement(
        &trail,
        || (),
        put,
        |context, is_done| {
            let events = trail.events();
            let failed = count(&trail, "SELECT COUNT(*) FROM events WHERE record LIKE '%\"errorCode\"%'");
            assert_eq!(events.len(), count(&trail, "SELECT COUNT(*) FROM events"), "{context}: lines and rows");
            assert_eq!(trail.notes().len(), 2 * (events.len() - failed), "{context}: changes and records of success");
            assert!(is_done || events.len() == failed, "{context}: no failed call made a change");
        },
    );
    assert!(statements > 8, "{statements}");
}

#[test]
fn an_event_is_in_one_log_file_even_if_a_statement_of_its_delivery_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let statements = with_each_statement(
        &trail,
        || record_three(&trail),
        || trail.trail.flush().is_ok(),
        |context, _| {
            trail.trail.flush().expect("the store works");
            let mut events = trail.events();
            events.sort();
            assert_eq!(trail.delivered(), events, "{context}");
        },
    );
    assert!(statements > 20, "{statements}");
}

#[test]
fn a_log_file_is_in_one_digest_even_if_a_statement_of_the_digest_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let files = |digest: &Value| {
        let files = digest["logFiles"].as_array().expect("a digest lists log files").clone();
        files
            .into_iter()
            .map(|file| file["s3Object"].as_str().expect("a log file has a key").to_owned())
            .collect::<Vec<_>>()
    };
    let statements = with_each_statement(
        &trail,
        || {
            record_three(&trail);
            trail.trail.flush().expect("the store works");
        },
        || trail.trail.digest().is_ok(),
        |context, _| {
            trail.trail.digest().expect("the store works");
            let covered: Vec<String> = trail.files("CloudTrail-Digest").iter().flat_map(files).collect();
            let once: BTreeSet<_> = covered.iter().collect();
            assert_eq!(covered.len(), once.len(), "{context}: no log file is in two digests");
            assert_eq!(covered.len(), trail.files("CloudTrail").len(), "{context}: each is in one");
            let unwritten = count(&trail, "SELECT COUNT(*) FROM digests WHERE document IS NOT NULL");
            assert_eq!(unwritten, 0, "{context}: each is written");
        },
    );
    assert!(statements > 20, "{statements}");
}

#[test]
fn an_event_is_indexed_once_even_if_a_statement_of_indexing_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    // The worker's first round could index the events before the test does.
    trail.trail.recorder.indexer.stop();
    let history = trail.trail.history();
    let statements = with_each_statement(
        &trail,
        || record_three(&trail),
        || history.catch_up().is_ok(),
        |context, _| {
            history.catch_up().expect("the store works");
            let events = trail.events().len();
            let by_name = "SELECT SUM(LENGTH(positions)) FROM history_index JOIN history_values USING (value_id) \
                WHERE value = 'PutNote'";
            assert_eq!(count(&trail, by_name), 10 * events, "{context}: ten bytes for each by its name");
            assert_eq!(count(&trail, "SELECT COUNT(*) FROM history_ids"), events, "{context}: by id");
        },
    );
    assert!(statements > 10, "{statements}");
}

#[test]
fn a_reset_is_complete_or_has_no_effect_even_if_a_statement_fails() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let trail = TestTrail::open(folder.path());
    let rows = || count(&trail, "SELECT COUNT(*) FROM events");
    with_each_statement(
        &trail,
        || record_three(&trail),
        || trail.trail.reset().is_ok(),
        |context, is_done| {
            assert_eq!(trail.events().len(), rows(), "{context}: lines and rows");
            assert_eq!(rows() == 0, is_done, "{context}");
        },
    );
}

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use store::{Durability, Store};

use super::{Attribute, Query, find};
use crate::history::History;
use crate::schema;

/// The distance between the `seq` of two events, so that few are in a block of the index.
const DISTANCE: i64 = 300;

const SCOPE: (&str, &str) = ("111122223333", "us-east-1");

/// An event of a test: the indexes of its values.
#[derive(Clone, Copy, Debug)]
struct TestEvent {
    time: i64,
    user: usize,
    name: usize,
    is_read_only: bool,
    is_failed: bool,
    is_elsewhere: bool,
}

const USERS: [&str; 3] = ["Mary_Major", "Li_Juan", "Saanvi"];

const NAMES: [&str; 4] = ["GetBranch", "PutFile", "CreateBranch", "GitPush"];

impl TestEvent {
    fn has(&self, attribute: Attribute, value: &str) -> bool {
        match attribute {
            Attribute::Username => USERS[self.user] == value,
            Attribute::EventName => NAMES[self.name] == value,
            Attribute::ReadOnly => self.is_read_only.to_string() == value,
            Attribute::ErrorCode => self.is_failed && ["*", "AccessDenied"].contains(&value),
            Attribute::ResourceName => value == "MyDemoRepo",
            _ => false,
        }
    }
}

fn events() -> impl Strategy<Value = Vec<TestEvent>> {
    let event = (
        0..40_i64,
        0..USERS.len(),
        0..NAMES.len(),
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
    );
    let event = event.prop_map(|(time, user, name, is_read_only, is_failed, is_elsewhere)| TestEvent {
        time: time * 500,
        user,
        name,
        is_read_only,
        is_failed,
        is_elsewhere,
    });
    vec(event, 0..150)
}

fn filters() -> impl Strategy<Value = Vec<(Attribute, BTreeSet<&'static str>)>> {
    let values = |values: &'static [&'static str]| btree_set(select(values), 1..=2);
    let filter = prop_oneof![
        values(&["Mary_Major", "Li_Juan", "Nobody"]).prop_map(|values| (Attribute::Username, values)),
        values(&NAMES).prop_map(|values| (Attribute::EventName, values)),
        values(&["true", "false"]).prop_map(|values| (Attribute::ReadOnly, values)),
        values(&["*", "AccessDenied"]).prop_map(|values| (Attribute::ErrorCode, values)),
        values(&["MyDemoRepo", "MySecondRepo"]).prop_map(|values| (Attribute::ResourceName, values)),
    ];
    vec(filter, 0..4)
}

/// The `seq` of the events of a test.
fn seqs() -> impl Iterator<Item = i64> {
    (1..).map(|number| number * DISTANCE)
}

/// A store with events, indexed.
fn store(folder: &std::path::Path, events: &[TestEvent]) -> Arc<Store> {
    let store = Store::open(&folder.join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the migrations are valid");
    let events = events.to_vec();
    let written = store.write(move |transaction| {
        for (seq, (index, event)) in seqs().zip(events.iter().enumerate()) {
            let id = format!("id-{index}");
            let mut record = json!({
                "eventID": id, "eventName": NAMES[event.name], "eventSource": "codecommit.amazonaws.com",
                "readOnly": event.is_read_only, "userIdentity": { "type": "IAMUser", "userName": USERS[event.user] },
                "resources": [{ "type": "AWS::CodeCommit::Repository", "ARN": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo" }],
            });
            if event.is_failed {
                record["errorCode"] = "AccessDenied".into();
            }
            let region = if event.is_elsewhere { "us-east-2" } else { SCOPE.1 };
            transaction.execute(
                "INSERT INTO events (event_id, account, region, time, name, record, seq) VALUES (?1, ?2, ?3, ?4, '', ?5, ?6)",
                &[(&id).into(), SCOPE.0.into(), region.into(), event.time.into(), (&record.to_string()).into(), seq.into()],
            )?;
        }
        Ok::<_, store::Error>(())
    });
    written.expect("the events can be stored");
    let store = Arc::new(store);
    History::open(Arc::clone(&store)).and_then(|history| history.catch_up()).expect("the store works");
    store
}

/// Returns the positions of all pages.
fn pages(store: &Store, mut query: Query) -> Vec<(i64, i64)> {
    let mut found = Vec::new();
    loop {
        let page = store.read(|transaction| find(transaction, SCOPE, &query)).expect("the store works");
        assert!(page.rows.len() <= query.size);
        found.extend(page.rows.iter().map(|row| row.position));
        if !page.is_more {
            return found;
        }
        query.after = page.rows.last().map(|row| row.position);
    }
}

#[test]
fn a_search_finds_the_events_with_all_attributes_newest_first() {
    let input = (events(), filters(), 0..20_000_i64, 0..20_000_i64, 1..20_usize);
    let config = Config { cases: 48, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&input, |(events, filters, oldest, newest, size)| {
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let mut query = Query { oldest, newest, size, ..Query::default() };
        for (attribute, values) in filters {
            let values = values.iter().map(|value| (*value).to_owned());
            query.filters.entry(attribute).or_default().extend(values);
        }
        let mut expected: Vec<(i64, i64)> = seqs()
            .zip(&events)
            .filter(|(_, event)| {
                let has = |attribute: Attribute, values: &BTreeSet<String>| {
                    values.iter().any(|value| event.has(attribute, value))
                };
                !event.is_elsewhere
                    && (oldest..=newest).contains(&event.time)
                    && query.filters.iter().all(|(attribute, values)| has(*attribute, values))
            })
            .map(|(seq, event)| (event.time, seq))
            .collect();
        expected.sort_unstable();
        expected.reverse();
        prop_assert_eq!(pages(&store(folder.path(), &events), query), expected);
        Ok(())
    });
    checked.expect("each search agrees with the events");
}

#[test]
fn an_event_is_found_by_its_id_if_its_other_attributes_match() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let event = TestEvent { time: 7, user: 0, name: 3, is_read_only: false, is_failed: true, is_elsewhere: false };
    let store = store(folder.path(), &[event, event]);
    let found = |others: &[(Attribute, &str)]| {
        let mut query = Query { newest: i64::MAX, size: 50, ..Query::default() };
        for (attribute, value) in [(Attribute::EventId, "id-1")].iter().chain(others) {
            query.filters.entry(*attribute).or_default().insert((*value).to_owned());
        }
        pages(&store, query)
    };
    assert_eq!(found(&[]), [(7, 2 * DISTANCE)]);
    assert_eq!(found(&[(Attribute::ErrorCode, "*"), (Attribute::Username, "Mary_Major")]), [(7, 2 * DISTANCE)]);
    assert_eq!(found(&[(Attribute::ReadOnly, "true")]), []);
    assert_eq!(found(&[(Attribute::EventId, "id-0")]), [(7, 2 * DISTANCE), (7, DISTANCE)]);
}

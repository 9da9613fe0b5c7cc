use std::sync::Arc;
use std::time::Duration;

use aws::Timestamp;
use serde_json::json;
use store::{Durability, Store, Transaction};

use super::{Dimension, Selection, people, timeline};
use crate::history::{History, forget};
use crate::schema;

const ACCOUNT: &str = "111122223333";

const DAY: i64 = 86_400;

/// The time of the first event in seconds: a midnight.
const BEGIN: i64 = 17_000 * DAY;

const NAMES: [&str; 4] = ["GetBranch", "GitPush", "GitPull", "PutFile"];

/// A store with 2,400 events, one each minute in two regions by turns, indexed.
///
/// Each tenth fails; the users are `user-0` to `user-4`, and each seventh event has no user.
fn store(folder: &tempfile::TempDir) -> Arc<Store> {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the migrations are valid");
    let written = store.write(|transaction| {
        for number in 0..2_400_i64 {
            let name = NAMES[usize::try_from(number % 4).expect("it is small")];
            let identity = match number % 7 {
                0 => json!({ "type": "AWSService" }),
                _ => json!({ "type": "IAMUser", "userName": format!("user-{}", number % 5) }),
            };
            let mut record = json!({
                "eventID": format!("id-{number}"), "eventName": name, "eventSource": "codecommit.amazonaws.com",
                "readOnly": name.starts_with("Get"), "userIdentity": identity,
                "resources": [{ "type": "AWS::CodeCommit::Repository", "ARN": format!("arn:repo-{}", number % 3) }],
                "additionalEventData": { "dataTransferred": number % 8 < 4 },
            });
            if number % 10 == 0 {
                record["errorCode"] = "AccessDenied".into();
            }
            let region = if number % 2 == 0 { "us-east-1" } else { "us-east-2" };
            transaction.execute(
                "INSERT INTO events (seq, event_id, account, region, time, name, record) VALUES (?1 + 1, ?2, ?3, ?4, ?5, ?6, ?7)",
                &[
                    number.into(),
                    (&format!("id-{number}")).into(),
                    ACCOUNT.into(),
                    region.into(),
                    ((BEGIN + number * 60) * 1_000).into(),
                    name.into(),
                    (&record.to_string()).into(),
                ],
            )?;
        }
        Ok::<_, store::Error>(())
    });
    written.expect("the events can be stored");
    let store = Arc::new(store);
    History::open(Arc::clone(&store)).and_then(|history| history.catch_up()).expect("the store works");
    store
}

/// The selection of all events of the first day, from the second `from` on.
fn day(from: i64) -> Selection<'static> {
    let time = |seconds: i64| Timestamp::from_millis((BEGIN + seconds) * 1_000);
    let (from, until) = (time(from), time(DAY - 1));
    Selection { region: None, from, until, user: None, name: None, repository: None, failed: None, writes_only: false }
}

fn read<R>(store: &Store, query: impl FnOnce(&Transaction) -> Result<R, store::Error>) -> R {
    store.read(query).expect("the store works")
}

#[test]
fn a_timeline_counts_the_events_of_all_regions_in_buckets() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    let count = |selection: Selection<'_>, dimension, series| {
        read(&store, |transaction| timeline::count(transaction, ACCOUNT, &selection, dimension, 26, series))
    };
    let hours = count(day(0), Dimension::Outcome, 9);
    assert_eq!((hours.begin, hours.bucket, hours.buckets), (day(0).from, Duration::from_hours(1), 24));
    let values: Vec<_> = hours.series.iter().map(|series| (series.value.as_deref(), series.total)).collect();
    assert_eq!(values, [(Some("succeeded"), 1_296), (Some("failed"), 144)]);
    assert!(hours.series[1].counts.iter().all(|count| *count == 6));

    let selection = Selection { name: Some("GitPush"), region: Some("us-east-2"), ..day(3_600) };
    let pushes = count(selection, Dimension::User, 3);
    assert_eq!(pushes.series.iter().map(|series| series.total).sum::<u64>(), 345);
    assert_eq!(pushes.series.len(), 3);
    assert_eq!(pushes.series[2].value, None, "the last series has the sum of the others");
    for series in &pushes.series {
        assert_eq!(series.counts.iter().sum::<u64>(), series.total);
        assert_eq!(series.counts.len(), pushes.buckets);
    }
    for selection in [
        Selection { user: Some("user-9"), ..day(0) },
        Selection { region: Some("us-east-1"), name: Some("GitPush"), ..day(0) },
        Selection { failed: Some(true), name: Some("GitPush"), ..day(0) },
    ] {
        assert_eq!(count(selection, Dimension::Name, 9).series, []);
    }
}

#[test]
fn hours_and_people_are_those_of_the_events() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    let rows = read(&store, |transaction| timeline::count_hours(transaction, ACCOUNT, &day(0), 2));
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.total == row.hours.iter().sum::<u64>() && row.total > 200), "{rows:?}");

    let people = read(&store, |transaction| people::count(transaction, ACCOUNT, &day(0)));
    assert_eq!(
        people.iter().map(|person| person.user.as_str()).collect::<Vec<_>>(),
        ["", "user-0", "user-1", "user-2", "user-3", "user-4"]
    );
    assert_eq!(people.iter().map(|person| person.events).sum::<u64>(), 1_440);
    // The numbers of this user's events have the remainder 1 when divided by 5.
    let numbers: Vec<i64> = (0..1_440).filter(|number| number % 5 == 1 && number % 7 != 0).collect();
    let count = |is_counted: fn(i64) -> bool| numbers.iter().filter(|number| is_counted(**number)).count() as u64;
    let user = &people[2];
    // Three repositories in each of two regions.
    assert_eq!((user.events, user.failures, user.repositories), (count(|_| true), 0, 6));
    assert_eq!(user.writes, count(|number| number % 4 != 0));
    assert_eq!((user.pushes, user.pulls), (count(|number| number % 8 == 1), count(|number| number % 8 == 2)));
    let time = |number: i64| Timestamp::from_millis((BEGIN + number * 60) * 1_000);
    assert_eq!((user.first, Some(user.last)), (time(1), numbers.last().map(|number| time(*number))));
}

#[test]
fn removed_events_are_not_counted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    let removed = store.write(|transaction| {
        forget(transaction, 1..=1_430)?;
        transaction.execute("DELETE FROM events WHERE seq <= 1430", &[])
    });
    removed.expect("the events can be removed");
    let people = read(&store, |transaction| people::count(transaction, ACCOUNT, &day(0)));
    assert_eq!(people.iter().map(|person| person.events).sum::<u64>(), 10);
    let selection = Selection { region: Some("us-east-1"), failed: Some(true), ..day(0) };
    let people = read(&store, |transaction| people::count(transaction, ACCOUNT, &selection));
    assert_eq!(people.iter().map(|person| person.events).collect::<Vec<_>>(), [1]);
}

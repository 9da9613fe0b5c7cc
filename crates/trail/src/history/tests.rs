use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use aws::call::Origin;
use aws::caller::{Kind, OnBehalfOf};
use aws::{AccountId, Call, Caller, SystemClock};
use serde_json::json;
use store::{Durability, Store};

use super::attributes::Facts;
use super::columns;
use super::index::{self, Key};
use super::{History, Indexer, forget, positions, search};
use crate::history::attributes::Attribute;
use crate::record::RecordForm;
use crate::{ConsoleEvents, Event, EventVersion, record, schema};

/// More than a batch.
const EVENTS: i64 = 3_000;

/// A store with events that are not indexed: half of them create a repository, half delete one, each a different one.
fn store(folder: &tempfile::TempDir) -> Arc<Store> {
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", schema::STEPS).expect("the migrations are valid");
    let written = store.write(|transaction| {
        for number in 1..=EVENTS {
            let name = if number % 2 == 0 { "CreateRepository" } else { "DeleteRepository" };
            let id = format!("id-{number}");
            let record = json!({
                "eventID": id, "eventName": name, "eventSource": "codecommit.amazonaws.com", "readOnly": false,
                "userIdentity": { "type": "IAMUser", "userName": "Mary_Major" },
                "resources": [{ "type": "AWS::CodeCommit::Repository", "ARN": format!("arn:repo-{number}") }],
            });
            let record = record.to_string();
            transaction.execute(
                "INSERT INTO events (seq, event_id, account, region, time, name, record) \
                 VALUES (?1, ?2, '111122223333', 'us-east-1', ?1, ?3, ?4)",
                &[number.into(), (&id).into(), name.into(), (&record).into()],
            )?;
        }
        Ok::<_, store::Error>(())
    });
    written.expect("the events can be stored");
    Arc::new(store)
}

/// The first and last indexed event with a value, and their number.
fn indexed(store: &Store, attribute: Attribute, value: &str) -> Option<(i64, i64, i64)> {
    let (account, region) = ("111122223333".to_owned(), "us-east-1".to_owned());
    let key = Key { account, region, attribute, value: value.to_owned() };
    let indexed: Result<_, store::Error> = store.read(|transaction| {
        let Some(value_id) = index::value_id(transaction, &key)? else { return Ok(None) };
        let blocks = positions::newest(transaction, value_id, (i64::MIN, i64::MAX), (usize::MAX, 0))?;
        let seqs = || blocks.iter().flat_map(|block| &block.positions).map(|(_, seq)| *seq);
        let count = i64::try_from(seqs().count()).expect("there are few");
        Ok(seqs().min().zip(seqs().max()).map(|(first, last)| (first, last, count)))
    });
    indexed.expect("the tables exist")
}

fn seqs_of_id(store: &Store, id: &str) -> Vec<i64> {
    store.read(|transaction| index::seqs_of_id(transaction, id)).expect("the tables exist")
}

#[test]
fn an_empty_index_catches_up_with_every_event() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    let history = History::open(Arc::clone(&store)).expect("the tables exist");
    history.catch_up().expect("the store works");
    assert_eq!(indexed(&store, Attribute::EventName, "CreateRepository"), Some((2, EVENTS, EVENTS / 2)));
    assert_eq!(indexed(&store, Attribute::Username, "Mary_Major"), Some((1, EVENTS, EVENTS)));
    assert_eq!(indexed(&store, Attribute::ResourceName, "repo-7"), Some((7, 7, 1)));
    assert_eq!(indexed(&store, Attribute::ResourceName, "arn:repo-7"), Some((7, 7, 1)));
    assert_eq!(indexed(&store, Attribute::AccessKeyId, ""), None);
    assert_eq!(seqs_of_id(&store, "id-2999"), [2999]);
    assert_eq!(seqs_of_id(&store, "id-3001"), [0_i64; 0]);
    // Another process continues where this one ended.
    let again = History::open(Arc::clone(&store)).expect("the tables exist");
    assert_eq!(again.index_some().expect("the store works"), 0);
}

#[test]
fn removed_events_leave_nothing_in_the_index() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    History::open(Arc::clone(&store)).and_then(|history| history.catch_up()).expect("the store works");
    let removed = store.write(|transaction| {
        forget(transaction, 1..=600)?;
        transaction.execute("DELETE FROM events WHERE seq <= 600", &[])
    });
    removed.expect("the events can be removed");
    assert_eq!(indexed(&store, Attribute::EventName, "CreateRepository"), Some((602, EVENTS, EVENTS / 2 - 300)));
    assert_eq!(indexed(&store, Attribute::ResourceName, "repo-600"), None);
    assert_eq!(indexed(&store, Attribute::ResourceName, "repo-601"), Some((601, 601, 1)));
    let entries = || {
        let mut entries = Vec::new();
        let range = (0, u32::MAX);
        let scanned: Result<_, store::Error> = store.read(|transaction| {
            columns::scan(transaction, ("111122223333", "us-east-1"), range, |entry| entries.push(entry.time))
        });
        scanned.expect("the table exists");
        entries
    };
    assert_eq!(entries(), (601..=EVENTS).map(columns::seconds).collect::<Vec<_>>());
    assert_eq!((seqs_of_id(&store, "id-600"), seqs_of_id(&store, "id-601")), (vec![], vec![601]));
}

#[test]
fn a_record_has_the_username_of_its_caller() {
    let account = || "111122223333".parse::<AccountId>().expect("the account is valid");
    let arn = |end: &str| format!("arn:aws:sts::111122223333:{end}");
    let of = |kind, arn: String| Caller::of(kind, account(), arn, "AIDACKCEVSQ6C2EXAMPLE".to_owned());
    let named = |kind| Caller { user_name: Some("saml:name".to_owned()), ..of(kind, arn("x")) };
    let callers = [
        Caller::iam_user(account(), "Mary_Major", "AIDACKCEVSQ6C2EXAMPLE".to_owned(), None),
        Caller::root(account(), None, None),
        Caller::root(account(), None, Some("the-alias".to_owned())),
        Caller::service(account(), "codepipeline.amazonaws.com"),
        of(Kind::AssumedRole, arn("assumed-role/Deploy/session")),
        of(Kind::FederatedUser, arn("federated-user/Saanvi")),
        of(Kind::AwsAccount, arn("x")),
        named(Kind::SamlUser),
        named(Kind::WebIdentityUser),
    ];
    for caller in callers {
        assert_eq!(facts(&caller).username(), caller.name(), "{caller:?}");
    }
    let (user_id, identity_store_arn) = ("person".to_owned(), "arn:aws:identitystore:::x".to_owned());
    let person = Caller {
        on_behalf_of: Some(OnBehalfOf { user_id, identity_store_arn }),
        ..of(Kind::IdentityCenterUser, String::new())
    };
    assert_eq!(facts(&person).username(), None);
}

/// The members that event history reads from the record of a call.
fn facts(caller: &Caller) -> Facts {
    let origin = Origin {
        account: caller.account_id.clone(),
        region: "us-east-1".parse().expect("the region is valid"),
        source_ip_address: "127.0.0.1".to_owned(),
        user_agent: None,
        host: None,
        clone_url_base: String::new(),
        ssh_clone_url_base: String::new(),
        is_secure: false,
        tls: None,
        is_console: false,
    };
    let call = Call::begin(caller.clone(), origin, &SystemClock);
    let form = RecordForm { version: EventVersion::V1_11, console: ConsoleEvents::AwsInternal };
    let line = record::line(&Event::new("GetRepository", "codecommit.amazonaws.com"), &call, form);
    Facts::read(&line).expect("a record of this program is readable")
}

#[test]
fn a_page_is_read_from_the_index_without_sorting() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    for (query, values, time) in [(search::EVERYTHING, 6, "time>?"), (positions::NEWEST, 5, "newest>?")] {
        let explain = format!("EXPLAIN QUERY PLAN {query}");
        let plan: Result<Vec<String>, store::Error> =
            store.read(|transaction| transaction.query(&explain, &vec![1.into(); values], |row| row.text(3)));
        let plan = plan.expect("the tables exist");
        assert!(plan.iter().all(|step| step.starts_with("SEARCH")), "{plan:?}");
        assert!(plan[0].contains(time), "the range of times uses the index: {plan:?}");
    }
}

#[test]
fn a_round_that_panics_is_followed_by_one_that_indexes() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = store(&folder);
    let history = Arc::new(History::open(Arc::clone(&store)).expect("the tables exist"));
    history.panics.store(1, Ordering::Relaxed);
    let indexer = Indexer::start(Arc::clone(&history)).expect("a thread can be started");
    while history.indexed_seq.load(Ordering::Acquire) < EVENTS {
        thread::park_timeout(std::time::Duration::from_millis(1));
    }
    indexer.stop();
    assert_eq!(history.panics.load(Ordering::Relaxed), 0);
    history.catch_up().expect("the lock is free");
    assert_eq!(seqs_of_id(&store, "id-3000"), [3_000]);
}

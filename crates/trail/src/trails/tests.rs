use std::collections::BTreeMap;

use aws::call::Origin;
use aws::{AccountId, Call, Caller, SystemClock};
use store::{Durability, Error, Store};

use super::row::TrailRow;
use super::tag;
use super::validate::Topic;
use crate::schema::STEPS;

/// A call of the default user in us-east-1.
fn call() -> Call {
    let account: AccountId = "111122223333".parse().expect("the account is valid");
    let caller = Caller::iam_user(account.clone(), "Mary_Major", "AIDACKCEVSQ6C2EXAMPLE".to_owned(), None);
    let origin = Origin {
        account,
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
    Call::begin(caller, origin, &SystemClock)
}

#[test]
fn a_trail_of_an_older_database_shows_its_topic_by_name_and_counts_as_tagged() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let store = Store::open(&folder.path().join("test.db"), Durability::Normal).expect("the folder is writable");
    store.migrate("trail", &STEPS[..4]).expect("the migrations are valid");
    let written = store.write(|transaction| {
        for name in ["Mine", "Other"] {
            transaction.execute(
                "INSERT INTO trails (account, home_region, name, bucket, topic, multi_region, global_events, validation, selectors, \
                 logging, created) VALUES ('111122223333', 'us-east-1', ?1, 'logs', 'arn:aws:sns:us-east-1:111122223333:Files', \
                 0, 1, 0, '', 0, 0)",
                &[name.into()],
            )?;
        }
        transaction.execute("INSERT INTO trail_tags (trail, name, value) VALUES (1, 'Team', 'blue')", &[])
    });
    written.expect("the tables exist");
    store.migrate("trail", STEPS).expect("the migrations are valid");
    let read = store.read(|transaction| {
        let row = TrailRow::visible(transaction, &call())?.swap_remove(0);
        Ok::<_, Error>((row, tag::tagged_trails(transaction, &call())?))
    });
    let (trail, tagged) = read.expect("the tables exist");
    let arn = "arn:aws:sns:us-east-1:111122223333:Files".to_owned();
    assert_eq!(trail.settings.topic, Some(Topic { name: "Files".to_owned(), arn }));
    assert!(trail.insights.is_empty());
    let tags = BTreeMap::from([("Team".to_owned(), "blue".to_owned())]);
    let tagged: Vec<_> = tagged.into_iter().map(|resource| (resource.arn.resource, resource.tags)).collect();
    assert_eq!(tagged, [("trail/Mine".to_owned(), tags)]);
}

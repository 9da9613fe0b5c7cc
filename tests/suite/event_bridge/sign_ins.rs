//! Sign-ins to the console as events, by a setting.

use codecommit_local::Options;
use serde_json::{Value, json};
use server::settings::{Access, AccessKey, SecretKey};
use tests::destination::Destination;
use tests::{World, wait_until};

use super::{lines, put_file, url};
use crate::console::Browser;

/// Starts a server with a destination and with the settings that `--eventbridge-sign-ins` gives.
fn world(destination: &Destination, access: Access) -> World {
    let options = Options { ephemeral: Some(true), eventbridge_sign_ins: Some(true), ..Options::default() };
    World::with(|settings| {
        settings.event_bridge = options.settings().expect("the options are valid").event_bridge;
        settings.event_bridge.destinations = [("hook".to_owned(), url(destination))].into();
        settings.access = access;
        settings.max_clock_skew = None;
        settings.administrator =
            Some(AccessKey { id: "AKIAADMINISTRATOR000".to_owned(), secret: SecretKey::new("a secret") });
    })
}

/// Returns the event of a record.
fn event_of(record: &Value, id: &Value) -> Value {
    let mut detail = record.clone();
    let account = detail.as_object_mut().expect("a record is an object").shift_remove("recipientAccountId");
    json!({
        "version": "0",
        "id": id,
        "detail-type": "AWS Console Sign In via CloudTrail",
        "source": "aws.signin",
        "account": account.expect("a record names its account"),
        "time": record["eventTime"],
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    })
}

#[test]
fn a_sign_in_is_an_event_and_calls_are_none() {
    let destination = Destination::start(&[]);
    let world = world(&destination, Access::Open);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let mut browser = Browser::signed_in(&world);
    let event = destination.next_json();
    let record = world.last_event();
    assert_eq!(
        (&record["eventName"], &record["responseElements"]),
        (&json!("ConsoleLogin"), &json!({ "ConsoleLogin": "Success" }))
    );
    assert_eq!(event.to_string(), event_of(&record, &event["id"]).to_string());
    assert_ne!(event["id"], record["eventID"]);
    // Pages run recorded calls, which are no events; changes still are.
    browser.page("repositories");
    assert_eq!(world.last_event()["eventSource"], "codecommit.amazonaws.com");
    put_file(&world, "main");
    assert_eq!(destination.next_json()["detail"]["event"], "referenceCreated");
    wait_until("the file has both events", || lines(&world).len() == 2);
    assert!(lines(&world).contains(&event));
}

#[test]
fn a_refused_sign_in_is_an_event_too() {
    let destination = Destination::start(&[]);
    let world = world(&destination, Access::Signed);
    let mut browser = Browser::new(&world);
    let fields = [("access-key-id", "AKIAADMINISTRATOR000"), ("secret-access-key", "another secret")];
    browser.submit("sign-in", "sign-in", &fields);
    let event = destination.next_json();
    let record = world.last_event();
    assert_eq!(record["responseElements"], json!({ "ConsoleLogin": "Failure" }));
    assert_eq!(event.to_string(), event_of(&record, &event["id"]).to_string());
    assert!(!event.to_string().contains("another secret"));
}

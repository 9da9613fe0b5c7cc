//! Calls for resources of another account: each account has a record, and both records share an id.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tests::{World, clients};

#[test]
fn both_accounts_have_a_record_of_a_git_request() {
    let world = World::new();
    world.call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let header = "http.extraHeader=Authorization: Basic ".to_owned() + &STANDARD.encode("Li_Juan-at-444455556666:x");
    let url = format!("{}/111122223333/us-east-1/v1/repos/MyDemoRepo", world.endpoint());
    clients::git(world.folder(), &["-c", &header, "ls-remote", &url]).ok();

    let [_created, callers, owners] = &world.events()[..] else { panic!("{:?}", world.events()) };
    let identity = &callers["userIdentity"];
    assert_eq!((&identity["type"], &identity["userName"]), (&json!("IAMUser"), &json!("Li_Juan")));
    assert_eq!(callers["recipientAccountId"], "444455556666");
    assert_eq!(
        owners["userIdentity"],
        json!({ "type": "AWSAccount", "principalId": identity["principalId"], "accountId": "444455556666" })
    );
    assert_eq!(owners["recipientAccountId"], "111122223333");
    for record in [callers, owners] {
        assert_eq!(record["eventName"], "GitPull");
        assert_eq!(record["resources"][0]["ARN"], "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo");
        assert_eq!(record["requestID"], callers["requestID"]);
        assert_eq!(record["sharedEventID"], callers["sharedEventID"]);
    }
    assert!(callers["sharedEventID"].is_string());
    assert_ne!(callers["eventID"], owners["eventID"]);
}

#[test]
fn without_credentials_the_account_in_the_url_names_its_default_user() {
    let world = World::new();
    world.call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let url = format!("{}/444455556666/us-east-1/v1/repos/MyDemoRepo", world.endpoint());
    clients::git(world.folder(), &["ls-remote", &url]).failed();
    let [_created, asked] = &world.events()[..] else { panic!("{:?}", world.events()) };
    assert_eq!(asked["userIdentity"]["arn"], "arn:aws:iam::444455556666:user/Mary_Major");
    assert_eq!(asked["recipientAccountId"], "444455556666");
    assert_eq!(asked.get("sharedEventID"), None);
}

//! Failures on demand of fetches and pushes, with the real `git`, over HTTP and SSH.

use serde_json::{Value, json};
use server::settings::Access;
use tests::World;
use tests::clients::Outcome;

use super::{failures, rules, world};

/// A server, and a work tree whose branch `main` is pushed to its repository.
fn pushed(failures: &Value) -> World {
    let world = world(json!([]));
    world.git_repository("work");
    world.git("work", &["remote", "add", "origin", &world.repository_url("MyDemoRepo")]).ok();
    world.git("work", &["push", "--quiet", "origin", "main"]).ok();
    assert_eq!(super::failures(&world, "PUT", failures).status, 200);
    world
}

fn push(world: &World, reference: &str) -> Outcome {
    world.git("work", &["push", "origin", reference])
}

/// Returns the value of a branch, asked over the API; `null` if it does not exist.
fn tip(world: &World, branch: &str) -> Value {
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": branch });
    world.call("GetBranch", &branch).json()["branch"]["commitId"].clone()
}

/// Returns the records of data requests after a number of records.
fn data_events(world: &World, before: usize) -> Vec<Value> {
    let mut events = world.events().split_off(before);
    events.retain(|event| event["additionalEventData"]["dataTransferred"] == true);
    events
}

/// Clones the repository and checks all of its objects.
fn check_clone(world: &World, folder: &str) {
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), folder]).ok();
    world.git(folder, &["fsck", "--full", "--strict"]).ok();
}

#[test]
fn a_push_fails_with_an_error_of_its_references() {
    let world = pushed(&json!([{ "operation": "GitPush", "repository": "MyDemoRepo", "reference": "ma*",
        "error": "ConcurrentReferenceUpdateException", "message": "Someone else pushed.", "times": 1 }]));
    let (old, new) = (tip(&world, "main"), world.git_commit("work", "second", "more\n"));
    push(&world, "HEAD:refs/heads/topic").ok();
    let refused = push(&world, "main").failed();
    assert!(refused.contains("! [remote rejected] main -> main (Someone else pushed.)"), "{refused}");
    assert_eq!(tip(&world, "main"), old);
    let record = world.last_event();
    let record =
        if record["eventName"] == "GetBranch" { world.events().iter().rev().nth(1).cloned() } else { Some(record) };
    let record = record.expect("the push is recorded");
    assert_eq!(record["errorCode"], "ConcurrentReferenceUpdateException");
    assert_eq!(record["errorMessage"], "Someone else pushed.");
    assert_eq!(record["requestParameters"], json!({ "references": [{ "commit": new, "ref": "refs/heads/main" }] }));
    push(&world, "main").ok();
    assert_eq!(tip(&world, "main"), new);
    check_clone(&world, "clone");
}

#[test]
fn a_push_is_cut_while_its_pack_is_received() {
    let world = pushed(&json!([{ "operation": "GitPush", "connection": "cut-before", "times": 1 }]));
    let old = tip(&world, "main");
    let before = world.events().len();
    let new = world.git_commit("work", "noise", &tests::push::noise(4 << 20));
    push(&world, "main").failed();
    assert_eq!(data_events(&world, before), Vec::<Value>::new(), "the request that never arrived has no record");
    assert_eq!(tip(&world, "main"), old);
    check_clone(&world, "clone");
    push(&world, "main").ok();
    assert_eq!(tip(&world, "main"), new);
    check_clone(&world, "again");
}

#[test]
fn a_push_is_cut_after_its_update_and_before_its_report() {
    let world = pushed(&json!([{ "operation": "GitPush", "connection": "cut-after", "times": 1 }]));
    let before = world.events().len();
    let new = world.git_commit("work", "second", "more\n");
    push(&world, "main").failed();
    let events = data_events(&world, before);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["errorCode"], Value::Null);
    assert_eq!(events[0]["requestParameters"]["references"][0]["commit"], new);
    assert_eq!(tip(&world, "main"), new);
    let again = push(&world, "main");
    assert!(again.err.contains("Everything up-to-date"), "{}", again.err);
    check_clone(&world, "clone");
}

#[test]
fn a_fetch_is_cut_in_its_pack_or_fails() {
    let world = pushed(&json!([
        { "operation": "GitPull", "connection": "cut-after", "times": 1 },
        { "operation": "GitPull", "connection": "cut-before", "after": 1, "times": 1 },
        { "operation": "GitPull", "error": "ThrottlingException", "after": 2, "times": 1 },
        { "operation": "GitPull", "error": "InternalFailure", "delay": "1ms", "after": 3, "times": 1 },
    ]));
    let clone = |folder: &str| world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), folder]);
    let mut before = world.events().len();
    let mut new_events = || {
        let events = world.events().split_off(before);
        before += events.len();
        events
            .iter()
            .map(|event| [event["additionalEventData"]["dataTransferred"].clone(), event["errorCode"].clone()])
            .collect::<Vec<_>>()
    };
    let advertised = || [json!(false), Value::Null];
    clone("first").failed();
    assert_eq!(new_events(), [advertised(), [json!(true), Value::Null]]);
    clone("second").failed();
    assert_eq!(new_events(), [advertised()]);
    let throttled = clone("third").failed();
    assert!(throttled.contains("429"), "{throttled}");
    assert_eq!(new_events(), [advertised(), [json!(false), json!("ThrottlingException")]]);
    let failed = clone("fourth").failed();
    assert!(failed.contains("500"), "{failed}");
    assert_eq!(new_events(), [advertised(), [json!(false), json!("InternalFailure")]]);
    check_clone(&world, "fifth");
}

#[test]
fn sessions_over_ssh_are_cut_too() {
    let world = World::with_ssh(|settings| {
        settings.failures = rules(json!([
            { "operation": "GitPush", "connection": "cut-before", "times": 1 },
            { "operation": "GitPush", "connection": "cut-after", "delay": "1ms", "after": 1, "times": 1 },
            { "operation": "GitPush", "error": "InternalFailure", "after": 2, "times": 1 },
            { "operation": "GitPull", "connection": "cut-after", "times": 1 },
            { "operation": "GitPull", "connection": "cut-before", "after": 1, "times": 1 },
            { "operation": "GitPull", "error": "InternalFailure", "delay": "1ms", "after": 2, "times": 1 },
        ]));
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let commit = world.git_repository("work");
    let url = world.ssh_url("MyDemoRepo");
    let git = |folder: &str, arguments: &[&str]| world.git_over_ssh("git", "declared", folder, arguments);
    let push = || git("work", &["push", &url, "main"]);
    push().failed();
    assert_eq!(tip(&world, "main"), Value::Null);
    push().failed();
    assert_eq!(tip(&world, "main"), commit);
    world.git_commit("work", "second", "more\n");
    let failed = push().failed();
    assert!(failed.contains("! [remote rejected] main -> main (Internal Service Error)"), "{failed}");
    push().ok();
    for folder in ["first", "second", "third"] {
        git(".", &["clone", &url, folder]).failed();
    }
    git(".", &["clone", "--quiet", &url, "fourth"]).ok();
    world.git("fourth", &["fsck", "--full", "--strict"]).ok();
    let data: Vec<_> = data_events(&world, 0).iter().map(|event| event["eventName"].clone()).collect();
    assert_eq!(data, ["GitPush", "GitPush", "GitPush", "GitPull", "GitPull"]);
}

#[test]
fn a_late_push_is_complete() {
    let world = pushed(&json!([{ "operation": "GitPush", "user": "Mary_Major", "delay": "10ms" }]));
    let new = world.git_commit("work", "second", "more\n");
    push(&world, "main").ok();
    assert_eq!(tip(&world, "main"), new);
    let listed = failures(&world, "GET", &Value::Null).json();
    assert_eq!(listed[0]["matches"], 1, "a push is counted once");
}

#[test]
fn a_denied_push_stays_denied_and_is_not_counted() {
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "codecommit:*", "Resource": "*" },
        {
            "Effect": "Deny",
            "Action": "codecommit:GitPush",
            "Resource": "*",
            "Condition": {
                "StringEqualsIfExists": { "codecommit:References": "refs/heads/main" },
                "Null": { "codecommit:References": "false" }
            }
        },
    ]});
    let (id, secret) = ("AKIALIJUAN0000000000", "a secret of the test");
    let file = format!(
        "[[account]]\nid = \"111122223333\"\n[[account.user]]\nname = \"Li_Juan\"\n\
         access_keys = [{{ id = \"{id}\", secret = \"{secret}\" }}]\n\
         git_credentials = [{{ password = \"password\" }}]\n\
         policies = [{{ name = \"test\", document = '''{policy}''' }}]\n"
    );
    let mut world = World::with_identities(&file);
    world.restart_with(|settings| {
        settings.access = Access::Enforced;
        settings.max_clock_skew = None;
        settings.allow_reset = true;
        settings.failures = rules(json!([
            { "operation": "GitPush", "connection": "cut-before", "times": 1 },
            { "operation": "GitPush", "error": "ThrottlingException", "after": 1 },
        ]));
    });
    let key = tests::signing::AccessKey { id, secret };
    let target = tests::model::target("CreateRepository");
    world.call_signed(key, &target, "us-east-1", &[], br#"{"repositoryName":"MyDemoRepo"}"#);
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo").replacen("http://", "http://Li_Juan-at-111122223333:password@", 1);
    let push = |reference: &str| world.git("work", &["push", &url, reference]).failed();
    let denied = push("main");
    assert!(denied.contains("You don't have permission to push changes to this branch."), "{denied}");
    assert_eq!(world.last_event()["errorCode"], "AccessDenied");
    push("main:topic");
    let throttled = push("main:topic");
    assert!(throttled.contains("! [remote rejected] main -> topic (Rate exceeded)"), "{throttled}");
    let listed = failures(&world, "GET", &Value::Null).json();
    assert_eq!([&listed[0]["matches"], &listed[1]["matches"]], [2, 2]);
}

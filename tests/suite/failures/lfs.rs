//! Failures on demand of Git LFS: batches are pushes and pulls, changes of locks have their own names, and transfers are no calls.

use std::fs;

use serde_json::{Value, json};
use tests::World;
use tests::lfs::{LFS_TYPE, batch_of};
use ureq::http::Request;

use super::{failures, rules, world};

const CONTENT: &[u8] = b"The content of a large file.\n";

/// Returns the names and error codes of the records after a number of records.
fn events_after(world: &World, before: usize) -> Vec<[Value; 2]> {
    let events = world.events().split_off(before);
    events
        .iter()
        .map(|event| [event["eventName"].clone(), event.get("errorCode").cloned().unwrap_or_default()])
        .collect()
}

/// Sends a request of Git LFS whose connection is cut.
fn cut(world: &World, path: &str, body: &Value) {
    let request = Request::post(format!("{}/v1/repos/MyDemoRepo.git/info/lfs/{path}", world.endpoint()))
        .header("accept", LFS_TYPE)
        .header("content-type", LFS_TYPE)
        .body(body.to_string().into_bytes());
    tests::wire::try_send(request.expect("the request is well formed")).expect_err("the server sends no reply");
}

#[test]
fn a_batch_fails_as_the_push_or_pull_that_it_belongs_to() {
    let world = world(json!([
        { "operation": "GitPush", "error": "ThrottlingException", "delay": "1ms", "times": 1 },
        { "operation": "GitPush", "error": "InternalFailure", "after": 1, "times": 1 },
        { "operation": "GitPull", "error": "ServiceUnavailable", "message": "Come back later.", "times": 1 },
        { "operation": "GitPull", "error": "RepositoryDoesNotExistException", "after": 1, "times": 1 },
    ]));
    let before = world.events().len();
    for (operation, status, message) in [
        ("upload", 429, "Rate exceeded"),
        ("upload", 500, "Internal Service Error"),
        ("download", 503, "Come back later."),
        ("download", 404, "The settings of this server simulate this failure."),
    ] {
        let reply = world.lfs("MyDemoRepo", "objects/batch", &[], &batch_of(operation, &[CONTENT]));
        assert_eq!((reply.status, reply.header("content-type")), (status, Some(LFS_TYPE)), "{}", reply.text());
        assert_eq!(reply.json()["message"], message);
        assert!(reply.json()["request_id"].is_string());
        assert_eq!(reply.header("retry-after").is_some(), status == 429);
    }
    let expected = [
        ["GitPush", "ThrottlingException"],
        ["GitPush", "InternalFailure"],
        ["GitPull", "ServiceUnavailable"],
        ["GitPull", "RepositoryDoesNotExistException"],
    ];
    assert_eq!(events_after(&world, before), expected.map(|names| names.map(Value::from)));
    world.lfs_upload("MyDemoRepo", CONTENT);
    let id = tests::lfs::id_of(CONTENT);
    assert_eq!(world.lfs_download("MyDemoRepo", &id, CONTENT.len()).as_deref(), Some(CONTENT));
}

#[test]
fn a_batch_is_selected_by_caller_repository_and_reference_and_its_transfers_are_not_counted() {
    let world = world(json!([
        { "operation": "GitPush", "repository": "My*", "reference": "main", "user": "Mary_*", "error": "InternalFailure" },
        { "operation": "Git*", "error": "ThrottlingException", "after": 3 },
    ]));
    let upload = |reference: Value| {
        let mut batch = batch_of("upload", &[CONTENT]);
        batch["ref"] = reference;
        world.lfs("MyDemoRepo", "objects/batch", &[], &batch)
    };
    assert_eq!(upload(json!({ "name": "refs/heads/main" })).status, 500);
    assert_eq!(upload(Value::Null).status, 200);
    let planned = upload(json!({ "name": "refs/heads/topic" }));
    assert_eq!(planned.status, 200);
    let actions = planned.json()["objects"][0]["actions"].clone();
    assert_eq!(upload(Value::Null).status, 429, "the failure for all pushes has begun");
    // What a batch has allowed goes on.
    assert_eq!(world.lfs_action(&actions["upload"], "PUT", &[], CONTENT).status, 200);
    let verified = json!({ "oid": tests::lfs::id_of(CONTENT), "size": CONTENT.len() }).to_string();
    let typed = [("content-type", LFS_TYPE)];
    assert_eq!(world.lfs_action(&actions["verify"], "POST", &typed, verified.as_bytes()).status, 200);
    // Lists of locks are no calls.
    assert_eq!(world.lfs("MyDemoRepo", "locks/verify", &[], &json!({})).status, 200);
    assert_eq!(world.lfs("MyDemoRepo", "locks", &[], &Value::Null).status, 200);
    let listed = failures(&world, "GET", &Value::Null).json();
    assert_eq!([&listed[0]["matches"], &listed[1]["matches"]], [1, 4]);
}

#[test]
fn a_change_of_locks_fails_and_changes_nothing() {
    let world = world(json!([
        { "operation": "CreateLfsLock", "error": "ThrottlingException", "times": 1 },
        { "operation": "CreateLfsLock", "connection": "cut-after", "after": 1, "times": 1 },
        { "operation": "DeleteLfsLock", "connection": "cut-before", "times": 1 },
        { "operation": "DeleteLfsLock", "error": "ServiceUnavailable", "after": 1, "times": 1 },
    ]));
    let before = world.events().len();
    let path = json!({ "path": "a.bin" });
    assert_eq!(world.lfs("MyDemoRepo", "locks", &[], &path).status, 429);
    assert_eq!(world.last_event()["requestParameters"], json!({ "path": "a.bin", "repositoryName": "MyDemoRepo" }));
    let locks = || world.lfs("MyDemoRepo", "locks", &[], &Value::Null).json()["locks"].clone();
    assert_eq!(locks(), json!([]));
    cut(&world, "locks", &path);
    let id = locks()[0]["id"].as_str().expect("the lock was created before the connection was cut").to_owned();
    let unlock = format!("locks/{id}/unlock");
    cut(&world, &unlock, &json!({}));
    assert_eq!(world.lfs("MyDemoRepo", &unlock, &[], &json!({})).status, 503);
    assert_eq!(locks()[0]["id"], id);
    assert_eq!(world.lfs("MyDemoRepo", &unlock, &[], &json!({})).status, 200);
    let events = events_after(&world, before);
    let expected = [
        [json!("CreateLfsLock"), json!("ThrottlingException")],
        [json!("CreateLfsLock"), Value::Null],
        [json!("DeleteLfsLock"), json!("ServiceUnavailable")],
        [json!("DeleteLfsLock"), Value::Null],
    ];
    assert_eq!(events, expected);
}

#[test]
fn failures_need_no_records_of_git_lfs() {
    let world = World::with(|settings| {
        settings.git.lfs.events = false;
        settings.failures =
            rules(json!([{ "error": "ThrottlingException", "operation": "*Lfs*" }, { "operation": "GitPull",
            "error": "InternalFailure" }]));
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let before = world.events().len();
    assert_eq!(world.lfs("MyDemoRepo", "locks", &[], &json!({ "path": "a.bin" })).status, 429);
    assert_eq!(world.lfs("MyDemoRepo", "objects/batch", &[], &batch_of("download", &[CONTENT])).status, 500);
    assert_eq!(world.events().len(), before);
}

#[test]
fn git_lfs_repeats_a_throttled_batch_and_tells_its_user_of_other_failures() {
    let world = world(json!([]));
    world.git_lfs_repository("work", &world.repository_url("MyDemoRepo"));
    world.git_lfs_commit("work", "a.bin", CONTENT);
    let fail = |rules: Value| assert_eq!(failures(&world, "PUT", &rules).status, 200);
    let push = || world.git_lfs("work", &["push", "origin", "main"]);

    fail(
        json!([{ "operation": "GitPush", "error": "InternalFailure", "message": "The disk of the server is full.", "times": 1 }]),
    );
    let failed = push().failed();
    assert!(failed.contains("The disk of the server is full."), "{failed}");
    assert!(world.lfs_batch("MyDemoRepo", "download", &[CONTENT])[0].get("error").is_some(), "nothing was sent");

    fail(json!([{ "operation": "GitPush", "connection": "cut-before" }]));
    push().failed();

    let before = world.events().len();
    fail(json!([{ "operation": "GitPush", "error": "ThrottlingException", "times": 1 }]));
    push().ok();
    let codes: Vec<_> = events_after(&world, before).into_iter().map(|[_, code]| code).collect();
    assert_eq!(codes.iter().filter(|code| **code == "ThrottlingException").count(), 1, "{codes:?}");

    fail(
        json!([{ "operation": "GitPull", "error": "EncryptionKeyDisabledException", "message": "The key is disabled.", "after": 1 }]),
    );
    // The pack of the clone comes first.
    let failed = world.git_lfs(".", &["clone", &world.repository_url("MyDemoRepo"), "clone"]).failed();
    assert!(failed.contains("The key is disabled."), "{failed}");
    fail(json!([]));
    world.git_lfs("clone", &["lfs", "pull"]).ok();
    world.git_lfs("clone", &["lfs", "checkout"]).ok();
    assert_eq!(fs::read(world.folder().join("clone/a.bin")).expect("the file is there"), CONTENT);
}

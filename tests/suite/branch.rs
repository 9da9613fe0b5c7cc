//! Branches, with raw requests and the SDK.

use std::sync::Barrier;

use serde_json::{Value, json};
use tests::World;

/// Creates a repository with one commit on `main`; returns the id of the commit.
fn pushed() -> (World, String) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let commit_id = world.git_repository("work");
    push(&world, "HEAD:refs/heads/main");
    (world, commit_id)
}

fn push(world: &World, reference: &str) {
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), reference]).ok();
}

fn branch(name: &str) -> Value {
    json!({ "repositoryName": "MyDemoRepo", "branchName": name })
}

fn create(world: &World, name: &str, commit_id: &str) -> Value {
    let input = json!({ "repositoryName": "MyDemoRepo", "branchName": name, "commitId": commit_id });
    world.call("CreateBranch", &input).failure()["__type"].clone()
}

fn default_branch(world: &World) -> Value {
    world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }))["repositoryMetadata"]["defaultBranch"].clone()
}

#[test]
fn a_created_branch_is_there_for_the_api_and_for_git() {
    let (world, commit_id) = pushed();
    let reply = world.call(
        "CreateBranch",
        &json!({
            "repositoryName": "MyDemoRepo", "branchName": "feature/one", "commitId": commit_id,
        }),
    );
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    let got = world.run(world.sdk().get_branch().repository_name("MyDemoRepo").branch_name("feature/one").send());
    let got = got.expect("the object was created");
    assert_eq!(got.branch().and_then(|branch| branch.commit_id()), Some(commit_id.as_str()));
    let listed = world.git(".", &["ls-remote", &world.repository_url("MyDemoRepo"), "refs/heads/feature/one"]).ok();
    assert_eq!(listed, format!("{commit_id}\trefs/heads/feature/one"));
    assert_eq!(default_branch(&world), "main");
}

#[test]
fn a_commit_of_another_repository_does_not_exist_here() {
    let (world, commit_id) = pushed();
    world.ok("CreateRepository", &json!({ "repositoryName": "MySecondRepo" }));
    let input = json!({ "repositoryName": "MySecondRepo", "branchName": "main", "commitId": commit_id });
    assert_eq!(world.call("CreateBranch", &input).json()["__type"], "CommitDoesNotExistException");
}

#[test]
fn a_commit_id_can_be_in_upper_case() {
    let (world, commit_id) = pushed();
    assert_eq!(create(&world, "feature", &commit_id.to_uppercase()), Value::Null);
    assert_eq!(world.ok("GetBranch", &branch("feature"))["branch"]["commitId"], commit_id);
}

#[test]
fn the_id_of_a_tag_is_not_that_of_a_commit() {
    let (world, _) = pushed();
    world.git("work", &["tag", "--annotate", "--message", "One", "v1"]).ok();
    push(&world, "refs/tags/v1");
    let tag_id = world.git("work", &["rev-parse", "v1"]).ok();
    assert_eq!(create(&world, "feature", &tag_id), "CommitDoesNotExistException");
}

#[test]
fn a_branch_can_have_the_name_of_a_tag() {
    let (world, commit_id) = pushed();
    push(&world, "HEAD:refs/tags/v1");
    assert_eq!(create(&world, "v1", &commit_id), Value::Null);
    assert_eq!(
        world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" })),
        json!({ "branches": ["main", "v1"] })
    );
}

#[test]
fn names_are_measured_in_characters_and_differ_by_case() {
    let (world, commit_id) = pushed();
    assert_eq!(create(&world, "Feature", &commit_id), Value::Null);
    assert_eq!(create(&world, "feature", &commit_id), Value::Null);
    let name = "\u{e9}".repeat(256);
    assert_eq!(create(&world, &name, &commit_id), Value::Null);
    assert_eq!(world.ok("GetBranch", &branch(&name))["branch"]["branchName"], name);
    assert_eq!(create(&world, &"\u{e9}".repeat(257), &commit_id), "InvalidBranchNameException");
}

#[test]
fn a_push_cannot_create_a_branch_with_an_invalid_name() {
    let (world, commit_id) = pushed();
    let long = "x/".repeat(128) + "x";
    for name in ["@", &commit_id, "-x", &long] {
        assert_eq!(create(&world, name, &commit_id), "InvalidBranchNameException", "{name}");
        let url = world.repository_url("MyDemoRepo");
        let push = world.git("work", &["push", &url, "main:refs/heads/fine", &format!("main:refs/heads/{name}")]);
        let refusal = format!("'{name}' is not a valid branch name");
        assert!(!push.success && push.err.contains(&refusal), "{name}: {}", push.err);
        let record = world.events().pop().expect("the push is recorded");
        assert!(record["errorMessage"].as_str().is_some_and(|text| text.contains(&refusal)), "{record}");
    }
    // A tag can have this name, and the other branch of the push was created.
    push(&world, "main:refs/tags/@");
    assert_eq!(
        world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" })),
        json!({ "branches": ["fine", "main"] })
    );
}

#[test]
fn a_branch_name_cannot_be_the_folder_of_another() {
    let (world, commit_id) = pushed();
    assert_eq!(create(&world, "a/b", &commit_id), Value::Null);
    assert_eq!(create(&world, "a", &commit_id), "InvalidBranchNameException");
    assert_eq!(create(&world, "a/b/c", &commit_id), "InvalidBranchNameException");
    assert_eq!(create(&world, "a/c", &commit_id), Value::Null);
    assert_eq!(create(&world, "a0", &commit_id), Value::Null);
    world.ok("DeleteBranch", &branch("a/b"));
    assert_eq!(create(&world, "a/b/c", &commit_id), Value::Null);
}

#[test]
fn a_deleted_branch_is_returned_once_and_gone_for_git_too() {
    let (world, commit_id) = pushed();
    create(&world, "feature", &commit_id);
    let deleted = world.ok("DeleteBranch", &branch("feature"));
    assert_eq!(deleted, json!({ "deletedBranch": { "branchName": "feature", "commitId": commit_id } }));
    assert_eq!(world.ok("DeleteBranch", &branch("feature")), json!({}));
    let listed = world.git(".", &["ls-remote", "--heads", &world.repository_url("MyDemoRepo")]).ok();
    assert_eq!(listed, format!("{commit_id}\trefs/heads/main"));
    // The commit still exists until its objects are pruned.
    assert_eq!(create(&world, "feature", &commit_id), Value::Null);
}

#[test]
fn the_default_branch_cannot_be_deleted_until_another_replaces_it() {
    let (world, commit_id) = pushed();
    create(&world, "feature", &commit_id);
    let refused = world.run(world.sdk().delete_branch().repository_name("MyDemoRepo").branch_name("main").send());
    let error = refused.expect_err("it is the default").into_service_error();
    assert!(error.is_default_branch_cannot_be_deleted_exception(), "{error:?}");
    world.ok("UpdateDefaultBranch", &json!({ "repositoryName": "MyDemoRepo", "defaultBranchName": "feature" }));
    assert_eq!(default_branch(&world), "feature");
    world.ok("DeleteBranch", &branch("main"));
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "clone"]).ok();
    assert_eq!(world.git("clone", &["symbolic-ref", "--short", "HEAD"]).ok(), "feature");
}

#[test]
fn the_first_push_of_a_branch_sets_the_default_branch() {
    for (pushed, expected) in [
        (&["HEAD:refs/heads/zeta", "HEAD:refs/heads/main"][..], "main"),
        (&["HEAD:refs/heads/zeta", "HEAD:refs/heads/master"], "master"),
        (&["HEAD:refs/heads/zeta"], "zeta"),
        (&["HEAD:refs/tags/v1", "HEAD:refs/heads/zeta"], "zeta"),
    ] {
        let world = World::new();
        world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
        world.git_repository("work");
        let url = world.repository_url("MyDemoRepo");
        world.git("work", &[&["push", "--quiet", &url], pushed].concat()).ok();
        assert_eq!(default_branch(&world), expected);
        push(&world, "HEAD:refs/heads/main");
        assert_eq!(default_branch(&world), expected, "a later push changes nothing");
    }
}

#[test]
fn a_push_of_tags_sets_no_default_branch() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    push(&world, "HEAD:refs/tags/v1");
    assert_eq!(default_branch(&world), Value::Null);
    push(&world, "HEAD:refs/heads/main");
    assert_eq!(default_branch(&world), "main");
}

#[test]
fn of_many_concurrent_creations_of_a_branch_one_succeeds() {
    let (world, commit_id) = pushed();
    let start = Barrier::new(8);
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let make = || {
            start.wait();
            create(&world, "feature", &commit_id)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    assert_eq!(answers.iter().filter(|kind| kind.is_null()).count(), 1);
    assert_eq!(answers.iter().filter(|kind| **kind == "BranchNameExistsException").count(), 7);
}

//! Repositories, with raw requests and the SDK.

use std::sync::Barrier;

use serde_json::{Value, json};
use tests::World;

#[test]
fn a_created_repository_can_be_read() {
    let world = World::new();
    let created = world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let got = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(created, got);
    let output =
        world.run(world.sdk().get_repository().repository_name("MyDemoRepo").send()).expect("the resource exists");
    assert_eq!(output.repository_metadata().expect("the output has the member").repository_name(), Some("MyDemoRepo"));
}

#[test]
fn the_sdk_reads_each_member_of_the_metadata() {
    let world = World::new();
    let create = world.sdk().create_repository().repository_name("MyDemoRepo").repository_description("Demo \u{1f600}");
    let output = world.run(create.tags("Team", "Saanvi").send()).expect("the name is free");
    let metadata = output.repository_metadata().expect("the output has the member");
    assert_eq!(metadata.account_id(), Some("111122223333"));
    assert_eq!(metadata.arn(), Some("arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"));
    assert_eq!(metadata.repository_description(), Some("Demo \u{1f600}"));
    assert_eq!(metadata.default_branch(), None);
    assert_eq!(metadata.creation_date(), metadata.last_modified_date());
    let created = metadata.creation_date().expect("the output has the member");
    assert_eq!(created.to_millis().expect("the time is in range"), 1_481_739_554_262);
    assert_eq!(metadata.clone_url_http(), Some(world.repository_url("MyDemoRepo").as_str()));
    assert_eq!(metadata.clone_url_ssh(), Some("ssh://127.0.0.1/v1/repos/MyDemoRepo"));
}

#[test]
fn the_sdk_knows_the_exceptions_by_their_kind() {
    let world = World::new();
    let missing = world.run(world.sdk().get_repository().repository_name("MyDemoRepo").send());
    let error = missing.expect_err("the resource was never created").into_service_error();
    assert!(error.is_repository_does_not_exist_exception(), "{error:?}");
    assert_eq!(error.meta().message(), Some("MyDemoRepo does not exist"));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let again = world.run(world.sdk().create_repository().repository_name("MyDemoRepo").send());
    assert!(again.expect_err("the resource exists already").into_service_error().is_repository_name_exists_exception());
}

#[test]
fn a_deleted_repository_is_gone_and_can_be_deleted_again() {
    let world = World::new();
    let name = json!({ "repositoryName": "MyDemoRepo" });
    let id = world.ok("CreateRepository", &name)["repositoryMetadata"]["repositoryId"].clone();
    assert_eq!(world.ok("DeleteRepository", &name), json!({ "repositoryId": id }));
    assert_eq!(world.ok("DeleteRepository", &name), json!({}));
    assert_eq!(world.ok("ListRepositories", &json!({})), json!({ "repositories": [] }));
    let again = world.ok("CreateRepository", &name);
    assert_ne!(again["repositoryMetadata"]["repositoryId"], id);
}

#[test]
fn a_new_repository_of_a_deleted_ones_name_has_none_of_its_branches_and_tags() {
    let world = World::new();
    let name = json!({ "repositoryName": "MyDemoRepo" });
    let created =
        world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo", "tags": { "Team": "Saanvi" } }));
    let commit_id = push(&world, "MyDemoRepo", "main");
    world.ok("DeleteRepository", &name);
    world.ok("CreateRepository", &name);
    assert_eq!(world.ok("ListBranches", &name), json!({ "branches": [] }));
    let arn = &created["repositoryMetadata"]["Arn"];
    assert_eq!(world.ok("ListTagsForResource", &json!({ "resourceArn": arn })), json!({ "tags": {} }));
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "old", "commitId": commit_id });
    assert_eq!(world.call("CreateBranch", &branch).json()["__type"], "CommitDoesNotExistException");
}

#[test]
fn a_renamed_repository_keeps_its_id_branches_and_tags() {
    let world = World::new();
    let created =
        world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo", "tags": { "Team": "Saanvi" } }));
    let commit_id = push(&world, "MyDemoRepo", "main");
    world.ok("UpdateRepositoryName", &json!({ "oldName": "MyDemoRepo", "newName": "Renamed" }));
    let renamed = &world.ok("GetRepository", &json!({ "repositoryName": "Renamed" }))["repositoryMetadata"];
    assert_eq!(renamed["repositoryId"], created["repositoryMetadata"]["repositoryId"]);
    assert_eq!(renamed["Arn"], "arn:aws:codecommit:us-east-1:111122223333:Renamed");
    assert_eq!(renamed["cloneUrlHttp"], world.repository_url("Renamed"));
    assert_eq!(renamed["defaultBranch"], "main");
    let branch = world.ok("GetBranch", &json!({ "repositoryName": "Renamed", "branchName": "main" }));
    assert_eq!(branch["branch"]["commitId"], commit_id);
    let tags = world.ok("ListTagsForResource", &json!({ "resourceArn": renamed["Arn"] }));
    assert_eq!(tags, json!({ "tags": { "Team": "Saanvi" } }));
    world.git(".", &["clone", "--quiet", &world.repository_url("Renamed"), "renamed"]).ok();
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "old"]).failed();
    let old = world.call("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(old.json()["__type"], "RepositoryDoesNotExistException");
    // The old name can be used again.
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
}

#[test]
fn an_empty_repository_has_no_branch_and_can_be_cloned() {
    let world = World::new();
    let name = json!({ "repositoryName": "MyDemoRepo" });
    let created = world.ok("CreateRepository", &name);
    assert_eq!(created["repositoryMetadata"].get("defaultBranch"), None);
    assert_eq!(created["repositoryMetadata"].get("repositoryDescription"), None);
    assert_eq!(world.ok("ListBranches", &name), json!({ "branches": [] }));
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "clone"]).ok();
    assert_eq!(world.git("clone", &["for-each-ref"]).ok(), "");
}

#[test]
fn a_description_is_measured_in_characters() {
    let world = World::new();
    let described = |name: &str, text: String| {
        world.call("CreateRepository", &json!({ "repositoryName": name, "repositoryDescription": text }))
    };
    for (name, letter) in [("latin", "a"), ("greek", "\u{3b1}"), ("smile", "\u{1f600}")] {
        let text = letter.repeat(1_000);
        let reply = described(name, text.clone());
        assert_eq!(reply.json()["repositoryMetadata"]["repositoryDescription"], text, "{name}");
        let too_long = described("other", letter.repeat(1_001));
        assert_eq!(too_long.json()["__type"], "InvalidRepositoryDescriptionException", "{name}");
    }
}

#[test]
fn a_description_survives_the_characters_that_json_escapes() {
    let world = World::new();
    let text = "\"quoted\" \\ / \u{8}\u{c}\n\r\t\u{1f} \u{7f}\u{2028}\u{e9}\u{10ffff}";
    let description = json!({ "repositoryName": "MyDemoRepo", "repositoryDescription": text });
    world.ok("CreateRepository", &description);
    let got = world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(got["repositoryMetadata"]["repositoryDescription"], text);
    assert_eq!(world.events()[0]["requestParameters"]["repositoryDescription"], text);
}

#[test]
fn a_description_that_is_absent_or_empty_clears_the_old_one() {
    let world = World::new();
    for clearing in [json!({ "repositoryName": "a" }), json!({ "repositoryName": "a", "repositoryDescription": "" })] {
        world.call("CreateRepository", &json!({ "repositoryName": "a" }));
        world.ok("UpdateRepositoryDescription", &json!({ "repositoryName": "a", "repositoryDescription": "x" }));
        assert_eq!(metadata(&world, "a")["repositoryDescription"], "x");
        world.ok("UpdateRepositoryDescription", &clearing);
        assert_eq!(metadata(&world, "a").get("repositoryDescription"), None);
    }
}

#[test]
fn changes_update_the_last_modified_date_and_reads_do_not() {
    let world = World::new();
    let name = json!({ "repositoryName": "MyDemoRepo" });
    world.ok("CreateRepository", &name);
    let created = metadata(&world, "MyDemoRepo")["creationDate"].clone();
    let mut last = date(&world, "MyDemoRepo");
    let mut moved = |what: &str| {
        let now = date(&world, "MyDemoRepo");
        assert!(now > last, "{what} does not move it");
        last = now;
    };
    world.ok("UpdateRepositoryDescription", &json!({ "repositoryName": "MyDemoRepo", "repositoryDescription": "x" }));
    moved("a description");
    let key = json!({ "repositoryName": "MyDemoRepo", "kmsKeyId": "alias/codecommit-demo" });
    world.ok("UpdateRepositoryEncryptionKey", &key);
    moved("a key");
    let commit_id = push(&world, "MyDemoRepo", "main");
    moved("a push");
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "feature", "commitId": commit_id });
    world.ok("CreateBranch", &branch);
    moved("a branch");
    world.ok("UpdateDefaultBranch", &json!({ "repositoryName": "MyDemoRepo", "defaultBranchName": "feature" }));
    moved("another default branch");
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    moved("a branch that goes");
    world.ok("UpdateRepositoryName", &json!({ "oldName": "MyDemoRepo", "newName": "Other" }));
    world.ok("UpdateRepositoryName", &json!({ "oldName": "Other", "newName": "MyDemoRepo" }));
    moved("a name");

    let before = metadata(&world, "MyDemoRepo");
    world.ok("ListBranches", &name);
    world.git(".", &["clone", "--quiet", &world.repository_url("MyDemoRepo"), "clone"]).ok();
    world.call("UpdateDefaultBranch", &json!({ "repositoryName": "MyDemoRepo", "defaultBranchName": "nothing" }));
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "nothing" }));
    assert_eq!(metadata(&world, "MyDemoRepo"), before);
    assert_eq!(before["creationDate"], created);
}

#[test]
fn of_many_concurrent_creations_of_a_repository_one_succeeds() {
    let world = World::new();
    let start = Barrier::new(8);
    let create = || {
        start.wait();
        world.call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" })).failure()["__type"].clone()
    };
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    assert_eq!(answers.iter().filter(|kind| kind.is_null()).count(), 1);
    assert_eq!(answers.iter().filter(|kind| **kind == "RepositoryNameExistsException").count(), 7);
    assert_eq!(world.events().len(), 8);
}

#[test]
fn the_limit_holds_for_an_account_in_a_region_and_frees_with_a_deletion() {
    let world = World::with(|settings| settings.codecommit.repositories_max = 2);
    let create = |name: &str, region: &str| {
        let signature = tests::wire::signed("AKIAIOSFODNN7EXAMPLE", region);
        let headers = [("authorization", signature.as_str())];
        world.call_as("CreateRepository", &json!({ "repositoryName": name }), &headers).failure()["__type"].clone()
    };
    assert_eq!(create("a", "us-east-1"), Value::Null);
    assert_eq!(create("b", "us-east-1"), Value::Null);
    assert_eq!(create("c", "us-east-1"), "RepositoryLimitExceededException");
    assert_eq!(create("c", "us-east-2"), Value::Null);
    world.ok("DeleteRepository", &json!({ "repositoryName": "a" }));
    assert_eq!(create("c", "us-east-1"), Value::Null);
}

#[test]
fn a_changed_encryption_key_is_returned_with_the_previous_one() {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let before = metadata(&world, "MyDemoRepo");
    let change = json!({ "repositoryName": "MyDemoRepo", "kmsKeyId": "alias/codecommit-demo" });
    let changed = world.ok("UpdateRepositoryEncryptionKey", &change);
    assert_eq!(changed["repositoryId"], before["repositoryId"]);
    assert_eq!(changed["originalKmsKeyId"], before["kmsKeyId"]);
    assert_eq!(changed["kmsKeyId"], "arn:aws:kms:us-east-1:111122223333:alias/codecommit-demo");
    assert_eq!(metadata(&world, "MyDemoRepo")["kmsKeyId"], changed["kmsKeyId"]);
}

fn metadata(world: &World, name: &str) -> Value {
    world.ok("GetRepository", &json!({ "repositoryName": name }))["repositoryMetadata"].clone()
}

fn date(world: &World, name: &str) -> f64 {
    metadata(world, name)["lastModifiedDate"].as_f64().expect("a date is a number")
}

/// Pushes the example commit and returns its id.
fn push(world: &World, name: &str, branch: &str) -> String {
    let commit_id = world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url(name), &format!("HEAD:refs/heads/{branch}")]).ok();
    commit_id
}

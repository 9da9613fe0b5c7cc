//! Accounts and regions: each pair has its own resources, and URLs select the right one.

use serde_json::{Value, json};
use tests::wire::signed;
use tests::{World, clients};

/// The second account of the documentation, with a user and a key.
const IDENTITIES: &str = r#"
    [[account]]
    id = "444455556666"

    [[account.user]]
    name = "Li_Juan"
    access_keys = ["AKIAI44QH8DHBEXAMPLE"]
"#;

const MARY: &str = "AKIAIOSFODNN7EXAMPLE";
const LI: &str = "AKIAI44QH8DHBEXAMPLE";

/// Calls an operation with a key for a region; fails the test if the call fails.
fn ok(world: &World, (key, region): (&str, &str), operation: &str, input: &Value) -> Value {
    let reply = world.call_as(operation, input, &[("authorization", &signed(key, region))]);
    assert_eq!(reply.status, 200, "{operation} as {key} in {region}: {}", reply.text());
    reply.json()
}

#[test]
fn the_same_name_is_another_repository_in_each_account_and_region() {
    let world = World::with_identities(IDENTITIES);
    let places = [(MARY, "us-east-1"), (MARY, "us-east-2"), (LI, "us-east-1"), (LI, "eu-west-1")];
    let name = json!({ "repositoryName": "MyDemoRepo" });
    let mut ids = Vec::new();
    for (place, account) in places.into_iter().zip(["111122223333", "111122223333", "444455556666", "444455556666"]) {
        let created = &ok(&world, place, "CreateRepository", &name)["repositoryMetadata"];
        assert_eq!(created["accountId"], account);
        assert_eq!(created["Arn"], format!("arn:aws:codecommit:{}:{account}:MyDemoRepo", place.1));
        ids.push(created["repositoryId"].clone());
    }
    for (place, id) in places.into_iter().zip(&ids) {
        let expected = json!({ "repositories": [{ "repositoryName": "MyDemoRepo", "repositoryId": id }] });
        assert_eq!(ok(&world, place, "ListRepositories", &json!({})), expected);
        assert_eq!(&ok(&world, place, "GetRepository", &name)["repositoryMetadata"]["repositoryId"], id);
    }
    assert_eq!(ok(&world, places[0], "DeleteRepository", &name)["repositoryId"], ids[0]);
    for place in &places[1..] {
        ok(&world, *place, "GetRepository", &name);
    }
}

#[test]
fn the_sdk_of_a_region_calls_in_it() {
    let world = World::with_identities(IDENTITIES);
    let create = world.sdk_as(LI, "eu-west-1").create_repository().repository_name("MyDemoRepo");
    let metadata =
        world.run(create.send()).expect("the name is free").repository_metadata.expect("the output has the member");
    assert_eq!(metadata.arn(), Some("arn:aws:codecommit:eu-west-1:444455556666:MyDemoRepo"));
    let other_region = world.sdk_as(LI, "us-east-1").get_repository().repository_name("MyDemoRepo");
    assert!(world.run(other_region.send()).is_err());
}

#[test]
fn without_a_signature_an_aws_host_name_sets_the_region() {
    let world = World::new();
    let arn = |name: &str, headers: &[(&str, &str)]| {
        let reply = world.call_as("CreateRepository", &json!({ "repositoryName": name }), headers);
        reply.json()["repositoryMetadata"].clone()
    };
    let ohio = arn("a", &[("host", "codecommit.us-east-2.amazonaws.com")]);
    assert_eq!(ohio["Arn"], "arn:aws:codecommit:us-east-2:111122223333:a");
    assert_eq!(ohio["cloneUrlHttp"], "http://git-codecommit.us-east-2.amazonaws.com/v1/repos/a");
    assert_eq!(ohio["cloneUrlSsh"], "ssh://git-codecommit.us-east-2.amazonaws.com/111122223333/us-east-2/v1/repos/a");
    let with_port = arn("b", &[("host", "codecommit.us-east-2.amazonaws.com:4599")]);
    assert_eq!(with_port["cloneUrlHttp"], "http://git-codecommit.us-east-2.amazonaws.com:4599/v1/repos/b");
    // The region of a signature takes precedence.
    let signature = signed(MARY, "eu-west-1");
    let both = arn("c", &[("host", "codecommit.us-east-2.amazonaws.com"), ("authorization", &signature)]);
    assert_eq!(both["Arn"], "arn:aws:codecommit:eu-west-1:111122223333:c");
    assert_eq!(both["cloneUrlHttp"], "http://git-codecommit.us-east-2.amazonaws.com/111122223333/eu-west-1/v1/repos/c");
    // Other host names have no effect on the region.
    let other = arn("d", &[("host", "codecommit.test:80")]);
    assert_eq!(other["Arn"], "arn:aws:codecommit:us-east-1:111122223333:d");
    assert_eq!(other["cloneUrlHttp"], "http://codecommit.test:80/v1/repos/d");
}

#[test]
fn the_clone_url_of_every_account_and_region_works() {
    let world = World::with_identities(IDENTITIES);
    for (number, place) in
        [(MARY, "us-east-1"), (MARY, "us-east-2"), (LI, "us-east-1"), (LI, "eu-west-1")].into_iter().enumerate()
    {
        git_goes_the_whole_way(&world, place, &format!("work{number}"));
    }
}

#[test]
fn the_clone_url_works_if_the_default_user_is_in_another_account() {
    let identities = r#"
        [[account]]
        id = "111122223333"
        [[account.user]]
        name = "Mary_Major"
        access_keys = ["AKIAIOSFODNN7EXAMPLE"]

        [[account]]
        id = "444455556666"
        [[account.user]]
        name = "Li_Juan"
        access_keys = ["AKIAI44QH8DHBEXAMPLE"]
        default = true
    "#;
    let world = World::with_identities(identities);
    git_goes_the_whole_way(&world, (LI, "us-east-1"), "work-li");
    git_goes_the_whole_way(&world, (MARY, "us-east-1"), "work-mary");
}

/// Creates a repository, clones it by its `cloneUrlHttp`, pushes, and returns what the API shows.
fn git_goes_the_whole_way(world: &World, place: (&str, &str), folder: &str) {
    let created = ok(world, place, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let url = created["repositoryMetadata"]["cloneUrlHttp"].as_str().expect("the member is a string");
    world.git(".", &["clone", "--quiet", url, folder]).ok();
    assert_eq!(world.git(folder, &["for-each-ref"]).ok(), "", "{place:?}: {url} is another repository");
    world.git(folder, &["switch", "--quiet", "--create", "main"]).ok();
    let commit_id = world.git_commit(folder, "place.txt", &format!("{place:?}"));
    clients::git(&world.folder().join(folder), &["push", "--quiet", "origin", "main"]).ok();
    let branch = ok(world, place, "GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    assert_eq!(branch["branch"]["commitId"], commit_id);
}

//! Records of the calls to AWS KMS that CodeCommit makes on AWS.

use serde_json::{Value, json};
use tests::World;

fn world() -> World {
    World::with(|settings| settings.kms_events = true)
}

/// Returns the names of the events after the first `seen`.
fn since(world: &World, seen: usize) -> Vec<String> {
    let name = |event: &Value| event["eventName"].as_str().expect("an event has a name").to_owned();
    world.events().iter().skip(seen).map(name).collect()
}

fn repository(world: &World) -> String {
    let output = world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    output["repositoryMetadata"]["repositoryId"].as_str().expect("the value has an id").to_owned()
}

#[test]
fn each_call_is_followed_by_its_kms_calls() {
    let world = world();
    repository(&world);
    assert_eq!(since(&world, 0), ["CreateRepository", "GenerateDataKey", "Encrypt"]);
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    assert_eq!(since(&world, 3), ["GitPush", "GitPush", "Encrypt"]);
    world.git(".", &["clone", "--quiet", &url, "clone"]).ok();
    assert_eq!(since(&world, 6), ["GitPull", "GitPull", "Decrypt"]);
    world.git("clone", &["fetch", "--quiet"]).ok();
    assert_eq!(since(&world, 9), ["GitPull"]);
    world.ok("GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": "README.md" }));
    world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" }));
    let parent = world.git("work", &["rev-parse", "HEAD"]).ok();
    let file = json!({
        "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": "a", "fileContent": "YQ==", "parentCommitId": parent,
    });
    world.ok("PutFile", &file);
    assert_eq!(world.call("PutFile", &file).status, 400);
    assert_eq!(since(&world, 10), ["GetFile", "Decrypt", "ListBranches", "PutFile", "Encrypt", "PutFile"]);
}

#[test]
fn a_record_names_the_caller_the_service_the_key_and_the_repository() {
    let world = world();
    let id = repository(&world);
    let events = world.events();
    let [created, data_key, encrypt] = &events[..] else { panic!("three events") };
    for event in [data_key, encrypt] {
        assert_eq!(event["eventSource"], "kms.amazonaws.com");
        assert_eq!(event["readOnly"], true);
        assert_eq!(event["responseElements"], Value::Null);
        for member in ["sourceIPAddress", "userAgent"] {
            assert_eq!(event[member], "codecommit.amazonaws.com");
        }
        let mut caller = created["userIdentity"].clone();
        caller["invokedBy"] = "codecommit.amazonaws.com".into();
        assert_eq!(event["userIdentity"], caller);
        assert_eq!(event["recipientAccountId"], "111122223333");
        assert_ne!(event["requestID"], created["requestID"]);
        assert_ne!(event["eventID"], created["eventID"]);
        assert_eq!(event.get("apiVersion"), None);
        assert_eq!(event["requestParameters"]["encryptionContext"], json!({ "aws:codecommit:id": id }));
        let resource = &event["resources"][0];
        assert_eq!(resource["type"], "AWS::KMS::Key");
        assert_eq!(resource["accountId"], "111122223333");
        assert_eq!(resource["ARN"], event["requestParameters"]["keyId"]);
    }
    assert_eq!(encrypt["requestParameters"]["encryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    assert_eq!(data_key["requestParameters"]["keySpec"], "AES_256");
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    world.ok("GetFile", &json!({ "repositoryName": "MyDemoRepo", "filePath": "README.md" }));
    let decrypt = world.events().pop().expect("there are some");
    let parameters =
        json!({ "encryptionAlgorithm": "SYMMETRIC_DEFAULT", "encryptionContext": { "aws:codecommit:id": id } });
    assert_eq!(decrypt["requestParameters"], parameters);
}

#[test]
fn without_the_setting_there_is_one_event_a_call() {
    let world = World::new();
    repository(&world);
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    world.git(".", &["clone", "--quiet", &url, "clone"]).ok();
    assert_eq!(since(&world, 0), ["CreateRepository", "GitPush", "GitPush", "GitPull", "GitPull"]);
}

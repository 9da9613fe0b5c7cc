//! Cloud Custodian: its policies for repositories and trails run as on AWS.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tests::clients::outcome;
use tests::{World, workspace};

const POLICIES: &str = r#"
policies:
  - name: repositories-of-a-team
    resource: aws.codecommit
    filters: [{ "tag:Team": blue }]
  - name: tag-repositories
    resource: aws.codecommit
    filters: [{ "tag:Owner": absent }]
    actions: [{ type: tag, tags: { Owner: nobody, Checked: "yes" } }]
  - name: remove-tag-of-repositories
    resource: aws.codecommit
    filters: [{ "tag:Checked": present }]
    actions: [{ type: remove-tag, tags: [Checked] }]
  - name: mark-repositories
    resource: aws.codecommit
    filters: [{ "tag:Team": red }]
    actions: [{ type: mark-for-op, tag: cleanup, op: delete, days: 4 }]
  - name: rename-tag-of-repositories
    resource: aws.codecommit
    filters: [{ "tag:Team": present }]
    actions: [{ type: rename-tag, old_keys: [Team], new_key: Group }]
  - name: unused-repositories
    resource: aws.codecommit
    filters: [{ type: value, key: lastModifiedDate, value_type: age, op: gt, value: 30 }]
  - name: delete-repositories
    resource: aws.codecommit
    filters: [{ type: marked-for-op, tag: cleanup, op: delete, skew: 5 }]
    actions: [delete]
  - name: trails-that-do-not-log
    resource: aws.cloudtrail
    filters: [{ type: status, key: IsLogging, value: false }]
  - name: shadow-trails
    resource: aws.cloudtrail
    filters: [{ type: is-shadow, state: true }]
  - name: trails-of-management-events
    resource: aws.cloudtrail
    filters:
      - { type: event-selectors, key: "EventSelectors[].IncludeManagementEvents", op: contains, value: true }
  - name: tag-trails
    resource: aws.cloudtrail
    filters: [{ "tag:Owner": absent }]
    actions: [{ type: tag, tags: { Owner: nobody } }]
  - name: update-trails
    resource: aws.cloudtrail
    filters: [{ LogFileValidationEnabled: false }]
    actions: [{ type: update-trail, attributes: { EnableLogFileValidation: true } }]
  - name: start-trails
    resource: aws.cloudtrail
    filters: [{ type: status, key: IsLogging, value: false }]
    actions: [{ type: set-logging, enabled: true }]
  - name: delete-trails
    resource: aws.cloudtrail
    filters: [{ Name: all-regions }]
    actions: [delete]
"#;

/// Runs policies in a region; fails the test if one fails. Returns the names of the resources that each found.
fn run(world: &World, region: &str, policies: &[&str]) -> BTreeMap<String, Vec<String>> {
    fs::write(world.folder().join("policies.yml"), POLICIES).expect("the folder is writable");
    let mut command = Command::new(workspace().join(".tools/custodian/bin/custodian"));
    command
        .env_clear()
        .current_dir(world.folder())
        .env("HOME", world.folder())
        .env("LC_ALL", "C.UTF-8")
        .env("AWS_ENDPOINT_URL", world.endpoint())
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .args(["run", "--region", region, "--cache-period", "0", "--output-dir", "found", "policies.yml"]);
    for policy in policies {
        command.args(["-p", policy]);
    }
    outcome(&mut command).ok();
    let found = policies.iter().map(|policy| {
        let path = world.folder().join("found").join(policy).join("resources.json");
        let resources = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let resources: Vec<Value> = serde_json::from_str(&resources).expect("the text is JSON");
        let name = |resource: &Value| {
            resource["repositoryName"].as_str().or(resource["Name"].as_str()).expect("the value is present").to_owned()
        };
        ((*policy).to_owned(), resources.iter().map(name).collect())
    });
    found.collect()
}

/// Returns the names of the events after the first `before`, without repetitions.
fn called(world: &World, before: usize) -> Vec<String> {
    let mut names: Vec<_> = world.events()[before..].iter().map(|event| event["eventName"].to_string()).collect();
    names.dedup();
    names.iter().map(|name| name.trim_matches('"').to_owned()).collect()
}

fn tags(world: &World, name: &str) -> Value {
    let arn = format!("arn:aws:codecommit:us-east-1:111122223333:{name}");
    world.ok("ListTagsForResource", &json!({ "resourceArn": arn }))["tags"].clone()
}

#[test]
fn policies_on_repositories_run() {
    let world = World::new();
    for (name, tags) in [("Blue", json!({ "Team": "blue" })), ("Red", json!({ "Team": "red" })), ("Plain", json!({}))] {
        world.ok("CreateRepository", &json!({ "repositoryName": name, "tags": tags }));
    }
    let before = world.events().len();
    let found = run(&world, "us-east-1", &["repositories-of-a-team", "tag-repositories"]);
    assert_eq!(found["repositories-of-a-team"], ["Blue"]);
    assert_eq!(found["tag-repositories"], ["Blue", "Plain", "Red"]);
    assert_eq!(tags(&world, "Plain"), json!({ "Owner": "nobody", "Checked": "yes" }));
    let calls = called(&world, before);
    for name in ["ListRepositories", "BatchGetRepositories", "GetResources", "TagResource", "TagResources"] {
        assert!(calls.iter().any(|called| called == name), "{name}: {calls:?}");
    }
    let found = run(&world, "us-east-1", &["remove-tag-of-repositories", "mark-repositories"]);
    assert_eq!(found["remove-tag-of-repositories"].len(), 3);
    assert_eq!(tags(&world, "Plain"), json!({ "Owner": "nobody" }));
    assert_eq!(found["mark-repositories"], ["Red"]);
    let mark = tags(&world, "Red")["cleanup"].as_str().expect("the policy marked the repository").to_owned();
    assert!(mark.contains("delete@"), "{mark}");
    let found = run(&world, "us-east-1", &["rename-tag-of-repositories", "unused-repositories"]);
    assert_eq!(found["rename-tag-of-repositories"], ["Blue", "Red"]);
    assert_eq!(tags(&world, "Blue"), json!({ "Owner": "nobody", "Group": "blue" }));
    assert_eq!(found["unused-repositories"].len(), 3);
    assert_eq!(run(&world, "us-east-1", &["delete-repositories"])["delete-repositories"], ["Red"]);
    let left = world.ok("ListRepositories", &json!({}));
    assert_eq!(left["repositories"].as_array().map(Vec::len), Some(2));
}

#[test]
fn policies_on_trails_run() {
    let world = World::new();
    world.ok("CreateTrail", &json!({ "Name": "one-region", "S3BucketName": "my-logs" }));
    world.ok("CreateTrail", &json!({ "Name": "all-regions", "S3BucketName": "my-logs", "IsMultiRegionTrail": true }));
    let all = ["all-regions", "codecommit-local"];
    let found = run(&world, "us-east-2", &["shadow-trails", "trails-of-management-events"]);
    assert_eq!(
        (&found["shadow-trails"][..], &found["trails-of-management-events"][..]),
        (&all.map(str::to_owned)[..], &all.map(str::to_owned)[..])
    );
    let policies =
        ["trails-that-do-not-log", "shadow-trails", "tag-trails", "update-trails", "start-trails", "delete-trails"];
    let before = world.events().len();
    let found = run(&world, "us-east-1", &policies);
    assert_eq!(found["trails-that-do-not-log"], ["all-regions", "one-region"]);
    assert_eq!(found["shadow-trails"], [""; 0]);
    assert_eq!(found["tag-trails"], ["all-regions", "codecommit-local", "one-region"]);
    assert_eq!(found["update-trails"], ["all-regions", "one-region"]);
    assert_eq!(found["start-trails"], ["all-regions", "one-region"]);
    assert_eq!(found["delete-trails"], ["all-regions"]);
    let trail = world.ok("GetTrail", &json!({ "Name": "one-region" }))["Trail"].clone();
    assert_eq!(trail["LogFileValidationEnabled"], true);
    assert_eq!(world.ok("GetTrailStatus", &json!({ "Name": "one-region" }))["IsLogging"], true);
    let tags = world.ok("ListTags", &json!({ "ResourceIdList": [trail["TrailARN"]] }));
    assert_eq!(tags["ResourceTagList"][0]["TagsList"], json!([{ "Key": "Owner", "Value": "nobody" }]));
    assert_eq!(world.ok("ListTrails", &json!({}))["Trails"].as_array().map(Vec::len), Some(2));
    let calls = called(&world, before);
    for name in
        ["DescribeTrails", "GetTrailStatus", "AddTags", "TagResources", "UpdateTrail", "StartLogging", "DeleteTrail"]
    {
        assert!(calls.iter().any(|called| called == name), "{name}: {calls:?}");
    }
}

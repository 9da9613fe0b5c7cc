//! The records of calls and their order.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::Durability;
use tests::wire::signed;
use tests::{Reply, World, model};

use crate::record::members;
use crate::table;

pub const ARN: &str = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
pub const AGENT: (&str, &str) = ("user-agent", "aws-cli/1.10.53 Python/2.7.9 Windows/8 botocore/1.4.43");

/// Calls an operation and returns the reply and its one record.
pub fn recorded(world: &World, operation: &str, input: &Value) -> (Reply, Value) {
    let before = world.events().len();
    let reply = world.call_as(operation, input, &[AGENT]);
    let mut events = world.events();
    assert_eq!(events.len(), before + 1, "{operation} leaves one record");
    let record = events.pop().expect("there is one more");
    assert_eq!(record["requestID"].as_str(), reply.header("x-amzn-requestid"));
    assert_eq!(record["eventName"], operation);
    (reply, record)
}

/// Creates a repository with a second branch.
fn world_with_branches() -> (World, String) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo", "tags": { "Stage": "test" } }));
    let commit_id = world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, "HEAD:refs/heads/main", "HEAD:refs/heads/old"]).ok();
    (world, commit_id)
}

/// An expected record: the input, `responseElements`, and whether `resources` has the repository.
struct Expected {
    operation: &'static str,
    input: Value,
    response: Value,
    resource: bool,
}

fn expected(operation: &'static str, input: Value, response: Value) -> Expected {
    Expected { operation, input, response, resource: operation != "ListRepositories" }
}

#[test]
fn successful_operations_are_recorded_exactly() {
    let (world, commit_id) = world_with_branches();
    let id =
        world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }))["repositoryMetadata"]["repositoryId"]
            .clone();
    let key =
        world.ok("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }))["repositoryMetadata"]["kmsKeyId"].clone();
    let name = || json!({ "repositoryName": "MyDemoRepo" });
    let calls = [
        expected("GetRepository", name(), Value::Null),
        expected("BatchGetRepositories", json!({ "repositoryNames": ["MyDemoRepo", "Other"] }), Value::Null),
        expected("ListRepositories", json!({ "order": "descending", "sortBy": "lastModifiedDate" }), Value::Null),
        expected(
            "UpdateRepositoryDescription",
            json!({ "repositoryDescription": "x", "repositoryName": "MyDemoRepo" }),
            Value::Null,
        ),
        expected(
            "UpdateRepositoryEncryptionKey",
            json!({ "kmsKeyId": "alias/demo", "repositoryName": "MyDemoRepo" }),
            json!({ "kmsKeyId": "arn:aws:kms:us-east-1:111122223333:alias/demo", "originalKmsKeyId": key, "repositoryId": id }),
        ),
        expected(
            "CreateBranch",
            json!({ "branchName": "new", "commitId": commit_id, "repositoryName": "MyDemoRepo" }),
            Value::Null,
        ),
        expected("GetBranch", json!({ "branchName": "new", "repositoryName": "MyDemoRepo" }), Value::Null),
        expected("ListBranches", name(), Value::Null),
        expected(
            "DeleteBranch",
            json!({ "branchName": "old", "repositoryName": "MyDemoRepo" }),
            json!({ "deletedBranch": { "branchName": "old", "commitId": commit_id } }),
        ),
        expected("DeleteBranch", json!({ "branchName": "old", "repositoryName": "MyDemoRepo" }), Value::Null),
        expected(
            "UpdateDefaultBranch",
            json!({ "defaultBranchName": "new", "repositoryName": "MyDemoRepo" }),
            Value::Null,
        ),
        expected("TagResource", json!({ "resourceArn": ARN, "tags": { "Empty": "", "Team": "Saanvi" } }), Value::Null),
        expected("UntagResource", json!({ "resourceArn": ARN, "tagKeys": ["Team", "Other"] }), Value::Null),
        expected("ListTagsForResource", json!({ "resourceArn": ARN }), Value::Null),
        expected("UpdateRepositoryName", json!({ "newName": "Renamed", "oldName": "MyDemoRepo" }), Value::Null),
        expected("UpdateRepositoryName", json!({ "newName": "MyDemoRepo", "oldName": "Renamed" }), Value::Null),
        expected("DeleteRepository", name(), json!({ "repositoryId": id })),
        Expected { resource: false, ..expected("DeleteRepository", name(), Value::Null) },
        // The test above checks its responseElements.
        expected(
            "CreateRepository",
            json!({ "repositoryName": "MyDemoRepo", "tags": { "Team": "Saanvi" } }),
            json!("any"),
        ),
    ];
    for Expected { operation, input, response, resource } in &calls {
        let (reply, record) = recorded(&world, operation, input);
        assert_eq!(reply.status, 200, "{operation}: {}", reply.text());
        // The comparison as text includes the order.
        assert_eq!(record["requestParameters"].to_string(), input.to_string(), "{operation}");
        if response != "any" {
            assert_eq!(record["responseElements"].to_string(), response.to_string(), "{operation}");
        }
        let arn = if input["oldName"] == "Renamed" { ARN.replace("MyDemoRepo", "Renamed") } else { ARN.to_owned() };
        let resources = json!([{ "ARN": arn, "accountId": "111122223333", "type": "AWS::CodeCommit::Repository" }]);
        assert_eq!(record.get("resources"), resource.then_some(&resources), "{operation}");
        is_plain(&record, operation);
        assert_eq!((record.get("errorCode"), record.get("errorMessage")), (None, None), "{operation}");
    }
    assert_event_ids_differ(&world);
}

/// Failing calls of operations on repositories, branches and tags, for an existing and for a missing repository.
fn failing_calls() -> Vec<(&'static str, Value, &'static str, bool)> {
    let no_key = |operation, rest: Value| (operation, rest, "RepositoryNameRequiredException", false);
    vec![
        ("CreateRepository", json!({ "repositoryName": "MyDemoRepo" }), "RepositoryNameExistsException", true),
        ("CreateRepository", json!({ "repositoryName": "a b" }), "InvalidRepositoryNameException", false),
        ("GetRepository", json!({ "repositoryName": "Other" }), "RepositoryDoesNotExistException", false),
        ("BatchGetRepositories", json!({ "repositoryNames": ["a b"] }), "InvalidRepositoryNameException", false),
        ("ListRepositories", json!({ "nextToken": "x" }), "InvalidContinuationTokenException", false),
        ("DeleteRepository", json!({ "repositoryName": "a b" }), "InvalidRepositoryNameException", false),
        (
            "UpdateRepositoryName",
            json!({ "newName": "MyDemoRepo", "oldName": "MyDemoRepo" }),
            "RepositoryNameExistsException",
            true,
        ),
        no_key("UpdateRepositoryDescription", json!({ "repositoryDescription": "x" })),
        (
            "UpdateRepositoryEncryptionKey",
            json!({ "repositoryName": "MyDemoRepo" }),
            "EncryptionKeyRequiredException",
            false,
        ),
        (
            "CreateBranch",
            json!({ "branchName": "a", "commitId": "1111111111111111111111111111111111111111", "repositoryName": "MyDemoRepo" }),
            "CommitDoesNotExistException",
            true,
        ),
        (
            "GetBranch",
            json!({ "branchName": "a", "repositoryName": "MyDemoRepo" }),
            "BranchDoesNotExistException",
            true,
        ),
        (
            "ListBranches",
            json!({ "nextToken": "x", "repositoryName": "MyDemoRepo" }),
            "InvalidContinuationTokenException",
            true,
        ),
        (
            "DeleteBranch",
            json!({ "branchName": "main", "repositoryName": "MyDemoRepo" }),
            "DefaultBranchCannotBeDeletedException",
            true,
        ),
        (
            "UpdateDefaultBranch",
            json!({ "defaultBranchName": "a", "repositoryName": "MyDemoRepo" }),
            "BranchDoesNotExistException",
            true,
        ),
        (
            "TagResource",
            json!({ "resourceArn": "MyDemoRepo", "tags": { "a": "b" } }),
            "InvalidResourceArnException",
            false,
        ),
        ("UntagResource", json!({ "resourceArn": ARN, "tagKeys": ["aws:a"] }), "InvalidSystemTagUsageException", false),
        (
            "ListTagsForResource",
            json!({ "resourceArn": ARN.replace("MyDemoRepo", "Other") }),
            "RepositoryDoesNotExistException",
            false,
        ),
    ]
}

#[test]
fn failed_operations_are_recorded_exactly() {
    let (world, _) = world_with_branches();
    let calls = failing_calls();
    for (operation, input, code, resource) in &calls {
        let (reply, record) = recorded(&world, operation, input);
        assert_eq!(reply.json()["__type"], *code, "{operation}");
        assert_eq!(record["errorCode"], *code, "{operation}");
        assert_eq!(record["errorMessage"], reply.json()["message"], "{operation}");
        assert_eq!(record["requestParameters"].to_string(), input.to_string(), "{operation}");
        assert_eq!(record.get("responseElements"), Some(&Value::Null), "{operation}");
        assert_eq!(record.get("resources").is_some(), *resource, "{operation}");
        is_plain(&record, operation);
        let names = members(&record);
        let at = |name: &str| names.iter().position(|found| found == name);
        assert_eq!(at("errorCode"), at("userAgent").map(|at| at + 1));
        assert_eq!(at("errorMessage"), at("userAgent").map(|at| at + 2));
        assert_eq!(at("requestParameters"), at("userAgent").map(|at| at + 3));
    }
    assert_event_ids_differ(&world);
}

#[test]
fn missing_members_are_not_recorded() {
    let world = World::new();
    for operation in table::codecommit().into_iter().map(|row| row.name) {
        let (_, record) = recorded(&world, operation, &json!({}));
        assert_eq!(record["requestParameters"], Value::Null, "{operation}");
    }
}

/// Returns the members of a record that follow from the input and the reply of the call.
pub fn derived_members(record: &Value) -> Value {
    json!({
        "eventName": record["eventName"],
        "requestID": record["requestID"],
        "readOnly": record["readOnly"],
        "errorCode": record["errorCode"],
        "errorMessage": record["errorMessage"],
        "requestParameters": record["requestParameters"],
        "answers": !record["responseElements"].is_null(),
    })
}

/// Returns the expected value of [`derived_members`].
pub fn expected_members(operation: &str, input: &Value, reply: &Reply) -> Value {
    let row = table::row(operation);
    let elements_of = |value: &Value| match operation {
        _ if model::is_cloudtrail(operation) => elements_of(&decapitalized(value)),
        // Its records include empty members.
        _ if model::is_tagging(operation) => {
            let mut shown = decapitalized(value);
            shown.sort_all_objects();
            shown
        }
        _ => elements_of(value),
    };
    let body = reply.json();
    let failed = reply.status != 200;
    let nothing = json!({});
    let parameters = if body["__type"] == "SerializationException" { nothing.clone() } else { elements_of(input) };
    let is_left_out = parameters.to_string().len() > 100 * 1024;
    json!({
        "eventName": operation,
        "requestID": reply.header("x-amzn-requestid"),
        "readOnly": row.reads,
        "errorCode": body["__type"],
        "errorMessage": reply.message().as_str().map(|text| &text[..text.floor_char_boundary(1024)]),
        "requestParameters": if parameters == nothing || is_left_out { Value::Null } else { parameters },
        "answers": !failed && !row.reads && !body.is_null() && elements_of(&body) != nothing,
    })
}

/// Converts a value of CloudTrail from its wire form, where names begin with a capital and times are numbers.
fn decapitalized(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(decapitalized).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                let value = match value.as_f64().filter(|_| name.ends_with("Time")) {
                    Some(seconds) => aws::Timestamp::from_seconds(seconds).medium().into(),
                    // The keys of a map come from the caller.
                    None if name == "Tags" && value.is_object() => value.clone(),
                    None => decapitalized(value),
                };
                (name[..1].to_lowercase() + &name[1..], value)
            };
            members.iter().map(member).collect()
        }
        other => other.clone(),
    }
}

/// Returns an input in record form: in alphabetical order, without empty members and contents of files.
fn elements_of(value: &Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    // The content of a replacement is that of a file; the content of a comment is not.
    let is_file = |members: &serde_json::Map<String, Value>, name: &str| {
        name == "fileContent" || name == "content" && members.contains_key("replacementType")
    };
    // Members with a capital on the wire; the keys of maps are unchanged.
    let member = |name: &str| match name {
        "MaxResults" => "maxResults".to_owned(),
        "NextToken" => "nextToken".to_owned(),
        name => name.to_owned(),
    };
    match value {
        Value::Array(items) => items.iter().map(elements_of).collect(),
        Value::Object(members) => {
            let mut shown: serde_json::Map<String, Value> = members
                .iter()
                .filter(|(name, _)| !is_file(members, name))
                .map(|(name, value)| (member(name), elements_of(value)))
                .filter(|(_, value)| !is_empty(value))
                .collect();
            shown.sort_keys();
            Value::Object(shown)
        }
        other => other.clone(),
    }
}

/// Asserts the members that all records of API calls without credentials have.
fn is_plain(record: &Value, operation: &str) {
    let reads = table::codecommit().into_iter().any(|row| row.name == operation && row.reads);
    assert_eq!(record["readOnly"], reads, "{operation}");
    assert_eq!(record["eventSource"], "codecommit.amazonaws.com");
    assert_eq!(record["eventType"], "AwsApiCall");
    assert_eq!(record["apiVersion"], "2015-04-13");
    assert_eq!(record["recipientAccountId"], "111122223333");
    assert_eq!(record["eventVersion"], "1.05");
    assert_eq!(record.get("additionalEventData"), None);
    assert!(record["eventTime"].as_str().is_some_and(|time| time.starts_with("2016-12-14T18:") && time.ends_with('Z')));
}

fn assert_event_ids_differ(world: &World) {
    let events = world.events();
    let ids: BTreeSet<_> = events.iter().map(|event| event["eventID"].to_string()).collect();
    assert_eq!(ids.len(), events.len());
    let requests: BTreeSet<_> = events.iter().map(|event| event["requestID"].to_string()).collect();
    assert!(ids.is_disjoint(&requests));
}

#[test]
fn records_have_the_order_of_the_replies() {
    let world = World::new();
    let replies: Vec<_> = (0..30)
        .map(|number| match number % 3 {
            0 => world.call("CreateRepository", &json!({ "repositoryName": format!("Repo{number}") })),
            1 => world.call("ListRepositories", &json!({})),
            _ => world.call("GetRepository", &json!({ "repositoryName": "nothing" })),
        })
        .map(|reply| reply.header("x-amzn-requestid").map(str::to_owned))
        .collect();
    let recorded: Vec<_> = world.events().iter().map(|event| event["requestID"].as_str().map(str::to_owned)).collect();
    assert_eq!(recorded, replies);
}

#[test]
fn each_of_many_concurrent_calls_is_recorded_before_its_reply() {
    let world = World::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let world = &world;
            scope.spawn(move || {
                for number in 0..25 {
                    let name = json!({ "repositoryName": format!("Repo{thread}-{number}") });
                    let reply = world.call("CreateRepository", &name);
                    let id = reply.header("x-amzn-requestid").expect("the value is present");
                    let text =
                        std::fs::read_to_string(world.trail_folder().join("events.ndjson")).expect("the file exists");
                    assert_eq!(text.matches(id).count(), 1);
                }
            });
        }
    });
    assert_eq!(world.events().len(), 100);
    assert_event_ids_differ(&world);
}

#[test]
fn an_unknown_operation_is_not_recorded_and_an_early_failure_is() {
    let world = World::with(|settings| settings.body_bytes_max = 100);
    world.call("Nothing", &json!({}));
    world.send("POST", "/", &[], b"{}");
    world.send("GET", "/", &[], b"");
    world.send("GET", "/_local/health", &[], b"");
    world.send("POST", "/_local/flush", &[], b"");
    assert_eq!(world.events(), Vec::<Value>::new());

    let (reply, record) = recorded(&world, "CreateRepository", &json!({ "repositoryName": "a".repeat(200) }));
    assert_eq!((reply.status, &record["errorCode"]), (413, &json!("RequestEntityTooLargeException")));
    assert_eq!((&record["requestParameters"], &record["readOnly"]), (&Value::Null, &json!(false)));
    let (reply, record) = recorded(&world, "GetRepository", &json!({ "repositoryName": 5 }));
    assert_eq!((reply.status, &record["errorCode"]), (400, &json!("SerializationException")));
    assert_eq!((&record["requestParameters"], &record["readOnly"]), (&Value::Null, &json!(true)));
}

#[test]
fn whether_an_operation_reads_is_recorded() {
    let world = World::new();
    for operation in table::codecommit().into_iter().map(|row| row.name) {
        let (_, record) = recorded(&world, operation, &json!({}));
        let reads = ["Get", "List", "Describe", "BatchGet", "BatchDescribe", "Evaluate"];
        assert_eq!(record["readOnly"], reads.iter().any(|verb| operation.starts_with(verb)), "{operation}");
    }
}

#[test]
fn the_owner_s_account_and_the_region_of_the_call_are_recorded() {
    let world = World::new();
    let signature = signed("AKIAI44QH8DHBEXAMPLE", "us-east-2");
    let headers = [("authorization", signature.as_str()), ("user-agent", "")];
    world.call_as("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }), &headers);
    let record = &world.events()[0];
    assert_eq!(record["awsRegion"], "us-east-2");
    assert_eq!(record["recipientAccountId"], "111122223333");
    assert_eq!(record["userIdentity"]["accessKeyId"], "AKIAI44QH8DHBEXAMPLE");
    assert_eq!(record["resources"][0]["ARN"], "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo");
}

#[test]
fn calls_whose_commits_wait_for_the_disk_are_recorded_before_their_replies() {
    let mut world = World::with(|settings| settings.durability = Durability::Full);
    recorded(&world, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    recorded(&world, "GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let (reply, _) = recorded(&world, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(reply.status, 400);
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, "HEAD:refs/heads/main"]).ok();
    world.restart();
    assert_eq!(world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" }))["branches"], json!(["main"]));
}

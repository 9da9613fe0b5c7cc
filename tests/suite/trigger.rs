//! Triggers: messages about changed references, their destinations and their delivery.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use server::settings::Destination as To;
use tests::destination::Destination;
use tests::moto::Moto;
use tests::{World, wait_until};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:MyTopic";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:MyFunction";

/// Starts a server with a repository and with destinations for topics and functions.
fn world(destinations: &[(&str, To)]) -> World {
    let destinations: BTreeMap<_, _> = destinations.iter().map(|(arn, to)| ((*arn).to_owned(), to.clone())).collect();
    let world = World::with(|settings| {
        settings.triggers.destinations = destinations;
        settings.triggers.first_retry = Duration::from_millis(1);
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

fn url(destination: &Destination) -> To {
    To::Url(destination.url().to_owned())
}

fn trigger(name: &str, branches: &[&str], events: &[&str]) -> Value {
    json!({ "name": name, "destinationArn": TOPIC, "branches": branches, "events": events })
}

fn put(world: &World, triggers: &[Value]) -> Value {
    world.ok("PutRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo", "triggers": triggers }))
}

fn get(world: &World) -> Value {
    world.ok("GetRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo" }))
}

fn test(world: &World, triggers: &[Value]) -> Value {
    world.ok("TestRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo", "triggers": triggers }))
}

fn push(world: &World, arguments: &[&str]) {
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &[&["push", "--quiet", &url], arguments].concat()).ok();
}

/// Waits until `triggers.ndjson` has `count` lines, and returns them.
fn lines(world: &World, count: usize) -> Vec<Value> {
    let path = world.folder().join("data/triggers.ndjson");
    let text = || std::fs::read_to_string(&path).unwrap_or_default();
    wait_until(&format!("triggers.ndjson has {count} lines"), || text().lines().count() >= count);
    let lines: Vec<_> = text().lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert_eq!(lines.len(), count);
    lines
}

#[test]
fn triggers_are_put_all_at_once() {
    let world = world(&[]);
    assert_eq!(get(&world), json!({ "triggers": [] }));
    let triggers = [trigger("One", &["main"], &["all"]), trigger("Two", &[], &["createReference", "deleteReference"])];
    let first = put(&world, &triggers);
    assert_eq!(get(&world), json!({ "configurationId": first["configurationId"], "triggers": triggers }));
    let second = put(&world, &[]);
    assert_ne!(first, second);
    assert_eq!(get(&world), json!({ "configurationId": second["configurationId"], "triggers": [] }));
}

#[test]
fn a_missing_list_removes_no_trigger() {
    let world = world(&[]);
    put(&world, &[trigger("One", &[], &["all"])]);
    for input in
        [json!({ "repositoryName": "MyDemoRepo" }), json!({ "repositoryName": "MyDemoRepo", "triggers": null })]
    {
        let failure = world.call("PutRepositoryTriggers", &input).failure();
        assert_eq!(failure["__type"], "RepositoryTriggersListRequiredException");
    }
    assert_eq!(get(&world)["triggers"][0]["name"], "One");
}

#[test]
fn a_message_has_the_form_of_aws() {
    let destination = Destination::start(&[]);
    let world = world(&[("arn:aws:sns:", url(&destination))]);
    let mut wanted = trigger("MyTrigger", &[], &["all"]);
    wanted["customData"] = "Project ID 12345".into();
    let configuration_id = put(&world, &[wanted])["configurationId"].clone();
    let commit_id = world.git_repository("work");
    push(&world, &["main"]);
    let record = destination.next_record();
    let expected = json!({
        "awsRegion": "us-east-1",
        "codecommit": { "references": [{ "commit": commit_id, "created": true, "ref": "refs/heads/main" }] },
        "customData": "Project ID 12345",
        "eventId": record["eventId"],
        "eventName": "ReferenceChanges",
        "eventPartNumber": 1,
        "eventSource": "aws:codecommit",
        "eventSourceARN": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo",
        "eventTime": record["eventTime"],
        "eventTotalParts": 1,
        "eventTriggerConfigId": configuration_id,
        "eventTriggerName": "MyTrigger",
        "eventVersion": "1.0",
        "userIdentityARN": "arn:aws:iam::111122223333:user/Mary_Major",
    });
    assert_eq!(record.to_string(), expected.to_string());
    let pushed = world.events().pop().expect("the push is recorded");
    let second = pushed["eventTime"].as_str().and_then(|time| time.strip_suffix('Z')).expect("a time");
    assert_eq!(record["eventTime"], format!("{second}.262+0000"));
}

#[test]
fn a_push_is_one_message_with_all_its_references_in_their_order() {
    let destination = Destination::start(&[]);
    let world = world(&[(TOPIC, url(&destination))]);
    let first = world.git_repository("work");
    push(&world, &["HEAD:refs/heads/main", "HEAD:refs/heads/old", "HEAD:refs/heads/same"]);
    put(&world, &[trigger("All", &[], &["all"])]);
    let second = world.git_commit("work", "more.txt", "More.\n");
    world.git("work", &["tag", "--annotate", "--message", "One", "v1"]).ok();
    let tag = world.git("work", &["rev-parse", "v1"]).ok();
    push(&world, &["HEAD:refs/heads/new", "v1", ":refs/heads/old", &format!("{first}:refs/heads/same"), "main"]);
    let record = destination.next_record();
    let mut references = record["codecommit"]["references"].as_array().expect("the value is a list").clone();
    references.sort_by_key(|reference| reference["ref"].to_string());
    assert_eq!(
        Value::Array(references),
        json!([
            { "commit": second, "ref": "refs/heads/main" },
            { "commit": second, "created": true, "ref": "refs/heads/new" },
            { "commit": first, "deleted": true, "ref": "refs/heads/old" },
            { "commit": tag, "created": true, "ref": "refs/tags/v1" },
        ])
    );
    assert_eq!(record["customData"], Value::Null);
}

#[test]
fn a_trigger_gets_its_branches_and_events_only() {
    let destination = Destination::start(&[]);
    let world = world(&[(TOPIC, url(&destination))]);
    put(
        &world,
        &[
            trigger("Main", &["main"], &["all"]),
            trigger("Updates", &[], &["updateReference"]),
            trigger("Ends", &["old", "main"], &["createReference", "deleteReference"]),
        ],
    );
    world.git_repository("work");
    push(&world, &["HEAD:refs/heads/main", "HEAD:refs/heads/old", "HEAD:refs/tags/main"]);
    world.git_commit("work", "more.txt", "More.\n");
    push(&world, &["HEAD:refs/heads/old"]);
    push(&world, &[":refs/heads/old"]);
    let mut sent = Vec::new();
    for _ in 0..4 {
        let record = destination.next_record();
        let references = record["codecommit"]["references"].as_array().expect("the value is a list").iter();
        let references: Vec<_> =
            references.map(|reference| reference["ref"].as_str().expect("the member is a string").to_owned()).collect();
        sent.push((
            record["eventTriggerName"].as_str().expect("the member is a string").to_owned(),
            references.join(" "),
        ));
    }
    let expected = [
        ("Main", "refs/heads/main"),
        ("Ends", "refs/heads/main refs/heads/old"),
        ("Updates", "refs/heads/old"),
        ("Ends", "refs/heads/old"),
    ];
    assert_eq!(sent, expected.map(|(name, references)| (name.to_owned(), references.to_owned())));
}

#[test]
fn changes_of_the_api_are_sent_and_failed_ones_are_not() {
    let destination = Destination::start(&[]);
    let world = world(&[(TOPIC, url(&destination))]);
    let commit_id = world.git_repository("work");
    push(&world, &["main"]);
    put(&world, &[trigger("All", &[], &["all"])]);
    let branch = |name: &str| json!({ "repositoryName": "MyDemoRepo", "branchName": name, "commitId": commit_id });
    world.call("CreateBranch", &branch("main")).failure();
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), ":refs/heads/main"]).failed();
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "none" }));
    world.call("CreateBranch", &branch("feature"));
    let file = json!({
        "repositoryName": "MyDemoRepo", "branchName": "feature", "parentCommitId": commit_id, "filePath": "a.txt",
        "fileContent": "QQ==",
    });
    let put = world.ok("PutFile", &file)["commitId"].clone();
    let merge = json!({
        "repositoryName": "MyDemoRepo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main",
    });
    world.ok("MergeBranchesByFastForward", &merge);
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "feature" }));
    let references = || destination.next_record()["codecommit"]["references"].clone();
    assert_eq!(references(), json!([{ "commit": commit_id, "created": true, "ref": "refs/heads/feature" }]));
    assert_eq!(references(), json!([{ "commit": put, "ref": "refs/heads/feature" }]));
    assert_eq!(references(), json!([{ "commit": put, "ref": "refs/heads/main" }]));
    assert_eq!(references(), json!([{ "commit": put, "deleted": true, "ref": "refs/heads/feature" }]));
}

#[test]
fn a_message_without_a_destination_is_logged() {
    let world = world(&[("arn:aws:sns:eu-west-1:", To::Url("http://127.0.0.1:1".to_owned()))]);
    put(&world, &[trigger("MyTrigger", &[], &["all"])]);
    let commit_id = world.git_repository("work");
    push(&world, &["main"]);
    let line = lines(&world, 1).remove(0);
    let message = line["message"].clone();
    assert_eq!(message["Records"][0]["codecommit"]["references"][0]["commit"], commit_id);
    let expected = json!({
        "repository": "MyDemoRepo", "trigger": "MyTrigger", "destinationArn": TOPIC, "destination": null,
        "outcome": "leads nowhere", "attempts": 1, "reason": null,
        "subject": "UPDATE: AWS CodeCommit us-east-1 push: MyDemoRepo", "message": message,
    });
    assert_eq!(line.to_string(), expected.to_string());
}

#[test]
fn a_failing_destination_is_retried() {
    let destination = Destination::start(&[500, 302]);
    let world = world(&[(TOPIC, url(&destination))]);
    put(&world, &[trigger("MyTrigger", &[], &["all"])]);
    world.git_repository("work");
    push(&world, &["main"]);
    let ids = [(); 3].map(|()| destination.next_record()["eventId"].to_string());
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");
    let line = lines(&world, 1).remove(0);
    assert_eq!((&line["outcome"], &line["attempts"]), (&json!("delivered"), &json!(3)));
    assert_eq!(line["destination"], destination.url());
}

#[test]
fn a_destination_that_keeps_failing_is_given_up_without_effect_on_others() {
    let (failing, working) = (Destination::start(&[503; 9]), Destination::start(&[]));
    let mut world = world(&[(TOPIC, url(&failing)), (FUNCTION, url(&working))]);
    world.restart_with(|settings| settings.triggers.attempts = 3);
    let mut to_function = trigger("Working", &[], &["all"]);
    to_function["destinationArn"] = FUNCTION.into();
    put(&world, &[trigger("Failing", &[], &["all"]), to_function]);
    world.git_repository("work");
    push(&world, &["main"]);
    let lines = lines(&world, 2);
    let of =
        |name: &str| lines.iter().find(|line| line["trigger"] == name).expect("the log has a line for the trigger");
    assert_eq!((&of("Working")["outcome"], &of("Working")["attempts"]), (&json!("delivered"), &json!(1)));
    assert_eq!((&of("Failing")["outcome"], &of("Failing")["attempts"]), (&json!("given up"), &json!(3)));
    let reason = format!("{} answered 503 Service Unavailable: received", failing.url());
    assert_eq!(of("Failing")["reason"], reason);
}

#[test]
fn a_waiting_message_survives_a_restart() {
    // The first port has no listener.
    let mut world = world(&[(TOPIC, To::Url("http://127.0.0.1:1".to_owned()))]);
    world.restart_with(|settings| settings.triggers.attempts = 1_000_000);
    put(&world, &[trigger("MyTrigger", &[], &["all"])]);
    world.git_repository("work");
    push(&world, &["main"]);
    let url = world.repository_url("MyDemoRepo");
    world.stop();
    let destination = Destination::start(&[]);
    world.restart_with(|settings| {
        let to = To::Url(destination.url().to_owned());
        settings.triggers.destinations = [(TOPIC.to_owned(), to)].into_iter().collect();
    });
    assert_ne!(url, world.repository_url("MyDemoRepo"));
    assert_eq!(destination.next_record()["codecommit"]["references"][0]["ref"], "refs/heads/main");
    assert_eq!(lines(&world, 1)[0]["outcome"], "delivered");
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.restart();
    assert_eq!(lines(&world, 1).len(), 1);
}

#[test]
fn a_deleted_repository_has_no_triggers_and_a_new_one_of_its_name_none() {
    let world = world(&[]);
    put(&world, &[trigger("MyTrigger", &[], &["all"])]);
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(get(&world), json!({ "triggers": [] }));
}

#[test]
fn a_reset_deletes_messages_and_lines() {
    let mut world = world(&[]);
    world.restart_with(|settings| settings.allow_reset = true);
    test(&world, &[trigger("MyTrigger", &[], &["all"])]);
    assert_eq!(lines(&world, 1).len(), 1);
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(lines(&world, 0).len(), 0);
    let failure = world.call("GetRepositoryTriggers", &json!({ "repositoryName": "MyDemoRepo" })).failure();
    assert_eq!(failure["__type"], "RepositoryDoesNotExistException");
}

#[test]
fn a_test_of_triggers_reports_the_outcome_of_each() {
    let (working, failing) = (Destination::start(&[]), Destination::start(&[403]));
    let world = world(&[(TOPIC, url(&working)), (FUNCTION, url(&failing))]);
    let mut to_function = trigger("Failing", &[], &["all"]);
    to_function["destinationArn"] = FUNCTION.into();
    let mut to_nowhere = trigger("Nowhere", &[], &["all"]);
    to_nowhere["destinationArn"] = "arn:aws:sns:us-east-1:111122223333:Other".into();
    let outcome = test(&world, &[trigger("Working", &["main", "next"], &["all"]), to_function, to_nowhere]);
    let reason = format!("{} answered 403 Forbidden: received", failing.url());
    assert_eq!(
        outcome,
        json!({
            "successfulExecutions": ["Working", "Nowhere"],
            "failedExecutions": [{ "trigger": "Failing", "failureMessage": reason }],
        })
    );
    let record = working.next_record();
    assert_eq!(record["eventName"], "TriggerEventTest");
    let zeros = "0".repeat(40);
    assert_eq!(
        record["codecommit"]["references"],
        json!([{ "commit": zeros, "ref": "refs/heads/main" }, { "commit": zeros, "ref": "refs/heads/next" }])
    );
    assert_eq!(get(&world), json!({ "triggers": [] }));
    assert_eq!(lines(&world, 3).len(), 3);
}

#[test]
fn a_test_of_triggers_sends_the_latest_commit_of_the_default_branch() {
    let destination = Destination::start(&[]);
    let world = world(&[(TOPIC, url(&destination))]);
    world.git_repository("work");
    push(&world, &["main"]);
    let commit_id = world.git_commit("work", "more.txt", "More.\n");
    push(&world, &["main"]);
    test(&world, &[trigger("MyTrigger", &[], &["createReference"])]);
    let record = destination.next_record();
    assert_eq!(record["codecommit"]["references"], json!([{ "commit": commit_id, "ref": "refs/heads/main" }]));
}

#[test]
fn a_function_is_invoked_as_an_event() {
    let destination = Destination::start(&[202]);
    let world = world(&[("arn:aws:lambda:", To::Endpoint(destination.url().to_owned()))]);
    let mut to_function = trigger("MyTrigger", &[], &["all"]);
    to_function["destinationArn"] = FUNCTION.into();
    assert_eq!(test(&world, &[to_function])["successfulExecutions"], json!(["MyTrigger"]));
    let request = destination.next();
    let path = FUNCTION.replace(':', "%3A").to_lowercase();
    assert!(
        request.head.starts_with(&format!("post /2015-03-31/functions/{path}/invocations http")),
        "{}",
        request.head
    );
    assert!(request.head.contains("x-amz-invocation-type: event"), "{}", request.head);
    assert!(request.body.starts_with(r#"{"Records":[{"awsRegion":"#), "{}", request.body);
}

#[test]
fn an_sns_topic_of_moto_forwards_the_message() {
    let moto = Moto::start();
    let mut world = World::new();
    let topic = moto.topic_with_queue(&world, "MyTopic");
    world.restart_with(|settings| {
        let to = To::Endpoint(moto.url().to_owned());
        settings.triggers.destinations = [("arn:aws:sns:".to_owned(), to)].into_iter().collect();
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let triggers = format!("name=MyTrigger,destinationArn={topic},customData=data,branches=main,events=all");
    let arguments = ["codecommit", "put-repository-triggers", "--repository-name", "MyDemoRepo", "--triggers"];
    world.aws(&[&arguments[..], &[&triggers]].concat()).ok();
    let commit_id = world.git_repository("work");
    push(&world, &["main"]);
    let receive = format!(
        "
import boto3
sqs = boto3.client('sqs', endpoint_url='{}')
queue = sqs.get_queue_url(QueueName='MyTopic')['QueueUrl']
messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20)['Messages']
assert len(messages) == 1
print(messages[0]['Body'])
",
        moto.url()
    );
    let body: Value = serde_json::from_str(&world.python(&receive).ok()).expect("SNS wraps messages in JSON");
    assert_eq!(
        (&body["TopicArn"], &body["Subject"]),
        (&json!(topic), &json!("UPDATE: AWS CodeCommit us-east-1 push: MyDemoRepo"),)
    );
    let message: Value =
        serde_json::from_str(body["Message"].as_str().expect("the member is a string")).expect("the text is JSON");
    let record = &message["Records"][0];
    assert_eq!((&record["eventTriggerName"], &record["customData"]), (&json!("MyTrigger"), &json!("data")));
    let created = json!([{ "commit": commit_id, "created": true, "ref": "refs/heads/main" }]);
    assert_eq!(record["codecommit"]["references"], created);
    let unknown = trigger("Unknown", &[], &["all"]);
    let failed = &test(&world, &[unknown])["failedExecutions"][0];
    let reason = failed["failureMessage"].as_str().expect("a reason");
    assert!(reason.contains("answered 404") && reason.contains("NotFound"), "{reason}");
}

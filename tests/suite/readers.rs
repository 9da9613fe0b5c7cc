//! Third-party readers of CloudTrail files, on the folder and the bucket of a trail.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tests::binary::Running;
use tests::clients::outcome;
use tests::{World, workspace};
use ureq::http::Request;

/// Returns a program of the pinned environment of readers.
fn reader(name: &str) -> PathBuf {
    workspace().join(".tools/readers/bin").join(name)
}

fn ids(records: &[Value]) -> Vec<String> {
    let mut ids: Vec<_> =
        records.iter().map(|record| record["eventID"].as_str().expect("the member is a string").to_owned()).collect();
    ids.sort();
    ids
}

/// Starts a server with delivered and digested records of success, failure, another region and Git.
fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(world.call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" })).status, 400);
    let ohio = tests::wire::signed("AKIAIOSFODNN7EXAMPLE", "us-east-2");
    world.call_as("ListRepositories", &json!({}), &[("authorization", &ohio)]);
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "HEAD:refs/heads/main"]).ok();
    world.digest();
    world
}

#[test]
fn trailscraper_reads_the_folder_of_a_trail() {
    let world = world();
    let mut command = Command::new(reader("trailscraper"));
    command.env_clear().env("HOME", world.folder()).env("LC_ALL", "C.UTF-8").env("AWS_DEFAULT_REGION", "us-east-1");
    let folder = world.trail_folder();
    command.args(["select", "--from", "2016-12-01", "--to", "2016-12-31", "--log-dir"]).arg(folder.join("AWSLogs"));
    let read: Value = serde_json::from_str(&outcome(&mut command).ok()).expect("the text is JSON");
    assert_eq!(ids(read["Records"].as_array().expect("the value is a list")), ids(&world.events()));
}

/// Creates the reader of the bucket of a trail for an account and region.
const FETCH: &str = "\
import boto3, json
from datetime import datetime, timedelta, timezone
from nops_cloudtrail import CloudTrailFetcher
now, hour = datetime.now(timezone.utc), timedelta(hours=1)
records = CloudTrailFetcher(boto3.Session()).fetch(now - hour, now + hour)
print(json.dumps([{'eventID': record['eventID']} for record in records]))
";

#[test]
fn nops_cloudtrail_reads_the_bucket_of_a_trail() {
    let folder = tempfile::tempdir().expect("a temporary folder can be created");
    let data = folder.path().join("data");
    // The reader compares the times of objects with the clock of the machine.
    let running = Running::start(&["--data-dir", data.to_str().expect("the path is UTF-8"), "--log-interval", "1h"]);
    let call = |operation: &str, input: Value| {
        let reply = tests::wire::send(tests::wire::request(running.endpoint(), operation, &input));
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    // Without a prefix the reader lists keys below a slash.
    call("UpdateTrail", json!({ "Name": "codecommit-local", "S3KeyPrefix": "logs" }));
    call("CreateRepository", json!({ "repositoryName": "MyDemoRepo" }));
    call("ListRepositories", json!({}));
    let digest = Request::post(format!("{}/_local/digest", running.endpoint())).body(Vec::new());
    assert_eq!(tests::wire::send(digest.expect("the request is well formed")).status, 200);
    let events = tests::read_events(&data.join("trail"));
    let mut command = Command::new(reader("python"));
    command
        .env_clear()
        .env("HOME", folder.path())
        .env("AWS_ENDPOINT_URL", running.endpoint())
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        .args(["-c", FETCH]);
    let read: Vec<Value> = serde_json::from_str(&outcome(&mut command).ok()).expect("the text is JSON");
    assert_eq!(ids(&read), ids(&events));
}

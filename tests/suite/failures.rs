//! Failures on demand: by operation, caller, repository and count, recorded as AWS would, and replaced at run time.

mod exceptions;
mod git;
mod lfs;

use std::thread;

use serde_json::{Value, json};
use server::settings::{Access, FailureRule};
use tests::clients::{outcome, python_environment};
use tests::database::is_sqlite;
use tests::{Reply, World};

/// Reads rules as the settings file and `PUT /_local/failures` have them.
fn rules(rules: Value) -> Vec<FailureRule> {
    serde_json::from_value(rules).expect("the rules of the test are valid")
}

/// Starts a server with failures, and a repository.
fn world(failures: Value) -> World {
    let world = World::with(|settings| {
        settings.failures = rules(failures);
        settings.allow_reset = true;
    });
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

fn failures(world: &World, method: &str, body: &Value) -> Reply {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    world.send(method, "/_local/failures", &[], &body)
}

fn put_file(path: &str) -> Value {
    json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "filePath": path, "fileContent": "YQ==" })
}

#[test]
fn the_third_call_fails_and_is_recorded_with_its_input() {
    let failure = json!({ "operation": "GetRepo*", "repository": "My*", "error": "EncryptionKeyDisabledException",
        "message": "Try again.", "after": 2, "times": 1 });
    let world = world(json!([failure]));
    let get = || world.call("GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.call("GetRepository", &json!({ "repositoryName": "Other" }));
    assert_eq!([get().status, get().status], [200, 200]);
    let failed = get();
    assert_eq!(
        failed.failure(),
        json!({ "status": 400, "__type": "EncryptionKeyDisabledException", "message": "Try again." })
    );
    let record = world.last_event();
    assert_eq!(record["errorCode"], "EncryptionKeyDisabledException");
    assert_eq!(record["errorMessage"], "Try again.");
    assert_eq!(record["requestParameters"], json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(record["responseElements"], Value::Null);
    assert_eq!(Some(record["requestID"].as_str().expect("an id")), failed.header("x-amzn-requestid"));
    assert_eq!(get().status, 200);
}

#[test]
fn a_failed_call_changes_nothing_whoever_else_may_call() {
    let world = world(json!([{ "operation": "PutFile", "user": "Li_*", "error": "InternalFailure" }]));
    let as_li = |operation, input: &Value| {
        let credential = "AWS4-HMAC-SHA256 Credential=Li_Juan/20260101/us-east-1/codecommit/aws4_request, \
            SignedHeaders=host, Signature=0";
        world.call_as(operation, input, &[("authorization", credential)])
    };
    let failed = as_li("PutFile", &put_file("a"));
    assert_eq!((failed.status, &failed.json()["__type"]), (500, &json!("InternalFailure")));
    let record = world.last_event();
    assert_eq!(
        (&record["userIdentity"]["userName"], &record["errorCode"]),
        (&json!("Li_Juan"), &json!("InternalFailure"))
    );
    assert_eq!(record["requestParameters"]["filePath"], "a");
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "main" });
    assert_eq!(world.call("GetBranch", &branch).json()["__type"], "BranchDoesNotExistException");
    world.ok("PutFile", &put_file("a"));
}

#[test]
fn a_reference_in_the_input_selects_calls() {
    let world = world(json!([{ "reference": "refs/heads/rel*", "error": "ThrottlingException" }]));
    let mut input = put_file("a");
    world.ok("PutFile", &input);
    input["branchName"] = "release".into();
    assert_eq!(world.call("PutFile", &input).json()["__type"], "ThrottlingException");
    let listed = world.call("ListBranches", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(listed.json()["branches"], json!(["main"]));
}

#[test]
fn the_aws_cli_retries_throttled_calls_and_each_attempt_is_recorded() {
    let world = world(json!([
        { "operation": "GetRepository", "error": "ThrottlingException", "times": 1 },
        { "operation": "GetRepository", "error": "InternalFailure", "after": 1, "times": 1 },
    ]));
    let before = world.events().len();
    let mut command = python_environment("aws", world.folder(), &world.endpoint());
    command.env("AWS_RETRY_MODE", "standard").env("AWS_MAX_ATTEMPTS", "3");
    let printed = outcome(command.args(["codecommit", "get-repository", "--repository-name", "MyDemoRepo"])).ok();
    assert!(printed.contains("MyDemoRepo"), "{printed}");
    let codes: Vec<_> = world.events()[before..].iter().map(|event| event["errorCode"].clone()).collect();
    assert_eq!(codes, [json!("ThrottlingException"), json!("InternalFailure"), Value::Null]);
}

#[test]
fn boto3_sees_throttling_of_iam_and_sts() {
    let world = world(json!([{ "operation": "*User*", "error": "ThrottlingException" },
        { "operation": "GetCallerIdentity", "error": "ServiceUnavailable" }]));
    let program = "import boto3, botocore\n\
        once = botocore.config.Config(retries={'total_max_attempts': 1})\n\
        for service, call in [('iam', 'list_users'), ('sts', 'get_caller_identity')]:\n\
        \x20   try: getattr(boto3.client(service, config=once), call)()\n\
        \x20   except botocore.exceptions.ClientError as error:\n\
        \x20       print(error.response['Error']['Code'], error.response['ResponseMetadata']['HTTPStatusCode'])";
    assert_eq!(world.python(program).ok(), "Throttling 400\nServiceUnavailable 503");
    let codes: Vec<_> = world.events().iter().map(|event| event["errorCode"].clone()).collect();
    assert_eq!(codes[1..], [json!("ThrottlingException"), json!("ServiceUnavailable")]);
}

#[test]
fn a_connection_is_cut_before_or_after_the_change() {
    let world = world(json!([
        { "operation": "PutFile", "connection": "cut-before", "times": 1 },
        { "operation": "PutFile", "connection": "cut-after", "delay": "1ms", "after": 1, "times": 1 },
    ]));
    let before = world.events().len();
    let cut = |path: &str| {
        let request = tests::wire::request(&world.endpoint(), "PutFile", &put_file(path));
        tests::wire::try_send(request).expect_err("the server sends no reply");
    };
    cut("a");
    assert_eq!(world.events().len(), before, "a call that never arrived has no record");
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "main" });
    assert_eq!(world.call("GetBranch", &branch).status, 400);
    cut("b");
    let record = world.last_event();
    assert_eq!((&record["eventName"], &record["errorCode"]), (&json!("PutFile"), &Value::Null));
    let tip = world.ok("GetBranch", &branch)["branch"]["commitId"].clone();
    assert_eq!(record["responseElements"]["commitId"], tip);
}

#[test]
fn the_sdk_repeats_a_call_whose_reply_is_lost() {
    let world = world(json!([{ "operation": "CreateBranch", "connection": "cut-after", "times": 1 }]));
    world.ok("PutFile", &put_file("a"));
    let program = "import boto3\n\
        client = boto3.client('codecommit')\n\
        tip = client.get_branch(repositoryName='MyDemoRepo', branchName='main')['branch']['commitId']\n\
        try: client.create_branch(repositoryName='MyDemoRepo', branchName='topic', commitId=tip)\n\
        except client.exceptions.BranchNameExistsException: print('the first attempt has created it')";
    assert_eq!(world.python(program).ok(), "the first attempt has created it");
}

#[test]
fn a_late_reply_holds_no_other_call() {
    let world = world(json!([{ "operation": "PutFile", "delay": "1h" }]));
    let connections: Vec<_> =
        (0..40).map(|_| tests::wire::begin(&world.endpoint(), "PutFile", &put_file("a"))).collect();
    // The first call is committed although its reply is late; further ones find its commit.
    tests::wait_until("the calls are recorded", || world.events().len() == 41);
    world.ok("GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    drop(connections);
}

#[test]
fn counts_of_concurrent_calls_are_exact() {
    let world =
        world(json!([{ "operation": "GetRepository", "error": "ThrottlingException", "after": 20, "times": 30 }]));
    let call = || world.call("GetRepository", &json!({ "repositoryName": "MyDemoRepo" })).status;
    let failed: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..10).filter(|_| call() != 200).count())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no call panics")).sum()
    });
    assert_eq!(failed, 30);
    assert_eq!(failures(&world, "GET", &Value::Null).json()[0]["matches"], 80);
}

#[test]
fn failures_are_replaced_while_the_server_runs() {
    let first = json!({ "operation": "GetRepository", "error": "ThrottlingException" });
    let world = world(json!([first]));
    let get = || world.call("GetRepository", &json!({ "repositoryName": "MyDemoRepo" })).status;
    let listed = |mut failure: Value, matches: u64| {
        failure["matches"] = matches.into();
        json!([failure])
    };
    assert_eq!(get(), 400);
    assert_eq!(failures(&world, "GET", &Value::Null).json(), listed(first.clone(), 1));
    let second = json!({ "operation": "GetRepository", "error": "InternalFailure", "after": 1 });
    let replaced = failures(&world, "PUT", &json!([second]));
    assert_eq!((replaced.status, replaced.json()), (200, listed(second.clone(), 0)));
    assert_eq!([get(), get()], [200, 500]);
    assert_eq!(failures(&world, "PUT", &json!([second])).json(), listed(second, 0));
    assert_eq!(get(), 200);
    assert_eq!(failures(&world, "DELETE", &Value::Null).json(), json!({ "status": "done" }));
    assert_eq!((get(), failures(&world, "GET", &Value::Null).json()), (200, json!([])));
    world.send("POST", "/_local/reset", &[], &[]);
    assert_eq!(failures(&world, "GET", &Value::Null).json(), listed(first, 0));
}

#[test]
fn a_snapshot_leaves_the_failures_and_a_restored_one_sets_those_of_the_settings() {
    if !is_sqlite("snapshots need a database in the data folder") {
        return;
    }
    let first = json!({ "operation": "GetRepository", "error": "ThrottlingException", "times": 1, "matches": 0 });
    let world = world(json!([{ "operation": "GetRepository", "error": "ThrottlingException", "times": 1 }]));
    let get = || world.call("GetRepository", &json!({ "repositoryName": "MyDemoRepo" })).status;
    let done = |path: &str| assert_eq!(world.send("POST", path, &[], &[]).status, 200, "{path}");
    assert_eq!(failures(&world, "PUT", &json!([{ "operation": "GetRepository", "delay": "1ms" }])).status, 200);
    assert_eq!(get(), 200);
    done("/_local/snapshots/one");
    assert_eq!(failures(&world, "GET", &Value::Null).json()[0]["matches"], 1);
    done("/_local/snapshots/one/restore");
    assert_eq!(failures(&world, "GET", &Value::Null).json(), json!([first]));
    assert_eq!([get(), get()], [400, 200]);
}

#[test]
fn a_late_reply_does_not_keep_data_from_being_reset() {
    let world = world(json!([{ "operation": "PutFile", "delay": "1h" }]));
    let connection = tests::wire::begin(&world.endpoint(), "PutFile", &put_file("a"));
    tests::wait_until("the call is recorded", || world.events().len() == 2);
    let reset = world.send("POST", "/_local/reset", &[], &[]);
    assert_eq!((reset.status, reset.json()), (200, json!({ "status": "done" })));
    drop(connection);
}

#[test]
fn invalid_failures_are_refused_and_change_nothing() {
    let first = json!({ "operation": "GetRepository", "error": "ThrottlingException" });
    let world = world(json!([first]));
    for (body, expected) in [
        (json!([{ "delay": "soon" }]), "delay: 'soon' is not a time; write a number with ms, s, m, h or d, such as 5s"),
        (json!([{ "delay": "1s", "colour": 1 }]), "unknown field `colour`"),
        (json!({ "delay": "1s" }), "expected a sequence"),
    ] {
        let refused = failures(&world, "PUT", &body);
        let message = refused.message().to_string();
        assert!(refused.status == 400 && message.contains(expected), "{message}");
        assert!(message.contains("Send a JSON list of objects with the members of [[simulate.failure]]."), "{message}");
    }
    assert_eq!(failures(&world, "GET", &Value::Null).json()[0]["error"], "ThrottlingException");
}

#[test]
fn failures_cannot_be_replaced_without_the_setting() {
    let world = World::new();
    for method in ["GET", "PUT", "DELETE"] {
        let refused = failures(&world, method, &json!([]));
        assert_eq!(
            (refused.status, refused.message()),
            (403, json!("Failures cannot be changed while the server runs. Start it with --allow-reset."))
        );
    }
}

#[test]
fn a_denied_call_stays_denied_and_is_not_counted() {
    let (id, secret) = ("AKIALIJUAN0000000000", "a secret of the test");
    let policy = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["codecommit:*", "tag:*"], "Resource": "*" },
        { "Effect": "Deny", "Action": ["codecommit:PutFile", "codecommit:ListRepositories"], "Resource": "*" },
    ]});
    let file = format!(
        "[[account]]\nid = \"111122223333\"\n[[account.user]]\nname = \"Li_Juan\"\n\
         access_keys = [{{ id = \"{id}\", secret = \"{secret}\" }}]\n\
         policies = [{{ name = \"test\", document = '''{policy}''' }}]\n"
    );
    let mut world = World::with_identities(&file);
    world.restart_with(|settings| {
        settings.access = Access::Enforced;
        settings.max_clock_skew = None;
        settings.allow_reset = true;
    });
    let call = |operation: &str, input: &Value| {
        let key = tests::signing::AccessKey { id, secret };
        let target = tests::model::target(operation);
        world.call_signed(key, &target, "us-east-1", &[], input.to_string().as_bytes()).json()
    };
    call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let rules = json!([
        { "error": "ThrottlingException", "operation": "PutFile" },
        { "error": "ThrottlingException", "operation": "ListRepositories" },
        { "error": "ThrottlingException", "operation": "CreateBranch" },
        { "error": "ThrottlingException", "operation": "CreateRepository" },
        { "error": "ThrottlingException", "operation": "TagResources" },
        { "connection": "cut-before", "operation": "UpdateRepositoryDescription" },
    ]);
    assert_eq!(failures(&world, "PUT", &rules).status, 200);
    assert_eq!(call("PutFile", &put_file("a"))["__type"], "AccessDeniedException");
    assert_eq!(call("ListRepositories", &json!({}))["__type"], "AccessDeniedException");
    // Calls that would fail otherwise, and that would succeed, fail on demand.
    let branch = json!({ "repositoryName": "MyDemoRepo", "branchName": "main", "commitId": "0".repeat(40) });
    assert_eq!(call("CreateBranch", &branch)["__type"], "ThrottlingException");
    assert_eq!(call("CreateRepository", &json!({ "repositoryName": "Other" }))["__type"], "ThrottlingException");
    assert_eq!(world.last_event()["requestParameters"], json!({ "repositoryName": "Other" }));
    let arn = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
    let tagged = call("TagResources", &json!({ "ResourceARNList": [arn], "Tags": { "Team": "blue" } }));
    assert_eq!(tagged["__type"], "ThrottlingException");
    assert_eq!(call("ListTagsForResource", &json!({ "resourceArn": arn }))["tags"], json!({}));
    let missing = call("GetRepository", &json!({ "repositoryName": "Other" }));
    assert_eq!(missing["__type"], "RepositoryDoesNotExistException");
    let matches: Vec<_> = failures(&world, "GET", &Value::Null)
        .json()
        .as_array()
        .expect("a list")
        .iter()
        .map(|rule| rule["matches"].clone())
        .collect();
    assert_eq!(matches, [0, 0, 1, 1, 1, 0]);
}

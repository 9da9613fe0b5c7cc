//! Trails: delivery, its period, and status.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tests::destination::Destination;
use tests::moto::Moto;
use tests::wire::signed;
use tests::{World, read_log_files, wait_until};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Starts a server that delivers on demand.
fn world() -> World {
    World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.allow_reset = true;
    })
}

fn flush(world: &World) -> u16 {
    world.send("POST", "/_local/flush", &[], b"").status
}

fn bucket(world: &World, name: &str) -> PathBuf {
    world.folder().join("data/buckets").join(name)
}

fn create(world: &World, name: &str, more: &Value) -> Value {
    let mut input = json!({ "Name": name, "S3BucketName": format!("{}-logs", name.to_lowercase()) });
    input
        .as_object_mut()
        .expect("the value is an object")
        .extend(more.as_object().expect("the value is an object").clone());
    world.ok("CreateTrail", &input)
}

fn start(world: &World, name: &str) {
    world.ok("StartLogging", &json!({ "Name": name }));
}

/// Returns the names of the events in the bucket of a trail, by time.
fn delivered(world: &World, name: &str) -> Vec<String> {
    assert_eq!(flush(world), 200);
    let mut records = read_log_files(&bucket(world, &format!("{}-logs", name.to_lowercase())));
    records.sort_by_key(|record| record["eventTime"].to_string());
    records.iter().map(|record| record["eventName"].as_str().expect("the member is a string").to_owned()).collect()
}

fn status(world: &World, name: &str) -> Value {
    world.ok("GetTrailStatus", &json!({ "Name": name }))
}

fn failure(world: &World, operation: &str, input: &Value) -> String {
    let reply = world.call(operation, input);
    assert_eq!(reply.status, 400, "{}", reply.text());
    reply.json()["__type"].as_str().expect("the member is a string").to_owned()
}

#[test]
fn every_account_has_a_trail_of_all_regions_from_the_start() {
    let world = world();
    let trails = world.ok("DescribeTrails", &json!({}));
    assert_eq!(
        trails["trailList"],
        json!([{
            "Name": "codecommit-local", "S3BucketName": "codecommit-local-trail", "IncludeGlobalServiceEvents": true,
            "IsMultiRegionTrail": true, "HomeRegion": "us-east-1", "LogFileValidationEnabled": true,
            "TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local",
            "HasCustomEventSelectors": false, "HasInsightSelectors": false, "IsOrganizationTrail": false,
        }])
    );
    assert_eq!(status(&world, "codecommit-local")["IsLogging"], true);
    let ohio = [("authorization", signed(KEY, "us-east-2"))];
    let ohio: Vec<_> = ohio.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let shown = world.call_as("DescribeTrails", &json!({}), &ohio).json();
    assert_eq!(shown["trailList"][0]["HomeRegion"], "us-east-1");
    let hidden = world.call_as("DescribeTrails", &json!({ "includeShadowTrails": false }), &ohio).json();
    assert_eq!(hidden, json!({ "trailList": [] }));
    let arn = shown["trailList"][0]["TrailARN"].clone();
    let refused = world.call_as("StopLogging", &json!({ "Name": arn }), &ohio);
    assert_eq!(refused.json()["__type"], "InvalidHomeRegionException");
}

/// The operations on one trail, each with its further input and whether it changes the trail.
fn operations_on_a_trail() -> Vec<(&'static str, &'static str, Value, bool)> {
    vec![
        ("UpdateTrail", "Name", json!({ "EnableLogFileValidation": true }), true),
        ("StartLogging", "Name", json!({}), true),
        ("StopLogging", "Name", json!({}), true),
        ("PutEventSelectors", "TrailName", json!({ "EventSelectors": [{}] }), true),
        ("PutInsightSelectors", "TrailName", json!({ "InsightSelectors": [] }), true),
        ("DeleteTrail", "Name", json!({}), true),
        ("GetTrail", "Name", json!({}), false),
        ("GetTrailStatus", "Name", json!({}), false),
        ("GetEventSelectors", "TrailName", json!({}), false),
    ]
}

#[test]
fn a_name_selects_a_trail_of_the_region_and_an_arn_one_of_any_region() {
    let world = world();
    create(&world, "one-region", &json!({}));
    create(&world, "all-regions", &json!({ "IsMultiRegionTrail": true }));
    let ireland = signed(KEY, "eu-west-1");
    let call = |operation: &str, member: &str, trail: &str, more: &Value| {
        let mut input = more.clone();
        input[member] = trail.into();
        world.call_as(operation, &input, &[("authorization", &ireland)])
    };
    for name in ["one-region", "all-regions", "no-trail"] {
        let arn = |region: &str| format!("arn:aws:cloudtrail:{region}:111122223333:trail/{name}");
        for (operation, member, more, changes) in operations_on_a_trail() {
            let by_name = call(operation, member, name, &more).failure();
            let looked_for = if operation == "GetTrail" { name.to_owned() } else { arn("eu-west-1") };
            let message = format!("Unknown trail: {looked_for} for the user: 111122223333");
            let unknown = json!({ "status": 400, "__type": "TrailNotFoundException", "message": message });
            assert_eq!(by_name, unknown, "{operation}");
            let by_arn = call(operation, member, &arn("us-east-1"), &more);
            match (name, changes) {
                ("no-trail", _) => assert_eq!(by_arn.failure()["__type"], "TrailNotFoundException", "{operation}"),
                (_, true) => assert_eq!(by_arn.failure()["__type"], "InvalidHomeRegionException", "{operation}"),
                (_, false) => assert_eq!(by_arn.status, 200, "{operation}: {}", by_arn.text()),
            }
        }
        let described = call("DescribeTrails", "trailNameList", "", &json!({})).status;
        assert_eq!(described, 400, "a text is no list");
        let named = json!({ "trailNameList": [name, arn("us-east-1"), arn("eu-west-1")] });
        let shown = world.call_as("DescribeTrails", &named, &[("authorization", &ireland)]).json();
        let shown: Vec<_> =
            shown["trailList"].as_array().into_iter().flatten().map(|trail| trail["Name"].clone()).collect();
        assert_eq!(shown, if name == "no-trail" { vec![] } else { vec![json!(name)] });
    }
    let left = world.ok("ListTrails", &json!({}));
    assert_eq!(left["Trails"].as_array().map(Vec::len), Some(3), "nothing was changed from elsewhere");
}

#[test]
fn trails_are_listed_by_the_bytes_of_their_names() {
    let world = world();
    for name in ["b-trail", "a-trail", "Z-trail"] {
        create(&world, name, &json!({}));
    }
    let expected = ["Z-trail", "a-trail", "b-trail", "codecommit-local"];
    for (operation, list) in [("DescribeTrails", "trailList"), ("ListTrails", "Trails")] {
        let shown = world.ok(operation, &json!({}));
        let names: Vec<_> = shown[list].as_array().into_iter().flatten().map(|trail| trail["Name"].clone()).collect();
        assert_eq!(names, expected, "{operation}");
    }
}

#[test]
fn a_topic_is_shown_as_it_was_named() {
    let world = world();
    let arn = "arn:aws:sns:us-east-1:111122223333:Files";
    let shown = |trail: &Value| (trail["SnsTopicName"].clone(), trail["SnsTopicARN"].clone());
    let get = || world.ok("GetTrail", &json!({ "Name": "Mine" }))["Trail"].clone();
    let created = create(&world, "Mine", &json!({ "SnsTopicName": arn }));
    assert_eq!([shown(&created), shown(&get())], [(json!(arn), json!(arn)), (json!(arn), json!(arn))]);
    let update = |topic: &str| world.ok("UpdateTrail", &json!({ "Name": "Mine", "SnsTopicName": topic }));
    assert_eq!(shown(&update("Files")), (json!("Files"), json!(arn)));
    assert_eq!(shown(&get()), (json!("Files"), json!(arn)));
    assert_eq!(shown(&update("")), (json!(""), json!("")));
    assert_eq!(shown(&get()), (Value::Null, Value::Null));
}

#[test]
fn insight_selectors_are_kept_and_shown() {
    let mut world = world();
    create(&world, "Mine", &json!({}));
    let has = |world: &World| {
        let described = world.ok("DescribeTrails", &json!({ "trailNameList": ["Mine"] }));
        let trail = world.ok("GetTrail", &json!({ "Name": "Mine" }))["Trail"].clone();
        assert_eq!(trail, described["trailList"][0]);
        trail["HasInsightSelectors"] == true
    };
    assert!(!has(&world));
    let selectors = json!([{ "InsightType": "ApiCallRateInsight", "EventCategories": ["Data"] }]);
    let put = world.ok("PutInsightSelectors", &json!({ "TrailName": "Mine", "InsightSelectors": selectors }));
    let record = world.events().pop().expect("the call is recorded");
    assert_eq!((&record["eventName"], &record["readOnly"]), (&json!("PutInsightSelectors"), &json!(false)));
    let shown = json!([{ "insightType": "ApiCallRateInsight", "eventCategories": ["Data"] }]);
    assert_eq!(record["requestParameters"], json!({ "insightSelectors": shown, "trailName": "Mine" }));
    assert_eq!(record["responseElements"], json!({ "insightSelectors": shown, "trailARN": put["TrailARN"] }));
    world.restart();
    assert!(has(&world));
    assert_eq!(world.ok("GetInsightSelectors", &json!({ "TrailName": put["TrailARN"] })), put);
    world.ok("PutInsightSelectors", &json!({ "TrailName": "Mine", "InsightSelectors": [] }));
    assert!(!has(&world));
    assert_eq!(failure(&world, "GetInsightSelectors", &json!({ "TrailName": "Mine" })), "InsightNotEnabledException");
}

#[test]
fn a_trail_has_the_events_between_its_start_and_its_stop_inclusive() {
    let mut world = world();
    create(&world, "Mine", &json!({}));
    world.ok("ListRepositories", &json!({}));
    start(&world, "Mine");
    world.ok("ListRepositories", &json!({}));
    world.ok("StopLogging", &json!({ "Name": "Mine" }));
    world.ok("ListRepositories", &json!({}));
    world.restart();
    assert_eq!(delivered(&world, "Mine"), ["StartLogging", "ListRepositories", "StopLogging"]);
    start(&world, "Mine");
    world.ok("DeleteTrail", &json!({ "Name": "Mine" }));
    world.ok("ListRepositories", &json!({}));
    assert_eq!(delivered(&world, "Mine")[3..], ["StartLogging", "DeleteTrail"]);
    assert_eq!(failure(&world, "GetTrail", &json!({ "Name": "Mine" })), "TrailNotFoundException");
}

#[test]
fn a_trail_of_one_region_has_its_own_events_and_one_without_global_events_none_of_sts() {
    let world = world();
    create(&world, "One", &json!({ "IncludeGlobalServiceEvents": false }));
    create(&world, "All", &json!({ "IsMultiRegionTrail": true }));
    start(&world, "One");
    start(&world, "All");
    let ohio = signed(KEY, "us-east-2");
    world.call_as("ListBranches", &json!({ "repositoryName": "none" }), &[("authorization", &ohio)]);
    world.ok("ListRepositories", &json!({}));
    assert_eq!(delivered(&world, "One"), ["StartLogging", "StartLogging", "ListRepositories"]);
    assert_eq!(delivered(&world, "All"), ["StartLogging", "ListBranches", "ListRepositories"]);
}

#[test]
fn changes_of_a_trail_take_effect_with_the_call() {
    let world = world();
    create(&world, "Mine", &json!({}));
    start(&world, "Mine");
    world.ok("ListRepositories", &json!({}));
    world.ok("UpdateTrail", &json!({ "Name": "Mine", "S3BucketName": "other-logs", "S3KeyPrefix": "a/b" }));
    world.ok("ListRepositories", &json!({}));
    assert_eq!(delivered(&world, "Mine"), ["StartLogging", "ListRepositories"]);
    assert_eq!(read_log_files(&bucket(&world, "other-logs/a/b")).len(), 2);
}

#[test]
fn event_selectors_limit_delivery() {
    let world = world();
    create(&world, "Basic", &json!({}));
    create(&world, "Advanced", &json!({}));
    world.ok(
        "PutEventSelectors",
        &json!({ "TrailName": "Basic", "EventSelectors": [{ "ReadWriteType": "WriteOnly" }] }),
    );
    let fields = json!([
        { "Field": "eventCategory", "Equals": ["Management"] },
        { "Field": "eventName", "StartsWith": ["List"], "NotEquals": ["ListBranches"] },
    ]);
    let selectors = json!([{ "Name": "lists", "FieldSelectors": fields }]);
    world.ok("PutEventSelectors", &json!({ "TrailName": "Advanced", "AdvancedEventSelectors": selectors }));
    let shown = world.ok("GetEventSelectors", &json!({ "TrailName": "Advanced" }));
    assert_eq!(shown["AdvancedEventSelectors"], selectors);
    start(&world, "Basic");
    start(&world, "Advanced");
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.ok("ListRepositories", &json!({}));
    world.ok("ListBranches", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(delivered(&world, "Basic"), ["StartLogging", "StartLogging", "CreateRepository"]);
    assert_eq!(delivered(&world, "Advanced"), ["ListRepositories"]);
}

#[test]
fn a_failing_bucket_delays_no_other_and_loses_nothing() {
    let mut world = world();
    create(&world, "Bad", &json!({}));
    create(&world, "Good", &json!({}));
    start(&world, "Bad");
    start(&world, "Good");
    fs::remove_dir_all(bucket(&world, "bad-logs")).expect("the object was created");
    fs::write(bucket(&world, "bad-logs"), "no folder").expect("the folder is writable");
    assert_eq!(flush(&world), 500);
    assert_eq!(read_log_files(&bucket(&world, "good-logs")).len(), 1);
    let shown = status(&world, "Bad");
    assert!(shown["LatestDeliveryError"].is_string() && shown["LatestDeliveryTime"].is_null(), "{shown}");
    assert_ne!(shown["LatestDeliveryAttemptTime"], "");
    let shown = status(&world, "Good");
    assert!(shown["LatestDeliveryError"].is_null() && shown["LatestDeliveryTime"].is_number(), "{shown}");
    let refused = failure(&world, "CreateTrail", &json!({ "Name": "Third", "S3BucketName": "bad-logs" }));
    assert_eq!(refused, "InsufficientS3BucketPolicyException");
    world.restart();
    fs::remove_file(bucket(&world, "bad-logs")).expect("the file exists");
    let names = delivered(&world, "Bad");
    assert_eq!(names.iter().filter(|name| *name == "StartLogging").count(), 2, "{names:?}");
    assert!(status(&world, "Bad")["LatestDeliveryError"].is_null());
}

#[test]
fn a_failing_bucket_is_retried_automatically() {
    let world = World::with(|settings| settings.log_interval = Duration::from_millis(20));
    create(&world, "Mine", &json!({}));
    fs::remove_dir_all(bucket(&world, "mine-logs")).expect("the object was created");
    fs::write(bucket(&world, "mine-logs"), "no folder").expect("the folder is writable");
    start(&world, "Mine");
    wait_until("the failure shows", || status(&world, "Mine")["LatestDeliveryError"].is_string());
    fs::remove_file(bucket(&world, "mine-logs")).expect("the file exists");
    wait_until("the files are there", || read_log_files(&bucket(&world, "mine-logs")).len() > 1);
}

#[test]
fn a_reset_keeps_the_default_trail() {
    let world = world();
    create(&world, "Mine", &json!({}));
    start(&world, "Mine");
    world.ok("StopLogging", &json!({ "Name": "codecommit-local" }));
    assert_eq!(flush(&world), 200);
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(tests::files(&bucket(&world, "mine-logs")), Vec::<PathBuf>::new());
    let trails = world.ok("ListTrails", &json!({}));
    assert_eq!(trails["Trails"].as_array().map(Vec::len), Some(1));
    assert_eq!(status(&world, "codecommit-local")["IsLogging"], true);
}

#[test]
fn a_topic_gets_a_notification_for_each_log_file() {
    let moto = Moto::start();
    let mut world = world();
    let topic = moto.topic_with_queue(&world, "Files");
    world.restart_with(|settings| {
        let to = server::settings::Destination::Endpoint(moto.url().to_owned());
        settings.triggers.destinations = [("arn:aws:sns:".to_owned(), to)].into_iter().collect();
    });
    let created = create(&world, "Mine", &json!({ "SnsTopicName": topic }));
    assert_eq!((&created["SnsTopicARN"], &created["SnsTopicName"]), (&json!(topic), &json!(topic)));
    start(&world, "Mine");
    assert_eq!(flush(&world), 200);
    wait_until("both messages are delivered", || notifications(&world).len() == 2);
    assert_eq!(notifications(&world)[0]["message"], "CloudTrail validation message.");
    let receive = format!(
        "
import boto3
sqs = boto3.client('sqs', endpoint_url='{}')
queue = sqs.get_queue_url(QueueName='Files')['QueueUrl']
bodies = []
while len(bodies) < 2:
    messages = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MaxNumberOfMessages=10)['Messages']
    bodies += [message['Body'] for message in messages]
print(bodies[1])
",
        moto.url()
    );
    let body: Value = serde_json::from_str(&world.python(&receive).ok()).expect("SNS wraps messages in JSON");
    assert!(body.get("Subject").is_none_or(Value::is_null), "{body}");
    let message: Value =
        serde_json::from_str(body["Message"].as_str().expect("the member is a string")).expect("the text is JSON");
    assert_eq!(message["s3Bucket"], "mine-logs");
    let key = message["s3ObjectKey"][0].as_str().expect("a key");
    assert!(bucket(&world, "mine-logs").join(key).is_file(), "{key}");
    let shown = status(&world, "Mine");
    assert!(shown["LatestNotificationTime"].is_number() && shown["LatestNotificationError"].is_null(), "{shown}");
}

#[test]
fn a_failed_notification_shows_in_the_status_and_is_retried() {
    let destination = Destination::start(&[500]);
    let world = World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.triggers.first_retry = Duration::from_millis(1);
        let to = server::settings::Destination::Url(destination.url().to_owned());
        settings.triggers.destinations = [("arn:aws:sns:".to_owned(), to)].into_iter().collect();
    });
    create(&world, "Mine", &json!({ "SnsTopicName": "Files" }));
    assert_eq!([destination.next().body, destination.next().body], ["CloudTrail validation message."; 2]);
    wait_until("it is settled", || notifications(&world).len() == 1);
    assert_eq!(
        (&notifications(&world)[0]["attempts"], &notifications(&world)[0]["outcome"]),
        (&json!(2), &json!("delivered"))
    );
}

/// Returns the lines of `notifications.ndjson`.
fn notifications(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.trail_folder().join("notifications.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[test]
fn old_log_files_are_archived_and_others_stay() {
    let mut world = world();
    create(&world, "Mine", &json!({}));
    start(&world, "Mine");
    assert_eq!(flush(&world), 200);
    let logs = |world: &World| tests::files(&bucket(world, "mine-logs"));
    let old = logs(&world);
    for path in &old {
        let file = fs::File::options().write(true).open(path).expect("the file was listed");
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("the process is a child of the test");
    }
    let archive = world.folder().join("archive");
    world.restart_with(|settings| {
        settings.retention.files = Some(Duration::from_hours(24));
        settings.retention.archive = Some(archive.clone());
    });
    world.ok("ListRepositories", &json!({}));
    assert_eq!(flush(&world), 200);
    assert_eq!((old.len(), logs(&world).len()), (1, 1));
    let inside = old[0].strip_prefix(bucket(&world, "mine-logs")).expect("the path is below the folder");
    assert!(archive.join("mine-logs").join(inside).is_file(), "{}", inside.display());
}

#[test]
fn old_events_are_removed_from_the_history_after_delivery() {
    let mut world = world();
    for _ in 0..30 {
        world.ok("ListRepositories", &json!({}));
    }
    assert_eq!(flush(&world), 200);
    let before = world.events().len();
    // The clock advances by a second with each reading.
    world.restart_with(|settings| settings.retention.events = Some(Duration::from_secs(5)));
    world.ok("LookupEvents", &json!({}));
    assert_eq!(flush(&world), 200);
    let found = world.ok("LookupEvents", &json!({}));
    let left = found["Events"].as_array().map(Vec::len).expect("the member is present");
    assert!((1..15).contains(&left), "{left}");
    assert_eq!(world.events().len(), before + 2);
    world.restart();
    assert_eq!(world.events().len(), before + 2, "no line is written twice");
    assert_eq!(flush(&world), 200);
    assert_eq!(read_log_files(&world.trail_folder()).len(), before + 2);
}

#[test]
fn a_region_has_five_trails_and_a_name_one() {
    let world = world();
    for name in ["one", "two", "three", "four"] {
        create(&world, name, &json!({}));
    }
    let again = json!({ "Name": "one", "S3BucketName": "one-logs" });
    assert_eq!(failure(&world, "CreateTrail", &again), "TrailAlreadyExistsException");
    create(&world, "five", &json!({}));
    let sixth = json!({ "Name": "six", "S3BucketName": "one-logs" });
    assert_eq!(failure(&world, "CreateTrail", &sixth), "MaximumNumberOfTrailsExceededException");
}

#[test]
fn a_trail_cannot_cover_all_regions_if_another_region_has_its_name() {
    let world = world();
    create(&world, "Mine", &json!({}));
    let ohio = signed(KEY, "us-east-2");
    let other = json!({ "Name": "Mine", "S3BucketName": "mine-logs" });
    assert_eq!(world.call_as("CreateTrail", &other, &[("authorization", &ohio)]).status, 200);
    let widened = json!({ "Name": "Mine", "IsMultiRegionTrail": true });
    assert_eq!(failure(&world, "UpdateTrail", &widened), "ConflictException");
    assert_eq!(world.ok("GetTrail", &json!({ "Name": "Mine" }))["Trail"]["IsMultiRegionTrail"], false);
}

#[test]
fn tags_are_added_shown_and_removed() {
    let world = world();
    let arn = create(&world, "Mine", &json!({ "TagsList": [{ "Key": "Team", "Value": "blue" }] }))["TrailARN"].clone();
    world.ok("AddTags", &json!({ "ResourceId": arn, "TagsList": [{ "Key": "Stage", "Value": "test" }] }));
    world.ok("RemoveTags", &json!({ "ResourceId": arn, "TagsList": [{ "Key": "Team" }] }));
    let tags = world.ok("ListTags", &json!({ "ResourceIdList": [arn] }));
    let expected = json!([{ "ResourceId": arn, "TagsList": [{ "Key": "Stage", "Value": "test" }] }]);
    assert_eq!(tags["ResourceTagList"], expected);
}

#[test]
fn a_record_names_its_trail() {
    let world = world();
    create(&world, "Mine", &json!({}));
    let event = world.events().pop().expect("the call is recorded");
    let arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/Mine";
    assert_eq!(
        (&event["eventSource"], &event["eventName"]),
        (&json!("cloudtrail.amazonaws.com"), &json!("CreateTrail"))
    );
    assert_eq!(event["requestParameters"], json!({ "name": "Mine", "s3BucketName": "mine-logs" }));
    assert_eq!(event["responseElements"]["trailARN"], arn);
    assert_eq!(
        event["resources"],
        json!([{ "ARN": arn, "accountId": "111122223333", "type": "AWS::CloudTrail::Trail" }])
    );
}

#[test]
fn failed_git_requests_create_no_trails_in_the_named_accounts() {
    let world = world();
    let probe = |account: &str| {
        let path = format!("/{account}/us-east-1/v1/repos/Missing/info/refs?service=git-upload-pack");
        assert_eq!(world.send("GET", &path, &[], b"").status, 404);
    };
    (0..20).for_each(|number| probe(&format!("4444555566{number:02}")));
    probe("111122223333");
    world.digest();
    let folders = || {
        let folders = fs::read_dir(world.trail_folder().join("AWSLogs")).expect("the folder exists");
        folders.map(|folder| folder.expect("the folder can be listed").file_name()).collect::<Vec<_>>()
    };
    assert_eq!(folders(), ["111122223333"], "the default account has its trail whatever happens first");
    assert_eq!(world.events().len(), 21, "they are recorded all the same");
    let basic = "Basic TGlfSnVhbi1hdC00NDQ0NTU1NTY2NjY6eA==";
    world.call_as("ListRepositories", &json!({}), &[("authorization", basic)]);
    world.digest();
    assert_eq!(folders().len(), 2, "a call of the API brings a trail into being");
}

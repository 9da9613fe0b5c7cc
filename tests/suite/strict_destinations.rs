//! Trails whose buckets and topics must be as AWS demands: `--strict-buckets` and `--strict-topics`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use server::settings::Destination;
use tests::World;

const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail";

fn world() -> World {
    World::with(|settings| {
        settings.log_interval = Duration::from_hours(1);
        settings.destination_checks.buckets = true;
    })
}

/// Returns the policy of the user guide for the bucket of a trail without a prefix.
fn policy(source: &str) -> String {
    let statement = |action: &str, resource: &str, condition: Value| {
        let principal = json!({ "Service": "cloudtrail.amazonaws.com" });
        json!({ "Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, "Condition": { "StringEquals": condition } })
    };
    let write = json!({ "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": source });
    json!({ "Version": "2012-10-17", "Statement": [
        statement("s3:GetBucketAcl", "arn:aws:s3:::my-logs", json!({ "aws:SourceArn": source })),
        statement("s3:PutObject", "arn:aws:s3:::my-logs/AWSLogs/111122223333/*", write),
    ] })
    .to_string()
}

fn put_policy(world: &World, policy: &str) {
    world.aws(&["s3api", "put-bucket-policy", "--bucket", "my-logs", "--policy", policy]).ok();
}

fn create(world: &World, more: &[&str]) -> Result<String, String> {
    let create = ["cloudtrail", "create-trail", "--name", "MyTrail", "--s3-bucket-name", "my-logs"];
    let done = world.aws(&[&create, more].concat());
    if done.success { Ok(done.ok()) } else { Err(done.failed()) }
}

fn status(world: &World) -> Value {
    let status = world.aws(&["cloudtrail", "get-trail-status", "--name", "MyTrail"]).ok();
    serde_json::from_str(&status).expect("the CLI prints JSON")
}

#[test]
fn a_trail_needs_a_bucket_whose_policy_lets_it_write() {
    let world = world();
    let refused = create(&world, &[]).expect_err("there is no bucket");
    assert!(
        refused.contains("S3BucketDoesNotExistException") && refused.contains("S3 bucket my-logs does not exist!"),
        "{refused}"
    );
    assert!(!world.folder().join("data/buckets/my-logs").exists(), "a refused trail makes no bucket");
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    let insufficient = |refused: &str| {
        refused.contains("InsufficientS3BucketPolicyException")
            && refused.contains("Incorrect S3 bucket policy is detected for bucket: my-logs")
    };
    let refused = create(&world, &[]).expect_err("the bucket has no policy");
    assert!(insufficient(&refused), "{refused}");
    put_policy(&world, &policy(&TRAIL.replace("MyTrail", "Another")));
    let refused = create(&world, &[]).expect_err("the policy is for another trail");
    assert!(insufficient(&refused), "{refused}");
    put_policy(&world, &policy(TRAIL));
    let refused = create(&world, &["--s3-key-prefix", "team"]).expect_err("the policy is for another prefix");
    assert!(insufficient(&refused), "{refused}");
    create(&world, &[]).expect("the policy is sufficient");
    let update = ["cloudtrail", "update-trail", "--name", "MyTrail", "--s3-key-prefix", "team"];
    assert!(insufficient(&world.aws(&update).failed()));
    let update = ["cloudtrail", "update-trail", "--name", "MyTrail", "--s3-bucket-name", "no-such-bucket"];
    assert!(world.aws(&update).failed().contains("S3BucketDoesNotExistException"));
    world.aws(&["cloudtrail", "update-trail", "--name", "MyTrail", "--is-multi-region-trail"]).ok();
    let codes: Vec<_> = world
        .events()
        .iter()
        .filter(|event| event["eventName"] == "CreateTrail")
        .map(|event| event["errorCode"].clone())
        .collect();
    let insufficient = json!("InsufficientS3BucketPolicyException");
    assert_eq!(
        codes,
        [json!("S3BucketDoesNotExistException"), insufficient.clone(), insufficient.clone(), insufficient, Value::Null]
    );
}

#[test]
fn delivery_shows_that_a_bucket_is_gone_or_refuses_and_goes_on_later() {
    let world = world();
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    put_policy(&world, &policy(TRAIL));
    create(&world, &[]).expect("the policy is sufficient");
    world.aws(&["cloudtrail", "start-logging", "--name", "MyTrail"]).ok();
    let flush = || world.send("POST", "/_local/flush", &[], b"").status;
    assert_eq!(flush(), 200);
    assert!(status(&world).get("LatestDeliveryError").is_none());
    world.aws(&["s3api", "delete-bucket-policy", "--bucket", "my-logs"]).ok();
    assert_ne!(flush(), 200);
    assert_eq!(status(&world)["LatestDeliveryError"], "AccessDenied");
    world.aws(&["s3", "rb", "s3://my-logs", "--force"]).ok();
    assert_ne!(flush(), 200);
    assert_eq!(status(&world)["LatestDeliveryError"], "NoSuchBucket");
    assert!(!world.folder().join("data/buckets/my-logs").exists(), "delivery makes no bucket");
    world.aws(&["s3", "mb", "s3://my-logs"]).ok();
    put_policy(&world, &policy(TRAIL));
    assert_eq!(flush(), 200);
    assert!(status(&world).get("LatestDeliveryError").is_none());
    let list = world.aws(&["s3", "ls", "s3://my-logs/AWSLogs/111122223333/CloudTrail/us-east-1/", "--recursive"]).ok();
    assert!(list.lines().count() >= 2, "{list}");
}

#[test]
fn a_topic_must_have_a_destination() {
    let world = World::with(|settings| {
        settings.destination_checks.topics = true;
        let url = Destination::Url("http://127.0.0.1:1/".to_owned());
        settings.triggers.destinations = BTreeMap::from([("arn:aws:sns:us-east-1:111122223333:known".to_owned(), url)]);
    });
    let refused = create(&world, &["--sns-topic-name", "unknown"]).expect_err("the topic does not exist");
    let message = "SNS Topic does not exist or the topic policy is incorrect!";
    assert!(refused.contains("InsufficientSnsTopicPolicyException") && refused.contains(message), "{refused}");
    create(&world, &["--sns-topic-name", "known"]).expect("the topic exists");
    let update = ["cloudtrail", "update-trail", "--name", "MyTrail", "--sns-topic-name", "unknown"];
    assert!(world.aws(&update).failed().contains("InsufficientSnsTopicPolicyException"));
    world.aws(&["cloudtrail", "update-trail", "--name", "MyTrail", "--sns-topic-name", ""]).ok();
}

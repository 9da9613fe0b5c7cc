//! Trails with remote buckets: on the server of moto, read with boto3.

use std::net::TcpListener;

use codecommit_local::Options;
use serde_json::{Value, json};
use tests::moto::Moto;
use tests::{World, wait_until};

/// Starts a server with the remote buckets `far-logs` and `near-logs`.
fn world(far: &str, near: &str) -> World {
    let table = |name: &str, endpoint: &str, more: &str| {
        let key = "access-key-id = \"AKIAIOSFODNN7EXAMPLE\"\nsecret-access-key = \"hidden\"";
        format!("[buckets.{name}]\nendpoint = \"{endpoint}\"\n{key}\n{more}\n")
    };
    let kms = "server-side-encryption = \"aws:kms\"\nkms-key-id = \"alias/logs\"";
    let options: Options =
        toml::from_str(&(table("far-logs", far, kms) + &table("near-logs", near, ""))).expect("the value is valid");
    let buckets = options.settings().expect("the settings are valid").buckets;
    World::with(|settings| settings.buckets = buckets)
}

fn create_trail(world: &World, name: &str, bucket: &str) {
    world.ok("CreateTrail", &json!({ "Name": name, "S3BucketName": bucket }));
    world.ok("StartLogging", &json!({ "Name": name }));
}

fn make_bucket(world: &World, moto: &Moto, name: &str) {
    world
        .python(&format!(
            "import boto3\nboto3.client('s3', endpoint_url={:?}).create_bucket(Bucket={name:?})",
            moto.url()
        ))
        .ok();
}

/// Returns the content of a bucket of moto: the metadata, encryption and event names of each key.
fn content(world: &World, moto: &Moto, bucket: &str) -> Value {
    let program = format!(
        r#"
import boto3, gzip, json
s3 = boto3.client("s3", endpoint_url={:?})
found = {{}}
for item in s3.list_objects_v2(Bucket={bucket:?}).get("Contents", []):
    got = s3.get_object(Bucket={bucket:?}, Key=item["Key"])
    body = got["Body"].read()
    names = [record["eventName"] for record in json.loads(gzip.decompress(body))["Records"]] if body else []
    found[item["Key"]] = {{
        "encryption": got.get("ServerSideEncryption"), "key": got.get("SSEKMSKeyId"),
        "type": got["ContentType"], "names": names,
    }}
print(json.dumps(found))
"#,
        moto.url()
    );
    serde_json::from_str(&world.python(&program).ok()).expect("the text is JSON")
}

fn flush(world: &World) -> u16 {
    world.send("POST", "/_local/flush", &[], b"").status
}

fn status(world: &World, name: &str) -> Value {
    world.ok("GetTrailStatus", &json!({ "Name": name }))
}

#[test]
fn a_trail_delivers_to_a_remote_bucket() {
    let moto = Moto::start();
    let world = world(moto.url(), moto.url());
    make_bucket(&world, &moto, "far-logs");
    make_bucket(&world, &moto, "near-logs");
    create_trail(&world, "far", "far-logs");
    create_trail(&world, "near", "near-logs");
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(flush(&world), 200);
    let (far, near) = (content(&world, &moto, "far-logs"), content(&world, &moto, "near-logs"));
    for (content, encryption, key) in [(&far, "aws:kms", json!("alias/logs")), (&near, "AES256", Value::Null)] {
        let objects = content.as_object().expect("the value is an object");
        let marker = &objects["AWSLogs/111122223333/CloudTrail/"];
        assert_eq!(marker["names"], json!([]));
        let files: Vec<_> = objects.iter().filter(|(key, _)| key.ends_with(".json.gz")).map(|(_, file)| file).collect();
        assert!(files.iter().any(|file| file["names"].to_string().contains("CreateRepository")), "{content}");
        for file in files {
            let options = (&file["encryption"], &file["key"], &file["type"]);
            assert_eq!(options, (&json!(encryption), &key, &json!("application/json")));
        }
    }
    let buckets = world.aws(&["s3", "ls"]).ok();
    assert!(buckets.contains("far-logs"), "{buckets}");
    let refused = world.aws(&["s3api", "list-objects", "--bucket", "far-logs"]).failed();
    assert!(refused.contains("InvalidBucketState") && refused.contains("at another endpoint"), "{refused}");
}

#[test]
fn the_cli_validates_a_remote_bucket() {
    let moto = Moto::start();
    let world = world(moto.url(), moto.url());
    make_bucket(&world, &moto, "far-logs");
    let trail = json!({ "Name": "far", "S3BucketName": "far-logs", "EnableLogFileValidation": true });
    let arn = world.ok("CreateTrail", &trail)["TrailARN"].as_str().expect("the member is a string").to_owned();
    world.ok("StartLogging", &json!({ "Name": "far" }));
    for _ in 0..2 {
        world.ok("ListRepositories", &json!({}));
        world.digest();
    }
    // The CLI reads the trail and the keys from this server and the files from moto.
    let validate = format!(
        "
import awscli.clidriver, os, sys
os.environ['AWS_ENDPOINT_URL_S3'] = {:?}
times = ['--start-time', '2016-12-14T00:00:00Z', '--end-time', '2016-12-15T00:00:00Z']
sys.argv = ['aws', 'cloudtrail', 'validate-logs', '--trail-arn', {arn:?}, *times]
sys.exit(awscli.clidriver.main())
",
        moto.url()
    );
    let shown = world.python(&validate).ok();
    assert!(shown.contains("2/2 digest files valid") && shown.contains("2/2 log files valid"), "{shown}");
    let spoil = format!(
        "
import boto3
s3 = boto3.client('s3', endpoint_url={:?})
keys = [item['Key'] for item in s3.list_objects_v2(Bucket='far-logs', Prefix='AWSLogs/111122223333/CloudTrail/us-')['Contents']]
s3.delete_object(Bucket='far-logs', Key=keys[0])
",
        moto.url()
    );
    world.python(&spoil).ok();
    let refused = world.python(&validate);
    assert!(!refused.success && refused.err.contains("INVALID: not found"), "{}\n{}", refused.out, refused.err);
}

#[test]
fn a_trail_with_a_missing_bucket_is_refused() {
    let moto = Moto::start();
    let world = world(moto.url(), moto.url());
    let refused = world.call("CreateTrail", &json!({ "Name": "far", "S3BucketName": "far-logs" }));
    assert_eq!(refused.json()["__type"], "S3BucketDoesNotExistException");
}

#[test]
fn an_unreachable_endpoint_delays_nothing_and_gets_everything_later() {
    let moto = Moto::start();
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    let gone = format!("http://{}", listener.local_addr().expect("the listener is bound"));
    let mut world = world(moto.url(), moto.url());
    make_bucket(&world, &moto, "far-logs");
    make_bucket(&world, &moto, "near-logs");
    create_trail(&world, "far", "far-logs");
    create_trail(&world, "near", "near-logs");
    assert_eq!(flush(&world), 200);
    drop(listener);
    world.restart_with(|settings| settings.buckets.get_mut("far-logs").expect("the value was named").endpoint = gone);
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(flush(&world), 500, "a bucket cannot be written");
    let is_there = |world: &World, bucket| content(world, &moto, bucket).to_string().contains("CreateRepository");
    assert!(is_there(&world, "near-logs") && !is_there(&world, "far-logs"));
    assert!(status(&world, "far")["LatestDeliveryError"].as_str().is_some_and(|error| error.contains("far-logs")));
    assert_eq!(status(&world, "near")["LatestDeliveryError"], Value::Null);
    world.restart_with(|settings| {
        settings.buckets.get_mut("far-logs").expect("the value was named").endpoint = moto.url().to_owned();
    });
    wait_until("the bucket gets what waited", || is_there(&world, "far-logs"));
    wait_until("the error is gone", || status(&world, "far")["LatestDeliveryError"].is_null());
}

//! Data events: calls of S3 on objects, which are in log files only if an event selector selects them.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{World, log_files, read_log_files};

const BUCKET: &str = "codecommit-local-trail";

/// Starts a server that delivers on demand, with one log file.
fn world() -> World {
    let world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    flush(&world);
    world
}

fn flush(world: &World) {
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
}

fn get(world: &World, path: &str) -> u16 {
    world.send("GET", path, &[], b"").status
}

fn names(records: &[Value]) -> Vec<&str> {
    let mut names: Vec<_> = records.iter().filter_map(|record| record["eventName"].as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn reading_the_trail_does_not_make_it_grow() {
    let world = world();
    let before = log_files(&world.trail_folder());
    for _ in 0..3 {
        world.aws(&["s3", "sync", &format!("s3://{BUCKET}"), "copy", "--quiet"]).ok();
        flush(&world);
        assert_eq!(log_files(&world.trail_folder()), before);
    }
    assert_eq!(log_files(&world.folder().join("copy")).len(), 1);
    let calls = world.events();
    assert!(calls.iter().filter(|event| event["eventName"] == "ListObjects").count() >= 3, "all calls are recorded");
    assert!(calls.iter().any(|event| event["eventName"] == "GetObject"));
}

#[test]
fn data_events_are_neither_in_event_history_nor_in_log_files() {
    let world = world();
    assert_eq!(get(&world, &format!("/{BUCKET}?list-type=2")), 200);
    assert_eq!(get(&world, &format!("/{BUCKET}/missing")), 404);
    assert_eq!(world.send("HEAD", &format!("/{BUCKET}"), &[], b"").status, 200);
    assert_eq!(world.send("DELETE", &format!("/{BUCKET}/missing"), &[], b"").status, 204);
    assert_eq!(get(&world, &format!("/{BUCKET}?location")), 200);
    let signed = tests::wire::signed("AKIAIOSFODNN7EXAMPLE", "us-east-1").replace("/codecommit/", "/s3/");
    assert_eq!(world.send("GET", "/", &[("authorization", &signed)], b"").status, 200);
    let events = world.events();
    assert_eq!(
        names(&events),
        [
            "CreateRepository",
            "DeleteObject",
            "GetBucketLocation",
            "GetObject",
            "HeadBucket",
            "ListBuckets",
            "ListObjects"
        ]
    );
    flush(&world);
    let management = ["CreateRepository", "GetBucketLocation", "ListBuckets"];
    assert_eq!(names(&read_log_files(&world.trail_folder())), management);
    let looked_up = |attributes: Value| -> Vec<String> {
        let found = world.ok("LookupEvents", &attributes);
        let events = found["Events"].as_array().expect("the value is a list");
        events.iter().map(|event| event["EventName"].as_str().expect("each event has a name").to_owned()).collect()
    };
    let all = looked_up(json!({}));
    assert!(all.len() == 3 && management.iter().all(|name| all.iter().any(|found| found == name)), "{all:?}");
    for event in events.iter().filter(|event| !management.contains(&event["eventName"].as_str().unwrap_or_default())) {
        for (key, value) in [
            ("EventName", &event["eventName"]),
            ("EventId", &event["eventID"]),
            ("ResourceType", &json!("AWS::S3::Object")),
        ] {
            let attribute = json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": value }] });
            assert_eq!(looked_up(attribute), Vec::<String>::new(), "{key} {value}");
        }
    }
}

#[test]
fn records_of_data_events_are_marked_in_the_current_version() {
    let options = codecommit_local::Options {
        event_version: Some(codecommit_local::options::EventVersion::V1_11),
        ..codecommit_local::Options::default()
    };
    let version = options.settings().expect("the settings are valid").event_version;
    let world = World::with(|settings| settings.event_version = version);
    assert_eq!(get(&world, &format!("/{BUCKET}/missing")), 404);
    assert_eq!(get(&world, &format!("/{BUCKET}?location")), 200);
    assert_eq!(get(&world, &format!("/{BUCKET}?prefix=a%2F")), 200);
    let events = world.events();
    let options = |event: &Value| (event["managementEvent"].clone(), event["eventCategory"].clone());
    assert_eq!(options(&events[0]), (json!(false), json!("Data")));
    assert_eq!(options(&events[1]), (json!(true), json!("Management")));
    assert_eq!(options(&events[2]), (json!(false), json!("Data")));
    let bucket =
        json!({ "accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{BUCKET}") });
    let object = json!({ "type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{BUCKET}/missing") });
    assert_eq!(events[0]["resources"].to_string(), json!([object, bucket]).to_string());
    assert_eq!(events[1]["resources"].to_string(), json!([bucket]).to_string());
    let objects = json!({ "type": "AWS::S3::Object", "ARNPrefix": format!("arn:aws:s3:::{BUCKET}/a/") });
    assert_eq!(events[2]["resources"].to_string(), json!([objects, bucket]).to_string());
}

/// Returns the S3 events in the log files of a trail with event selectors after calls on two buckets: names and resources.
fn selected(selectors: &Value) -> Vec<String> {
    let world = world();
    let bucket = world.folder().join("data/buckets/data-logs");
    for key in ["a/1", "b/1"] {
        std::fs::create_dir_all(bucket.join(key).parent().expect("the path is below the folder"))
            .expect("the folder is writable");
        std::fs::write(bucket.join(key), "content").expect("the folder is writable");
    }
    world.ok("CreateTrail", &json!({ "Name": "Data", "S3BucketName": "data-events" }));
    let mut input = json!({ "TrailName": "Data" });
    input
        .as_object_mut()
        .expect("the value is an object")
        .extend(selectors.as_object().expect("the value is an object").clone());
    world.ok("PutEventSelectors", &input);
    world.ok("StartLogging", &json!({ "Name": "Data" }));
    for path in ["/data-logs/a/1", "/data-logs/b/1", "/data-logs?list-type=2", "/data-logs?location"] {
        assert_eq!(get(&world, path), 200);
    }
    assert_eq!(world.send("DELETE", "/data-logs/a/1", &[], b"").status, 204);
    flush(&world);
    let records = read_log_files(&world.folder().join("data/buckets/data-events"));
    let shown = |record: &Value| {
        let (name, key) = (record["eventName"].as_str()?, record["requestParameters"]["key"].as_str().unwrap_or("-"));
        (record["eventSource"] == "s3.amazonaws.com").then(|| format!("{name} {key}"))
    };
    let mut shown: Vec<String> = records.iter().filter_map(shown).collect();
    shown.sort_unstable();
    shown
}

#[test]
fn event_selectors_select_data_events() {
    let basic = |read_write: &str, management: bool, values: &[&str]| {
        json!({ "EventSelectors": [{
            "ReadWriteType": read_write, "IncludeManagementEvents": management,
            "DataResources": [{ "Type": "AWS::S3::Object", "Values": values }],
        }] })
    };
    assert_eq!(
        selected(&basic("All", false, &["arn:aws:s3"])),
        ["DeleteObject a/1", "GetObject a/1", "GetObject b/1", "ListObjects -"]
    );
    assert_eq!(
        selected(&basic("ReadOnly", true, &["arn:aws:s3:::data-logs/a"])),
        ["GetBucketLocation -", "GetObject a/1"]
    );
    assert_eq!(selected(&basic("WriteOnly", true, &["arn:aws:s3:::other/"])), Vec::<String>::new());
    let advanced = |fields: Value| json!({ "AdvancedEventSelectors": [{ "FieldSelectors": fields }] });
    let data = |further: &[Value]| {
        let mut fields = vec![
            json!({ "Field": "eventCategory", "Equals": ["Data"] }),
            json!({ "Field": "resources.type", "Equals": ["AWS::S3::Object"] }),
        ];
        fields.extend_from_slice(further);
        advanced(fields.into())
    };
    assert_eq!(
        selected(&data(&[json!({ "Field": "readOnly", "Equals": ["true"] })])),
        ["GetObject a/1", "GetObject b/1", "ListObjects -"]
    );
    assert_eq!(
        selected(&data(&[
            json!({ "Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::data-logs/b"] }),
            json!({ "Field": "eventName", "Equals": ["GetObject", "HeadObject"] }),
        ])),
        ["GetObject b/1"]
    );
    let management = advanced(json!([{ "Field": "eventCategory", "Equals": ["Management"] }]));
    assert_eq!(selected(&management), ["GetBucketLocation -"]);
}

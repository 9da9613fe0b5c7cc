//! Every operation on trails with the AWS CLI, boto3 and the SDK for Rust.

use aws_sdk_cloudtrail::types::{EventSelector, ReadWriteType, Tag};
use serde_json::{Value, json};
use tests::World;

const ARN: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail";

fn cli(world: &World, arguments: &[&str]) -> Value {
    let printed = world.aws(&[&["cloudtrail"], arguments].concat()).ok();
    if printed.is_empty() { Value::Null } else { serde_json::from_str(&printed).expect("the CLI prints JSON") }
}

fn names(world: &World) -> Vec<String> {
    world.events().iter().map(|event| event["eventName"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn the_cli_creates_changes_shows_and_deletes_a_trail() {
    let world = World::new();
    let created = cli(&world, &["create-trail", "--name", "MyTrail", "--s3-bucket-name", "my-logs"]);
    assert_eq!(created["TrailARN"], ARN);
    let updated =
        cli(&world, &["update-trail", "--name", "MyTrail", "--s3-key-prefix", "team", "--is-multi-region-trail"]);
    assert_eq!((&updated["S3KeyPrefix"], &updated["IsMultiRegionTrail"]), (&json!("team"), &json!(true)));
    assert_eq!(cli(&world, &["get-trail", "--name", ARN])["Trail"]["HomeRegion"], "us-east-1");
    let described = cli(&world, &["describe-trails", "--trail-name-list", "MyTrail"]);
    assert_eq!(described["trailList"][0]["S3BucketName"], "my-logs");
    let listed = cli(&world, &["list-trails"]);
    assert_eq!(listed["Trails"].as_array().map(Vec::len), Some(2));
    cli(&world, &["start-logging", "--name", "MyTrail"]);
    assert_eq!(cli(&world, &["get-trail-status", "--name", "MyTrail"])["IsLogging"], true);
    cli(&world, &["stop-logging", "--name", "MyTrail"]);
    let selectors = r#"[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]"#;
    let put = cli(&world, &["put-event-selectors", "--trail-name", "MyTrail", "--event-selectors", selectors]);
    assert_eq!(put["EventSelectors"][0]["ReadWriteType"], "WriteOnly");
    let got = cli(&world, &["get-event-selectors", "--trail-name", "MyTrail"]);
    assert_eq!(got["EventSelectors"], put["EventSelectors"]);
    let insights = r#"[{"InsightType": "ApiCallRateInsight", "EventCategories": ["Management"]}]"#;
    let put = cli(&world, &["put-insight-selectors", "--trail-name", "MyTrail", "--insight-selectors", insights]);
    assert_eq!(cli(&world, &["get-insight-selectors", "--trail-name", "MyTrail"]), put);
    cli(&world, &["add-tags", "--resource-id", ARN, "--tags-list", "Key=Team,Value=blue"]);
    let tags = cli(&world, &["list-tags", "--resource-id-list", ARN]);
    assert_eq!(tags["ResourceTagList"][0]["TagsList"], json!([{ "Key": "Team", "Value": "blue" }]));
    cli(&world, &["remove-tags", "--resource-id", ARN, "--tags-list", "Key=Team"]);
    cli(&world, &["delete-trail", "--name", "MyTrail"]);
    let refused = world.aws(&["cloudtrail", "get-trail", "--name", "MyTrail"]).failed();
    assert!(refused.contains("TrailNotFoundException"), "{refused}");
    assert_eq!(
        names(&world),
        [
            "CreateTrail",
            "UpdateTrail",
            "GetTrail",
            "DescribeTrails",
            "ListTrails",
            "StartLogging",
            "GetTrailStatus",
            "StopLogging",
            "PutEventSelectors",
            "GetEventSelectors",
            "PutInsightSelectors",
            "GetInsightSelectors",
            "AddTags",
            "ListTags",
            "RemoveTags",
            "DeleteTrail",
            "GetTrail",
        ]
    );
}

#[test]
fn boto3_creates_changes_shows_and_deletes_a_trail() {
    let world = World::new();
    let program = r#"
import boto3
trails = boto3.client("cloudtrail")
arn = trails.create_trail(Name="MyTrail", S3BucketName="my-logs", TagsList=[dict(Key="Team", Value="blue")])["TrailARN"]
print(arn, trails.update_trail(Name=arn, IncludeGlobalServiceEvents=False)["IncludeGlobalServiceEvents"])
print(trails.get_trail(Name=arn)["Trail"]["Name"], len(trails.describe_trails()["trailList"]))
print([trail["Name"] for page in trails.get_paginator("list_trails").paginate() for trail in page["Trails"]])
trails.start_logging(Name=arn)
status = trails.get_trail_status(Name=arn)
print(status["IsLogging"], status["StartLoggingTime"].year)
trails.stop_logging(Name=arn)
fields = [dict(Field="eventCategory", Equals=["Management"]), dict(Field="readOnly", Equals=["false"])]
trails.put_event_selectors(TrailName=arn, AdvancedEventSelectors=[dict(Name="writes", FieldSelectors=fields)])
print(trails.get_event_selectors(TrailName=arn)["AdvancedEventSelectors"][0]["FieldSelectors"] == fields)
trails.add_tags(ResourceId=arn, TagsList=[dict(Key="Cost", Value="7")])
trails.remove_tags(ResourceId=arn, TagsList=[dict(Key="Team")])
print([page["ResourceTagList"] for page in trails.get_paginator("list_tags").paginate(ResourceIdList=[arn])][0][0]["TagsList"])
trails.delete_trail(Name=arn)
try:
    trails.start_logging(Name=arn)
except trails.exceptions.TrailNotFoundException as error:
    print(error.response["Error"]["Code"])
"#;
    let printed = world.python(program).ok();
    let expected = [
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail False",
        "MyTrail 2",
        "['MyTrail', 'codecommit-local']",
        "True 2016",
        "True",
        "[{'Key': 'Cost', 'Value': '7'}]",
        "TrailNotFoundException",
    ];
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn the_sdk_for_rust_creates_changes_shows_and_deletes_a_trail() {
    let world = World::new();
    let trails = world.cloudtrail();
    let created = world
        .run(trails.create_trail().name("MyTrail").s3_bucket_name("my-logs").send())
        .expect("there is no other trail");
    assert_eq!(created.trail_arn(), Some(ARN));
    let update = trails.update_trail().name("MyTrail").enable_log_file_validation(true);
    assert_eq!(world.run(update.send()).expect("the resource exists").log_file_validation_enabled(), Some(true));
    let got = world.run(trails.get_trail().name(ARN).send()).expect("the resource exists");
    assert_eq!(got.trail().and_then(|trail| trail.home_region()), Some("us-east-1"));
    assert_eq!(world.run(trails.describe_trails().send()).expect("the call is answered").trail_list().len(), 2);
    assert_eq!(world.run(trails.list_trails().send()).expect("the call is answered").trails().len(), 2);
    world.run(trails.start_logging().name("MyTrail").send()).expect("the resource exists");
    let status = world.run(trails.get_trail_status().name("MyTrail").send()).expect("the resource exists");
    assert!(status.is_logging() == Some(true) && status.start_logging_time().is_some());
    world.run(trails.stop_logging().name("MyTrail").send()).expect("the resource exists");
    let selector = EventSelector::builder().read_write_type(ReadWriteType::ReadOnly).include_management_events(true);
    let put = trails.put_event_selectors().trail_name("MyTrail").event_selectors(selector.build());
    assert_eq!(world.run(put.send()).expect("the settings are valid").event_selectors().len(), 1);
    let selectors = world.run(trails.get_event_selectors().trail_name("MyTrail").send()).expect("the resource exists");
    assert_eq!(selectors.event_selectors()[0].read_write_type(), Some(&ReadWriteType::ReadOnly));
    let tag = Tag::builder().key("Team").value("blue").build().expect("the tag has a key");
    world.run(trails.add_tags().resource_id(ARN).tags_list(tag.clone()).send()).expect("the resource exists");
    let tags = world.run(trails.list_tags().resource_id_list(ARN).send()).expect("the resource exists");
    assert_eq!(tags.resource_tag_list()[0].tags_list(), std::slice::from_ref(&tag));
    world.run(trails.remove_tags().resource_id(ARN).tags_list(tag).send()).expect("the resource exists");
    world.run(trails.delete_trail().name("MyTrail").send()).expect("the resource exists");
    let gone = world
        .run(trails.stop_logging().name("MyTrail").send())
        .expect_err("the resource is deleted")
        .into_service_error();
    assert!(gone.is_trail_not_found_exception(), "{gone:?}");
}

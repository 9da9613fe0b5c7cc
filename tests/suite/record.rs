//! The shape of records: their members in the order of CloudTrail.

use serde_json::{Value, json};
use tests::World;

use crate::trail::{AGENT, ARN, recorded};

/// Lists the members of a record recursively and in order.
pub fn members(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                found.push(name.clone());
                found.extend(members(value).into_iter().map(|inner| format!("{name}.{inner}")));
            }
        }
        Value::Array(items) => found.extend(items.iter().flat_map(members)),
        _ => {}
    }
    found
}

const IDENTITY: [&str; 7] = [
    "userIdentity",
    "userIdentity.type",
    "userIdentity.principalId",
    "userIdentity.arn",
    "userIdentity.accountId",
    "userIdentity.accessKeyId",
    "userIdentity.userName",
];
const TIME_AND_PLACE: [&str; 6] =
    ["eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent"];

#[test]
fn the_record_of_a_listing_has_the_guide_s_members_in_their_order() {
    let world = World::new();
    let (_, record) = recorded(&world, "ListRepositories", &json!({}));
    let rest = [
        "requestParameters",
        "responseElements",
        "requestID",
        "eventID",
        "readOnly",
        "eventType",
        "apiVersion",
        "recipientAccountId",
    ];
    assert_eq!(members(&record), [&["eventVersion"], &IDENTITY[..], &TIME_AND_PLACE, &rest].concat());
    assert_eq!(
        record,
        json!({
            "eventVersion": "1.05",
            "userIdentity": {
                "type": "IAMUser", "principalId": "AIDACKCEVSQ6C2EXAMPLE", "arn": "arn:aws:iam::111122223333:user/Mary_Major",
                "accountId": "111122223333", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "userName": "Mary_Major",
            },
            "eventTime": "2016-12-14T18:19:14Z",
            "eventSource": "codecommit.amazonaws.com",
            "eventName": "ListRepositories",
            "awsRegion": "us-east-1",
            "sourceIPAddress": "127.0.0.1",
            "userAgent": AGENT.1,
            "requestParameters": null,
            "responseElements": null,
            "requestID": record["requestID"],
            "eventID": record["eventID"],
            "readOnly": true,
            "eventType": "AwsApiCall",
            "apiVersion": "2015-04-13",
            "recipientAccountId": "111122223333",
        })
    );
}

#[test]
fn the_record_of_a_creation_has_the_guide_s_members_in_their_order() {
    let world = World::new();
    let description = "Creating a demonstration repository.";
    let input = json!({ "repositoryName": "MyDemoRepo", "repositoryDescription": description });
    let (reply, record) = recorded(&world, "CreateRepository", &input);
    let metadata = [
        "arn",
        "creationDate",
        "repositoryId",
        "cloneUrlSsh",
        "repositoryName",
        "accountId",
        "cloneUrlHttp",
        "repositoryDescription",
        "lastModifiedDate",
    ];
    let metadata: Vec<_> = metadata.iter().map(|name| format!("responseElements.repositoryMetadata.{name}")).collect();
    let metadata: Vec<&str> = metadata.iter().map(String::as_str).collect();
    let request = ["requestParameters", "requestParameters.repositoryDescription", "requestParameters.repositoryName"];
    let response = ["responseElements", "responseElements.repositoryMetadata"];
    let rest = [
        "requestID",
        "eventID",
        "readOnly",
        "resources",
        "ARN",
        "accountId",
        "type",
        "eventType",
        "apiVersion",
        "recipientAccountId",
    ];
    // Members of resources follow the list without its name.
    assert_eq!(
        members(&record).iter().map(|name| name.trim_start_matches("resources.")).collect::<Vec<_>>(),
        [&["eventVersion"], &IDENTITY[..], &TIME_AND_PLACE, &request, &response, &metadata, &rest].concat()
    );
    let returned = &reply.json()["repositoryMetadata"];
    let written = &record["responseElements"]["repositoryMetadata"];
    for name in ["repositoryId", "cloneUrlSsh", "repositoryName", "accountId", "cloneUrlHttp", "repositoryDescription"]
    {
        assert_eq!(written[name], returned[name], "{name}");
    }
    assert_eq!(written["arn"], returned["Arn"]);
    assert_eq!(written["creationDate"], "Dec 14, 2016 6:19:14 PM");
    assert_eq!(written["lastModifiedDate"], "Dec 14, 2016 6:19:14 PM");
    assert_eq!(record["readOnly"], false);
    assert_eq!(
        record["resources"],
        json!([{ "ARN": ARN, "accountId": "111122223333", "type": "AWS::CodeCommit::Repository" }])
    );
}

#[test]
fn long_texts_are_cut_and_large_elements_left_out() {
    let world = World::new();
    let agent = "a".repeat(3_000);
    world.call_as("ListRepositories", &json!({ "nextToken": "x".repeat(200_000) }), &[("user-agent", &agent)]);
    let record = &world.events()[0];
    assert_eq!(record["userAgent"].as_str().map(str::len), Some(1_024));
    assert_eq!(record["requestParameters"], Value::Null);
    let arn = "\u{e9}".repeat(3_000);
    world.call("ListTagsForResource", &json!({ "resourceArn": arn }));
    let record = &world.events()[1];
    assert!(record["errorMessage"].as_str().is_some_and(|message| (1_023..=1_024).contains(&message.len())));
    assert_eq!(record["requestParameters"]["resourceArn"], arn);
}

#[test]
fn the_current_version_has_its_members_in_their_order() {
    let options = codecommit_local::Options {
        event_version: Some(codecommit_local::options::EventVersion::V1_11),
        ..codecommit_local::Options::default()
    };
    let version = options.settings().expect("the settings are valid").event_version;
    let world = World::with(|settings| settings.event_version = version);
    let (_, record) = recorded(&world, "GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let top: Vec<_> = record.as_object().expect("the value is an object").keys().map(String::as_str).collect();
    assert_eq!(
        top,
        [
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
            "userAgent",
            "errorCode",
            "errorMessage",
            "requestParameters",
            "responseElements",
            "requestID",
            "eventID",
            "readOnly",
            "eventType",
            "apiVersion",
            "managementEvent",
            "recipientAccountId",
            "eventCategory",
            "tlsDetails",
        ]
    );
    assert_eq!(record["eventVersion"], "1.11");
    assert_eq!((&record["managementEvent"], &record["eventCategory"]), (&json!(true), &json!("Management")));
    let host = world.endpoint().replace("http://", "");
    assert_eq!(record["tlsDetails"], json!({ "clientProvidedHostHeader": host }));

    let (_, record) = recorded(&world, "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let resources = json!([{ "accountId": "111122223333", "type": "AWS::CodeCommit::Repository", "ARN": ARN }]);
    assert_eq!(record["resources"].to_string(), resources.to_string());
    // Records have the key since 2023; the example of the guide is older, so the older shape omits it.
    let metadata = record["responseElements"]["repositoryMetadata"].as_object().expect("the value is an object");
    assert_eq!(metadata.keys().next_back().map(String::as_str), Some("kmsKeyId"));
}

//! The Resource Groups Tagging API: listings, changes in the owning services, and records.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tests::World;
use tests::wire::signed;

const REPOSITORY: &str = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/MyTrail";

/// Starts a server with two repositories and a trail.
fn world() -> World {
    let world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    for name in ["MyDemoRepo", "MySecondRepo"] {
        world.ok("CreateRepository", &json!({ "repositoryName": name }));
    }
    world.ok("CreateTrail", &json!({ "Name": "MyTrail", "S3BucketName": "my-logs" }));
    world
}

/// Tags resources; fails the test if one fails.
fn tag(world: &World, arns: &[&str], tags: &Value) {
    let reply = world.ok("TagResources", &json!({ "ResourceARNList": arns, "Tags": tags }));
    assert_eq!(reply, json!({ "FailedResourcesMap": {} }));
}

/// Returns the resources of a reply with their tags.
fn mapping(reply: &Value) -> Vec<(String, BTreeMap<String, String>)> {
    let text = |value: &Value| value.as_str().expect("the member is a string").to_owned();
    let tags = |resource: &Value| {
        let tags = resource["Tags"].as_array().expect("the value is a list").iter();
        tags.map(|tag| (text(&tag["Key"]), text(&tag["Value"]))).collect()
    };
    let resources = reply["ResourceTagMappingList"].as_array().expect("the value is a list").iter();
    resources.map(|resource| (text(&resource["ResourceARN"]), tags(resource))).collect()
}

/// Returns the last parts of the ARNs of the listed resources.
fn listed(world: &World, input: &Value) -> Vec<String> {
    let last = |arn: &str| arn.rsplit([':', '/']).next().unwrap_or(arn).to_owned();
    mapping(&world.ok("GetResources", input)).iter().map(|(arn, _)| last(arn)).collect()
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn tags_are_those_of_the_services_that_own_the_resources() {
    let world = world();
    tag(&world, &[REPOSITORY, TRAIL], &json!({ "Team": "blue", "Empty": null }));
    let repository = world.ok("ListTagsForResource", &json!({ "resourceArn": REPOSITORY }));
    assert_eq!(repository["tags"], json!({ "Team": "blue", "Empty": "" }));
    let trail = world.ok("ListTags", &json!({ "ResourceIdList": [TRAIL] }));
    let expected = json!([{ "Key": "Empty", "Value": "" }, { "Key": "Team", "Value": "blue" }]);
    assert_eq!(trail["ResourceTagList"][0]["TagsList"], expected);
    world.ok("TagResource", &json!({ "resourceArn": REPOSITORY, "tags": { "Team": "red" } }));
    let both = mapping(&world.ok("GetResources", &json!({})));
    let expected =
        [(TRAIL, tags(&[("Empty", ""), ("Team", "blue")])), (REPOSITORY, tags(&[("Empty", ""), ("Team", "red")]))];
    assert_eq!(both, expected.map(|(arn, tags)| (arn.to_owned(), tags)));
    let removed = json!({ "ResourceARNList": [TRAIL, REPOSITORY], "TagKeys": ["Team", "Other"] });
    assert_eq!(world.ok("UntagResources", &removed), json!({ "FailedResourcesMap": {} }));
    let left: Vec<_> = mapping(&world.ok("GetResources", &json!({}))).into_iter().map(|(_, tags)| tags).collect();
    assert_eq!(left, [tags(&[("Empty", "")]), tags(&[("Empty", "")])]);
}

#[test]
fn resources_are_listed_that_have_tags_or_once_had_some() {
    let mut world = world();
    assert_eq!(listed(&world, &json!({})), [""; 0]);
    tag(&world, &[REPOSITORY, TRAIL], &json!({ "Team": "blue" }));
    world.ok("UntagResources", &json!({ "ResourceARNList": [REPOSITORY, TRAIL], "TagKeys": ["Team"] }));
    world.restart();
    let all = mapping(&world.ok("GetResources", &json!({})));
    assert_eq!(all, [(TRAIL.to_owned(), tags(&[])), (REPOSITORY.to_owned(), tags(&[]))]);
    assert_eq!(listed(&world, &json!({ "TagFilters": [{ "Key": "Team" }] })), [""; 0]);
    let by_arn = json!({ "ResourceARNList": [REPOSITORY.replace("Demo", "Second"), REPOSITORY, REPOSITORY] });
    assert_eq!(listed(&world, &by_arn), ["MyDemoRepo"]);
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.ok("DeleteTrail", &json!({ "Name": "MyTrail" }));
    assert_eq!(listed(&world, &json!({})), [""; 0]);
}

#[test]
fn filters_select_by_key_value_and_type() {
    let world = world();
    tag(&world, &[REPOSITORY], &json!({ "Team": "blue", "Stage": "test" }));
    tag(&world, &[&REPOSITORY.replace("Demo", "Second")], &json!({ "Team": "red" }));
    tag(&world, &[TRAIL], &json!({ "Team": "blue", "stage": "" }));
    let filter = |key: &str, values: &[&str]| json!({ "Key": key, "Values": values });
    for (filters, expected) in [
        (vec![filter("Team", &[])], &["MyTrail", "MyDemoRepo", "MySecondRepo"][..]),
        (vec![json!({ "Key": "Team" })], &["MyTrail", "MyDemoRepo", "MySecondRepo"]),
        (vec![filter("Team", &["blue"])], &["MyTrail", "MyDemoRepo"]),
        (vec![filter("Team", &["red", "green"])], &["MySecondRepo"]),
        (vec![filter("Team", &["blue", "red"]), filter("Stage", &["test"])], &["MyDemoRepo"]),
        (vec![filter("stage", &[""])], &["MyTrail"]),
        (vec![filter("Team", &["Blue"])], &[]),
        (vec![filter("Team", &[]), filter("Other", &[])], &[]),
    ] {
        assert_eq!(listed(&world, &json!({ "TagFilters": filters })), expected, "{filters:?}");
    }
    for (types, expected) in [
        (&["codecommit"][..], &["MyDemoRepo", "MySecondRepo"][..]),
        (&["codecommit:repository"], &["MyDemoRepo", "MySecondRepo"]),
        (&["cloudtrail:trail", "s3"], &["MyTrail"]),
        (&["cloudtrail", "codecommit"], &["MyTrail", "MyDemoRepo", "MySecondRepo"]),
        (&["cloudtrail:channel", "codecommit:branch", "CodeCommit", "s3:bucket"], &[]),
    ] {
        assert_eq!(listed(&world, &json!({ "ResourceTypeFilters": types })), expected, "{types:?}");
    }
    let both = json!({ "ResourceTypeFilters": ["codecommit"], "TagFilters": [filter("Team", &["blue"])] });
    assert_eq!(listed(&world, &both), ["MyDemoRepo"]);
}

#[test]
fn pages_are_limited_by_resources_or_by_tags() {
    let world = World::with(|settings| settings.log_interval = Duration::from_hours(1));
    let ten: Map<String, Value> = (0..10).map(|number| (format!("key{number}"), json!("value"))).collect();
    for number in 0..22 {
        world.ok("CreateRepository", &json!({ "repositoryName": format!("Repo{number:02}"), "tags": ten }));
    }
    let pages = |size: &Value| {
        let (mut input, mut pages) = (size.clone(), Vec::new());
        loop {
            let reply = world.ok("GetResources", &input);
            pages.push(mapping(&reply).len());
            match reply["PaginationToken"].as_str() {
                Some("") => return pages,
                Some(token) => input["PaginationToken"] = token.into(),
                None => panic!("{reply}"),
            }
        }
    };
    assert_eq!(pages(&json!({ "TagsPerPage": 100 })), [10, 10, 2]);
    assert_eq!(pages(&json!({ "TagsPerPage": 500 })), [22]);
    assert_eq!(pages(&json!({ "ResourcesPerPage": 9 })), [9, 9, 4]);
    assert_eq!(pages(&json!({ "ResourcesPerPage": 22, "PaginationToken": "" })), [22]);
    assert_eq!(pages(&json!({ "ResourcesPerPage": 11, "TagsPerPage": 100 })), [10, 10, 2]);
    // A token is valid for pages of any size, and for the same filter only.
    let first = world.ok("GetResources", &json!({ "ResourcesPerPage": 20 }));
    let token = first["PaginationToken"].clone();
    assert_eq!(listed(&world, &json!({ "PaginationToken": token })), ["Repo20", "Repo21"]);
    for other in [
        json!({ "PaginationToken": token, "ResourceTypeFilters": ["codecommit"] }),
        json!({ "PaginationToken": token, "TagFilters": [{ "Key": "key0" }] }),
    ] {
        assert_eq!(world.call("GetResources", &other).failure()["__type"], "InvalidParameterException");
    }
    let other_region = [("authorization", signed("AKIAIOSFODNN7EXAMPLE", "us-east-2"))];
    let other_region: Vec<_> = other_region.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = world.call_as("GetResources", &json!({ "PaginationToken": token }), &other_region);
    assert_eq!(refused.failure()["__type"], "InvalidParameterException");
}

#[test]
fn each_resource_succeeds_or_fails_by_itself() {
    let world = world();
    let [unknown, other_region, foreign, function] = [
        REPOSITORY.replace("MyDemo", "No"),
        REPOSITORY.replace("us-east-1", "us-east-2"),
        TRAIL.replace("111122223333", "444455556666"),
        "arn:aws:lambda:us-east-1:111122223333:function:build".to_owned(),
    ];
    let store = TRAIL.replace("trail/MyTrail", "eventdatastore/EXAMPLE-f852-4e8f-8bd1-bcf6cEXAMPLE");
    let arns = [REPOSITORY, &unknown, &other_region, TRAIL, &foreign, &function, &store];
    for (operation, change) in [("TagResources", "Tags"), ("UntagResources", "TagKeys")] {
        let mut input = json!({ "ResourceARNList": arns });
        input[change] = if change == "Tags" { json!({ "Team": "blue" }) } else { json!(["Team"]) };
        let reply = world.ok(operation, &input);
        let failed = reply["FailedResourcesMap"].as_object().expect("the value is a map");
        let code = |arn: &str| (failed[arn]["StatusCode"].clone(), failed[arn]["ErrorCode"].clone());
        assert_eq!(failed.len(), 5, "{reply}");
        assert_eq!(code(&unknown), (json!(400), json!("RepositoryDoesNotExistException")));
        assert_eq!(code(&other_region), (json!(400), json!("InvalidParameterException")));
        assert_eq!(code(&foreign), (json!(400), json!("InvalidParameterException")));
        assert_eq!(code(&function), (json!(500), json!("InternalServiceException")));
        assert_eq!(code(&store), (json!(400), json!("ResourceTypeNotSupportedException")));
        let has = usize::from(operation == "TagResources");
        let all = mapping(&world.ok("GetResources", &json!({})));
        assert_eq!(all.iter().map(|(_, tags)| tags.len()).collect::<Vec<_>>(), [has, has]);
    }
}

#[test]
fn a_change_is_recorded_here_and_by_the_services_that_it_changes() {
    let world = world();
    let before = world.events().len();
    tag(&world, &[REPOSITORY, TRAIL], &json!({ "Team": "blue" }));
    let records = world.events().split_off(before);
    let names: Vec<_> = records.iter().map(|record| (&record["eventSource"], &record["eventName"])).collect();
    let expected = [
        ("codecommit.amazonaws.com", "TagResource"),
        ("cloudtrail.amazonaws.com", "AddTags"),
        ("tagging.amazonaws.com", "TagResources"),
    ];
    assert_eq!(
        names,
        expected.map(|(source, name)| (json!(source), json!(name))).iter().map(|(a, b)| (a, b)).collect::<Vec<_>>()
    );
    for record in &records[..2] {
        assert_eq!(record["userIdentity"]["userName"], "Mary_Major");
        for member in ["sourceIPAddress", "userAgent"] {
            assert_eq!(record[member], "tagging.amazonaws.com");
        }
        assert_eq!(record["userIdentity"]["invokedBy"], "tagging.amazonaws.com");
        assert_eq!(record["resources"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(records[0]["requestParameters"], json!({ "resourceArn": REPOSITORY, "tags": { "Team": "blue" } }));
    let last = &records[2];
    assert_eq!(
        last["requestParameters"],
        json!({ "resourceARNList": [REPOSITORY, TRAIL], "tags": { "Team": "blue" } })
    );
    assert_eq!(last["responseElements"], json!({ "failedResourcesMap": {} }));
    assert_eq!((&last["readOnly"], &last["sourceIPAddress"]), (&json!(false), &json!("127.0.0.1")));
    for absent in ["apiVersion", "resources", "additionalEventData", "errorCode"] {
        assert_eq!(last.get(absent), None, "{absent}");
    }
    let ids: std::collections::BTreeSet<_> =
        records.iter().flat_map(|record| [record["eventID"].to_string(), record["requestID"].to_string()]).collect();
    assert_eq!(ids.len(), 6, "each record has ids of its own");
}

#[test]
fn failures_and_reads_are_recorded_too() {
    let world = world();
    let before = world.events().len();
    let unknown = REPOSITORY.replace("MyDemo", "No");
    world.ok("TagResources", &json!({ "ResourceARNList": [unknown], "Tags": { "Team": "blue" } }));
    world.ok("GetResources", &json!({ "TagFilters": [], "PaginationToken": "", "ResourcesPerPage": 50 }));
    world.ok("GetTagKeys", &json!({}));
    assert_eq!(world.call("TagResources", &json!({})).status, 400);
    for (operation, reads) in
        [("DescribeReportCreation", true), ("GetComplianceSummary", true), ("StartReportCreation", false)]
    {
        let reply = world.call(operation, &json!({ "S3Bucket": "reports" }));
        assert_eq!(reply.failure()["__type"], "ConstraintViolationException");
        let record = world.events().pop().expect("the call is recorded");
        assert_eq!((&record["eventName"], &record["readOnly"]), (&json!(operation), &json!(reads)));
    }
    let records = world.events().split_off(before);
    assert_eq!(records[0]["errorCode"], "RepositoryDoesNotExistException");
    assert_eq!(records[1].get("errorCode"), None);
    let failed = &records[1]["responseElements"]["failedResourcesMap"][&unknown];
    assert_eq!(failed["errorCode"], "RepositoryDoesNotExistException");
    // As in the records of AWS, empty members are included.
    let shown = json!({ "paginationToken": "", "resourcesPerPage": 50, "tagFilters": [] });
    assert_eq!((&records[2]["requestParameters"], &records[2]["readOnly"]), (&shown, &json!(true)));
    assert_eq!((&records[3]["eventName"], &records[3]["requestParameters"]), (&json!("GetTagKeys"), &Value::Null));
    assert_eq!(records[4]["errorCode"], "InvalidParameterException");
}

#[test]
fn the_rules_of_the_owning_services_hold() {
    let policy = BTreeMap::from([("Stage".to_owned(), vec!["test".to_owned()])]);
    let mut world = world();
    tag(&world, &[REPOSITORY], &json!({ "Stage": "production" }));
    world.restart_with(|settings| settings.codecommit.simulate.tag_policy = policy);
    let failure = |input: &Value| {
        let operation = if input.get("Tags").is_some() { "TagResources" } else { "UntagResources" };
        let reply = world.ok(operation, input);
        let failed = reply["FailedResourcesMap"].as_object().expect("the value is a map");
        failed.values().next().map(|info| info["ErrorCode"].as_str().expect("the member is a string").to_owned())
    };
    let repository = |tags: &Value| failure(&json!({ "ResourceARNList": [REPOSITORY], "Tags": tags }));
    assert_eq!(repository(&json!({ "Stage": "staging" })).as_deref(), Some("TagPolicyException"));
    let untagged = failure(&json!({ "ResourceARNList": [REPOSITORY], "TagKeys": ["Stage"] }));
    assert_eq!(untagged.as_deref(), Some("TagPolicyException"));
    let numbered = |numbers: std::ops::Range<u32>| -> Value {
        numbers.map(|number| (format!("key{number}"), json!(""))).collect::<Map<_, _>>().into()
    };
    assert_eq!(repository(&numbered(0..49)), None);
    assert_eq!(repository(&numbered(49..50)).as_deref(), Some("TooManyTagsException"));
    let trail = |tags: &Value| failure(&json!({ "ResourceARNList": [TRAIL], "Tags": tags }));
    assert_eq!(trail(&numbered(0..50)), None);
    assert_eq!(trail(&numbered(50..51)).as_deref(), Some("TagsLimitExceededException"));
    for input in [
        json!({ "ResourceARNList": [REPOSITORY], "Tags": { "aws:team": "blue" } }),
        json!({ "ResourceARNList": [REPOSITORY], "Tags": numbered(0..51) }),
        json!({ "ResourceARNList": [REPOSITORY], "Tags": { "Team": "\u{e9}".repeat(257) } }),
        json!({ "ResourceARNList": [REPOSITORY], "Tags": { "\u{e9}".repeat(129): "" } }),
        json!({ "ResourceARNList": vec![REPOSITORY; 21], "Tags": { "Team": "blue" } }),
    ] {
        assert_eq!(world.call("TagResources", &input).failure()["__type"], "InvalidParameterException", "{input}");
    }
    // The tags were set before the policy that refuses them.
    let details = json!({ "IncludeComplianceDetails": true });
    let reply = world.ok("GetResources", &details);
    let compliance: Vec<_> = reply["ResourceTagMappingList"].as_array().expect("the value is a list").iter().collect();
    assert_eq!(compliance[0]["ComplianceDetails"]["ComplianceStatus"], true);
    assert_eq!(compliance[1]["ComplianceDetails"]["KeysWithNoncompliantValues"], json!(["Stage"]));
    let noncompliant = json!({ "IncludeComplianceDetails": true, "ExcludeCompliantResources": true });
    assert_eq!(listed(&world, &noncompliant), ["MyDemoRepo"]);
}

#[test]
fn accounts_and_regions_have_their_own_tags() {
    let world = world();
    tag(&world, &[REPOSITORY], &json!({ "Team": "blue" }));
    let places = [
        signed("AKIAIOSFODNN7EXAMPLE", "us-east-2"),
        // Li_Juan is a user of the other account.
        "Basic TGlfSnVhbi1hdC00NDQ0NTU1NTY2NjY6eA==".to_owned(),
    ];
    for place in &places {
        for (operation, input, list) in [
            ("GetResources", json!({}), "ResourceTagMappingList"),
            ("GetResources", json!({ "ResourceARNList": [REPOSITORY] }), "ResourceTagMappingList"),
            ("GetTagKeys", json!({}), "TagKeys"),
            ("GetTagValues", json!({ "Key": "Team" }), "TagValues"),
        ] {
            let reply = world.call_as(operation, &input, &[("authorization", place)]).json();
            assert_eq!(reply, json!({ "PaginationToken": "", list: [] }), "{operation}");
        }
    }
    let keys = world.ok("GetTagKeys", &json!({}));
    assert_eq!(keys, json!({ "PaginationToken": "", "TagKeys": ["Team"] }));
}

#[test]
fn keys_and_values_in_use_are_paged() {
    let world = world();
    for begin in [0, 50, 100] {
        let tags: Map<_, _> = (begin..begin + 50).map(|number| (format!("key{number:03}"), json!("x"))).collect();
        let arn = [REPOSITORY.to_owned(), REPOSITORY.replace("Demo", "Second"), TRAIL.to_owned()][begin / 50].clone();
        tag(&world, &[&arn], &tags.into());
    }
    let first = world.ok("GetTagKeys", &json!({}));
    let second = world.ok("GetTagKeys", &json!({ "PaginationToken": first["PaginationToken"] }));
    let keys = |page: &Value| page["TagKeys"].as_array().expect("the value is a list").clone();
    assert_eq!((keys(&first).len(), keys(&second).len()), (100, 50));
    assert_eq!((keys(&first)[0].clone(), keys(&second)[0].clone()), (json!("key000"), json!("key100")));
    assert_eq!(second["PaginationToken"], "");
    let values = world.ok("GetTagValues", &json!({ "Key": "key010" }));
    assert_eq!(values["TagValues"], json!(["x"]));
}

#[test]
fn the_aws_cli_and_boto3_tag_list_and_untag() {
    let world = world();
    let cli = |arguments: &[&str]| world.aws(&[&["resourcegroupstaggingapi"], arguments].concat()).ok();
    cli(&["tag-resources", "--resource-arn-list", REPOSITORY, TRAIL, "--tags", "Team=blue,Stage=test"]);
    let query = ["--query", "ResourceTagMappingList[].ResourceARN", "--output", "text"];
    let blue = ["get-resources", "--tag-filters", "Key=Team,Values=blue", "--resource-type-filters", "codecommit"];
    assert_eq!(cli(&[&blue[..], &query].concat()), REPOSITORY);
    let keys = cli(&["get-tag-keys", "--query", "TagKeys", "--output", "text"]);
    assert_eq!(keys.split_whitespace().collect::<Vec<_>>(), ["Stage", "Team"]);
    cli(&["untag-resources", "--resource-arn-list", REPOSITORY, "--tag-keys", "Team"]);
    let program = "
import boto3
tagging = boto3.client('resourcegroupstaggingapi')
pages = list(tagging.get_paginator('get_resources').paginate(PaginationConfig={'PageSize': 1}))
print(len(pages), [item['ResourceARN'].split(':')[2] for page in pages for item in page['ResourceTagMappingList']])
print(tagging.get_tag_values(Key='Team')['TagValues'])
try:
    tagging.tag_resources(ResourceARNList=['arn:aws:iam::111122223333:role/x'], Tags={'a': 'b'})
except tagging.exceptions.InvalidParameterException as error:
    print(error)
";
    let printed = world.python(program).ok();
    let refused = "An error occurred (InvalidParameterException) when calling the TagResources operation: \
                   arn:aws:iam::111122223333:role/x is not a valid AmazonResourceName (ARN)";
    assert_eq!(printed.lines().collect::<Vec<_>>(), ["2 ['cloudtrail', 'codecommit']", "['blue']", refused]);
}

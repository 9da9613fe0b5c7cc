//! Tags of repositories, with raw requests and the SDK.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use tests::World;

const ARN: &str = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";

fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world
}

fn tags(world: &World) -> Value {
    world.ok("ListTagsForResource", &json!({ "resourceArn": ARN }))["tags"].clone()
}

fn tag(world: &World, tags: &Value) -> Value {
    world.call("TagResource", &json!({ "resourceArn": ARN, "tags": tags })).failure()["__type"].clone()
}

fn numbered(numbers: std::ops::Range<u32>) -> Value {
    numbers.map(|number| (format!("key{number:02}"), json!("value"))).collect::<Map<_, _>>().into()
}

#[test]
fn the_sdk_adds_lists_and_removes_tags() {
    let world = world();
    let sdk = world.sdk();
    world.run(sdk.tag_resource().resource_arn(ARN).tags("Team", "Saanvi").tags("Stage", "").send()).expect("they fit");
    let listed = world.run(sdk.list_tags_for_resource().resource_arn(ARN).send()).expect("the resource exists");
    let expected: HashMap<_, _> =
        [("Team", "Saanvi"), ("Stage", "")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    assert_eq!(listed.tags(), Some(&expected));
    assert_eq!(listed.next_token(), None);
    world.run(sdk.untag_resource().resource_arn(ARN).tag_keys("Team").tag_keys("Other").send()).expect("keys are free");
    assert_eq!(tags(&world), json!({ "Stage": "" }));
}

#[test]
fn fifty_tags_fit_and_one_more_does_not() {
    let world = world();
    assert_eq!(tag(&world, &numbered(0..50)), Value::Null);
    assert_eq!(tag(&world, &numbered(50..51)), "TooManyTagsException");
    assert_eq!(tags(&world).as_object().map(Map::len), Some(50));
    // An existing tag gets a new value and does not count again.
    assert_eq!(tag(&world, &json!({ "key00": "other" })), Value::Null);
    assert_eq!(tags(&world)["key00"], "other");
    world.ok("UntagResource", &json!({ "resourceArn": ARN, "tagKeys": ["key01"] }));
    assert_eq!(tag(&world, &numbered(50..51)), Value::Null);
}

#[test]
fn too_many_tags_are_refused_together() {
    let world = world();
    assert_eq!(tag(&world, &numbered(0..30)), Value::Null);
    assert_eq!(tag(&world, &numbered(20..51)), "TooManyTagsException");
    assert_eq!(tags(&world), numbered(0..30));
    let created = |count| {
        let input = json!({ "repositoryName": "MySecondRepo", "tags": numbered(0..count) });
        world.call("CreateRepository", &input).failure()["__type"].clone()
    };
    assert_eq!(created(51), "TooManyTagsException");
    assert_eq!(created(50), Value::Null);
}

#[test]
fn keys_and_values_are_measured_in_characters() {
    let world = world();
    assert_eq!(tag(&world, &json!({ "\u{e9}".repeat(128): "\u{e9}".repeat(256) })), Value::Null);
    assert_eq!(tag(&world, &json!({ "\u{e9}".repeat(129): "" })), "InvalidTagsMapException");
    assert_eq!(tag(&world, &json!({ "a": "\u{e9}".repeat(257) })), "InvalidTagsMapException");
    assert_eq!(tags(&world).as_object().map(Map::len), Some(1));
}

#[test]
fn keys_differ_by_case_and_those_of_aws_do_not() {
    let world = world();
    assert_eq!(tag(&world, &json!({ "Team": "a", "team": "b" })), Value::Null);
    assert_eq!(tags(&world), json!({ "Team": "a", "team": "b" }));
    for key in ["aws:", "aws:team", "AWS:team", "Aws:Team"] {
        assert_eq!(tag(&world, &json!({ key: "a" })), "InvalidSystemTagUsageException", "{key}");
    }
    assert_eq!(
        tag(&world, &json!({ "aws": "a", "my:aws:key": "b", "Key with blank = + - . _ : / @": "c" })),
        Value::Null
    );
}

#[test]
fn a_policy_refuses_values_and_keeps_its_keys() {
    let policy = BTreeMap::from([("Stage".to_owned(), vec!["test".to_owned(), "production".to_owned()])]);
    let world = World::with(|settings| settings.codecommit.simulate.tag_policy = policy);
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo", "tags": { "Stage": "test" } }));
    assert_eq!(tag(&world, &json!({ "Stage": "staging" })), "TagPolicyException");
    assert_eq!(tag(&world, &json!({ "Stage": "production", "Other": "staging" })), Value::Null);
    let untag = world.call("UntagResource", &json!({ "resourceArn": ARN, "tagKeys": ["Other", "Stage"] }));
    assert_eq!(untag.json()["__type"], "TagPolicyException");
    assert_eq!(tags(&world), json!({ "Stage": "production", "Other": "staging" }));
}

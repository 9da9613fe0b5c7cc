//! Partitions: in the regions of China and of AWS `GovCloud` every ARN and host name is of their partition.

use serde_json::{Value, json};
use tests::World;
use tests::sts::{Session, element, query_in};
use tests::wire::signed;

const MARY: &str = "AKIAIOSFODNN7EXAMPLE";

/// A declared role; the file has ARNs of the partition `aws` for all partitions.
const IDENTITIES: &str = r#"
    [[account]]
    id = "111122223333"

    [account.root]
    access_keys = ["AKIAEXAMPLEROOT00001"]

    [[account.role]]
    name = "Build"
    path = "/ci/"
    trusts = ["arn:aws:iam::111122223333:user/Mary_Major"]

    [[account.person]]
    name = "Ana"
    user_id = "94482488-3041-7055-2d63-8d98e7a2a9f0"
    identity_store_arn = "arn:aws:identitystore::111122223333:identitystore/d-1234567890"
    access_keys = ["AKIAEXAMPLEPERSON001"]
"#;

fn ok(world: &World, key: &str, region: &str, operation: &str, input: &Value) -> Value {
    let reply = world.call_as(operation, input, &[("authorization", &signed(key, region))]);
    assert_eq!(reply.status, 200, "{operation} in {region}: {}", reply.text());
    reply.json()
}

fn last(world: &World) -> Value {
    world.events().pop().expect("the call has a record")
}

/// Returns every ARN in a value with its origin.
fn arns(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("arn:") => found.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|value| arns(value, found)),
        Value::Object(members) => members.values().for_each(|value| arns(value, found)),
        _ => {}
    }
}

#[test]
fn every_arn_has_the_partition_of_the_region() {
    for (region, partition) in [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")] {
        let world = World::with_identities(IDENTITIES);
        let created = ok(&world, MARY, region, "CreateRepository", &json!({ "repositoryName": "demo" }));
        let metadata = &created["repositoryMetadata"];
        assert_eq!(metadata["Arn"], format!("arn:{partition}:codecommit:{region}:111122223333:demo"));
        let ssh = metadata["cloneUrlSsh"].as_str().expect("the member is a string");
        assert_eq!(ssh, format!("ssh://127.0.0.1/111122223333/{region}/v1/repos/demo"));
        assert_eq!(last(&world)["userIdentity"]["arn"], format!("arn:{partition}:iam::111122223333:user/Mary_Major"));
        let trail = json!({ "Name": "all-of-it", "S3BucketName": "bucket" });
        ok(&world, MARY, region, "CreateTrail", &trail);
        ok(&world, "AKIAEXAMPLEROOT00001", region, "DescribeTrails", &json!({}));
        assert_eq!(last(&world)["userIdentity"]["arn"], format!("arn:{partition}:iam::111122223333:root"));
        ok(&world, "AKIAEXAMPLEPERSON001", region, "ListRepositories", &json!({}));
        let person = last(&world)["userIdentity"].clone();
        assert_eq!(
            person["onBehalfOf"]["identityStoreArn"],
            format!("arn:{partition}:identitystore::111122223333:identitystore/d-1234567890")
        );

        let identity = query_in(&world, MARY, region, "GetCallerIdentity");
        assert_eq!(element(&identity, "Arn"), format!("arn:{partition}:iam::111122223333:user/Mary_Major"));
        let role = format!("arn:{partition}:iam::111122223333:role/ci/Build");
        let assumed = query_in(&world, MARY, region, &format!("AssumeRole&RoleArn={role}&RoleSessionName=build"));
        assert_eq!(element(&assumed, "Arn"), format!("arn:{partition}:sts::111122223333:assumed-role/Build/build"));
        assert_eq!(last(&world)["resources"][0]["ARN"], role);
        let session = Session::of(&assumed);
        let headers =
            [("authorization", signed(&session.key, region)), ("x-amz-security-token", session.token.clone())];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(world.call_as("ListRepositories", &json!({}), &headers).status, 200);
        assert_eq!(last(&world)["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"], role);
        let federated = query_in(&world, MARY, region, "GetFederationToken&Name=Saanvi");
        assert_eq!(element(&federated, "Arn"), format!("arn:{partition}:sts::111122223333:federated-user/Saanvi"));
        let other_partition = "AssumeRole&RoleArn=arn:aws:iam::111122223333:role/ci/Build&RoleSessionName=build";
        assert_eq!(element(&query_in(&world, MARY, region, other_partition), "Code"), "AccessDenied");
        let listed = world.send("GET", "/bucket?list-type=2", &[("authorization", &signed_for_s3(region))], b"");
        assert_eq!(listed.status, 200, "{}", listed.text());

        let mut found = Vec::new();
        let records = world.events();
        // The last ARN of another partition is in the refused call.
        let succeeded = records.iter().filter(|record| record["errorCode"].is_null());
        succeeded.for_each(|record| arns(record, &mut found));
        assert!(found.len() > 12, "{found:?}");
        let prefix = format!("arn:{partition}:");
        assert!(found.iter().all(|arn| arn.starts_with(&prefix)), "{found:?}");
    }
}

fn signed_for_s3(region: &str) -> String {
    signed(MARY, region).replace("/codecommit/", "/s3/")
}

#[test]
fn without_a_region_in_the_request_the_default_region_sets_the_partition() {
    let world =
        World::with(|settings| settings.region = "cn-northwest-1".parse().expect("the name is that of a region"));
    let created = world.ok("CreateRepository", &json!({ "repositoryName": "demo" }));
    assert_eq!(created["repositoryMetadata"]["Arn"], "arn:aws-cn:codecommit:cn-northwest-1:111122223333:demo");
    assert_eq!(last(&world)["userIdentity"]["arn"], "arn:aws-cn:iam::111122223333:user/Mary_Major");
    world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("demo"), "main"]).ok();
    assert_eq!(last(&world)["userIdentity"]["arn"], "arn:aws-cn:iam::111122223333:user/Mary_Major");
}

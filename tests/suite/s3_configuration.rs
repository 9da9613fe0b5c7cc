//! The configuration of buckets, as the AWS CLI, CDK and Terraform set and read it, with boto3.

use std::fs;

use serde_json::json;
use tests::World;

/// What each program begins with: a client, a bucket, and a function for a call that must fail.
const BEGIN: &str = r#"
import json, boto3
from botocore.exceptions import ClientError
s3 = boto3.client("s3")
s3.create_bucket(Bucket="my-logs")
b = dict(Bucket="my-logs")
def refused(code, call, status=None, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert status in (None, error.response["ResponseMetadata"]["HTTPStatusCode"]), error.response
        return error.response["Error"]["Message"]
    raise AssertionError(code)
"#;

#[test]
fn a_new_bucket_has_the_defaults_of_s3_and_its_errors_for_what_is_absent() {
    let world = World::new();
    let program = BEGIN.to_owned()
        + r#"
for code, call in [
    ("NoSuchBucketPolicy", s3.get_bucket_policy),
    ("NoSuchBucketPolicy", s3.get_bucket_policy_status),
    ("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration),
    ("NoSuchTagSet", s3.get_bucket_tagging),
    ("NoSuchCORSConfiguration", s3.get_bucket_cors),
    ("NoSuchWebsiteConfiguration", s3.get_bucket_website),
    ("ReplicationConfigurationNotFoundError", s3.get_bucket_replication),
    ("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration),
]:
    refused(code, call, status=404, **b)
block = s3.get_public_access_block(**b)["PublicAccessBlockConfiguration"]
assert set(block.values()) == {True} and len(block) == 4, block
assert s3.get_bucket_ownership_controls(**b)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
rule = s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]
assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, rule
assert "Status" not in s3.get_bucket_versioning(**b) and "LoggingEnabled" not in s3.get_bucket_logging(**b)
assert s3.get_bucket_request_payment(**b)["Payer"] == "BucketOwner"
assert "Status" not in s3.get_bucket_accelerate_configuration(**b)
s3.get_bucket_notification_configuration(**b)
acl = s3.get_bucket_acl(**b)
assert acl["Grants"] == [dict(Grantee=dict(ID=acl["Owner"]["ID"], Type="CanonicalUser"), Permission="FULL_CONTROL")], acl
refused("NoSuchBucket", s3.get_bucket_policy, status=404, Bucket="no-such-bucket")
"#;
    world.python(&program).ok();
}

#[test]
fn what_is_put_is_kept_over_a_restart_and_can_be_deleted() {
    let mut world = World::new();
    let program = BEGIN.to_owned()
        + r#"
tags = dict(TagSet=[dict(Key="team", Value="blue"), dict(Key="<&>", Value="")])
s3.put_bucket_tagging(**b, Tagging=tags)
s3.put_bucket_versioning(**b, VersioningConfiguration=dict(Status="Enabled"))
s3.put_bucket_encryption(**b, ServerSideEncryptionConfiguration=dict(Rules=[dict(
    ApplyServerSideEncryptionByDefault=dict(SSEAlgorithm="aws:kms", KMSMasterKeyID="alias/logs"), BucketKeyEnabled=True)]))
put = s3.put_object(**b, Key="k", Body=b"")
assert (put["ServerSideEncryption"], put["SSEKMSKeyId"]) == ("aws:kms", "alias/logs"), put
s3.put_public_access_block(**b, PublicAccessBlockConfiguration=dict(BlockPublicAcls=True))
s3.put_bucket_ownership_controls(**b, OwnershipControls=dict(Rules=[dict(ObjectOwnership="BucketOwnerPreferred")]))
s3.put_bucket_acl(**b, ACL="log-delivery-write")
s3.put_object(**b, Key="k", Body=b"", ACL="public-read")
s3.put_bucket_logging(**b, BucketLoggingStatus=dict(LoggingEnabled=dict(TargetBucket="my-logs", TargetPrefix="access/")))
refused("InvalidTargetBucketForLogging", s3.put_bucket_logging, **b,
    BucketLoggingStatus=dict(LoggingEnabled=dict(TargetBucket="no-such-bucket", TargetPrefix="")))
s3.put_bucket_cors(**b, CORSConfiguration=dict(CORSRules=[dict(AllowedMethods=["GET"], AllowedOrigins=["*"])]))
lifecycle = [dict(ID="old", Status="Enabled", Filter=dict(Prefix="AWSLogs/"), Expiration=dict(Days=365),
    Transitions=[dict(Days=90, StorageClass="GLACIER")]),
    dict(Status="Disabled", Filter=dict(And=dict(Prefix="a", Tags=[dict(Key="t", Value="v")])), AbortIncompleteMultipartUpload=dict(DaysAfterInitiation=7))]
s3.put_bucket_lifecycle_configuration(**b, LifecycleConfiguration=dict(Rules=lifecycle))
refused("InvalidArgument", s3.put_bucket_lifecycle_configuration, **b, LifecycleConfiguration=dict(Rules=[dict(lifecycle[0], Expiration=dict(Days=90))]))
refused("InvalidRequest", s3.put_bucket_lifecycle_configuration, **b, LifecycleConfiguration=dict(Rules=[dict(Status="Enabled", Filter=dict(Prefix=""))]))
refused("InvalidTag", s3.put_bucket_tagging, **b, Tagging=dict(TagSet=[dict(Key="a", Value=""), dict(Key="a", Value="")]))
"#;
    world.python(&program).ok();
    world.restart();
    let program = BEGIN.to_owned()
        + r#"
assert s3.get_bucket_tagging(**b)["TagSet"] == [dict(Key="team", Value="blue"), dict(Key="<&>", Value="")]
assert s3.get_bucket_versioning(**b)["Status"] == "Enabled"
rule = s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]
assert rule["BucketKeyEnabled"] and rule["ApplyServerSideEncryptionByDefault"] == dict(SSEAlgorithm="aws:kms", KMSMasterKeyID="alias/logs"), rule
block = s3.get_public_access_block(**b)["PublicAccessBlockConfiguration"]
assert block == dict(BlockPublicAcls=True, IgnorePublicAcls=False, BlockPublicPolicy=False, RestrictPublicBuckets=False), block
assert s3.get_bucket_ownership_controls(**b)["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerPreferred"}]
assert [grant["Permission"] for grant in s3.get_bucket_acl(**b)["Grants"]] == ["FULL_CONTROL", "WRITE", "READ_ACP"]
assert s3.get_bucket_logging(**b)["LoggingEnabled"]["TargetPrefix"] == "access/"
assert s3.get_bucket_cors(**b)["CORSRules"] == [dict(AllowedMethods=["GET"], AllowedOrigins=["*"])]
got = s3.get_bucket_lifecycle_configuration(**b)
assert got["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K", got
old, other = got["Rules"]
assert (old["ID"], old["Filter"], old["Expiration"], old["Transitions"]) == ("old", dict(Prefix="AWSLogs/"), dict(Days=365), [dict(Days=90, StorageClass="GLACIER")]), old
assert other["ID"] and other["Filter"] == dict(And=dict(Prefix="a", Tags=[dict(Key="t", Value="v")])), other
for delete in (s3.delete_bucket_tagging, s3.delete_bucket_encryption, s3.delete_public_access_block, s3.delete_bucket_ownership_controls,
    s3.delete_bucket_cors, s3.delete_bucket_lifecycle, s3.delete_bucket_policy):
    delete(**b)
refused("NoSuchTagSet", s3.get_bucket_tagging, **b)
refused("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, status=404, **b)
refused("OwnershipControlsNotFoundError", s3.get_bucket_ownership_controls, status=404, **b)
refused("NoSuchCORSConfiguration", s3.get_bucket_cors, **b)
refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, **b)
rule = s3.get_bucket_encryption(**b)["ServerSideEncryptionConfiguration"]["Rules"][0]
assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}, rule
assert [item["Key"] for item in s3.list_objects_v2(**b)["Contents"]] == ["k"]
"#;
    world.python(&program).ok();
    let events = world.events();
    let named = |name: &str| {
        let event = events.iter().find(|event| event["eventName"] == name);
        event.unwrap_or_else(|| panic!("there is no event {name}"))
    };
    for name in [
        "PutBucketLifecycle",
        "PutBucketPublicAccessBlock",
        "DeleteBucketLifecycle",
        "PutBucketTagging",
        "GetBucketCors",
    ] {
        assert_eq!(named(name)["requestParameters"]["bucketName"], "my-logs", "{name}");
        assert_eq!(named(name)["resources"][0]["type"], "AWS::S3::Bucket", "{name}");
    }
    assert_eq!(named("PutBucketTagging")["requestParameters"]["tagging"], json!(""));
    let own = world.folder().join("data/buckets/my-logs/.metadata/.metadata/bucket.json");
    assert!(fs::metadata(own).is_ok());
}

#[test]
fn a_policy_is_checked_and_kept_as_it_was_put() {
    let world = World::new();
    let program = BEGIN.to_owned()
        + r#"
def policy(**statement):
    one = dict(Effect="Allow", Principal=dict(Service="cloudtrail.amazonaws.com"), Action="s3:GetBucketAcl", Resource="arn:aws:s3:::my-logs")
    return json.dumps(dict(Version="2012-10-17", Statement=[dict(one, **statement)]), indent=3)
text = policy()
s3.put_bucket_policy(**b, Policy=text)
assert s3.get_bucket_policy(**b)["Policy"] == text
assert s3.get_bucket_policy_status(**b)["PolicyStatus"] == dict(IsPublic=False)
for wrong, message in [
    ("no JSON", "Policies must be valid JSON"),
    (policy(Resource="arn:aws:s3:::other"), "Policy has invalid resource"),
    (policy(Resource="arn:aws:s3:::my-logs-too/*"), "Policy has invalid resource"),
    (policy(Principal=dict(AWS="nobody")), "Invalid principal in policy"),
    (policy(Effect="Perhaps"), "Syntax errors in policy"),
]:
    got = refused("MalformedPolicy", s3.put_bucket_policy, status=400, **b, Policy=wrong)
    assert message in got, (wrong, got)
public = policy(Principal="*", Action="s3:GetObject", Resource="arn:aws:s3:::my-logs/*")
refused("AccessDenied", s3.put_bucket_policy, status=403, **b, Policy=public)
s3.delete_public_access_block(**b)
s3.put_bucket_policy(**b, Policy=public)
assert s3.get_bucket_policy_status(**b)["PolicyStatus"] == dict(IsPublic=True)
s3.delete_bucket_policy(**b)
refused("NoSuchBucketPolicy", s3.get_bucket_policy, **b)
"#;
    world.python(&program).ok();
}

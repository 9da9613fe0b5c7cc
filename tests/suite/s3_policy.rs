//! Permissions for changes through the S3 endpoint, and the policies of buckets, in enforced access.

use std::process::Command;

use serde_json::{Value, json};
use server::settings::{Access, AccessKey, SecretKey};
use tests::World;
use tests::clients::{Outcome, outcome, python_environment};

const ROOT: (&str, &str) = ("AKIAADMINISTRATOR000", "the secret of the administrator");
const SECRET: &str = "the secret of a user of the test";

/// Starts a server in which policies decide, with the users Mary, who may read and write objects, and Bob, who may do nothing.
fn world() -> World {
    let statements = json!([{ "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::my-logs*" }]);
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let user = |name: &str, more: &str| {
        format!(
            "[[account.user]]\nname = \"{name}\"\naccess_keys = [{{ id = \"{}\", secret = \"{SECRET}\" }}]\n{more}\n",
            key(name)
        )
    };
    let policies = format!("policies = [{{ name = \"test\", document = '''{document}''' }}]");
    let file = format!("[[account]]\nid = \"111122223333\"\n\n{}{}", user("Mary", &policies), user("Bob", ""));
    World::with(|settings| {
        let data = settings.data_dir.as_ref().expect("the harness sets a data folder");
        let path = data.with_file_name("identities.toml");
        std::fs::write(&path, file).expect("the folder is writable");
        settings.identities = Some(path);
        settings.access = Access::Enforced;
        settings.max_clock_skew = None;
        settings.administrator = Some(AccessKey { id: ROOT.0.to_owned(), secret: SecretKey::new(ROOT.1) });
    })
}

fn key(name: &str) -> String {
    format!("AKIA{:A<16}", name.to_uppercase())
}

fn aws(world: &World, user: &str, arguments: &[&str]) -> Outcome {
    let (id, secret) = if user == "root" { (ROOT.0.to_owned(), ROOT.1) } else { (key(user), SECRET) };
    let mut command: Command = python_environment("aws", world.folder(), &world.endpoint());
    outcome(command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret).args(arguments))
}

fn put_policy(world: &World, statements: &Value) {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    aws(world, "root", &["s3api", "put-bucket-policy", "--bucket", "my-logs", "--policy", &policy]).ok();
}

#[test]
fn every_change_needs_its_permission_and_signed_content_is_compared_with_its_hash() {
    let world = world();
    aws(&world, "root", &["s3", "mb", "s3://my-logs"]).ok();
    std::fs::write(world.folder().join("file"), "content").expect("the folder is writable");
    aws(&world, "Mary", &["s3", "cp", "file", "s3://my-logs/a"]).ok();
    aws(&world, "Mary", &["s3", "cp", "s3://my-logs/a", "s3://my-logs/b"]).ok();
    for (arguments, action) in [
        (&["s3", "rm", "s3://my-logs/a"][..], "s3:DeleteObject on resource: arn:aws:s3:::my-logs/a"),
        (&["s3", "mb", "s3://another"], "s3:CreateBucket"),
        (&["s3", "rb", "s3://my-logs"], "s3:DeleteBucket"),
        (&["s3api", "get-bucket-policy", "--bucket", "my-logs"], "s3:GetBucketPolicy"),
        (
            &["s3api", "put-bucket-versioning", "--bucket", "my-logs", "--versioning-configuration", "Status=Enabled"],
            "s3:PutBucketVersioning",
        ),
        (&["s3api", "get-public-access-block", "--bucket", "my-logs"], "s3:GetBucketPublicAccessBlock"),
        (&["s3api", "delete-bucket-lifecycle", "--bucket", "my-logs"], "s3:PutLifecycleConfiguration"),
        (&["s3api", "list-object-versions", "--bucket", "my-logs"], "s3:ListBucketVersions"),
        (
            &["s3api", "get-object-attributes", "--bucket", "my-logs", "--key", "a", "--object-attributes", "ETag"],
            "s3:GetObjectAttributes on resource: arn:aws:s3:::my-logs/a",
        ),
        (
            &["s3api", "copy-object", "--bucket", "my-logs", "--key", "c", "--copy-source", "codecommit-local-trail/a"],
            "s3:GetObject on resource: arn:aws:s3:::codecommit-local-trail/a",
        ),
    ] {
        let refused = aws(&world, "Mary", arguments).failed();
        assert!(refused.contains("AccessDenied") && refused.contains(action), "{arguments:?}: {refused}");
    }
    let deleted =
        aws(&world, "Mary", &["s3api", "delete-objects", "--bucket", "my-logs", "--delete", "Objects=[{Key=a}]"]).ok();
    assert!(deleted.contains("AccessDenied") && deleted.contains("s3:DeleteObject"), "{deleted}");
    assert_eq!(world.last_event()["eventName"], "DeleteObjects");
    let got = aws(&world, "Mary", &["s3", "cp", "s3://my-logs/b", "-"]).ok();
    assert_eq!(got, "content");
}

#[test]
fn the_policy_of_a_bucket_allows_and_denies() {
    let world = world();
    aws(&world, "root", &["s3", "mb", "s3://my-logs"]).ok();
    std::fs::write(world.folder().join("file"), "content").expect("the folder is writable");
    let put = |user: &str, key: &str| aws(&world, user, &["s3", "cp", "file", &format!("s3://my-logs/{key}")]);
    assert!(
        put("Bob", "shared/a").failed().contains("because no identity-based policy allows the s3:PutObject action")
    );
    let bob = json!({ "AWS": "arn:aws:iam::111122223333:user/Bob" });
    put_policy(
        &world,
        &json!([
            { "Effect": "Allow", "Principal": bob, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::my-logs/shared/*" },
            { "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::my-logs/closed/*" },
        ]),
    );
    put("Bob", "shared/a").ok();
    assert!(put("Bob", "other").failed().contains("AccessDenied"));
    put("Mary", "other").ok();
    for user in ["Mary", "root"] {
        let refused = put(user, "closed/a").failed();
        assert!(refused.contains("with an explicit deny in a resource-based policy"), "{refused}");
    }
    // The root of the owner can repair a policy that locks everybody out.
    put_policy(
        &world,
        &json!([{ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::my-logs", "arn:aws:s3:::my-logs/*"] }]),
    );
    assert!(put("root", "a").failed().contains("explicit deny"));
    aws(&world, "root", &["s3api", "delete-bucket-policy", "--bucket", "my-logs"]).ok();
    put("root", "a").ok();
    // The attributes of an object are for those who may read it.
    let operation = ["s3api", "get-object-attributes", "--bucket", "my-logs", "--key", "shared/a"];
    let attributes = || aws(&world, "Bob", &[&operation[..], &["--object-attributes", "ObjectSize"]].concat());
    let shared = |actions: &Value| {
        put_policy(
            &world,
            &json!([{ "Effect": "Allow", "Principal": bob, "Action": actions, "Resource": "arn:aws:s3:::my-logs/shared/*" }]),
        );
    };
    shared(&json!("s3:GetObjectAttributes"));
    let refused = attributes().failed();
    assert!(refused.contains("s3:GetObject on resource: arn:aws:s3:::my-logs/shared/a"), "{refused}");
    shared(&json!(["s3:GetObjectAttributes", "s3:GetObject"]));
    assert!(attributes().ok().contains("\"ObjectSize\": 7"));
}

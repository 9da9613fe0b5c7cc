//! Enforced access: policies decide about the API, Git and S3, refusals are recorded, and nothing tells what exists.

use serde_json::{Value, json};
use server::settings::{Access, AccessKey, SecretKey};
use tests::World;
use tests::clients::{outcome, python_environment};

const ROOT: (&str, &str) = ("AKIAADMINISTRATOR000", "the secret of the administrator");
const SECRET: &str = "the secret of a user of the test";

/// Starts a server in which policies decide. `users` has the members of each user's declaration, such as its policies.
fn world(users: &[(&str, &str)]) -> World {
    let declare = |(name, members): &(&str, &str)| {
        format!(
            "[[account.user]]\nname = \"{name}\"\naccess_keys = [{{ id = \"{}\", secret = \"{SECRET}\" }}]\n\
             git_credentials = [{{ password = \"password of {name}\" }}]\n{members}\n\n",
            key(name)
        )
    };
    let file = format!("[[account]]\nid = \"111122223333\"\n\n{}", users.iter().map(declare).collect::<String>());
    World::with(|settings| {
        settings.git.offers = git::Offers::FULL;
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

/// Returns the member `policies` with one inline policy of these statements.
fn policy(statements: &Value) -> String {
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    format!("policies = [{{ name = \"test\", document = '''{document}''' }}]")
}

fn call(world: &World, user: &str, operation: &str, input: &Value) -> Value {
    let (id, secret) = if user == "root" { (ROOT.0.to_owned(), ROOT.1) } else { (key(user), SECRET) };
    let key = tests::signing::AccessKey { id: &id, secret };
    let target = tests::model::target(operation);
    world.call_signed(key, &target, "us-east-1", &[], input.to_string().as_bytes()).json()
}

/// Calls an operation and returns the message of its denial; fails the test if it is not denied and recorded so.
fn denied(world: &World, user: &str, operation: &str, input: &Value) -> String {
    let reply = call(world, user, operation, input);
    assert_eq!(reply["__type"], "AccessDeniedException", "{user} {operation} {input}: {reply}");
    let message = reply["message"].as_str().or(reply["Message"].as_str()).expect("a denial has a message").to_owned();
    let record = world.last_event();
    assert_eq!(
        [&record["eventName"], &record["errorCode"], &record["errorMessage"], &record["requestParameters"]],
        [&json!(operation), &json!("AccessDenied"), &json!(message), &Value::Null]
    );
    message
}

fn allowed(world: &World, user: &str, operation: &str, input: &Value) -> Value {
    let reply = call(world, user, operation, input);
    assert!(reply.get("__type").is_none(), "{user} {operation} {input}: {reply}");
    reply
}

/// Returns the URL of a repository with the Git credentials of a user.
fn url(world: &World, user: &str) -> String {
    let password = format!("password%20of%20{user}");
    let url = world.repository_url("MyDemoRepo");
    url.replacen("http://", &format!("http://{user}-at-111122223333:{password}@"), 1)
}

fn repository(world: &World) -> Value {
    allowed(world, "root", "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }))
}

/// The policy of the user guide that limits pushes and merges to branches, for the account and region of the tests.
fn limit_pushes() -> Value {
    json!([
        { "Effect": "Allow", "Action": "codecommit:*", "Resource": "*" },
        {
            "Effect": "Deny",
            "Action": [
                "codecommit:GitPush", "codecommit:DeleteBranch", "codecommit:PutFile",
                "codecommit:MergeBranchesByFastForward", "codecommit:MergeBranchesBySquash",
                "codecommit:MergeBranchesByThreeWay", "codecommit:MergePullRequestByFastForward",
                "codecommit:MergePullRequestBySquash", "codecommit:MergePullRequestByThreeWay"
            ],
            "Resource": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo",
            "Condition": {
                "StringEqualsIfExists": { "codecommit:References": ["refs/heads/main", "refs/heads/prod"] },
                "Null": { "codecommit:References": "false" }
            }
        }
    ])
}

#[test]
fn a_caller_without_rights_cannot_tell_what_exists() {
    let world = world(&[("Nobody", ""), ("Reader", "policies = [\"AWSCodeCommitReadOnly\"]")]);
    repository(&world);
    let message = |name: &str| {
        let message = denied(&world, "Nobody", "GetRepository", &json!({ "repositoryName": name }));
        message.replace(name, "NAME")
    };
    assert_eq!(message("MyDemoRepo"), message("Other"));
    assert_eq!(
        message("Other"),
        "User: arn:aws:iam::111122223333:user/Nobody is not authorized to perform: codecommit:GetRepository on resource: \
         arn:aws:codecommit:us-east-1:111122223333:NAME because no identity-based policy allows the \
         codecommit:GetRepository action"
    );
    let pull_request = |id: &str| denied(&world, "Nobody", "GetPullRequest", &json!({ "pullRequestId": id }));
    assert_eq!(pull_request("1"), pull_request("2"));
    // A request that is not valid does not reveal more.
    denied(&world, "Nobody", "GetRepository", &json!({}));
    let reply = call(&world, "Reader", "GetRepository", &json!({}));
    assert_eq!(reply["__type"], "RepositoryNameRequiredException");
    let reply = call(&world, "Reader", "GetRepository", &json!({ "repositoryName": "Other" }));
    assert_eq!(reply["__type"], "RepositoryDoesNotExistException");
    denied(&world, "Reader", "DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    allowed(&world, "root", "DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
}

#[test]
fn one_denied_reference_of_a_push_leaves_the_others() {
    let world = world(&[("Dev", &policy(&limit_pushes())), ("Admin", "policies = [\"AdministratorAccess\"]")]);
    repository(&world);
    world.git_repository("work");
    let admin = url(&world, "Admin");
    world.git("work", &["push", &admin, "HEAD:refs/heads/main"]).ok();
    world.git("work", &["commit", "--allow-empty", "-m", "next"]).ok();
    let pushed = world.git("work", &["push", &url(&world, "Dev"), "HEAD:refs/heads/main", "HEAD:refs/heads/dev"]);
    let shown = pushed.failed();
    assert!(
        shown.contains("! [remote rejected] HEAD -> main (You don't have permission to push changes to this branch.)")
            && shown.contains("* [new branch]      HEAD -> dev"),
        "{shown}"
    );
    let record = world.last_event();
    assert_eq!(record["errorCode"], "AccessDenied");
    assert_eq!(
        record["errorMessage"],
        "User: arn:aws:iam::111122223333:user/Dev is not authorized to perform: codecommit:GitPush on resource: \
         arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo with an explicit deny in an identity-based policy"
    );
    assert_eq!(record["requestParameters"]["references"].as_array().map(Vec::len), Some(2), "{record}");
    let branches = allowed(&world, "Admin", "ListBranches", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(branches["branches"], json!(["dev", "main"]));
    let atomic = ["push", "--atomic", &url(&world, "Dev"), "HEAD:refs/heads/main", "HEAD:refs/heads/two"];
    let shown = world.git("work", &atomic).failed();
    assert!(shown.contains("HEAD -> two (atomic push failed)"), "{shown}");
    let branches = allowed(&world, "Admin", "ListBranches", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(branches["branches"], json!(["dev", "main"]), "an atomic push moves nothing");
    for (operation, input) in [
        ("DeleteBranch", json!({ "repositoryName": "MyDemoRepo", "branchName": "main" })),
        (
            "MergeBranchesByFastForward",
            json!({
                "repositoryName": "MyDemoRepo", "sourceCommitSpecifier": "dev", "destinationCommitSpecifier": "main"
            }),
        ),
    ] {
        denied(&world, "Dev", operation, &input);
    }
    let create = json!({
        "title": "A change",
        "targets": [{ "repositoryName": "MyDemoRepo", "sourceReference": "dev", "destinationReference": "main" }]
    });
    let created = allowed(&world, "Dev", "CreatePullRequest", &create);
    let id = &created["pullRequest"]["pullRequestId"];
    let merge = json!({ "pullRequestId": id, "repositoryName": "MyDemoRepo" });
    denied(&world, "Dev", "MergePullRequestByFastForward", &merge);
    allowed(&world, "Admin", "MergePullRequestByFastForward", &merge);
    allowed(&world, "Dev", "DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "dev" }));
}

#[test]
fn a_branch_is_allowed_by_its_name_alone() {
    let on_dev = json!([
        { "Effect": "Allow", "Action": ["codecommit:GitPull", "codecommit:Get*"], "Resource": "*" },
        {
            "Effect": "Allow",
            "Action": ["codecommit:CreateBranch", "codecommit:MergePullRequest*", "codecommit:CreateCommit"],
            "Resource": "*",
            "Condition": { "StringEquals": { "codecommit:References": "refs/heads/dev" } }
        }
    ]);
    let world = world(&[("Dev", &policy(&on_dev)), ("Admin", "policies = [\"AdministratorAccess\"]")]);
    repository(&world);
    world.git_repository("work");
    world.git("work", &["push", &url(&world, "Admin"), "HEAD:refs/heads/main", "HEAD:refs/heads/one"]).ok();
    let commit = world.git("work", &["rev-parse", "HEAD"]).ok().trim().to_owned();
    let branch = |name: &str| json!({ "repositoryName": "MyDemoRepo", "branchName": name, "commitId": commit });
    denied(&world, "Dev", "CreateBranch", &branch("prod"));
    allowed(&world, "Dev", "CreateBranch", &branch("dev"));
    let commit_to = |name: &str| {
        json!({
            "repositoryName": "MyDemoRepo", "branchName": name, "parentCommitId": commit,
            "putFiles": [{ "filePath": "a.txt", "fileContent": "YQ==" }]
        })
    };
    denied(&world, "Dev", "CreateCommit", &commit_to("main"));
    allowed(&world, "Dev", "CreateCommit", &commit_to("dev"));
    let shown = world.git("work", &["push", &url(&world, "Dev"), "HEAD:refs/heads/dev"]).failed();
    assert!(shown.contains("The requested URL returned error: 403"), "{shown}");
    let fetched = world.git("work", &["ls-remote", &url(&world, "Dev")]);
    assert!(fetched.ok().contains("refs/heads/dev"));
}

#[test]
fn a_denied_clone_is_told_why_and_recorded() {
    let world = world(&[("Nobody", "")]);
    repository(&world);
    let refused = world.git(".", &["ls-remote", &url(&world, "Nobody")]).failed();
    let message = "User: arn:aws:iam::111122223333:user/Nobody is not authorized to perform: codecommit:GitPull on resource: \
                   arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo because no identity-based policy allows the \
                   codecommit:GitPull action";
    assert!(refused.contains(&format!("remote: {message}")), "{refused}");
    assert!(refused.contains("The requested URL returned error: 403"), "{refused}");
    let record = world.last_event();
    assert_eq!(
        [&record["eventName"], &record["errorCode"], &record["errorMessage"]],
        [&json!("GitPull"), &json!("AccessDenied"), &json!(message)]
    );
}

#[test]
fn tags_of_repositories_and_requests_are_facts() {
    let statements = json!([
        { "Effect": "Allow", "Action": "codecommit:*", "Resource": "*" },
        {
            "Effect": "Deny", "Action": "codecommit:*", "Resource": "*",
            "Condition": { "StringEquals": { "aws:ResourceTag/Status": "Secret" } }
        },
        {
            "Effect": "Deny", "Action": "codecommit:CreateRepository", "Resource": "*",
            "Condition": { "Null": { "aws:RequestTag/Team": "true" } }
        }
    ]);
    let world = world(&[("Dev", &policy(&statements))]);
    denied(&world, "Dev", "CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let create = json!({ "repositoryName": "MyDemoRepo", "tags": { "Team": "Blue" } });
    allowed(&world, "Dev", "CreateRepository", &create);
    let arn = "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo";
    allowed(&world, "Dev", "TagResource", &json!({ "resourceArn": arn, "tags": { "Status": "Secret" } }));
    denied(&world, "Dev", "GetRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let refused = world.git(".", &["ls-remote", &url(&world, "Dev")]).failed();
    assert!(refused.contains("with an explicit deny in an identity-based policy"), "{refused}");
}

#[test]
fn batches_are_denied_as_a_whole() {
    let one = json!([{
        "Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"
    }]);
    let world = world(&[("Dev", &policy(&one))]);
    repository(&world);
    allowed(&world, "root", "CreateRepository", &json!({ "repositoryName": "Other" }));
    allowed(&world, "Dev", "BatchGetRepositories", &json!({ "repositoryNames": ["MyDemoRepo"] }));
    denied(&world, "Dev", "BatchGetRepositories", &json!({ "repositoryNames": ["MyDemoRepo", "Other"] }));
    denied(&world, "Dev", "UpdateRepositoryName", &json!({ "oldName": "MyDemoRepo", "newName": "New" }));
    denied(&world, "Dev", "ListRepositories", &json!({}));
    allowed(
        &world,
        "root",
        "CreateApprovalRuleTemplate",
        &json!({
            "approvalRuleTemplateName": "two",
            "approvalRuleTemplateContent": "{\"Version\":\"2018-11-08\",\"Statements\":[{\"Type\":\"Approvers\",\"NumberOfApprovalsNeeded\":2}]}"
        }),
    );
    let batch = json!({ "approvalRuleTemplateName": "two", "repositoryNames": ["MyDemoRepo", "Other"] });
    denied(&world, "Dev", "BatchAssociateApprovalRuleTemplateWithRepositories", &batch);
    let listed = allowed(
        &world,
        "root",
        "ListRepositoriesForApprovalRuleTemplate",
        &json!({ "approvalRuleTemplateName": "two" }),
    );
    assert_eq!(listed["repositoryNames"], json!([]), "nothing was changed");
}

#[test]
fn trails_tags_and_buckets_are_under_policies() {
    let reads = json!([
        { "Effect": "Allow", "Action": ["cloudtrail:LookupEvents", "tag:GetResources"], "Resource": "*" },
        { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::codecommit-local-trail" }
    ]);
    let world = world(&[("Auditor", &policy(&reads))]);
    allowed(&world, "Auditor", "LookupEvents", &json!({}));
    let message = denied(&world, "Auditor", "GetTrailStatus", &json!({ "Name": "codecommit-local" }));
    assert!(
        message.contains("on resource: arn:aws:cloudtrail:us-east-1:111122223333:trail/codecommit-local"),
        "{message}"
    );
    denied(&world, "Auditor", "GetTrailStatus", &json!({ "Name": "another" }));
    denied(&world, "Auditor", "StopLogging", &json!({ "Name": "codecommit-local" }));
    denied(&world, "Auditor", "DescribeTrails", &json!({}));
    allowed(&world, "Auditor", "GetResources", &json!({}));
    denied(&world, "Auditor", "GetTagKeys", &json!({}));
    let aws = |arguments: &[&str]| {
        let mut command = python_environment("aws", world.folder(), &world.endpoint());
        let command = command.env("AWS_ACCESS_KEY_ID", key("Auditor")).env("AWS_SECRET_ACCESS_KEY", SECRET);
        outcome(command.args(arguments))
    };
    let bucket = allowed(&world, "root", "DescribeTrails", &json!({}))["trailList"][0]["S3BucketName"].clone();
    let bucket = bucket.as_str().expect("the trail has a bucket").to_owned();
    assert_eq!(bucket, "codecommit-local-trail");
    aws(&["s3api", "list-objects-v2", "--bucket", &bucket]).ok();
    let refused = aws(&["s3api", "get-object", "--bucket", &bucket, "--key", "any", "/dev/null"]).failed();
    assert!(refused.contains("AccessDenied") && refused.contains("s3:GetObject"), "{refused}");
    let refused = aws(&["s3api", "list-buckets"]).failed();
    assert!(refused.contains("s3:ListAllMyBuckets"), "{refused}");
    let record = world.last_event();
    assert_eq!([&record["eventName"], &record["errorCode"]], [&json!("ListBuckets"), &json!("AccessDenied")]);
}

#[test]
fn a_role_is_assumed_as_its_trust_and_the_policies_of_the_caller_say() {
    let file = "
[[account.role]]
name = \"Developer\"
policies = [\"AWSCodeCommitPowerUser\"]
trust_policy = '''{ \"Version\": \"2012-10-17\", \"Statement\": {
    \"Effect\": \"Allow\", \"Principal\": { \"AWS\": \"arn:aws:iam::111122223333:root\" }, \"Action\": \"sts:AssumeRole\"
} }'''
";
    let may_assume = policy(&json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*" }]));
    let world = world(&[("Dev", &may_assume), ("Nobody", file)]);
    repository(&world);
    let program = |user: &str, more: &str| {
        format!(
            "
import boto3, json
from botocore.exceptions import ClientError
session = boto3.Session(aws_access_key_id='{}', aws_secret_access_key={SECRET:?})
try:
    got = session.client('sts').assume_role(RoleArn='arn:aws:iam::111122223333:role/Developer', RoleSessionName='one'{more})
    key = got['Credentials']
    client = boto3.client('codecommit', aws_access_key_id=key['AccessKeyId'], aws_secret_access_key=key['SecretAccessKey'],
                          aws_session_token=key['SessionToken'])
    client.get_repository(repositoryName='MyDemoRepo')
    print('read')
    client.delete_repository(repositoryName='MyDemoRepo')
except ClientError as error:
    print(error.response['Error']['Code'], error.response['Error']['Message'])
",
            key(user)
        )
    };
    let run = |user: &str, more: &str| world.python(&program(user, more)).ok();
    assert_eq!(
        run("Dev", ""),
        "read\nAccessDeniedException User: arn:aws:sts::111122223333:assumed-role/Developer/one is not authorized to perform: \
         codecommit:DeleteRepository on resource: arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo because no \
         identity-based policy allows the codecommit:DeleteRepository action"
    );
    let denied = "AccessDenied User: arn:aws:iam::111122223333:user/Nobody is not authorized to perform: sts:AssumeRole on resource: \
                  arn:aws:iam::111122223333:role/Developer";
    assert_eq!(run("Nobody", ""), denied);
    let record = world.last_event();
    assert_eq!([&record["eventName"], &record["errorCode"]], [&json!("AssumeRole"), &json!("AccessDenied")]);
    let none = ", Policy='{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}'";
    assert!(run("Dev", none).contains("because no session policy allows the codecommit:GetRepository action"));
    let malformed = ", Policy='{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3\",\"Resource\":\"*\"}]}'";
    assert!(run("Dev", malformed).starts_with("MalformedPolicyDocument"), "{}", run("Dev", malformed));
}

#[test]
fn the_address_behind_a_trusted_proxy_is_a_fact() {
    let statements = json!([
        { "Effect": "Allow", "Action": "codecommit:*", "Resource": "*" },
        {
            "Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": { "NotIpAddress": { "aws:SourceIp": "203.0.113.0/24" } }
        }
    ]);
    let mut world = world(&[("Dev", &policy(&statements))]);
    world.restart_with(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().expect("the network is valid")];
    });
    let list = |address: &str| {
        let key = tests::signing::AccessKey { id: &key("Dev"), secret: SECRET };
        let target = tests::model::target("ListRepositories");
        world.call_signed(key, &target, "us-east-1", &[("x-forwarded-for", address)], b"{}").status
    };
    assert_eq!((list("203.0.113.7"), list("198.51.100.7")), (200, 400));
}

#[test]
fn a_denied_session_of_ssh_is_told_why_and_recorded() {
    let world = World::with_ssh(|settings| {
        settings.access = Access::Enforced;
        settings.max_clock_skew = None;
        settings.administrator = Some(AccessKey { id: ROOT.0.to_owned(), secret: SecretKey::new(ROOT.1) });
    });
    repository(&world);
    let url = world.ssh_url("MyDemoRepo");
    let message = "User: arn:aws:iam::111122223333:user/Li_Juan is not authorized to perform: codecommit:GitPull on resource: \
                   arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo because no identity-based policy allows the \
                   codecommit:GitPull action";
    let shown = world.git_over_ssh("git", "declared", ".", &["ls-remote", &url]).failed();
    assert!(shown.contains(&format!("Access denied: {message}")), "{shown}");
    let record = world.last_event();
    assert_eq!(
        [&record["eventName"], &record["errorMessage"], &record["additionalEventData"]["protocol"]],
        [&json!("GitPull"), &json!(message), &json!("SSH")]
    );
}

//! Simulated AWS services: their calls, callers and outputs.

use std::fs;
use std::process::{Command, Output};

use serde_json::{Value, json};
use server::settings::Access;
use tests::{World, binary};

/// Starts a server with a repository with one commit on `main`; returns the id of the commit.
fn world() -> (World, String) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let commit = world.git_repository("work");
    world.git("work", &["push", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    (world, commit)
}

fn pipeline(world: &World, endpoint: &str, arguments: &[&str]) -> Output {
    pipeline_in(world, endpoint, &[], arguments)
}

/// Simulates a pipeline with environment variables.
fn pipeline_in(world: &World, endpoint: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(binary::path());
    command.env_clear().envs(variables.iter().copied());
    command.current_dir(world.folder()).args(["simulate", "pipeline", "--endpoint", endpoint]);
    command.args(arguments).output().expect("the program is built")
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the error of a simulation; fails the test if it succeeds.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

const SOURCE: [&str; 4] = ["--repository", "MyDemoRepo", "--branch", "main"];

#[test]
fn the_source_action_of_a_pipeline_returns_the_revision_and_the_artifact() {
    let (world, commit) = world();
    let output = printed(&pipeline(&world, &world.endpoint(), &[&SOURCE[..], &["--output", "copy.zip"]].concat()));
    let key = format!("MyDemoRepo/SourceArti/{}", &commit[..7]);
    let expected = [
        "RepositoryName  MyDemoRepo".to_owned(),
        "BranchName      main".to_owned(),
        format!("CommitId        {commit}"),
        "CommitMessage   README.md".to_owned(),
        "AuthorDate      1481739554 +0000".to_owned(),
        "CommitterDate   1481739554 +0000".to_owned(),
        format!("Artifact        s3://codepipeline-us-east-1-111122223333/{key}"),
        "Copy            copy.zip".to_owned(),
    ];
    assert_eq!(output.lines().collect::<Vec<_>>(), expected);
    let artifact = world.folder().join("data/buckets/codepipeline-us-east-1-111122223333").join(key);
    let copy = fs::read(world.folder().join("copy.zip")).expect("the action copied the archive");
    assert_eq!(copy, fs::read(artifact).expect("the archive is in the bucket"));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(copy)).expect("the file is a ZIP archive");
    assert_eq!(archive.by_index(0).expect("one file").name().expect("the output is UTF-8"), "README.md");
    assert_eq!(archive.len(), 1);
}

#[test]
fn its_calls_are_made_by_the_role_through_the_service() {
    let (world, commit) = world();
    let before = world.events().len();
    let role = "arn:aws:iam::111122223333:role/service-role/MyPipelineRole";
    let more = ["--role", role, "--bucket", "artifacts", "--key", "a/b"];
    printed(&pipeline(&world, &world.endpoint(), &[&SOURCE[..], &more].concat()));
    let mut events = world.events().split_off(before);
    let names = |events: &[Value]| events.iter().map(|event| event["eventName"].clone()).collect::<Vec<_>>();
    let mut all = names(&events);
    all.dedup();
    assert_eq!(all, ["AssumeRole", "GetBranch", "GetCommit", "UploadArchive", "GetUploadArchiveStatus"]);
    let assumed = events.remove(0);
    assert_eq!(assumed["userIdentity"], json!({ "type": "AWSService", "invokedBy": "codepipeline.amazonaws.com" }));
    assert_eq!(assumed["requestParameters"]["roleArn"], role);
    for event in &events {
        let identity = &event["userIdentity"];
        assert_eq!(identity["type"], "AssumedRole");
        assert_eq!(identity["sessionContext"]["sessionIssuer"]["arn"], role);
        assert_eq!(identity["invokedBy"], "codepipeline.amazonaws.com");
        assert_eq!(event["sourceIPAddress"], "codepipeline.amazonaws.com");
        assert_eq!(event["userAgent"], "codepipeline.amazonaws.com");
    }
    let upload = &events[2];
    let parameters = json!({
        "archiveType": "ZIP", "commitId": commit, "repositoryName": "MyDemoRepo", "s3Bucket": "artifacts", "s3Key": "a/b",
    });
    assert_eq!(upload["requestParameters"], parameters);
}

#[test]
fn its_calls_are_signed_for_a_server_that_verifies_signatures() {
    let (mut world, _) = world();
    let identities = world.folder().join("identities.toml");
    let service = r#"
        [[account]]
        id = "111122223333"
        [[account.service]]
        name = "codepipeline.amazonaws.com"
        access_keys = [{ id = "codepipeline.amazonaws.com", secret = "the secret of the service" }]
    "#;
    fs::write(&identities, service).expect("the folder is writable");
    world.restart_with(|settings| {
        settings.identities = Some(identities);
        settings.access = Access::Signed;
        settings.max_clock_skew = None;
    });
    let secret = ["--secret-access-key", "the secret of the service"];
    printed(&pipeline(&world, &world.endpoint(), &[&SOURCE[..], &secret].concat()));
    let unsigned = refused(&pipeline(&world, &world.endpoint(), &SOURCE));
    assert!(unsigned.contains("SignatureDoesNotMatch"), "{unsigned}");
    assert!(unsigned.ends_with("write the secret with --secret-access-key"), "{unsigned}");
}

#[test]
fn failures_are_reported_with_a_message() {
    let (world, _) = world();
    let endpoint = world.endpoint();
    let run = |arguments: &[&str]| refused(&pipeline(&world, &endpoint, arguments));
    assert_eq!(
        run(&["--repository", "MyDemoRepo", "--branch", "feature"]),
        "codecommit-local: GetBranch was refused: BranchDoesNotExistException: refs/heads/feature does not exist"
    );
    assert_eq!(
        run(&["--repository", "Nothing", "--branch", "main"]),
        "codecommit-local: GetBranch was refused: RepositoryDoesNotExistException: Nothing does not exist"
    );
    let wrong_key = run(&[&SOURCE[..], &["--key", "../a"]].concat());
    assert!(wrong_key.starts_with("codecommit-local: UploadArchive was refused: ValidationException: "), "{wrong_key}");
    let wrong_role = run(&[&SOURCE[..], &["--role", "somebody"]].concat());
    assert!(wrong_role.starts_with("codecommit-local: AssumeRole was refused: "), "{wrong_role}");
    assert!(wrong_role.ends_with("name a declared one with --role"), "{wrong_role}");
    let bucket = world.folder().join("data/buckets/codepipeline-us-east-1-111122223333");
    fs::write(bucket, "in the way").expect("the folder is writable");
    let failed = run(&SOURCE);
    assert!(failed.starts_with("codecommit-local: the upload failed: cannot put MyDemoRepo/SourceArti/"), "{failed}");
    let unreachable = refused(&pipeline(&world, "http://127.0.0.1:1", &SOURCE));
    assert!(
        unreachable.starts_with("codecommit-local: cannot reach the server at http://127.0.0.1:1: "),
        "{unreachable}"
    );
    assert!(unreachable.ends_with("; start the server, or name another with --endpoint"), "{unreachable}");
}

#[test]
fn a_pipeline_is_in_the_region_that_the_sdks_would_take() {
    let (world, _) = world();
    let region = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = pipeline_in(&world, &world.endpoint(), variables, &[&SOURCE, arguments].concat());
        let event = world.events().pop().expect("the call is recorded");
        (event["awsRegion"].as_str().expect("the member is a string").to_owned(), output.status.success())
    };
    let both = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "us-east-2")];
    // The repository is in us-east-1 only.
    assert_eq!(region(&both, &[]), ("eu-west-1".to_owned(), false));
    assert_eq!(region(&both[1..], &[]), ("us-east-2".to_owned(), false));
    assert_eq!(region(&[("AWS_REGION", ""), both[1]], &[]), ("us-east-2".to_owned(), false));
    assert_eq!(region(&both, &["--region", "us-east-1"]), ("us-east-1".to_owned(), true));
    assert_eq!(region(&[], &[]), ("us-east-1".to_owned(), true));
    let message = refused(&pipeline_in(&world, &world.endpoint(), &[("AWS_REGION", "Ohio")], &SOURCE));
    assert!(message.contains("AWS_REGION") && message.contains("us-east-1"), "{message}");
}

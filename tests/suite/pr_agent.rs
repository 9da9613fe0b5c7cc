//! pr-agent: its provider for CodeCommit reads and reviews a pull request as on AWS.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::clients::outcome;
use tests::{World, workspace};

/// Starts a server with a pull request that changes, adds and deletes files.
fn world() -> World {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    world.git_repository("work");
    world.git_commit("work", ".pr_agent.toml", "[ignore]\nglob = [\"*.log\"]\n");
    world.git_commit("work", "old.py", "old = True\n");
    world.git_commit("work", "greeting.py", "def greet():\n    return 'hi'\n");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    world.git("work", &["checkout", "--quiet", "-b", "feature"]).ok();
    world.git("work", &["rm", "--quiet", "old.py"]).ok();
    world.git_commit("work", "docs/Guide.md", "It greets.\n");
    world.git_commit("work", "greeting.py", "def greet():\n    return 'hello'\n");
    world.git("work", &["push", "--quiet", &url, "feature"]).ok();
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    world.ok("CreatePullRequest", &json!({ "title": "Greeting", "targets": targets }));
    world
}

/// Runs the story, and returns its lines.
fn review(world: &World) -> Vec<Value> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/pr-agent/client.py");
    let mut command = Command::new(workspace().join(".tools/pr-agent/bin/python"));
    command
        .arg(program)
        .arg("https://us-east-1.console.aws.amazon.com/codesuite/codecommit/repositories/MyDemoRepo/pull-requests/1")
        .current_dir(world.folder())
        .env_clear()
        .env("HOME", world.folder())
        .env("LC_ALL", "C.UTF-8")
        .env("CONFIG__GIT_PROVIDER", "codecommit")
        .env("AWS_ENDPOINT_URL", world.endpoint())
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let printed = outcome(&mut command).ok();
    printed.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[test]
fn the_provider_reads_and_reviews_a_pull_request() {
    let world = world();
    let before = world.events().len();
    let lines = review(&world);
    let commit = world.git("work", &["rev-parse", "feature"]).ok();
    let updated = format!(
        "<!-- pr-agent:review:full -->\n\n#### (Review updated until commit {commit})\n\n## PR Reviewer Guide\n\nOne issue."
    );
    let expected = [
        json!(["Greeting", "refs/heads/feature", ""]),
        json!("[ignore]\nglob = [\"*.log\"]\n"),
        json!([["docs/Guide.md", "ADDED"], ["greeting.py", "MODIFIED"], ["old.py", "DELETED"]]),
        json!({
            "docs/Guide.md": "@@ -0,0 +1 @@\n+It greets.\n",
            "greeting.py": "@@ -1,2 +1,2 @@\n def greet():\n-    return 'hi'\n+    return 'hello'\n",
            "old.py": "@@ -1 +0,0 @@\n-old = True\n",
        }),
        json!({ "Markdown": 33, "Python": 67 }),
        json!(null),
        json!("arn:aws:iam::111122223333:user/Mary_Major"),
        json!(true),
        json!(true),
        json!(["Looks good.", updated]),
    ];
    assert_eq!(lines, expected);

    let events = world.events().split_off(before);
    let names: Vec<_> = events.iter().map(|event| event["eventName"].as_str().unwrap_or_default()).collect();
    let expected = [
        "GetPullRequest",
        "GetFile",
        "GetDifferences",
        "GetFile",
        "GetFile",
        "GetFile",
        "GetFile",
        "UpdatePullRequestTitle",
        "UpdatePullRequestDescription",
        "PostCommentForPullRequest",
        "GetCommentsForPullRequest",
        "PostCommentForPullRequest",
        "GetCommentsForPullRequest",
        "UpdateComment",
        "PostCommentForPullRequest",
        "GetCommentsForPullRequest",
    ];
    assert_eq!(names, expected);
    assert!(events.iter().all(|event| event["errorCode"].is_null()), "{events:#?}");

    let reviewed = world.ok("GetPullRequest", &json!({ "pullRequestId": "1" }))["pullRequest"].clone();
    assert_eq!(reviewed["title"], "Describe the greeting");
    assert_eq!(reviewed["description"], "It greets.\n\nPolitely.");
    let comments = world.ok("GetCommentsForPullRequest", &json!({ "pullRequestId": "1" }));
    let locations: Vec<_> = comments["commentsForPullRequestData"]
        .as_array()
        .expect("the value is a list")
        .iter()
        .filter_map(|comments| comments.get("location"))
        .collect();
    let location = json!({ "filePath": "greeting.py", "filePosition": 2, "relativeFileVersion": "AFTER" });
    assert_eq!(locations, [&location]);
}

//! Exports of seeds from data folders.

use std::collections::BTreeMap;

use serde_json::json;
use tests::database::is_sqlite;

use super::*;

/// Runs `codecommit-local seed` and returns its output.
fn seed_command(arguments: &[&str]) -> tests::clients::Outcome {
    let output = Command::new(tests::binary::path()).env_clear().arg("seed").args(arguments).output();
    let output = output.expect("the program is built");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    tests::clients::Outcome { success: output.status.success(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Exports the data folder of a server, and returns the folder of the export.
fn export(world: &World, name: &str, arguments: &[&str]) -> PathBuf {
    let (data, folder) = (world.folder().join("data"), world.folder().join(name));
    let paths = ["--export", folder.to_str().expect("UTF-8"), "--data-dir", data.to_str().expect("UTF-8")];
    seed_command(&[&paths, arguments].concat()).ok();
    folder
}

/// Returns the files below a folder with their contents.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = tests::files(folder).into_iter();
    let content = |path: PathBuf| {
        let name = path.strip_prefix(folder).expect("the file is in the folder").to_owned();
        (name, fs::read(&path).expect("the file is readable"))
    };
    files.map(content).collect()
}

/// A server with all that an export has, made by calls.
fn world_with_data() -> World {
    let world = World::new();
    let tags = json!({ "Team": "blue" });
    world.ok(
        "CreateRepository",
        &json!({ "repositoryName": "one", "repositoryDescription": "The \"first\"", "tags": tags }),
    );
    world.ok("CreateRepository", &json!({ "repositoryName": "empty" }));
    world.git_repository("work");
    let url = world.repository_url("one");
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    for branch in ["open", "squashed", "closed", "pushed"] {
        world.git("work", &["checkout", "--quiet", "-b", branch, "main"]).ok();
        world.git_commit("work", branch, &format!("{branch}\n"));
        world.git("work", &["push", "--quiet", &url, branch]).ok();
        let target = json!([{ "repositoryName": "one", "sourceReference": branch }]);
        world.ok("CreatePullRequest", &json!({ "title": branch, "description": "line\nline", "targets": target }));
    }
    let pull_request = world.ok("GetPullRequest", &json!({ "pullRequestId": "1" }))["pullRequest"].clone();
    let target = &pull_request["pullRequestTargets"][0];
    let comment = json!({
        "pullRequestId": "1", "repositoryName": "one", "content": "Why?\n'''",
        "beforeCommitId": target["destinationCommit"], "afterCommitId": target["sourceCommit"],
        "location": { "filePath": "open", "filePosition": 1, "relativeFileVersion": "AFTER" },
    });
    let id = world.ok("PostCommentForPullRequest", &comment)["comment"]["commentId"].clone();
    let reply = world.ok("PostCommentReply", &json!({ "inReplyTo": id, "content": "Because." }));
    world.ok("PostCommentReply", &json!({ "inReplyTo": reply["comment"]["commentId"], "content": "I see." }));
    world.ok("DeleteCommentContent", &json!({ "commentId": id }));
    let content = json!({
        "Version": "2018-11-08",
        "Statements": [{ "Type": "Approvers", "NumberOfApprovalsNeeded": 1 }],
    });
    let rule = json!({ "pullRequestId": "1", "approvalRuleName": "rule", "approvalRuleContent": content.to_string() });
    world.ok("CreatePullRequestApprovalRule", &rule);
    let approval =
        json!({ "pullRequestId": "1", "revisionId": pull_request["revisionId"], "approvalState": "APPROVE" });
    let li = tests::wire::signed("Li_Juan", "us-east-1");
    assert_eq!(world.call_as("UpdatePullRequestApprovalState", &approval, &[("authorization", &li)]).status, 200);
    world.ok("MergePullRequestBySquash", &json!({ "pullRequestId": "2", "repositoryName": "one" }));
    world.ok("DeleteBranch", &json!({ "repositoryName": "one", "branchName": "squashed" }));
    world.ok("UpdatePullRequestStatus", &json!({ "pullRequestId": "3", "pullRequestStatus": "CLOSED" }));
    world.git("work", &["fetch", "--quiet", &url, "main"]).ok();
    world.git("work", &["checkout", "--quiet", "-B", "main", "FETCH_HEAD"]).ok();
    world.git("work", &["merge", "--quiet", "--no-ff", "--message", "merge", "pushed"]).ok();
    world.git("work", &["push", "--quiet", &url, "main"]).ok();
    let template = json!({ "approvalRuleTemplateName": "later", "approvalRuleTemplateContent": content.to_string() });
    world.ok("CreateApprovalRuleTemplate", &template);
    let association = json!({ "approvalRuleTemplateName": "later", "repositoryName": "empty" });
    world.ok("AssociateApprovalRuleTemplateWithRepository", &association);
    let trigger = json!([{ "name": "ci", "destinationArn": "arn:aws:sns:us-east-1:111122223333:ci", "events": ["all"], "branches": [] }]);
    world.ok("PutRepositoryTriggers", &json!({ "repositoryName": "one", "triggers": trigger }));
    let elsewhere = world.sdk_as("444455556666", "us-east-2");
    world.run(elsewhere.create_repository().repository_name("elsewhere").send()).expect("the call succeeds");
    let trail = world.cloudtrail().create_trail().name("lab").s3_bucket_name("lab-logs").is_multi_region_trail(true);
    world.run(trail.send()).expect("the call succeeds");
    world
}

#[test]
fn an_export_of_a_running_server_seeds_another_that_has_the_same_export() {
    if !is_sqlite("an export reads the file of the database") {
        return;
    }
    let world = world_with_data();
    let before = contents(&world.folder().join("data/repositories"));
    let first = export(&world, "first", &[]);
    assert_eq!(contents(&world.folder().join("data/repositories")), before, "nothing was changed");
    let text = fs::read_to_string(first.join("seed.toml")).expect("the file was written");
    assert!(text.starts_with("# A seed of codecommit-local"), "{text}");
    let bare = first.join("repositories/one.git");
    git(&bare, &["fsck", "--strict"]).ok();
    assert_eq!(git(&bare, &["symbolic-ref", "HEAD"]).ok(), "refs/heads/main");

    seed_command(&["--check", first.to_str().expect("UTF-8")]).ok();
    let mut seeded = World::with(|settings| settings.seed = Some(first.clone()));
    let pull_request = |world: &World, id: &str| {
        let mut found = world.ok("GetPullRequest", &json!({ "pullRequestId": id }))["pullRequest"].clone();
        found["revisionId"].take();
        found["lastActivityDate"].take();
        for rule in found["approvalRules"].as_array_mut().into_iter().flatten() {
            for member in ["approvalRuleId", "creationDate", "lastModifiedDate"] {
                rule[member].take();
            }
        }
        found
    };
    for id in ["1", "2", "3", "4"] {
        assert_eq!(pull_request(&seeded, id), pull_request(&world, id));
    }
    let second = export(&seeded, "second", &[]);
    assert_eq!(contents(&second), contents(&first));
    seeded.stop();
    let third = export(&seeded, "third", &[]);
    assert_eq!(contents(&third), contents(&first), "a stopped server has the same export");
}

#[test]
fn an_export_has_the_identities_without_their_secrets() {
    if !is_sqlite("an export reads the file of the database") {
        return;
    }
    let world = World::with_identities(
        "[[account]]\nid = \"111122223333\"\n\n[[account.group]]\nname = \"readers\"\npolicies = [\"AWSCodeCommitReadOnly\"]\n\n\
         [[account.user]]\nname = \"Li_Juan\"\npath = \"/team/\"\ngroups = [\"readers\"]\ntags = { Team = \"blue\" }\n\
         access_keys = [{ id = \"AKIAI44QH8DHBEXAMPLE\", secret = \"je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\" }]\n",
    );
    world.aws(&["iam", "create-user", "--user-name", "Saanvi_Sarkar"]).ok();
    let document =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"codecommit:*","Resource":"*"}]}"#;
    let inline = ["--policy-name", "own", "--policy-document", document];
    world.aws(&[&["iam", "put-user-policy", "--user-name", "Saanvi_Sarkar"][..], &inline].concat()).ok();
    let policy = ["iam", "create-policy", "--policy-name", "all", "--policy-document", document];
    world.aws(&policy).ok();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}"#;
    world.aws(&["iam", "create-role", "--role-name", "build", "--assume-role-policy-document", trust]).ok();
    world.aws(&["iam", "create-access-key", "--user-name", "Saanvi_Sarkar"]).ok();
    let first = export(&world, "first", &[]);
    let text = fs::read_to_string(first.join("identities.toml")).expect("the file was written");
    assert!(!text.contains("je7MtGbClwBF"), "{text}");
    let seeded = World::with(|settings| settings.seed = Some(first.clone()));
    assert_eq!(contents(&export(&seeded, "second", &[])), contents(&first), "{text}");
    let user = seeded.aws(&["iam", "list-user-policies", "--user-name", "Saanvi_Sarkar", "--output", "text"]).ok();
    assert!(user.contains("own"), "{user}");
    seeded
        .run(seeded.sdk_as("AKIAI44QH8DHBEXAMPLE", "us-east-1").list_repositories().send())
        .expect("the call succeeds");
    assert_eq!(seeded.last_event()["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/team/Li_Juan");
}

#[test]
fn an_export_has_the_events_on_request() {
    if !is_sqlite("an export reads the file of the database") {
        return;
    }
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "one" }));
    let folder = export(&world, "export", &["--events"]);
    let seeded = World::with(|settings| settings.seed = Some(folder));
    assert_eq!(seeded.events(), world.events());
}

#[test]
fn an_export_needs_a_data_folder_and_a_new_folder() {
    if !is_sqlite("an export reads the file of the database") {
        return;
    }
    let world = World::new();
    let folder = world.folder().to_str().expect("UTF-8");
    let data = world.folder().join("data");
    let failed = seed_command(&["--export", folder, "--data-dir", data.to_str().expect("UTF-8")]).failed();
    assert!(failed.contains("the folder is not empty; name a new one"), "{failed}");
    let failed = seed_command(&["--export", folder, "--data-dir", folder]).failed();
    assert!(failed.contains("there is no data folder of codecommit-local; name it with --data-dir"), "{failed}");
    let failed = seed_command(&["--check", "/nowhere"]).failed();
    assert!(failed.contains("check the path and its permissions"), "{failed}");
}

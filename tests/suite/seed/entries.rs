//! Entries of `seed.toml`: pull requests, templates, trails.

use aws_sdk_codecommit::types::PullRequestStatusEnum;
use serde_json::{Value, json};

use super::*;

/// A seed with a repository, and entries for it.
fn seed_with(entries: &str) -> SeedFolder {
    let seed = SeedFolder::new();
    seed.add_bare(&seed.history(), "one.git");
    seed.write("seed.toml", entries);
    seed
}

const PULL_REQUESTS: &str = r#"
[[approval-rule-template]]
name = "two"
content = '{"Version": "2018-11-08", "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1}]}'
repositories = ["one"]

[[pull-request]]
repository = "one"
source = "feature"
destination = "trunk"
title = "Add a file"
description = "The other file"
author = "Li_Juan"
created = 2026-01-02T03:04:05Z
approvals = ["Saanvi_Sarkar"]

[[pull-request.comments]]
author = "Saanvi_Sarkar"
content = "Why?"
file = "other"
line = 1
created = 2026-01-02T04:00:00Z
replies = [{ author = "Li_Juan", content = "Because." }, { content = "Hm." }]

[[pull-request.comments]]
"#;

#[test]
fn a_pull_request_has_its_comments_and_approvals_and_can_be_merged() {
    let seed = seed_with(PULL_REQUESTS);
    let world = seed.world();
    let get = |world: &World| {
        let found = world.run(world.sdk().get_pull_request().pull_request_id("1").send()).expect("the call succeeds");
        found.pull_request.expect("it has a pull request")
    };
    let pull_request = get(&world);
    assert_eq!(pull_request.author_arn(), Some("arn:aws:iam::111122223333:user/Li_Juan"));
    assert_eq!(pull_request.creation_date().map(aws_smithy_types::DateTime::secs), Some(1_767_323_045));
    assert_eq!(pull_request.approval_rules().len(), 1);
    let comments = world.ok("GetCommentsForPullRequest", &json!({ "pullRequestId": "1" }));
    let groups = comments["commentsForPullRequestData"].as_array().expect("it is a list");
    assert_eq!(groups.len(), 2, "{comments:#}");
    assert_eq!(
        groups[0]["location"],
        json!({ "filePath": "other", "filePosition": 1, "relativeFileVersion": "AFTER" })
    );
    let texts: Vec<_> = groups[0]["comments"].as_array().expect("a list").iter().map(|one| &one["content"]).collect();
    assert_eq!(texts, ["Why?", "Because.", "Hm."]);
    assert_eq!(groups[1]["comments"][0]["deleted"], true);

    let other = seed.world();
    assert_eq!(get(&other).revision_id(), pull_request.revision_id());
    assert_eq!(other.ok("GetCommentsForPullRequest", &json!({ "pullRequestId": "1" })), comments);

    let merge = json!({ "pullRequestId": "1", "repositoryName": "one" });
    let merged = world.ok("MergePullRequestBySquash", &merge);
    assert_eq!(merged["pullRequest"]["pullRequestStatus"], "CLOSED");
    reset(&world);
    assert_eq!(get(&world).pull_request_status(), Some(&PullRequestStatusEnum::Open));
}

#[test]
fn merged_and_closed_pull_requests_are_made_or_recorded() {
    let seed = SeedFolder::new();
    let work = seed.history();
    let (trunk, feature) = (git(&work, &["rev-parse", "trunk"]).ok(), git(&work, &["rev-parse", "feature"]).ok());
    git(&work, &["merge", "--quiet", "--no-ff", "--message", "merged", "feature"]).ok();
    let merge = git(&work, &["rev-parse", "trunk"]).ok();
    git(&work, &["checkout", "--quiet", "-b", "next", "trunk~1"]).ok();
    fs::write(work.join("next"), "next\n").expect("the folder is writable");
    git(&work, &["add", "--all"]).ok();
    git(&work, &["commit", "--quiet", "--message", "next"]).ok();
    git(&work, &["checkout", "--quiet", "trunk"]).ok();
    seed.add_bare(&work, "one.git");
    // The branch of the first pull request is gone.
    git(&seed.path().join("repositories/one.git"), &["branch", "-D", "feature"]).ok();
    seed.write(
        "seed.toml",
        &format!(
            r#"
[[pull-request]]
repository = "one"
source = "feature"
title = "Recorded"
status = "merged"
merge-option = "three-way"
ended = 2026-01-05T00:00:00Z
ended-by = "Saanvi_Sarkar"
source-commit = "{feature}"
destination-commit = "{trunk}"
merge-commit = "{merge}"

[[pull-request]]
repository = "one"
source = "feature"
title = "Closed"
status = "closed"
source-commit = "{feature}"
destination-commit = "{trunk}"

[[pull-request]]
repository = "one"
source = "next"
title = "Merged here"
status = "merged"
merge-option = "squash"
"#
        ),
    );
    let world = seed.world();
    let get = |id: &str| world.ok("GetPullRequest", &json!({ "pullRequestId": id }))["pullRequest"].clone();
    let metadata = |pull_request: &Value| pull_request["pullRequestTargets"][0]["mergeMetadata"].clone();
    let recorded = get("1");
    assert_eq!(recorded["pullRequestStatus"], "CLOSED");
    assert_eq!(
        metadata(&recorded),
        json!({
            "isMerged": true,
            "mergeCommitId": merge,
            "mergeOption": "THREE_WAY_MERGE",
            "mergedBy": "arn:aws:iam::111122223333:user/Saanvi_Sarkar",
        })
    );
    assert_eq!(metadata(&get("2")), json!({ "isMerged": false }));
    assert_eq!(get("2")["pullRequestStatus"], "CLOSED");
    assert_eq!(metadata(&get("3"))["mergeOption"], "SQUASH_MERGE");
    let tip = world.ok("GetBranch", &json!({ "repositoryName": "one", "branchName": "trunk" }));
    assert_eq!(metadata(&get("3"))["mergeCommitId"], tip["branch"]["commitId"]);
}

#[test]
fn trails_log_from_the_start() {
    let seed = SeedFolder::new();
    seed.write(
        "seed.toml",
        r#"
[[trail]]
name = "lab"
bucket = "lab-logs"
prefix = "logs"
multi-region = true
tags = { Team = "blue" }
event-selectors = '[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}]'

[[trail]]
name = "quiet"
account = "444455556666"
region = "us-east-2"
bucket = "other-logs"
logging = false
"#,
    );
    let world = seed.world();
    let status = world.run(world.cloudtrail().get_trail_status().name("lab").send()).expect("the call succeeds");
    assert_eq!(status.is_logging(), Some(true));
    let selectors = world.run(world.cloudtrail().get_event_selectors().trail_name("lab").send());
    assert_eq!(selectors.expect("the call succeeds").event_selectors().len(), 1);
    let other = world.cloudtrail_as("444455556666", "us-east-2");
    let status = world.run(other.get_trail_status().name("quiet").send()).expect("the call succeeds");
    assert_eq!(status.is_logging(), Some(false));
    let trails = world.run(world.cloudtrail().list_trails().send()).expect("the call succeeds");
    let names: Vec<_> = trails.trails().iter().filter_map(|trail| trail.name()).collect();
    assert_eq!(names, ["codecommit-local", "lab"]);

    world.ok("CreateRepository", &json!({ "repositoryName": "later" }));
    assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200);
    let bucket = world.trail_folder().with_file_name("buckets").join("lab-logs/logs");
    let records = tests::read_log_files(&bucket);
    assert_eq!(records.iter().map(|record| &record["eventName"]).collect::<Vec<_>>(), ["CreateRepository"]);
}

#[test]
fn faults_of_entries_name_their_line() {
    let begin = "[[pull-request]]\nrepository = \"one\"\nsource = \"feature\"\ntitle = \"T\"\n";
    for (entries, expected) in [
        (
            "[[pull-request]]\nrepository = \"two\"\nsource = \"a\"\ntitle = \"T\"\n".to_owned(),
            "line 2: the seed has no repository 'two' in 111122223333/us-east-1",
        ),
        (begin.replace("feature", "missing"), "line 2: pull request 'T': ReferenceDoesNotExistException"),
        (format!("{begin}status = \"merged\"\nmerge-commit = \"1\"\n"), "line 6: '1' is no id of a commit"),
        (
            format!("{begin}status = \"done\"\n"),
            "line 5: unknown variant `done`, expected one of `open`, `closed`, `merged`",
        ),
        (
            format!("{begin}source-commit = \"{}\"\n", "1".repeat(40)),
            "object 1111111111111111111111111111111111111111 is missing from the repository",
        ),
        (format!("{begin}comments = [{{ content = \"a\", line = 1 }}]\n"), "comment 'a': it has a line and no file"),
        (
            format!("{begin}comments = [{{ content = \"a\", file = \"none\" }}]\n"),
            "comment 'a': PathDoesNotExistException",
        ),
        (
            format!("{begin}author = \"Li_Juan\"\napprovals = [\"Li_Juan\"]\n"),
            "approval of 'Li_Juan': PullRequestCannotBeApprovedByAuthorException",
        ),
        (format!("{begin}author = \"arn:aws:s3:::bucket\"\n"), "'arn:aws:s3:::bucket' names no caller"),
        (
            "[[approval-rule-template]]\nname = \"t\"\ncontent = \"x\"\n".to_owned(),
            "line 2: approval rule template 't': InvalidApprovalRuleTemplateContentException",
        ),
        ("[[trail]]\nname = \"lab\"\nbucket = \"B\"\n".to_owned(), "line 2: trail 'lab': InvalidS3BucketNameException"),
        (
            "[[repository]]\nname = \"one\"\ntriggers = [{ name = \"a\", destination = \"b\", events = [\"all\"] }]\n"
                .to_owned(),
            "InvalidRepositoryTriggerDestinationArnException",
        ),
    ] {
        let seed = seed_with(&entries);
        let folder = tempfile::tempdir().expect("a temporary folder can be created");
        let message = seed.refused(&folder.path().join("data"));
        assert!(message.contains(expected), "{entries}\n{message}");
    }
}

//! Merges of pull requests with the API: the result in Git, and the effects on other pull requests.

use std::sync::Barrier;

use serde_json::{Value, json};
use tests::World;

use super::{MARY, create, events, failure, feature, get, kinds, push};
use crate::trail::{ARN, recorded};

const WAYS: [(&str, &str); 3] = [
    ("MergePullRequestByFastForward", "FAST_FORWARD_MERGE"),
    ("MergePullRequestBySquash", "SQUASH_MERGE"),
    ("MergePullRequestByThreeWay", "THREE_WAY_MERGE"),
];

fn asked(id: &Value) -> Value {
    json!({ "pullRequestId": id, "repositoryName": "MyDemoRepo" })
}

/// Returns the tip of a branch according to Git.
fn tip(world: &World, branch: &str) -> String {
    let listed = world.git(".", &["ls-remote", &world.repository_url("MyDemoRepo"), &format!("refs/heads/{branch}")]);
    listed.ok().split('\t').next().expect("a split has a first part").to_owned()
}

/// Fetches `main` and returns the parents of its tip.
fn parents(world: &World) -> Vec<String> {
    world.git("work", &["fetch", "--quiet", &world.repository_url("MyDemoRepo"), "main"]).ok();
    let parents = world.git("work", &["log", "-1", "--format=%P", "FETCH_HEAD"]).ok();
    parents.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_pull_request_between_branches_at_one_commit_works_like_others() {
    for (operation, option) in WAYS {
        let (world, main, _) = feature();
        push(&world, &["main:refs/heads/release", "main:refs/heads/other"]);
        let id = create(&world, "release");
        let target = get(&world, &id)["pullRequestTargets"][0].clone();
        let commits = ["sourceCommit", "destinationCommit", "mergeBase"];
        assert!(commits.iter().all(|member| target[member] == json!(main)), "{target}");
        let merged = world.ok(operation, &asked(&id))["pullRequest"].clone();
        let metadata = json!({ "isMerged": true, "mergedBy": MARY, "mergeCommitId": main, "mergeOption": option });
        assert_eq!(merged["pullRequestTargets"][0]["mergeMetadata"], metadata);
        assert_eq!((tip(&world, "main"), tip(&world, "release")), (main.clone(), main.clone()));
        // A later commit of the source is a new revision and can be merged.
        let later = create(&world, "other");
        push(&world, &["feature:refs/heads/other"]);
        assert_eq!(kinds(&world, &later), ["CREATED", "SOURCE_REFERENCE_UPDATED"]);
        assert_eq!(get(&world, &later)["pullRequestTargets"][0]["mergeBase"], json!(main));
        world.ok(operation, &asked(&later));
        assert_ne!(tip(&world, "main"), main);
    }
    let (world, ..) = feature();
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "main", "destinationReference": "refs/heads/main" }]);
    let same = failure(&world, "CreatePullRequest", &json!({ "title": "Nothing", "targets": targets }));
    assert_eq!(same, "SourceAndDestinationAreSameException");
}

#[test]
fn each_strategy_updates_the_destination_and_closes_as_merged() {
    for (operation, option) in WAYS {
        let (world, main, feature) = feature();
        let id = create(&world, "feature");
        let merged = world.ok(operation, &asked(&id))["pullRequest"].clone();
        assert_eq!(merged, get(&world, &id));
        assert_eq!(merged["pullRequestStatus"], "CLOSED");
        let target = &merged["pullRequestTargets"][0];
        let at = tip(&world, "main");
        let metadata = json!({ "isMerged": true, "mergedBy": MARY, "mergeCommitId": at, "mergeOption": option });
        assert_eq!(target["mergeMetadata"], metadata);
        assert_eq!((&target["sourceCommit"], &target["destinationCommit"]), (&json!(feature), &json!(main)));
        match option {
            "FAST_FORWARD_MERGE" => assert_eq!(at, feature),
            "SQUASH_MERGE" => assert_eq!(parents(&world), [main]),
            _ => assert_eq!(parents(&world), [main, feature.clone()]),
        }
        assert_eq!(tip(&world, "feature"), feature, "the source stays");
        let changed = json!({
            "repositoryName": "MyDemoRepo", "destinationReference": "refs/heads/main", "mergeMetadata": metadata,
        });
        assert_eq!(
            events(&world, &id)[1..],
            [
                ("MERGE_STATE_CHANGED".to_owned(), changed),
                ("STATUS_CHANGED".to_owned(), json!({ "pullRequestStatus": "CLOSED" })),
            ]
        );
    }
}

#[test]
fn other_pull_requests_are_updated_after_a_merge() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let same = create(&world, "feature");
    world.git("work", &["checkout", "--quiet", "-b", "other", "main"]).ok();
    world.git_commit("work", "other.txt", "Other.\n");
    push(&world, &["other", "main:refs/heads/release"]);
    let other = create(&world, "other");
    let targets =
        json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "main", "destinationReference": "release" }]);
    push(&world, &["main~0:refs/heads/release"]);
    world.ok("MergePullRequestByThreeWay", &asked(&id));
    let at = tip(&world, "main");
    // A pull request for the same merge counts as merged, without an option.
    let metadata = json!({ "isMerged": true, "mergedBy": MARY, "mergeCommitId": at });
    assert_eq!(get(&world, &same)["pullRequestTargets"][0]["mergeMetadata"], metadata);
    assert_eq!(get(&world, &other)["pullRequestTargets"][0]["destinationCommit"], at);
    assert_eq!(kinds(&world, &other), ["CREATED"]);
    // The destination of one pull request can be the source of another.
    let onwards = world.ok("CreatePullRequest", &json!({ "title": "Onwards", "targets": targets }));
    let onwards = &onwards["pullRequest"]["pullRequestId"];
    world.ok("MergePullRequestBySquash", &asked(&other));
    assert_eq!(kinds(&world, onwards), ["CREATED", "SOURCE_REFERENCE_UPDATED"]);
}

#[test]
fn a_merge_of_branches_closes_their_pull_request() {
    let (world, _, feature) = feature();
    let id = create(&world, "feature");
    let ends = json!({
        "repositoryName": "MyDemoRepo", "sourceCommitSpecifier": "feature", "destinationCommitSpecifier": "main",
    });
    world.ok("MergeBranchesByFastForward", &ends);
    let metadata = json!({ "isMerged": true, "mergedBy": MARY, "mergeCommitId": feature });
    assert_eq!(get(&world, &id)["pullRequestTargets"][0]["mergeMetadata"], metadata);
}

#[test]
fn a_refused_merge_changes_nothing() {
    let (world, _, feature) = feature();
    world.git("work", &["checkout", "--quiet", "main"]).ok();
    world.git_commit("work", "feature.txt", "Another one.\n");
    push(&world, &["main"]);
    let id = create(&world, "feature");
    let shown = get(&world, &id);
    let at = tip(&world, "main");
    for (operation, _) in WAYS {
        assert_eq!(failure(&world, operation, &asked(&id)), "ManualMergeRequiredException");
        let mut other_tip = asked(&id);
        other_tip["sourceCommitId"] = at.as_str().into();
        assert_eq!(failure(&world, operation, &other_tip), "TipOfSourceReferenceIsDifferentException");
    }
    assert_eq!((get(&world, &id), tip(&world, "main")), (shown, at));
    // The expected commit id can be in upper case.
    let mut accepted = asked(&id);
    accepted["sourceCommitId"] = feature.to_uppercase().into();
    accepted["conflictResolutionStrategy"] = "ACCEPT_SOURCE".into();
    world.ok("MergePullRequestBySquash", &accepted);
    for (operation, _) in WAYS {
        assert_eq!(failure(&world, operation, &asked(&id)), "PullRequestAlreadyClosedException");
    }
}

#[test]
fn of_many_concurrent_merges_of_a_pull_request_one_succeeds() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let start = Barrier::new(6);
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let merge = |operation: &'static str| {
            let (world, start, id) = (&world, &start, &id);
            move || {
                start.wait();
                failure(world, operation, &asked(id))
            }
        };
        let threads: Vec<_> = (0..6).map(|number| scope.spawn(merge(WAYS[number % 3].0))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    assert_eq!(answers.iter().filter(|kind| kind.is_null()).count(), 1, "{answers:?}");
    let late = ["PullRequestAlreadyClosedException", "ConcurrentReferenceUpdateException"];
    assert!(answers.iter().all(|kind| kind.is_null() || late.iter().any(|late| kind == late)), "{answers:?}");
    assert_eq!(kinds(&world, &id), ["CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"]);
}

#[test]
fn concurrent_merges_into_a_branch_keep_both_changes() {
    let (world, _, _) = feature();
    for name in ["one", "two", "three", "four"] {
        world.git("work", &["checkout", "--quiet", "-b", name, "main"]).ok();
        world.git_commit("work", name, "A file.\n");
        push(&world, &[name]);
    }
    let ids = ["one", "two", "three", "four"].map(|name| create(&world, name));
    let start = Barrier::new(ids.len());
    std::thread::scope(|scope| {
        for id in &ids {
            let (world, start) = (&world, &start);
            scope.spawn(move || {
                start.wait();
                loop {
                    match failure(world, "MergePullRequestByThreeWay", &asked(id)) {
                        Value::Null => break,
                        kind => assert_eq!(kind, "ConcurrentReferenceUpdateException"),
                    }
                }
            });
        }
    });
    parents(&world);
    let files = world.git("work", &["ls-tree", "--name-only", "FETCH_HEAD"]).ok();
    assert_eq!(files.lines().collect::<Vec<_>>(), ["README.md", "four", "one", "three", "two"]);
}

#[test]
fn the_record_of_a_merge_has_the_merged_commits() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let (reply, record) = recorded(&world, "MergePullRequestByFastForward", &asked(&id));
    let resources = json!([{ "ARN": ARN, "accountId": "111122223333", "type": "AWS::CodeCommit::Repository" }]);
    assert_eq!((&record["resources"], &record["readOnly"]), (&resources, &json!(false)));
    let [returned, written] = [reply.json(), record["responseElements"].clone()]
        .map(|output| output["pullRequest"]["pullRequestTargets"].clone());
    assert_eq!(returned, written);
}

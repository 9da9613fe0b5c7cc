//! Pull requests: content, events, and updates when their branches change.

mod merge;

use std::sync::Barrier;

use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

use crate::trail::{ARN, recorded};

const MARY: &str = "arn:aws:iam::111122223333:user/Mary_Major";

/// Creates a repository with `main` and the branch `feature`, which is one commit ahead; returns their tips.
pub fn feature() -> (World, String, String) {
    let world = World::new();
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let main = world.git_repository("work");
    push(&world, &["HEAD:refs/heads/main"]);
    world.git("work", &["checkout", "--quiet", "-b", "feature"]).ok();
    let feature = world.git_commit("work", "feature.txt", "A feature.\n");
    push(&world, &["feature"]);
    (world, main, feature)
}

pub fn push(world: &World, references: &[&str]) {
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &[&["push", "--quiet", "--force", &url], references].concat()).ok();
}

/// Creates a pull request from a branch to the default branch and returns its id.
pub fn create(world: &World, source: &str) -> Value {
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": source }]);
    world.ok("CreatePullRequest", &json!({ "title": "A feature", "targets": targets }))["pullRequest"]["pullRequestId"]
        .clone()
}

pub fn get(world: &World, id: &Value) -> Value {
    world.ok("GetPullRequest", &json!({ "pullRequestId": id }))["pullRequest"].clone()
}

fn target(world: &World, id: &Value) -> Value {
    get(world, id)["pullRequestTargets"][0].clone()
}

/// Returns the events of a pull request without the members that all events have.
pub fn events(world: &World, id: &Value) -> Vec<(String, Value)> {
    let events = world.ok("DescribePullRequestEvents", &json!({ "pullRequestId": id }));
    let events = events["pullRequestEvents"].as_array().expect("the value is a list").clone();
    let event = |mut event: Value| {
        let members = event.as_object_mut().expect("the value is an object");
        assert_eq!(members.remove("pullRequestId").as_ref(), Some(id));
        assert_eq!(members.remove("actorArn"), Some(json!(MARY)));
        assert!(members.remove("eventDate").is_some_and(|date| date.is_number()));
        let kind = members.remove("pullRequestEventType").expect("each event has a type");
        assert_eq!(members.len(), 1, "one kind of metadata");
        let metadata = members.values().next().expect("an element exists").clone();
        (kind.as_str().expect("the member is a string").trim_start_matches("PULL_REQUEST_").to_owned(), metadata)
    };
    events.into_iter().map(event).collect()
}

fn kinds(world: &World, id: &Value) -> Vec<String> {
    events(world, id).into_iter().map(|(kind, _)| kind).collect()
}

fn failure(world: &World, operation: &str, input: &Value) -> Value {
    world.call(operation, input).json()["__type"].clone()
}

#[test]
fn a_new_pull_request_shows_its_branches_and_its_creation() {
    let (world, main, feature) = feature();
    let id = create(&world, "feature");
    assert_eq!(id, "1");
    let expected = json!({
        "repositoryName": "MyDemoRepo", "sourceReference": "refs/heads/feature", "destinationReference": "refs/heads/main",
        "sourceCommit": feature, "destinationCommit": main, "mergeBase": main, "mergeMetadata": { "isMerged": false },
    });
    let shown = get(&world, &id);
    assert_eq!(shown["pullRequestTargets"], json!([expected]));
    assert_eq!((&shown["pullRequestStatus"], &shown["authorArn"]), (&json!("OPEN"), &json!(MARY)));
    let revision = shown["revisionId"].as_str().expect("the member is a string");
    assert!(revision.len() == 64 && revision.bytes().all(|byte| byte.is_ascii_hexdigit()), "{revision}");
    let created = json!({
        "repositoryName": "MyDemoRepo", "sourceCommitId": feature, "destinationCommitId": main, "mergeBase": main,
    });
    assert_eq!(events(&world, &id), [("CREATED".to_owned(), created)]);
}

#[test]
fn a_push_to_the_source_branch_creates_a_revision() {
    let (world, main, _) = feature();
    let id = create(&world, "refs/heads/feature");
    let before = get(&world, &id);
    let tip = world.git_commit("work", "feature.txt", "A better feature.\n");
    push(&world, &["feature"]);
    let after = get(&world, &id);
    assert_eq!(after["pullRequestTargets"][0]["sourceCommit"], tip);
    assert_ne!(after["revisionId"], before["revisionId"]);
    assert!(after["lastActivityDate"].as_f64() > before["lastActivityDate"].as_f64());
    let updated = json!({
        "repositoryName": "MyDemoRepo", "beforeCommitId": main, "afterCommitId": tip, "mergeBase": main,
    });
    assert_eq!(events(&world, &id)[1..], [("SOURCE_REFERENCE_UPDATED".to_owned(), updated)]);
}

#[test]
fn a_rewritten_source_has_another_merge_base() {
    let (world, main, _) = feature();
    world.git("work", &["checkout", "--quiet", "main"]).ok();
    let second = world.git_commit("work", "second.txt", "Second.\n");
    push(&world, &["main"]);
    let id = create(&world, "feature");
    assert_eq!(target(&world, &id)["mergeBase"], main);
    world.git("work", &["checkout", "--quiet", "feature"]).ok();
    world.git("work", &["rebase", "--quiet", "main"]).ok();
    push(&world, &["feature"]);
    assert_eq!(target(&world, &id)["mergeBase"], second);
    world.git("work", &["checkout", "--quiet", "--orphan", "unrelated"]).ok();
    world.git_commit("work", "unrelated.txt", "Unrelated.\n");
    push(&world, &["unrelated:feature"]);
    assert_eq!(target(&world, &id).get("mergeBase"), None);
}

#[test]
fn a_new_commit_of_the_destination_creates_no_revision() {
    let (world, main, _) = feature();
    let id = create(&world, "feature");
    let before = get(&world, &id);
    world.git("work", &["checkout", "--quiet", "main"]).ok();
    let second = world.git_commit("work", "second.txt", "Second.\n");
    push(&world, &["main"]);
    let after = get(&world, &id);
    let shown = &after["pullRequestTargets"][0];
    assert_eq!((&shown["destinationCommit"], &shown["mergeBase"]), (&json!(second), &json!(main)));
    assert_eq!(after["revisionId"], before["revisionId"]);
    assert_eq!(after["lastActivityDate"], before["lastActivityDate"]);
    assert_eq!(kinds(&world, &id), ["CREATED"]);
}

#[test]
fn a_push_that_brings_the_source_into_the_destination_merges() {
    let (world, main, feature) = feature();
    let id = create(&world, "feature");
    push(&world, &["feature:main"]);
    let merge = json!({ "isMerged": true, "mergedBy": MARY, "mergeCommitId": feature });
    let shown = get(&world, &id);
    assert_eq!(shown["pullRequestStatus"], "CLOSED");
    let target = &shown["pullRequestTargets"][0];
    assert_eq!((&target["mergeMetadata"], &target["destinationCommit"]), (&merge, &json!(main)));
    let merged = json!({
        "repositoryName": "MyDemoRepo", "destinationReference": "refs/heads/main", "mergeMetadata": merge,
    });
    assert_eq!(
        events(&world, &id)[1..],
        [
            ("MERGE_STATE_CHANGED".to_owned(), merged),
            ("STATUS_CHANGED".to_owned(), json!({ "pullRequestStatus": "CLOSED" })),
        ]
    );
    // A closed pull request is not updated any more.
    world.git_commit("work", "feature.txt", "Too late.\n");
    push(&world, &["feature"]);
    assert_eq!(get(&world, &id), shown);
}

#[test]
fn one_push_can_revise_merge_and_delete_the_source() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    world.git_commit("work", "feature.txt", "A better feature.\n");
    push(&world, &["feature", "feature:main"]);
    assert_eq!(kinds(&world, &id), ["CREATED", "SOURCE_REFERENCE_UPDATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"]);

    world.git("work", &["checkout", "--quiet", "-b", "other"]).ok();
    let tip = world.git_commit("work", "other.txt", "Other.\n");
    push(&world, &["other"]);
    let id = create(&world, "other");
    push(&world, &["other:main", ":other"]);
    assert_eq!(kinds(&world, &id), ["CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"]);
    assert_eq!(target(&world, &id)["mergeMetadata"]["mergeCommitId"], tip);
}

#[test]
fn a_push_to_the_destination_merges_only_new_commits() {
    let (world, _, _) = feature();
    // The source is behind the destination, so there is nothing to merge yet.
    push(&world, &["feature:main", "feature~1:refs/heads/old"]);
    let id = create(&world, "old");
    world.git_commit("work", "feature.txt", "More.\n");
    push(&world, &["feature:main"]);
    assert_eq!(get(&world, &id)["pullRequestStatus"], "OPEN");
}

#[test]
fn deleting_either_branch_closes_without_a_merge() {
    let (world, _, feature) = feature();
    push(&world, &["HEAD:refs/heads/release", "HEAD~1:refs/heads/old"]);
    let to_old =
        json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "release", "destinationReference": "old" }]);
    let made = world.ok("CreatePullRequest", &json!({ "title": "To the old one", "targets": to_old }));
    let by_destination = &made["pullRequest"]["pullRequestId"];
    let by_source = create(&world, "feature");
    push(&world, &[":feature"]);
    world.ok("DeleteBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "old" }));
    for id in [by_destination, &by_source] {
        let shown = get(&world, id);
        assert_eq!(shown["pullRequestStatus"], "CLOSED");
        let target = &shown["pullRequestTargets"][0];
        assert_eq!(target["mergeMetadata"], json!({ "isMerged": false }));
        assert_eq!(target["sourceCommit"], feature);
        assert_eq!(events(&world, id)[1..], [("STATUS_CHANGED".to_owned(), json!({ "pullRequestStatus": "CLOSED" }))]);
    }
}

#[test]
fn a_refused_update_has_no_effect_on_pull_requests() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let shown = get(&world, &id);
    world.git("work", &["checkout", "--quiet", "main"]).ok();
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["push", "--quiet", &url, ":main"]).failed();
    assert_eq!(get(&world, &id), shown);
}

#[test]
fn a_repeated_request_creates_one_pull_request() {
    let (world, _, _) = feature();
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    let mut input = json!({ "title": "A feature", "targets": targets, "clientRequestToken": "token" });
    let first = world.ok("CreatePullRequest", &input);
    assert_eq!(first["pullRequest"]["clientRequestToken"], "token");
    assert_eq!(world.ok("CreatePullRequest", &input), first);
    // The repeated request succeeds even if a new pull request would be refused.
    push(&world, &[":feature"]);
    let again = world.ok("CreatePullRequest", &input);
    assert_eq!(
        (&again["pullRequest"]["pullRequestId"], &again["pullRequest"]["pullRequestStatus"]),
        (&json!("1"), &json!("CLOSED"))
    );
    input["title"] = "Another".into();
    assert_eq!(failure(&world, "CreatePullRequest", &input), "IdempotencyParameterMismatchException");
    push(&world, &["feature"]);
    input["clientRequestToken"] = "another token".into();
    assert_eq!(world.ok("CreatePullRequest", &input)["pullRequest"]["pullRequestId"], "2");
}

#[test]
fn concurrent_requests_with_one_token_get_the_same_pull_request() {
    let (world, _, _) = feature();
    let start = Barrier::new(8);
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    let input = json!({ "title": "A feature", "targets": targets, "clientRequestToken": "token" });
    let made: Vec<Value> = std::thread::scope(|scope| {
        let make = || {
            start.wait();
            world.ok("CreatePullRequest", &input)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    assert!(made.iter().all(|id| id == &made[0]), "{made:?}");
    let listed = world.ok("ListPullRequests", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(listed["pullRequestIds"], json!(["1"]));
}

#[test]
fn pull_requests_are_deleted_with_their_repository_and_their_ids_are_not_reused() {
    let (world, _, _) = feature();
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    let input = json!({ "title": "A feature", "targets": targets, "clientRequestToken": "token" });
    world.ok("CreatePullRequest", &input);
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(failure(&world, "GetPullRequest", &json!({ "pullRequestId": "1" })), "PullRequestDoesNotExistException");
    world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    push(&world, &["main", "feature"]);
    assert_eq!(world.ok("CreatePullRequest", &input)["pullRequest"]["pullRequestId"], "2");
}

#[test]
fn a_renamed_repository_appears_with_its_new_name() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    world.ok("UpdateRepositoryName", &json!({ "oldName": "MyDemoRepo", "newName": "Renamed" }));
    assert_eq!(target(&world, &id)["repositoryName"], "Renamed");
    assert_eq!(events(&world, &id)[0].1["repositoryName"], "Renamed");
}

#[test]
fn each_account_and_region_numbers_its_pull_requests() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let signature = signed("AKIAIOSFODNN7EXAMPLE", "us-east-2");
    let reply = world.call_as("GetPullRequest", &json!({ "pullRequestId": id }), &[("authorization", &signature)]);
    assert_eq!(reply.json()["__type"], "PullRequestDoesNotExistException");
}

#[test]
fn titles_and_descriptions_can_be_changed_while_open() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let before = get(&world, &id);
    let title = "\u{e9}".repeat(150);
    let changed = world.ok("UpdatePullRequestTitle", &json!({ "pullRequestId": id, "title": title }));
    assert_eq!(changed["pullRequest"]["title"], title);
    assert!(changed["pullRequest"]["lastActivityDate"].as_f64() > before["lastActivityDate"].as_f64());
    let description = "\u{e9}".repeat(10_240);
    world.ok("UpdatePullRequestDescription", &json!({ "pullRequestId": id, "description": description }));
    assert_eq!(get(&world, &id)["description"], description);
    world.ok("UpdatePullRequestDescription", &json!({ "pullRequestId": id, "description": "" }));
    assert_eq!(get(&world, &id).get("description"), None);
    world.ok("UpdatePullRequestStatus", &json!({ "pullRequestId": id, "pullRequestStatus": "CLOSED" }));
    for (operation, member) in [("UpdatePullRequestTitle", "title"), ("UpdatePullRequestDescription", "description")] {
        let input = json!({ "pullRequestId": id, member: "Late" });
        assert_eq!(failure(&world, operation, &input), "PullRequestAlreadyClosedException");
    }
}

#[test]
fn a_status_can_be_set_again_and_closed_stays_closed() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    let set = |status: &str| json!({ "pullRequestId": id, "pullRequestStatus": status });
    let open = world.ok("UpdatePullRequestStatus", &set("OPEN"));
    assert_eq!(open["pullRequest"], get(&world, &id));
    let closed = world.ok("UpdatePullRequestStatus", &set("CLOSED"));
    assert_eq!(closed["pullRequest"]["pullRequestTargets"][0]["mergeMetadata"], json!({ "isMerged": false }));
    assert_eq!(world.ok("UpdatePullRequestStatus", &set("CLOSED")), closed);
    assert_eq!(kinds(&world, &id), ["CREATED", "STATUS_CHANGED"]);
    let refused = failure(&world, "UpdatePullRequestStatus", &set("OPEN"));
    assert_eq!(refused, "InvalidPullRequestStatusUpdateException");
}

#[test]
fn listings_are_paged_by_activity_and_filtered_by_status_and_author() {
    let (world, _, _) = feature();
    let ids: Vec<Value> = (0..5).map(|_| create(&world, "feature")).collect();
    let listed = |more: Value| {
        let mut input = json!({ "repositoryName": "MyDemoRepo", "maxResults": 2 });
        input
            .as_object_mut()
            .expect("the value is an object")
            .extend(more.as_object().expect("the value is an object").clone());
        let mut found = Vec::new();
        loop {
            let page = world.ok("ListPullRequests", &input);
            let ids = page["pullRequestIds"].as_array().expect("the value is a list");
            assert!(ids.len() <= 2);
            found.extend(ids.iter().map(|id| id.as_str().expect("the member is a string").to_owned()));
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return found,
            }
        }
    };
    assert_eq!(listed(json!({})), ["5", "4", "3", "2", "1"]);
    world.ok("UpdatePullRequestTitle", &json!({ "pullRequestId": ids[1], "title": "Active" }));
    world.ok("UpdatePullRequestStatus", &json!({ "pullRequestId": ids[0], "pullRequestStatus": "CLOSED" }));
    assert_eq!(listed(json!({})), ["1", "2", "5", "4", "3"]);
    assert_eq!(listed(json!({ "pullRequestStatus": "OPEN" })), ["2", "5", "4", "3"]);
    assert_eq!(listed(json!({ "pullRequestStatus": "CLOSED" })), ["1"]);
    assert_eq!(listed(json!({ "authorArn": MARY })), ["1", "2", "5", "4", "3"]);
    assert_eq!(listed(json!({ "authorArn": MARY, "pullRequestStatus": "CLOSED" })), ["1"]);
    // The other author has no pull request in this repository, and need not be a known user.
    let signature = signed("AKIAI44QH8DHBEXAMPLE", "us-east-1");
    let of = |arn: &str| json!({ "repositoryName": "MyDemoRepo", "authorArn": arn });
    let other = "arn:aws:iam::111122223333:user/AKIAI44QH8DHBEXAMPLE";
    let own = world.call_as("ListPullRequests", &of(other), &[("authorization", &signature)]);
    assert_eq!(own.json(), json!({ "pullRequestIds": [] }));
    assert_eq!(failure(&world, "ListPullRequests", &of(other)), "AuthorDoesNotExistException");
    // A token is valid for its own listing.
    let input = json!({ "repositoryName": "MyDemoRepo", "maxResults": 2 });
    let mut input_of_another = input.clone();
    input_of_another["nextToken"] = world.ok("ListPullRequests", &input)["nextToken"].clone();
    input_of_another["pullRequestStatus"] = "OPEN".into();
    assert_eq!(failure(&world, "ListPullRequests", &input_of_another), "InvalidContinuationTokenException");
}

#[test]
fn events_are_paged_and_filtered_by_type_and_actor() {
    let (world, _, _) = feature();
    let id = create(&world, "feature");
    for number in 0..4 {
        world.git_commit("work", "feature.txt", &format!("{number}\n"));
        push(&world, &["feature"]);
    }
    world.ok("UpdatePullRequestStatus", &json!({ "pullRequestId": id, "pullRequestStatus": "CLOSED" }));
    let first = world.ok("DescribePullRequestEvents", &json!({ "pullRequestId": id, "maxResults": 5 }));
    assert_eq!(first["pullRequestEvents"].as_array().map(Vec::len), Some(5));
    let token = &first["nextToken"];
    let rest = json!({ "pullRequestId": id, "nextToken": token });
    let rest = world.ok("DescribePullRequestEvents", &rest);
    assert_eq!(rest["pullRequestEvents"][0]["pullRequestEventType"], "PULL_REQUEST_STATUS_CHANGED");
    assert_eq!(rest.get("nextToken"), None);
    let of_kind = json!({ "pullRequestId": id, "pullRequestEventType": "PULL_REQUEST_SOURCE_REFERENCE_UPDATED" });
    let updates = world.ok("DescribePullRequestEvents", &of_kind);
    assert_eq!(updates["pullRequestEvents"].as_array().map(Vec::len), Some(4));
    let of_kind_and_actor = json!({
        "pullRequestId": id, "pullRequestEventType": "PULL_REQUEST_CREATED", "actorArn": MARY,
    });
    let created = world.ok("DescribePullRequestEvents", &of_kind_and_actor);
    assert_eq!(created["pullRequestEvents"].as_array().map(Vec::len), Some(1));
    let of_unknown = json!({ "pullRequestId": id, "actorArn": "arn:aws:iam::111122223333:user/Nobody" });
    assert_eq!(failure(&world, "DescribePullRequestEvents", &of_unknown), "ActorDoesNotExistException");
}

#[test]
fn the_record_of_a_pull_request_has_its_members_and_its_repository() {
    let (world, _, _) = feature();
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    let input = json!({ "targets": targets, "title": "A feature" });
    let (reply, record) = recorded(&world, "CreatePullRequest", &input);
    let resources = json!([{ "ARN": ARN, "accountId": "111122223333", "type": "AWS::CodeCommit::Repository" }]);
    assert_eq!((&record["resources"], &record["requestParameters"]), (&resources, &input));
    let mut returned = reply.json();
    for date in ["creationDate", "lastActivityDate"] {
        let recorded = &record["responseElements"]["pullRequest"][date];
        assert!(recorded.as_str().is_some_and(|date| date.starts_with("Dec 14, 2016 ")), "{recorded}");
        returned["pullRequest"][date] = recorded.clone();
    }
    returned["pullRequest"].as_object_mut().expect("the value is an object").remove("approvalRules");
    assert_eq!(record["responseElements"], returned);
    let (_, record) = recorded(&world, "GetPullRequest", &json!({ "pullRequestId": "1" }));
    assert_eq!((&record["resources"], &record["readOnly"]), (&resources, &json!(true)));
    let (_, record) = recorded(&world, "GetPullRequest", &json!({ "pullRequestId": "2" }));
    assert_eq!(
        (&record["resources"], &record["errorCode"]),
        (&Value::Null, &json!("PullRequestDoesNotExistException"))
    );
}

//! Approvals of pull requests and overrides of their rules, by several users.

use std::sync::Barrier;

use serde_json::{Value, json};
use tests::wire::signed;
use tests::{Reply, World};

use crate::approval_rule::{evaluate, rule};
use crate::pull_request::{create, feature, get, push};
use crate::trail::{ARN, recorded};

const LI: &str = "Li_Juan";
const SAANVI: &str = "Saanvi_Sarkar";

fn content(needed: usize, pool: &[&str]) -> String {
    let statement = json!({ "Type": "Approvers", "NumberOfApprovalsNeeded": needed, "ApprovalPoolMembers": pool });
    json!({ "Version": "2018-11-08", "Statements": [statement] }).to_string()
}

fn arn(user: &str) -> String {
    format!("arn:aws:iam::111122223333:user/{user}")
}

fn call_as(world: &World, user: &str, operation: &str, input: &Value) -> Reply {
    world.call_as(operation, input, &[("authorization", &signed(user, "us-east-1"))])
}

/// The input that identifies the current revision of a pull request.
fn current(world: &World, id: &Value) -> Value {
    json!({ "pullRequestId": id, "revisionId": get(world, id)["revisionId"] })
}

fn set(world: &World, user: &str, mut revision: Value, state: &str) -> Value {
    revision["approvalState"] = json!(state);
    call_as(world, user, "UpdatePullRequestApprovalState", &revision).failure()["__type"].clone()
}

fn approve(world: &World, user: &str, id: &Value) {
    assert_eq!(set(world, user, current(world, id), "APPROVE"), Value::Null);
}

fn set_override(world: &World, user: &str, mut revision: Value, status: &str) -> Value {
    revision["overrideStatus"] = json!(status);
    call_as(world, user, "OverridePullRequestApprovalRules", &revision).failure()["__type"].clone()
}

fn approvers(world: &World, revision: &Value) -> Vec<Value> {
    let states = world.ok("GetPullRequestApprovalStates", revision)["approvals"].clone();
    let states = states.as_array().expect("the value is a list").iter();
    states.map(|state| (state["approvalState"] == "APPROVE").then(|| state["userArn"].clone()).into()).collect()
}

fn merge(world: &World, id: &Value) -> Reply {
    world.call("MergePullRequestByFastForward", &json!({ "pullRequestId": id, "repositoryName": "MyDemoRepo" }))
}

/// The type, metadata and actor of the last event.
fn last_event(world: &World, id: &Value) -> (Value, Value, Value) {
    let events = world.ok("DescribePullRequestEvents", &json!({ "pullRequestId": id }))["pullRequestEvents"].clone();
    let last = events.as_array().and_then(|events| events.last()).expect("there are some").clone();
    let metadata =
        last.as_object().expect("the value is an object").iter().find(|(name, _)| name.ends_with("EventMetadata"));
    let metadata = metadata.map_or(Value::Null, |(_, metadata)| metadata.clone());
    (last["pullRequestEventType"].clone(), metadata, last["actorArn"].clone())
}

#[test]
fn a_pull_request_can_be_merged_once_approvals_satisfy_its_rules() {
    let (world, _, feature) = feature();
    let id = create(&world, "feature");
    rule(&world, &id, "Two people", &content(2, &[]));
    assert_eq!(merge(&world, &id).json()["__type"], "PullRequestApprovalRulesNotSatisfiedException");
    approve(&world, LI, &id);
    assert_eq!(evaluate(&world, &id)["approved"], false);
    assert_eq!(merge(&world, &id).json()["__type"], "PullRequestApprovalRulesNotSatisfiedException");
    approve(&world, SAANVI, &id);
    assert_eq!(evaluate(&world, &id)["approvalRulesSatisfied"], json!(["Two people"]));
    let merged = merge(&world, &id);
    assert_eq!(merged.json()["pullRequest"]["pullRequestStatus"], "CLOSED", "{}", merged.text());
    let branch = world.ok("GetBranch", &json!({ "repositoryName": "MyDemoRepo", "branchName": "main" }));
    assert_eq!(branch["branch"]["commitId"], feature);
}

#[test]
fn only_approvals_of_the_pool_count() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    rule(&world, &id, "By name", &content(1, &["CodeCommitApprovers:111122223333:Li_Juan"]));
    rule(&world, &id, "By ARN", &content(1, &["arn:aws:iam::111122223333:user/Saanvi*"]));
    rule(&world, &id, "Elsewhere", &content(1, &["CodeCommitApprovers:444455556666:Li_Juan"]));
    approve(&world, "Somebody", &id);
    assert_eq!(evaluate(&world, &id)["approvalRulesSatisfied"], json!([]));
    approve(&world, LI, &id);
    assert_eq!(evaluate(&world, &id)["approvalRulesSatisfied"], json!(["By name"]));
    approve(&world, SAANVI, &id);
    let evaluation = evaluate(&world, &id);
    assert_eq!(evaluation["approvalRulesSatisfied"], json!(["By name", "By ARN"]));
    assert_eq!(evaluation["approvalRulesNotSatisfied"], json!(["Elsewhere"]));
}

#[test]
fn an_approval_can_be_taken_back_and_each_change_is_an_event() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    let revision = current(&world, &id);
    let event = |status: &str| {
        let metadata = json!({ "revisionId": revision["revisionId"], "approvalStatus": status });
        (json!("PULL_REQUEST_APPROVAL_STATE_CHANGED"), metadata, json!(arn(LI)))
    };
    let before = get(&world, &id)["lastActivityDate"].as_f64();
    approve(&world, LI, &id);
    assert_eq!((approvers(&world, &revision), last_event(&world, &id)), (vec![json!(arn(LI))], event("APPROVE")));
    let after = get(&world, &id)["lastActivityDate"].clone();
    assert!(after.as_f64() > before);
    // Setting the same state again changes nothing.
    approve(&world, LI, &id);
    assert_eq!(get(&world, &id)["lastActivityDate"], after);
    assert_eq!(set(&world, SAANVI, revision.clone(), "REVOKE"), Value::Null);
    assert_eq!(approvers(&world, &revision).len(), 1);
    assert_eq!(set(&world, LI, revision.clone(), "REVOKE"), Value::Null);
    assert_eq!((approvers(&world, &revision), last_event(&world, &id)), (vec![], event("REVOKE")));
}

#[test]
fn the_author_cannot_approve() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    let mut input = current(&world, &id);
    input["approvalState"] = json!("APPROVE");
    let refused = world.call("UpdatePullRequestApprovalState", &input);
    assert_eq!(refused.json()["__type"], "PullRequestCannotBeApprovedByAuthorException");
}

#[test]
fn new_commits_need_new_approvals() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    rule(&world, &id, "One person", &content(1, &[]));
    let old = current(&world, &id);
    approve(&world, LI, &id);
    assert_eq!(set_override(&world, SAANVI, old.clone(), "OVERRIDE"), Value::Null);
    world.git_commit("work", "feature.txt", "A better feature.\n");
    push(&world, &["feature"]);

    assert_eq!(set(&world, SAANVI, old.clone(), "APPROVE"), "RevisionNotCurrentException");
    assert_eq!(set_override(&world, LI, old.clone(), "OVERRIDE"), "RevisionNotCurrentException");
    let evaluated = world.call("EvaluatePullRequestApprovalRules", &old);
    assert_eq!(evaluated.json()["__type"], "RevisionNotCurrentException");
    let evaluation = evaluate(&world, &id);
    assert_eq!((&evaluation["approved"], &evaluation["overridden"]), (&json!(false), &json!(false)));
    assert_eq!(merge(&world, &id).json()["__type"], "PullRequestApprovalRulesNotSatisfiedException");
    // The approvals of the old revision can still be read.
    assert_eq!(approvers(&world, &old), [arn(LI)]);
    assert_eq!(world.ok("GetPullRequestOverrideState", &old), json!({ "overridden": true, "overrider": arn(SAANVI) }));
    assert_eq!(approvers(&world, &current(&world, &id)), [""; 0]);
    approve(&world, LI, &id);
    assert_eq!(merge(&world, &id).status, 200);
}

#[test]
fn an_override_suspends_the_rules_until_it_is_revoked() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    rule(&world, &id, "One person", &content(1, &[]));
    let revision = current(&world, &id);
    let state = || world.ok("GetPullRequestOverrideState", &revision);
    let event = |status: &str, user: &str| {
        let metadata = json!({ "revisionId": revision["revisionId"], "overrideStatus": status });
        (json!("PULL_REQUEST_APPROVAL_RULE_OVERRIDDEN"), metadata, json!(arn(user)))
    };
    assert_eq!(state(), json!({ "overridden": false }));
    assert_eq!(set_override(&world, LI, revision.clone(), "REVOKE"), Value::Null);
    assert_eq!(set_override(&world, LI, revision.clone(), "OVERRIDE"), Value::Null);
    assert_eq!(state(), json!({ "overridden": true, "overrider": arn(LI) }));
    assert_eq!(last_event(&world, &id), event("OVERRIDE", LI));
    assert_eq!(set_override(&world, SAANVI, revision.clone(), "OVERRIDE"), "OverrideAlreadySetException");
    let overridden = json!({
        "approved": false, "overridden": true, "approvalRulesSatisfied": [], "approvalRulesNotSatisfied": ["One person"],
    });
    assert_eq!(evaluate(&world, &id), overridden);
    assert_eq!(set_override(&world, SAANVI, revision.clone(), "REVOKE"), Value::Null);
    assert_eq!((state(), last_event(&world, &id)), (json!({ "overridden": false }), event("REVOKE", SAANVI)));
    assert_eq!(merge(&world, &id).json()["__type"], "PullRequestApprovalRulesNotSatisfiedException");
    assert_eq!(set_override(&world, LI, revision.clone(), "OVERRIDE"), Value::Null);
    assert_eq!(merge(&world, &id).status, 200);
}

#[test]
fn a_closed_pull_request_shows_its_approvals_and_rules_but_accepts_no_new_ones() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    rule(&world, &id, "One person", &content(1, &[]));
    approve(&world, LI, &id);
    let revision = current(&world, &id);
    world.ok("UpdatePullRequestStatus", &json!({ "pullRequestId": id, "pullRequestStatus": "CLOSED" }));
    let closed = "PullRequestAlreadyClosedException";
    assert_eq!(set(&world, SAANVI, revision.clone(), "APPROVE"), closed);
    assert_eq!(set_override(&world, SAANVI, revision.clone(), "OVERRIDE"), closed);
    let input = json!({ "pullRequestId": id, "approvalRuleName": "One person", "newRuleContent": content(2, &[]) });
    for operation in ["UpdatePullRequestApprovalRuleContent", "DeletePullRequestApprovalRule"] {
        assert_eq!(world.call(operation, &input).json()["__type"], closed);
    }
    assert_eq!(approvers(&world, &revision), [arn(LI)]);
    assert_eq!(evaluate(&world, &id)["approved"], true);
}

#[test]
fn two_hundred_approvals_fit_and_one_more_does_not() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    rule(&world, &id, "Everybody", &content(200, &[]));
    let revision = current(&world, &id);
    for number in 0..200 {
        assert_eq!(set(&world, &format!("User{number}"), revision.clone(), "APPROVE"), Value::Null);
    }
    assert_eq!(evaluate(&world, &id)["approved"], true);
    assert_eq!(set(&world, LI, revision.clone(), "APPROVE"), "MaximumNumberOfApprovalsExceededException");
    assert_eq!(set(&world, "User7", revision.clone(), "REVOKE"), Value::Null);
    assert_eq!(set(&world, LI, revision, "APPROVE"), Value::Null);
}

#[test]
fn of_many_concurrent_overrides_one_succeeds() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    let revision = current(&world, &id);
    let barrier = Barrier::new(8);
    let one = |number: usize| {
        barrier.wait();
        set_override(&world, &format!("User{number}"), revision.clone(), "OVERRIDE")
    };
    let one = &one;
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || one(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_null()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| *answer == "OverrideAlreadySetException").count(), 7);
}

#[test]
fn the_record_of_an_approval_has_no_response_and_concerns_the_repository() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    let mut input = current(&world, &id);
    input["overrideStatus"] = json!("OVERRIDE");
    let (reply, record) = recorded(&world, "OverridePullRequestApprovalRules", &input);
    assert_eq!(reply.body, b"");
    assert_eq!((&record["requestParameters"], &record["responseElements"]), (&input, &Value::Null));
    assert_eq!((&record["readOnly"], &record["resources"][0]["ARN"]), (&json!(false), &json!(ARN)));
    let mut input = current(&world, &id);
    input["approvalState"] = json!("APPROVE");
    let (_, record) = recorded(&world, "UpdatePullRequestApprovalState", &input);
    assert_eq!(record["errorCode"], "PullRequestCannotBeApprovedByAuthorException");
    assert_eq!((&record["requestParameters"], &record["resources"][0]["ARN"]), (&input, &json!(ARN)));
}

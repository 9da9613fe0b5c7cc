//! Approval rules of pull requests: their own and those from templates.

use serde_json::{Value, json};
use tests::World;

use crate::pull_request::{create, events, feature, get, push};
use crate::trail::{ARN, recorded};

const ONE: &str = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":1}]}"#;
const TWO: &str = r#"{"Version":"2018-11-08","Statements":[{"Type":"Approvers","NumberOfApprovalsNeeded":2}]}"#;

pub fn rule(world: &World, id: &Value, name: &str, content: &str) -> Value {
    let input = json!({ "pullRequestId": id, "approvalRuleName": name, "approvalRuleContent": content });
    world.ok("CreatePullRequestApprovalRule", &input)["approvalRule"].clone()
}

pub fn evaluate(world: &World, id: &Value) -> Value {
    let revision = get(world, id)["revisionId"].clone();
    let input = json!({ "pullRequestId": id, "revisionId": revision });
    world.ok("EvaluatePullRequestApprovalRules", &input)["evaluation"].clone()
}

/// Creates a template for pull requests to some branches or all, and associates it with the repository.
pub fn associated_template(world: &World, name: &str, destinations: Option<&Value>) -> Value {
    let mut content: Value = serde_json::from_str(ONE).expect("the text is JSON");
    if let Some(destinations) = destinations {
        content["DestinationReferences"] = destinations.clone();
    }
    let input = json!({ "approvalRuleTemplateName": name, "approvalRuleTemplateContent": content.to_string() });
    let template = world.ok("CreateApprovalRuleTemplate", &input)["approvalRuleTemplate"].clone();
    let input = json!({ "approvalRuleTemplateName": name, "repositoryName": "MyDemoRepo" });
    world.ok("AssociateApprovalRuleTemplateWithRepository", &input);
    template
}

fn names(world: &World, id: &Value) -> Vec<Value> {
    let shown = get(world, id);
    let rules = shown["approvalRules"].as_array().expect("the value is a list");
    rules.iter().map(|rule| rule["approvalRuleName"].clone()).collect()
}

fn failure(world: &World, operation: &str, input: &Value) -> Value {
    world.call(operation, input).json()["__type"].clone()
}

#[test]
fn a_rule_is_created_changed_and_deleted_and_leaves_its_events() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    assert_eq!(get(&world, &id)["approvalRules"], json!([]));
    let created = rule(&world, &id, "Two eyes", ONE);
    assert_eq!(created["lastModifiedUser"], "arn:aws:iam::111122223333:user/Mary_Major");
    assert_eq!(created["creationDate"], created["lastModifiedDate"]);
    assert_eq!(created.get("originApprovalRuleTemplate"), None);
    assert_eq!(get(&world, &id)["approvalRules"], json!([created]));
    assert_eq!(get(&world, &id)["lastActivityDate"], created["creationDate"]);

    let mut update = json!({
        "pullRequestId": id, "approvalRuleName": "Two eyes", "newRuleContent": TWO,
        "existingRuleContentSha256": created["ruleContentSha256"],
    });
    let updated = world.ok("UpdatePullRequestApprovalRuleContent", &update)["approvalRule"].clone();
    assert_eq!(
        (&updated["approvalRuleId"], &updated["approvalRuleContent"]),
        (&created["approvalRuleId"], &json!(TWO))
    );
    assert_ne!(updated["ruleContentSha256"], created["ruleContentSha256"]);
    assert_eq!(get(&world, &id)["approvalRules"], json!([updated]));
    assert_eq!(failure(&world, "UpdatePullRequestApprovalRuleContent", &update), "InvalidRuleContentSha256Exception");
    update["existingRuleContentSha256"] = updated["ruleContentSha256"].clone();
    world.ok("UpdatePullRequestApprovalRuleContent", &update);

    let named = json!({ "pullRequestId": id, "approvalRuleName": "Two eyes" });
    let deleted = json!({ "approvalRuleId": created["approvalRuleId"] });
    assert_eq!(world.ok("DeletePullRequestApprovalRule", &named), deleted);
    let last = get(&world, &id);
    assert_eq!(last["approvalRules"], json!([]));
    // Deleting the rule again has no effect.
    assert_eq!(world.ok("DeletePullRequestApprovalRule", &named), json!({ "approvalRuleId": "" }));
    assert_eq!(get(&world, &id)["lastActivityDate"], last["lastActivityDate"]);

    let metadata = |content: &str| {
        let id = &created["approvalRuleId"];
        json!({ "approvalRuleName": "Two eyes", "approvalRuleId": id, "approvalRuleContent": content })
    };
    let expected = [("CREATED", ONE), ("UPDATED", TWO), ("UPDATED", TWO), ("DELETED", TWO)];
    let expected = expected.map(|(kind, content)| (format!("APPROVAL_RULE_{kind}"), metadata(content)));
    assert_eq!(events(&world, &id)[1..], expected);
}

#[test]
fn thirty_rules_fit_and_one_more_does_not() {
    let (world, ..) = feature();
    for number in 0..25 {
        associated_template(&world, &format!("Template {number:02}"), None);
    }
    let id = create(&world, "feature");
    for number in 0..5 {
        rule(&world, &id, &format!("Rule {number}"), ONE);
    }
    assert_eq!(names(&world, &id).len(), 30);
    let input = json!({ "pullRequestId": id, "approvalRuleName": "One more", "approvalRuleContent": ONE });
    assert_eq!(failure(&world, "CreatePullRequestApprovalRule", &input), "NumberOfRulesExceededException");
    world.ok("DeletePullRequestApprovalRule", &json!({ "pullRequestId": id, "approvalRuleName": "Rule 0" }));
    world.ok("CreatePullRequestApprovalRule", &input);
}

#[test]
fn templates_create_rules_for_their_destinations() {
    let (world, main, _) = feature();
    push(&world, &[&format!("{main}:refs/heads/release/1")]);
    let template = associated_template(&world, "Everywhere", None);
    associated_template(&world, "To main", Some(&json!(["refs/heads/main"])));
    associated_template(&world, "To a release", Some(&json!(["refs/heads/other", "refs/heads/release/*"])));
    let other = json!({ "approvalRuleTemplateName": "Not associated", "approvalRuleTemplateContent": ONE });
    world.ok("CreateApprovalRuleTemplate", &other);

    let id = create(&world, "feature");
    assert_eq!(names(&world, &id), ["Everywhere", "To main"]);
    let shown = get(&world, &id);
    let first = &shown["approvalRules"][0];
    let origin = json!({
        "approvalRuleTemplateId": template["approvalRuleTemplateId"], "approvalRuleTemplateName": "Everywhere",
    });
    assert_eq!((&first["originApprovalRuleTemplate"], &first["approvalRuleContent"]), (&origin, &json!(ONE)));
    assert_eq!(first["ruleContentSha256"], template["ruleContentSha256"]);
    let kinds: Vec<_> = events(&world, &id).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["CREATED", "APPROVAL_RULE_CREATED", "APPROVAL_RULE_CREATED"]);

    let target = json!({
        "repositoryName": "MyDemoRepo", "sourceReference": "feature", "destinationReference": "release/1",
    });
    let created = world.ok("CreatePullRequest", &json!({ "title": "To a release", "targets": [target] }));
    assert_eq!(names(&world, &created["pullRequest"]["pullRequestId"]), ["Everywhere", "To a release"]);
    assert_eq!(created["pullRequest"]["approvalRules"].as_array().map(Vec::len), Some(2));
}

#[test]
fn changes_of_a_template_leave_existing_rules_alone() {
    let (world, ..) = feature();
    associated_template(&world, "Two eyes", None);
    let id = create(&world, "feature");
    let before = get(&world, &id)["approvalRules"].clone();
    let named = json!({ "pullRequestId": id, "approvalRuleName": "Two eyes", "newRuleContent": TWO });
    let modified = failure(&world, "UpdatePullRequestApprovalRuleContent", &named);
    assert_eq!(modified, "CannotModifyApprovalRuleFromTemplateException");
    let deleted = failure(&world, "DeletePullRequestApprovalRule", &named);
    assert_eq!(deleted, "CannotDeleteApprovalRuleFromTemplateException");
    let taken = json!({ "pullRequestId": id, "approvalRuleName": "Two eyes", "approvalRuleContent": TWO });
    let taken = failure(&world, "CreatePullRequestApprovalRule", &taken);
    assert_eq!(taken, "ApprovalRuleNameAlreadyExistsException");

    let template = json!({ "approvalRuleTemplateName": "Two eyes" });
    let with = |name: &str, value: &str| {
        let mut input = template.clone();
        input[name] = json!(value);
        input
    };
    world.ok("UpdateApprovalRuleTemplateContent", &with("newRuleContent", TWO));
    world.ok("DisassociateApprovalRuleTemplateFromRepository", &with("repositoryName", "MyDemoRepo"));
    world.ok("DeleteApprovalRuleTemplate", &template);
    assert_eq!(get(&world, &id)["approvalRules"], before);
}

#[test]
fn a_repeated_request_for_a_pull_request_creates_its_rules_once() {
    let (world, ..) = feature();
    associated_template(&world, "Two eyes", None);
    let targets = json!([{ "repositoryName": "MyDemoRepo", "sourceReference": "feature" }]);
    let input = json!({ "title": "A feature", "targets": targets, "clientRequestToken": "once" });
    let first = world.ok("CreatePullRequest", &input);
    assert_eq!(world.ok("CreatePullRequest", &input), first);
    assert_eq!(names(&world, &first["pullRequest"]["pullRequestId"]), ["Two eyes"]);
}

#[test]
fn a_pull_request_without_rules_is_approved() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    let nothing = json!({
        "approved": true, "overridden": false, "approvalRulesSatisfied": [], "approvalRulesNotSatisfied": [],
    });
    assert_eq!(evaluate(&world, &id), nothing);
    rule(&world, &id, "Two eyes", ONE);
    let lacking = json!({
        "approved": false, "overridden": false, "approvalRulesSatisfied": [], "approvalRulesNotSatisfied": ["Two eyes"],
    });
    assert_eq!(evaluate(&world, &id), lacking);
}

#[test]
fn rules_are_deleted_with_their_repository() {
    let (world, ..) = feature();
    associated_template(&world, "Two eyes", None);
    let id = create(&world, "feature");
    world.ok("DeleteRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let input = json!({ "pullRequestId": id, "approvalRuleName": "Another", "approvalRuleContent": ONE });
    assert_eq!(failure(&world, "CreatePullRequestApprovalRule", &input), "PullRequestDoesNotExistException");
    world.ok("DeleteApprovalRuleTemplate", &json!({ "approvalRuleTemplateName": "Two eyes" }));
}

#[test]
fn the_record_of_a_new_rule_concerns_the_repository() {
    let (world, ..) = feature();
    let id = create(&world, "feature");
    let input = json!({ "pullRequestId": id, "approvalRuleName": "Two eyes", "approvalRuleContent": ONE });
    let (reply, record) = recorded(&world, "CreatePullRequestApprovalRule", &input);
    assert_eq!((&record["readOnly"], &record["requestParameters"]), (&json!(false), &input));
    let returned = &record["responseElements"]["approvalRule"];
    assert_eq!(returned["approvalRuleId"], reply.json()["approvalRule"]["approvalRuleId"]);
    assert!(returned["creationDate"].as_str().is_some_and(|date| date.starts_with("Dec 14, 2016 6:19:")), "{returned}");
    assert_eq!(record["resources"][0]["ARN"], ARN);
    let input = json!({ "pullRequestId": id, "revisionId": get(&world, &id)["revisionId"] });
    let (_, record) = recorded(&world, "EvaluatePullRequestApprovalRules", &input);
    assert_eq!((&record["readOnly"], &record["responseElements"]), (&json!(true), &Value::Null));
    assert_eq!(record["resources"][0]["ARN"], ARN);
}

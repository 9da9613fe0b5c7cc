use serde_json::{Value, json};

use super::{Content, sha256};
use crate::Exception;

const MARY: &str = "arn:aws:iam::111122223333:user/Mary_Major";
const LI: &str = "arn:aws:iam::111122223333:user/Li_Juan";

fn statement(needed: &Value, pool: &Value) -> Value {
    json!({ "Type": "Approvers", "NumberOfApprovalsNeeded": needed, "ApprovalPoolMembers": pool })
}

fn template(content: &Value) -> Result<Content, Exception> {
    Content::of_template(Some(content.to_string()))
}

fn satisfied(content: &Value, approvers: &[&str]) -> bool {
    let approvers: Vec<_> = approvers.iter().map(|arn| (*arn).to_owned()).collect();
    Content::of_rule(Some(content.to_string())).expect("the content is valid").is_satisfied_by(&approvers)
}

#[test]
fn everyone_s_approval_counts_without_a_pool() {
    let two = json!({ "Version": "2018-11-08", "Statements": [{ "Type": "Approvers", "NumberOfApprovalsNeeded": 2 }] });
    assert!(!satisfied(&two, &[MARY]));
    assert!(satisfied(&two, &[MARY, LI]));
    let empty = json!({ "Version": "2018-11-08", "Statements": [statement(&json!(1), &json!([]))] });
    assert!(satisfied(&empty, &[LI]));
}

#[test]
fn only_approvals_of_the_pool_count_and_each_approver_once() {
    let members = json!(["CodeCommitApprovers:111122223333:Mary_Major", "arn:aws:iam::111122223333:user/Mary*"]);
    let content = |needed: i64| json!({ "Version": "2018-11-08", "Statements": [statement(&json!(needed), &members)] });
    assert!(!satisfied(&content(1), &[LI]));
    assert!(satisfied(&content(1), &[LI, MARY]));
    assert!(!satisfied(&content(2), &[LI, MARY]));
}

#[test]
fn a_template_applies_to_the_branches_that_it_names() {
    let content = |destinations: &Value| {
        let statements = [statement(&json!(1), &json!([]))];
        json!({ "Version": "2018-11-08", "DestinationReferences": destinations, "Statements": statements })
    };
    let named = template(&content(&json!(["refs/heads/main", "refs/heads/release/*"]))).expect("the content is valid");
    assert!(named.applies_to("refs/heads/main") && named.applies_to("refs/heads/release/1"));
    assert!(!named.applies_to("refs/heads/mainline") && !named.applies_to("refs/heads/release"));
    assert!(template(&content(&json!([]))).expect("the content is valid").applies_to("refs/heads/any"));
}

#[test]
fn an_invalid_content_is_refused_with_the_reason() {
    let good = statement(&json!(1), &json!([]));
    let with = |statement: &Value| json!({ "Version": "2018-11-08", "Statements": [statement] });
    let needed = |needed: &Value| with(&statement(needed, &json!([])));
    let pool = |pool: &Value| with(&statement(&json!(1), pool));
    let destinations =
        |list: &Value| json!({ "Version": "2018-11-08", "DestinationReferences": list, "Statements": [good] });
    let number = "NumberOfApprovalsNeeded must be a number from 1 to 200.";
    let one = "Statements must be a list of one statement.";
    let members = "ApprovalPoolMembers must be a list of at most 50 strings.";
    let references = "DestinationReferences must be a list of at most 100 strings.";
    for (content, reason) in [
        (json!([]), "it must be an object."),
        (json!({ "Statements": [good] }), "Version must be \"2018-11-08\"."),
        (json!({ "Version": "2012-10-17", "Statements": [good] }), "Version must be \"2018-11-08\"."),
        (json!({ "Version": "2018-11-08", "Statements": [good], "Id": 1 }), "it cannot have a member Id."),
        (json!({ "Version": "2018-11-08" }), one),
        (json!({ "Version": "2018-11-08", "Statements": [] }), one),
        (json!({ "Version": "2018-11-08", "Statements": [good, good] }), one),
        (json!({ "Version": "2018-11-08", "Statements": good }), one),
        (with(&json!("Approvers")), "a statement must be an object."),
        (with(&json!({ "NumberOfApprovalsNeeded": 1 })), "Type must be \"Approvers\"."),
        (with(&json!({ "Type": "approvers", "NumberOfApprovalsNeeded": 1 })), "Type must be \"Approvers\"."),
        (with(&json!({ "Type": "Approvers", "Need": 1 })), "a statement cannot have a member Need."),
        (with(&json!({ "Type": "Approvers" })), number),
        (needed(&json!(0)), number),
        (needed(&json!(-1)), number),
        (needed(&json!(201)), number),
        (needed(&json!(1.5)), number),
        (needed(&json!("1")), number),
        (pool(&json!("Mary_Major")), members),
        (pool(&json!([1])), members),
        (pool(&json!(vec![MARY; 51])), members),
        (pool(&json!(["Mary_Major"])), "Mary_Major is not a member of an approval pool."),
        (destinations(&json!("refs/heads/main")), references),
        (destinations(&json!(vec!["refs/heads/main"; 101])), references),
        (
            destinations(&json!(["*"])),
            "* is not the full name of a branch, such as refs/heads/main or refs/heads/release*.",
        ),
    ] {
        let found = match template(&content) {
            Err(Exception::InvalidApprovalRuleTemplateContent { reason }) => reason,
            other => panic!("{content}: {other:?}"),
        };
        assert_eq!(found, reason, "{content}");
    }
}

#[test]
fn the_largest_content_fits_and_one_character_more_does_not() {
    let content =
        json!({ "Version": "2018-11-08", "Statements": [statement(&json!(200), &json!(vec!["*"; 50]))] }).to_string();
    let padded = |length: usize| format!("{content:<length$}");
    assert!(Content::of_rule(Some(padded(3_000))).is_ok());
    assert!(matches!(Content::of_rule(Some(padded(3_001))), Err(Exception::InvalidApprovalRuleContent { .. })));
    assert!(matches!(Content::of_rule(None), Err(Exception::ApprovalRuleContentRequired)));
    assert!(matches!(Content::of_template(Some(String::new())), Err(Exception::ApprovalRuleTemplateContentRequired)));
}

#[test]
fn a_rule_without_template_cannot_have_destinations() {
    let content = json!({
        "Version": "2018-11-08", "DestinationReferences": [], "Statements": [statement(&json!(1), &json!([]))],
    });
    assert!(matches!(Content::of_rule(Some(content.to_string())), Err(Exception::InvalidApprovalRuleContent { .. })));
}

#[test]
fn the_hash_is_sha256_of_the_text() {
    assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

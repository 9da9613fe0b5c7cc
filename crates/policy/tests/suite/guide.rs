//! The policies of AWS CodeCommit's user guide.

use policy::{Document, Effect};

use crate::{REPOSITORY, decide, document, facts};

/// "Limit pushes and merges to branches", with the name of the key and the operand of `Null` as given.
fn limit_pushes(key: &str, null: &str) -> Document {
    document(&format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": ["codecommit:GitPush", "codecommit:DeleteBranch",
            "codecommit:PutFile", "codecommit:MergeBranchesByFastForward", "codecommit:MergeBranchesBySquash",
            "codecommit:MergeBranchesByThreeWay", "codecommit:MergePullRequestByFastForward",
            "codecommit:MergePullRequestBySquash", "codecommit:MergePullRequestByThreeWay"],
            "Resource": "{REPOSITORY}", "Condition": {{
                "StringEqualsIfExists": {{"{key}": ["refs/heads/main", "refs/heads/prod"]}},
                "Null": {{"{key}": {null}}}}}}}]}}"#
    ))
}

#[test]
fn pushes_to_branches_are_limited() {
    for null in ["false", r#""false""#, r#"["false"]"#] {
        for key in ["codecommit:References", "CodeCommit:references"] {
            let document = limit_pushes(key, null);
            let push = |reference: &str| {
                let facts = facts(&[("codecommit:References", reference)]);
                decide(&document, "codecommit:GitPush", REPOSITORY, &facts)
            };
            assert_eq!(decide(&document, "codecommit:GitPush", REPOSITORY, &facts(&[])), None, "the advertisement");
            assert_eq!(push("refs/heads/main"), Some(Effect::Deny));
            assert_eq!(push("refs/heads/prod"), Some(Effect::Deny));
            assert_eq!(push("refs/heads/dev"), None);
            assert_eq!(push("refs/heads/Main"), None);
        }
    }
}

#[test]
fn the_well_known_policy_forgets_some_operations() {
    let document = limit_pushes("codecommit:References", "false");
    let main = facts(&[("codecommit:References", "refs/heads/main")]);
    for action in ["CreateCommit", "DeleteFile", "CreateBranch"] {
        assert_eq!(decide(&document, &format!("codecommit:{action}"), REPOSITORY, &main), None);
    }
    assert_eq!(decide(&document, "codecommit:PutFile", REPOSITORY, &main), Some(Effect::Deny));
}

#[test]
fn without_null_the_advertisement_is_denied_too() {
    let document = document(&format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "{REPOSITORY}",
            "Condition": {{"StringEqualsIfExists": {{"codecommit:References": ["refs/heads/main"]}}}}}}]}}"#
    ));
    assert_eq!(decide(&document, "codecommit:GitPush", REPOSITORY, &facts(&[])), Some(Effect::Deny));
}

#[test]
fn pushes_to_one_branch_are_allowed() {
    let document = document(
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["codecommit:GitPush", "codecommit:Merge*"],
            "Resource": ["arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo"],
            "Condition": {"StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]}}}]}"#,
    );
    let push = |facts| decide(&document, "codecommit:GitPush", REPOSITORY, &facts);
    assert_eq!(push(facts(&[])), Some(Effect::Allow));
    assert_eq!(push(facts(&[("codecommit:References", "refs/heads/main")])), Some(Effect::Allow));
    assert_eq!(push(facts(&[("codecommit:References", "refs/heads/dev")])), None);
}

#[test]
fn repositories_of_one_region() {
    let document = document(
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:us-east-2:111111111111:*",
             "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-2"}}},
            {"Effect": "Allow", "Action": "codecommit:ListRepositories", "Resource": "*",
             "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-2"}}}]}"#,
    );
    let here = facts(&[("aws:RequestedRegion", "us-east-2")]);
    let there = facts(&[("aws:RequestedRegion", "eu-west-1")]);
    assert_eq!(decide(&document, "codecommit:GitPull", REPOSITORY, &here), Some(Effect::Allow));
    assert_eq!(decide(&document, "codecommit:GitPull", REPOSITORY, &there), None);
    assert_eq!(decide(&document, "codecommit:ListRepositories", "*", &here), Some(Effect::Allow));
    assert_eq!(decide(&document, "codecommit:ListApprovalRuleTemplates", "*", &here), None);
}

#[test]
fn calls_from_elsewhere_are_denied() {
    let document = document(
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": ["codecommit:GitPull", "codecommit:GetBlob"],
            "Resource": ["arn:aws:codecommit:*:*:*"],
            "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/16"]}}}]}"#,
    );
    let pull = |address| decide(&document, "codecommit:GitPull", REPOSITORY, &facts(&[("aws:SourceIp", address)]));
    assert_eq!(pull("203.0.200.1"), None);
    assert_eq!(pull("198.51.100.1"), Some(Effect::Deny));
}

#[test]
fn secret_repositories_are_denied_by_tag() {
    let document = document(
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:us-east-2:111111111111:*",
             "Condition": {"StringEquals": {"aws:ResourceTag/Status": "Secret"}}},
            {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}]}"#,
    );
    assert!(document.keys().mentions("aws:resourcetag/") && !document.keys().mentions("aws:RequestTag/"));
    let pull = |tag| decide(&document, "codecommit:GitPull", REPOSITORY, &facts(&[("aws:ResourceTag/status", tag)]));
    assert_eq!(pull("Secret"), Some(Effect::Deny));
    assert_eq!(pull("secret"), Some(Effect::Allow));
}

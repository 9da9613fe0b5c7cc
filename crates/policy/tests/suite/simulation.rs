//! What the policy simulator shows: matching statements, their positions, and context keys.

use std::sync::Arc;

use policy::{Context, Effect, PolicySet, Position, Request};

use crate::{REPOSITORY, document, facts};

/// The first example of `aws iam simulate-custom-policy` in the AWS CLI, with AWS's reply.
#[test]
fn a_single_statement_has_the_positions_of_aws() {
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
    let set = PolicySet::new([Arc::new(document(text))]);
    let simulate = |time| {
        let facts = facts(&[("aws:CurrentTime", time)]);
        let matching = set.matching_statements(&Request::new("dynamodb:CreateBackup", "*", &facts));
        matching.iter().map(|matched| (matched.statement.start(), matched.statement.end())).collect::<Vec<_>>()
    };
    let expected = (Position { line: 1, column: 38 }, Position { line: 1, column: 167 });
    assert_eq!(simulate("2019-04-25T11:00:00Z"), [expected]);
    assert_eq!(simulate("2014-04-25T11:00:00Z"), []);
}

/// The first position is that of an example of `aws iam simulate-principal-policy` in the AWS CLI.
#[test]
fn statements_of_a_list_have_positions() {
    let text = r#"{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "ListRepositories",
            "Effect": "Allow",
            "Action": "codecommit:ListRepositories",
            "Resource": "*"
        },
        {"Effect": "Deny", "Action": "codecommit:*", "Resource": "*"}
    ]
}"#;
    let document = document(text);
    let [first, second] = document.statements() else { panic!("two statements") };
    assert_eq!(first.start(), Position { line: 3, column: 19 });
    assert_eq!(first.end(), Position { line: 9, column: 10 });
    assert_eq!(second.start(), first.end());
    assert_eq!(second.end(), Position { line: 10, column: 70 });
    assert_eq!((first.sid(), first.effect()), (Some("ListRepositories"), Effect::Allow));
    assert_eq!((second.sid(), second.effect()), (None, Effect::Deny));
}

#[test]
fn matching_statements_name_their_documents() {
    let allow = r#"{"Statement": [{"Sid": "A", "Effect": "Allow", "Action": "codecommit:*", "Resource": "*"},
        {"Sid": "B", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
    let deny = r#"{"Statement": [{"Sid": "C", "Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*"}]}"#;
    let set = PolicySet::new([allow, deny].map(|text| Arc::new(document(text))));
    let facts = Context::default();
    let matching = set.matching_statements(&Request::new("codecommit:GitPush", REPOSITORY, &facts));
    let named: Vec<_> = matching.iter().map(|matched| (matched.document, matched.statement.sid())).collect();
    assert_eq!(named, [(0, Some("A")), (1, Some("C"))]);
    assert_eq!(set.documents().len(), 2);
}

#[test]
fn context_keys_are_those_of_conditions_and_variables() {
    let text = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::*:user/${aws:username, 'x'}",
         "Condition": {"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}, "Bool": {"AWS:SecureTransport": true}}},
        {"Effect": "Deny", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::${aws:UserName}",
         "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:${aws:PrincipalAccount}:*"}, "Null": {"aws:securetransport": "${*}"}}}]}"#;
    let set = PolicySet::new([Arc::new(document(text))]);
    let keys: Vec<_> = set.keys().iter().collect();
    let expected = [
        "aws:PrincipalAccount",
        "aws:PrincipalTag/Team",
        "aws:ResourceTag/Team",
        "AWS:SecureTransport",
        "aws:SourceArn",
        "aws:username",
    ];
    assert_eq!(keys, expected);
    let facts = facts(&[("aws:username", "Li"), ("aws:secureTransport", "true"), ("aws:SourceArn", "x")]);
    let missing: Vec<_> = set.keys().missing_in(&facts).collect();
    assert_eq!(missing, ["aws:PrincipalAccount", "aws:PrincipalTag/Team", "aws:ResourceTag/Team"]);
}

//! Decisions of trust policies.

use policy::{Context, Principal, Request, Trust, TrustPolicy};

use crate::facts;

const ROLE_OF_CALLER: &str = "arn:aws:iam::111111111111:role/path/Caller";
const SESSION: &str = "arn:aws:sts::111111111111:assumed-role/Caller/session";

/// Decides about `AssumeRole` by a role session of the account 111111111111, or by another caller.
fn decide(statements: &str, caller: &Principal<'_>, facts: &Context) -> Option<Trust> {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
    let policy = TrustPolicy::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    policy.decide(&Request::new("sts:AssumeRole", "arn:aws:iam::222222222222:role/R", facts), caller)
}

fn session<'p>() -> Principal<'p> {
    Principal::Aws { account: "111111111111", names: &[SESSION, ROLE_OF_CALLER, "AROACKCEVSQ6C2EXAMPLE"] }
}

fn trusts(principal: &str, caller: &Principal<'_>) -> Option<Trust> {
    let statement = format!(r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}"#);
    decide(&statement, caller, &Context::default())
}

#[test]
fn a_caller_is_named_by_itself_or_by_its_account() {
    for (principal, expected) in [
        (r#""*""#, Some(Trust::Principal)),
        (r#"{"AWS": "*"}"#, Some(Trust::Principal)),
        (r#"{"AWS": "111111111111"}"#, Some(Trust::Account)),
        (r#"{"AWS": "arn:aws:iam::111111111111:root"}"#, Some(Trust::Account)),
        (r#"{"AWS": ["222222222222", "arn:aws:iam::111111111111:role/path/Caller"]}"#, Some(Trust::Principal)),
        (
            r#"{"AWS": ["111111111111", "arn:aws:sts::111111111111:assumed-role/Caller/session"]}"#,
            Some(Trust::Principal),
        ),
        (r#"{"AWS": "AROACKCEVSQ6C2EXAMPLE"}"#, Some(Trust::Principal)),
        (r#"{"AWS": "arn:aws:sts::111111111111:assumed-role/Caller/other"}"#, None),
        (r#"{"AWS": "arn:aws:iam::111111111111:role/path/caller"}"#, None),
        (r#"{"AWS": "222222222222"}"#, None),
        (r#"{"Service": "codepipeline.amazonaws.com"}"#, None),
        (r#"{"Federated": "accounts.google.com"}"#, None),
        (r#"{"CanonicalUser": "79a59d"}"#, None),
    ] {
        assert_eq!(trusts(principal, &session()), expected, "{principal}");
    }
}

#[test]
fn services_and_identity_providers_are_named_exactly() {
    let service = Principal::Service("codepipeline.amazonaws.com");
    assert_eq!(
        trusts(r#"{"Service": ["lambda.amazonaws.com", "codepipeline.amazonaws.com"]}"#, &service),
        Some(Trust::Principal)
    );
    assert_eq!(trusts(r#"{"Service": "lambda.amazonaws.com"}"#, &service), None);
    assert_eq!(trusts(r#"{"AWS": "*"}"#, &service), None);
    let provider = Principal::Federated("arn:aws:iam::111111111111:saml-provider/Provider");
    let principal = r#"{"Federated": "arn:aws:iam::111111111111:saml-provider/Provider"}"#;
    assert_eq!(trusts(principal, &provider), Some(Trust::Principal));
    assert_eq!(trusts(r#"{"Federated": "accounts.google.com"}"#, &provider), None);
}

#[test]
fn a_deny_wins_and_conditions_count() {
    let allow = r#"{"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:*",
        "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}"#;
    let secret = facts(&[("sts:ExternalId", "secret")]);
    assert_eq!(decide(allow, &session(), &secret), Some(Trust::Account));
    assert_eq!(decide(allow, &session(), &facts(&[])), None);
    let deny = format!(
        r#"{allow}, {{"Effect": "Deny", "Principal": {{"AWS": "{ROLE_OF_CALLER}"}}, "Action": "sts:AssumeRole"}}"#
    );
    assert_eq!(decide(&deny, &session(), &secret), Some(Trust::Denied));
    let except = format!(
        r#"{allow}, {{"Effect": "Deny", "NotPrincipal": {{"AWS": "{ROLE_OF_CALLER}"}}, "Action": "sts:AssumeRole"}}"#
    );
    assert_eq!(decide(&except, &session(), &secret), Some(Trust::Account));
    let other = Principal::Aws { account: "111111111111", names: &["arn:aws:iam::111111111111:user/Li"] };
    assert_eq!(decide(&except, &other, &secret), Some(Trust::Denied));
}

#[test]
fn other_actions_do_not_match() {
    let statement = r#"{"Effect": "Allow", "Principal": "*", "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"]}"#;
    assert_eq!(decide(statement, &session(), &Context::default()), None);
}

#[test]
fn the_keys_of_a_trust_policy_are_known() {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/Id}"}}}}"#;
    let policy = TrustPolicy::parse(text).expect("a valid policy");
    assert_eq!(policy.keys().iter().collect::<Vec<_>>(), ["aws:PrincipalTag/Id", "sts:ExternalId"]);
    assert_eq!(policy.statements().count(), 1);
}

//! Actions, resources, versions and variables.

use policy::{Context, Effect, Version};

use crate::{REPOSITORY, allow, decide, document, facts};

fn allows_action(elements: &str, action: &str) -> bool {
    decide(&allow(&format!(r#"{elements}, "Resource": "*""#)), action, REPOSITORY, &Context::default()).is_some()
}

fn allows_resource(elements: &str, resource: &str) -> bool {
    let facts = facts(&[("aws:username", "MyDemoRepo"), ("aws:PrincipalTag/star", "*")]);
    decide(&allow(&format!(r#""Action": "*", {elements}"#)), "codecommit:GitPull", resource, &facts).is_some()
}

#[test]
fn actions_compare_without_case_and_with_wildcards() {
    for (pattern, action, expected) in [
        (r#""Action": "CodeCommit:gitPUSH""#, "codecommit:GitPush", true),
        (r#""Action": "codecommit:*PullRequest*""#, "codecommit:GetPullRequestOverrideState", true),
        (r#""Action": "codecommit:*PullRequest*""#, "codecommit:GetBranch", false),
        (r#""Action": "codecommit:Git????""#, "codecommit:GitPush", true),
        (r#""Action": "codecommit:Git???""#, "codecommit:GitPush", false),
        (r#""Action": ["s3:*", "codecommit:Get*"]"#, "codecommit:GetBranch", true),
        (r#""Action": ["s3:*", "codecommit:Get*"]"#, "codecommit:ListBranches", false),
        (r#""Action": "*:*""#, "codecommit:ListBranches", true),
        (r#""Action": "*:List*""#, "codecommit:ListBranches", true),
        (r#""NotAction": ["iam:*", "codecommit:Git*"]"#, "codecommit:GitPush", false),
        (r#""NotAction": ["iam:*", "codecommit:Git*"]"#, "codecommit:GetBranch", true),
    ] {
        assert_eq!(allows_action(pattern, action), expected, "{pattern} {action}");
    }
}

#[test]
fn resources_compare_part_by_part() {
    let arn = |rest: &str| format!("arn:aws:codecommit:us-east-2:111111111111:{rest}");
    for (pattern, resource, expected) in [
        ("*", REPOSITORY, true),
        ("*", "*", true),
        (REPOSITORY, REPOSITORY, true),
        (REPOSITORY, "*", false),
        (REPOSITORY, &arn("mydemorepo"), false),
        (REPOSITORY, &arn("MyDemoRepo2"), false),
        ("arn:aws:codecommit:us-east-2:111111111111:MyDemo*", REPOSITORY, true),
        ("arn:aws:codecommit:us-east-2:111111111111:MyDemo????", REPOSITORY, true),
        ("arn:aws:codecommit:us-east-2:111111111111:MyDemo???", REPOSITORY, false),
        ("arn:aws:codecommit:us-east-2:999999999999:*", REPOSITORY, false),
        ("arn:aws:codecommit:*:*:*", REPOSITORY, true),
        ("arn:aws:codecommit:us-*:1111????1111:*", REPOSITORY, true),
        ("arn:aws:codecommit:us-east-2*", REPOSITORY, true),
        ("arn:aws:codecommit:eu-*:MyDemoRepo", REPOSITORY, false),
        ("arn:aws:codecommit", REPOSITORY, true),
        ("arn:aws:sqs", REPOSITORY, false),
        ("arn:aws:codecommit:*:*:*", "*", false),
        ("arn:*:codecommit:*:*:My*", "arn:aws-cn:codecommit:cn-north-1:111111111111:MyDemoRepo", true),
        ("arn:aws:iam::*:user/*", "arn:aws:iam::111111111111:user/division/name", true),
        ("arn:aws:sns:*:*:a*z", "arn:aws:sns:us-east-2:111111111111:a:b/z", true),
    ] {
        assert_eq!(allows_resource(&format!(r#""Resource": "{pattern}""#), resource), expected, "{pattern} {resource}");
    }
}

#[test]
fn not_resource_matches_all_others() {
    let elements = r#""NotResource": ["arn:aws:codecommit:*:*:My*", "arn:aws:s3:::b"]"#;
    assert!(!allows_resource(elements, REPOSITORY));
    assert!(allows_resource(elements, "arn:aws:codecommit:us-east-2:111111111111:Other"));
    assert!(allows_resource(elements, "*"));
}

#[test]
fn variables_stand_in_the_last_part_of_a_resource() {
    let user = "arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo";
    for (pattern, resource, expected) in [
        ("arn:aws:codecommit:*:*:${aws:username}", user, true),
        ("arn:aws:codecommit:*:*:${AWS:UserName}", user, true),
        ("arn:aws:codecommit:*:*:${aws:username}-*", "arn:aws:codecommit:us-east-2:111111111111:MyDemoRepo-1", true),
        ("arn:aws:codecommit:*:*:${aws:userid}*", user, false),
        ("arn:aws:codecommit:*:*:${aws:userid, 'MyDemoRepo'}", user, true),
        ("arn:aws:codecommit:*:*:${aws:PrincipalTag/star}", user, false),
        ("arn:aws:codecommit:*:*:${aws:PrincipalTag/star}", "arn:aws:codecommit:us-east-2:111111111111:*", true),
        ("arn:aws:codecommit:*:*:My${*}", user, false),
        ("arn:aws:codecommit:*:*:My${*}", "arn:aws:codecommit:us-east-2:111111111111:My*", true),
        ("arn:aws:codecommit:*:${aws:username}:*", "arn:aws:codecommit:us-east-2:MyDemoRepo:MyDemoRepo", false),
    ] {
        assert_eq!(allows_resource(&format!(r#""Resource": "{pattern}""#), resource), expected, "{pattern} {resource}");
    }
}

#[test]
fn the_old_version_has_no_variables() {
    let text = |version: &str| {
        document(&format!(
            r#"{{{version} "Statement": [{{"Effect": "Allow", "Action": "*",
                "Resource": "arn:aws:codecommit:*:*:${{aws:username}}"}}]}}"#
        ))
    };
    let facts = facts(&[("aws:username", "MyDemoRepo")]);
    let literal = "arn:aws:codecommit:us-east-2:111111111111:${aws:username}";
    for old in [text(""), text(r#""Version": "2008-10-17","#)] {
        assert_eq!(old.version(), Version::V2008);
        assert_eq!(decide(&old, "codecommit:GitPull", REPOSITORY, &facts), None);
        assert_eq!(decide(&old, "codecommit:GitPull", literal, &facts), Some(Effect::Allow));
    }
    let current = text(r#""Version": "2012-10-17","#);
    assert_eq!(decide(&current, "codecommit:GitPull", REPOSITORY, &facts), Some(Effect::Allow));
    assert_eq!(decide(&current, "codecommit:GitPull", literal, &facts), None);
}

#[test]
fn a_deny_wins_in_any_order() {
    let allow = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
    let deny = r#"{"Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*"}"#;
    for statements in [[allow, deny], [deny, allow]] {
        let document = document(&format!(r#"{{"Statement": [{}]}}"#, statements.join(",")));
        assert_eq!(decide(&document, "codecommit:GitPush", REPOSITORY, &Context::default()), Some(Effect::Deny));
        assert_eq!(decide(&document, "codecommit:GitPull", REPOSITORY, &Context::default()), Some(Effect::Allow));
    }
}

#[test]
fn the_size_counts_no_blanks() {
    assert_eq!(policy::size("{ \"a\":\n\t\"ä b\" }"), 10);
}

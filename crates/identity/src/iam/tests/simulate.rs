//! Simulations of policies, and the details of an account.

use super::{ALLOW_ALL, Account};

const ALICE: &str = "arn:aws:iam::111122223333:user/Alice";
const REPOSITORY: &str = "arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo";
const DENY_MAIN: &str = r#"{
    "Version": "2012-10-17",
    "Statement": [
        { "Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*",
          "Condition": { "StringEquals": { "codecommit:References": "refs/heads/main" } } }
    ]
}"#;

/// Returns an account with a user who may do everything but push to main, by a group and an inline policy.
fn account() -> Account {
    let account = Account::new();
    account.create_user("Alice");
    account.ok("AddUserToGroup", &[("UserName", "Alice"), ("GroupName", "Developers")]);
    account.ok("PutUserPolicy", &[("UserName", "Alice"), ("PolicyName", "Main"), ("PolicyDocument", DENY_MAIN)]);
    account
}

/// Returns the decision of a simulation and its reply.
fn simulate(account: &Account, operation: &str, form: super::Form<'_>) -> (String, String) {
    let reply = account.ok(operation, form);
    (aws::xml::read(&reply, "EvalDecision").expect("there is a result"), reply)
}

#[test]
fn the_decision_is_that_of_a_call_and_names_its_statements() {
    let account = account();
    let push = |reference: &str| {
        let form = [
            ("PolicySourceArn", ALICE),
            ("ActionNames.member.1", "codecommit:GitPush"),
            ("ResourceArns.member.1", REPOSITORY),
            ("ContextEntries.member.1.ContextKeyName", "codecommit:References"),
            ("ContextEntries.member.1.ContextKeyType", "string"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", reference),
        ];
        simulate(&account, "SimulatePrincipalPolicy", &form)
    };
    let (decision, reply) = push("refs/heads/main");
    assert_eq!(decision, "explicitDeny");
    let statement = "<MatchedStatements><member><SourcePolicyId>user_Alice_Main</SourcePolicyId>\
        <SourcePolicyType>IAM Policy</SourcePolicyType><StartPosition><Line>3</Line><Column>19</Column></StartPosition>\
        <EndPosition><Line>5</Line><Column>92</Column></EndPosition></member></MatchedStatements>";
    assert!(reply.contains(statement), "{reply}");
    let (decision, reply) = push("refs/heads/dev");
    assert_eq!(decision, "allowed");
    assert!(reply.contains("<SourcePolicyId>AWSCodeCommitPowerUser</SourcePolicyId>"), "{reply}");
    let form = [("PolicySourceArn", ALICE), ("ActionNames.member.1", "codecommit:DeleteRepository")];
    let (decision, reply) = simulate(&account, "SimulatePrincipalPolicy", &form);
    assert_eq!(decision, "implicitDeny");
    assert!(reply.contains("<EvalResourceName>*</EvalResourceName>"), "{reply}");
    assert!(reply.contains("<member>codecommit:References</member>"), "{reply}");
    let alice = account.key_of("Alice");
    assert_eq!(alice.reason("codecommit:GitPush", REPOSITORY, "refs/heads/dev"), "");
    assert_eq!(
        alice.reason("codecommit:GitPush", REPOSITORY, "refs/heads/main"),
        "with an explicit deny in an identity-based policy"
    );
}

#[test]
fn boundaries_further_policies_and_other_accounts_count() {
    let account = account();
    let with = |more: super::Form<'_>| {
        let form = [("PolicySourceArn", ALICE), ("ActionNames.member.1", "codecommit:CreateBranch")];
        simulate(&account, "SimulatePrincipalPolicy", &[&form, more].concat())
    };
    let deny = ALLOW_ALL.replace("Allow", "Deny");
    assert_eq!(with(&[]).0, "allowed");
    assert_eq!(with(&[("PolicyInputList.member.1", &deny)]).0, "explicitDeny");
    let read = ALLOW_ALL.replace("\"Action\":\"*\"", "\"Action\":\"codecommit:Get*\"");
    let (decision, reply) = with(&[("PermissionsBoundaryPolicyInputList.member.1", &read)]);
    assert_eq!(decision, "implicitDeny");
    assert!(reply.contains("<AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary>"), "{reply}");
    let foreign = REPOSITORY.replace("111122223333", "444455556666");
    let (decision, reply) = with(&[("ResourceArns.member.1", &foreign)]);
    let details = "<EvalDecisionDetails><entry><key>IAM Policy</key><value>allowed</value></entry>\
        <entry><key>Resource Policy</key><value>implicitDeny</value></entry></EvalDecisionDetails>";
    assert!(decision == "implicitDeny" && reply.contains(details), "{reply}");
    account.ok(
        "PutUserPermissionsBoundary",
        &[("UserName", "Alice"), ("PermissionsBoundary", "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly")],
    );
    assert_eq!(with(&[]).0, "implicitDeny");
}

#[test]
fn each_resource_has_its_own_result() {
    let account = account();
    let own = ALLOW_ALL.replace("\"Resource\":\"*\"", &format!("\"Resource\":\"{REPOSITORY}\""));
    let form = [
        ("PolicyInputList.member.1", own.as_str()),
        ("ActionNames.member.1", "codecommit:GitPull"),
        ("ResourceArns.member.1", REPOSITORY),
        ("ResourceArns.member.2", "arn:aws:codecommit:us-east-2:111122223333:Other"),
    ];
    let (decision, reply) = simulate(&account, "SimulateCustomPolicy", &form);
    assert_eq!((decision.as_str(), reply.matches("<EvalActionName>").count()), ("implicitDeny", 1));
    assert!(
        reply.contains("<EvalResourceName>arn:${Partition}:codecommit:${Region}:${Account}:${RepositoryName}<"),
        "{reply}"
    );
    for (resource, decision) in [("MyDemoRepo", "allowed"), ("Other", "implicitDeny")] {
        let result = format!("{resource}</EvalResourceName><EvalResourceDecision>{decision}</EvalResourceDecision>");
        assert!(reply.contains(&result), "{result}: {reply}");
    }
}

#[test]
fn excluded_policies_and_those_of_an_organization_count() {
    let account = account();
    let without = |exclusion: super::Form<'_>| {
        let form = [
            ("PolicySourceArn", ALICE),
            ("ActionNames.member.1", "codecommit:GitPush"),
            ("ContextEntries.member.1.ContextKeyName", "codecommit:References"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "refs/heads/main"),
        ];
        simulate(&account, "SimulatePrincipalPolicy", &[&form, exclusion].concat()).0
    };
    let inline = "PolicyExclusionList.member.1.InlinePolicyIdentifier";
    let [name, kind, holder] = ["PolicyName", "AttachmentType", "AttachmentName"].map(|end| format!("{inline}.{end}"));
    assert_eq!(without(&[]), "explicitDeny");
    assert_eq!(without(&[("PolicyExclusionList.member.1.PolicyType", "inline")]), "allowed");
    assert_eq!(without(&[(&name, "Main"), (&kind, "user"), (&holder, "Al*")]), "allowed");
    assert_eq!(without(&[(&name, "Main"), (&kind, "group"), (&holder, "*")]), "explicitDeny");
    let managed = [
        ("PolicyExclusionList.member.1.PolicyType", "inline"),
        ("PolicyExclusionList.member.2.PolicyArn", "arn:aws:iam::aws:policy/AWSCodeCommit*"),
    ];
    assert_eq!(without(&managed), "implicitDeny");
    let invalid = [("PolicyExclusionList.member.1.PolicyArn", "arn:aws:iam::*:policy/x")];
    let form = [("PolicySourceArn", ALICE), ("ActionNames.member.1", "s3:GetObject"), invalid[0]];
    assert!(account.failed("SimulatePrincipalPolicy", &form).starts_with("InvalidInput 400"));
    let limit = ALLOW_ALL.replace("\"Action\":\"*\"", "\"Action\":\"codecommit:*\"");
    let levels = [
        ("PolicyInputList.member.1", ALLOW_ALL),
        ("OrderedOrganizationPolicyInputList.member.1.ServiceControlPolicyInputList.member.1", ALLOW_ALL),
        ("OrderedOrganizationPolicyInputList.member.2.ServiceControlPolicyInputList.member.1", &limit),
    ];
    for (action, expected) in [("codecommit:GitPull", "allowed"), ("s3:GetObject", "implicitDeny")] {
        let form = [&levels[..], &[("ActionNames.member.1", action)]].concat();
        let (decision, reply) = simulate(&account, "SimulateCustomPolicy", &form);
        let detail = format!("<AllowedByOrganizations>{}</AllowedByOrganizations>", expected == "allowed");
        assert!(decision == expected && reply.contains(&detail), "{reply}");
    }
}

#[test]
fn a_custom_policy_is_simulated_page_by_page() {
    let account = account();
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"arn:aws:codecommit:*:*:${aws:username}-*"}}"#;
    let form = [
        ("PolicyInputList.member.1", own),
        ("ActionNames.member.1", "codecommit:GitPull"),
        ("ActionNames.member.2", "s3:GetObject"),
        ("ResourceArns.member.1", "arn:aws:codecommit:us-east-2:111122223333:Ana-1"),
        ("CallerArn", "arn:aws:iam::111122223333:user/division/Ana"),
        ("MaxItems", "1"),
    ];
    let (decision, reply) = simulate(&account, "SimulateCustomPolicy", &form);
    assert!(decision == "allowed" && reply.contains("<SourcePolicyId>PolicyInputList.1</SourcePolicyId>"), "{reply}");
    let marker = aws::xml::read(&reply, "Marker").expect("there is a second page");
    let (decision, reply) =
        simulate(&account, "SimulateCustomPolicy", &[form.as_slice(), &[("Marker", &marker)]].concat());
    assert!(decision == "implicitDeny" && reply.contains("<IsTruncated>false</IsTruncated>"), "{reply}");
    for (name, value, message) in [
        ("ActionNames.member.1", "GitPull", "Invalid Action: GitPull"),
        ("ActionNames.member.1", "codecommit:*", "Invalid Action: codecommit:*"),
        ("ResourceArns.member.1", "MyDemoRepo", "Invalid Resource: MyDemoRepo"),
        ("PolicyInputList.member.1", "{}", "Syntax errors in policy."),
    ] {
        let mut form = form.to_vec();
        form.retain(|(other, _)| *other != name);
        form.push((name, value));
        assert_eq!(account.failed("SimulateCustomPolicy", &form), format!("InvalidInput 400: {message}"));
    }
    let missing =
        [("PolicySourceArn", "arn:aws:iam::111122223333:user/Nobody"), ("ActionNames.member.1", "s3:GetObject")];
    assert!(account.failed("SimulatePrincipalPolicy", &missing).starts_with("NoSuchEntity 404"));
}

#[test]
fn the_context_keys_of_policies_are_listed() {
    let account = account();
    let keys = account.ok("GetContextKeysForCustomPolicy", &[("PolicyInputList.member.1", DENY_MAIN)]);
    assert!(keys.contains("<ContextKeyNames><member>codecommit:References</member></ContextKeyNames>"), "{keys}");
    let keys = account.ok("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", ALICE)]);
    assert!(keys.contains("<member>aws:username</member><member>codecommit:References</member>"), "{keys}");
}

#[test]
fn the_details_of_an_account_have_everything() {
    let account = account();
    account.ok("AttachUserPolicy", &[("UserName", "Alice"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]);
    let all = account.ok("GetAccountAuthorizationDetails", &[]);
    for part in [
        "<UserPolicyList><member><PolicyName>Main</PolicyName><PolicyDocument>%7B",
        "<GroupList><member>Developers</member></GroupList>",
        "<PolicyName>ReadOnlyAccess</PolicyName><PolicyArn>",
        "<RoleName>Build</RoleName>",
        "<PolicyVersionList><member><Document>%7B",
        "<Arn>arn:aws:iam::aws:policy/AWSCodeCommitPowerUser</Arn>",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let roles = account.ok("GetAccountAuthorizationDetails", &[("Filter.member.1", "Role")]);
    assert!(roles.contains("<UserDetailList></UserDetailList>") && roles.contains("Build"), "{roles}");
    let first = account.ok("GetAccountAuthorizationDetails", &[("MaxItems", "1")]);
    assert!(
        first.contains("<IsTruncated>true</IsTruncated>") && first.contains("<UserName>Alice</UserName>"),
        "{first}"
    );
}

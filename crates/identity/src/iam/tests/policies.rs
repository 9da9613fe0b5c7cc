//! Managed policies, their versions, attachments, and inline policies.

use super::{ALLOW_ALL, Account};

#[test]
fn a_policy_has_versions() {
    let account = Account::new();
    let create = [("PolicyName", "P"), ("Path", "/team/"), ("PolicyDocument", ALLOW_ALL), ("Description", "All")];
    let arn = account.element("CreatePolicy", &create, "Arn");
    assert_eq!(arn, "arn:aws:iam::111122223333:policy/team/P");
    assert_eq!(
        account.failed("CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", ALLOW_ALL)]),
        "EntityAlreadyExists 409: A policy called p already exists. Duplicate names are not allowed."
    );
    let deny = ALLOW_ALL.replace("Allow", "Deny");
    for version in 2..=5 {
        let default = if version == 3 { "true" } else { "false" };
        let form = [("PolicyArn", arn.as_str()), ("PolicyDocument", &deny), ("SetAsDefault", default)];
        assert_eq!(account.element("CreatePolicyVersion", &form, "VersionId"), format!("v{version}"));
    }
    let sixth = [("PolicyArn", arn.as_str()), ("PolicyDocument", &deny)];
    assert!(
        account
            .failed("CreatePolicyVersion", &sixth)
            .starts_with("LimitExceeded 409: A managed policy can have up to 5")
    );
    assert_eq!(account.element("GetPolicy", &[("PolicyArn", &arn)], "DefaultVersionId"), "v3");
    let third = [("PolicyArn", arn.as_str()), ("VersionId", "v3")];
    assert!(account.element("GetPolicyVersion", &third, "Document").starts_with("%7B%22Version%22%3A"));
    assert!(account.failed("DeletePolicyVersion", &third).starts_with("DeleteConflict 409: Cannot delete the default"));
    account.ok("SetDefaultPolicyVersion", &[("PolicyArn", &arn), ("VersionId", "v1")]);
    account.ok("DeletePolicyVersion", &third);
    assert!(account.failed("GetPolicyVersion", &third).starts_with("NoSuchEntity 404"));
    assert_eq!(account.element("CreatePolicyVersion", &sixth, "VersionId"), "v6");
    let versions = account.ok("ListPolicyVersions", &[("PolicyArn", &arn), ("MaxItems", "2")]);
    assert!(versions.contains("<VersionId>v6</VersionId>") && versions.contains("<VersionId>v5</VersionId>"));
    assert!(account.failed("DeletePolicy", &[("PolicyArn", &arn)]).contains("more than one version"));
    for version in ["v2", "v4", "v5", "v6"] {
        account.ok("DeletePolicyVersion", &[("PolicyArn", &arn), ("VersionId", version)]);
    }
    account.ok("DeletePolicy", &[("PolicyArn", &arn)]);
    assert_eq!(
        account.failed("GetPolicy", &[("PolicyArn", &arn)]),
        format!("NoSuchEntity 404: Policy {arn} was not found.")
    );
}

#[test]
fn a_policy_has_tags() {
    let account = Account::new();
    let create = [("PolicyName", "P"), ("PolicyDocument", ALLOW_ALL), ("Tags.member.1.Key", "Team")];
    let arn = account.element("CreatePolicy", &create, "Arn");
    account.ok("TagPolicy", &[("PolicyArn", &arn), ("Tags.member.1.Key", "Cost"), ("Tags.member.1.Value", "7")]);
    let tags = account.ok("ListPolicyTags", &[("PolicyArn", &arn)]);
    let expected =
        "<Tags><member><Key>Cost</Key><Value>7</Value></member><member><Key>Team</Key><Value></Value></member></Tags>";
    assert!(tags.contains(expected), "{tags}");
    account.ok("UntagPolicy", &[("PolicyArn", &arn), ("TagKeys.member.1", "Team")]);
    assert_eq!(account.ok("GetPolicy", &[("PolicyArn", &arn)]).matches("<Key>").count(), 1);
}

#[test]
fn documents_are_checked() {
    let account = Account::new();
    account.create_user("Ana");
    let put = |document: &str| {
        account.failed("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "P"), ("PolicyDocument", document)])
    };
    assert_eq!(put("x"), "MalformedPolicyDocument 400: Syntax errors in policy.");
    assert!(put(&ALLOW_ALL.replace("\"*\"", "\"x\"")).starts_with("MalformedPolicyDocument 400: "));
    let long = |letters: usize| ALLOW_ALL.replace("Allow", &format!("Allow\",\"Sid\":\"{}", "a".repeat(letters)));
    assert_eq!(put(&long(2_048)), "LimitExceeded 409: Maximum policy size of 2048 bytes exceeded for user Ana");
    let create = |document: &str| account.failed("CreatePolicy", &[("PolicyName", "P"), ("PolicyDocument", document)]);
    assert!(create(&ALLOW_ALL.replace("2012-10-17", "2008-10-17")).contains("must be version 2012-10-17 or greater"));
    assert_eq!(create(&long(6_144)), "LimitExceeded 409: Cannot exceed quota for PolicySize: 6144");
}

#[test]
fn policies_of_each_kind_of_holder_are_put_and_attached() {
    let account = Account::new();
    account.create_user("X");
    account.ok("CreateGroup", &[("GroupName", "X")]);
    account.ok("CreateRole", &[("RoleName", "X"), ("AssumeRolePolicyDocument", super::TRUST_ALL)]);
    let of_aws = "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly";
    for kind in ["User", "Group", "Role"] {
        let name = format!("{kind}Name");
        let holder = (name.as_str(), "X");
        let operation = |verb: &str, rest: &str| format!("{verb}{kind}{rest}");
        let policy = [holder, ("PolicyName", "P"), ("PolicyDocument", ALLOW_ALL)];
        account.ok(&operation("Put", "Policy"), &policy);
        assert!(account.element(&operation("Get", "Policy"), &policy[..2], "PolicyDocument").starts_with("%7B"));
        assert!(account.ok(&operation("List", "Policies"), &[holder]).contains("<PolicyNames><member>P</member>"));
        let attached = [holder, ("PolicyArn", of_aws)];
        account.ok(&operation("Attach", "Policy"), &attached);
        account.ok(&operation("Attach", "Policy"), &attached);
        let list = account.ok(&format!("ListAttached{kind}Policies"), &[holder]);
        assert!(list.contains("<PolicyName>AWSCodeCommitReadOnly</PolicyName>"), "{list}");
        let entities = account.ok("ListEntitiesForPolicy", &[("PolicyArn", of_aws), ("EntityFilter", kind)]);
        assert_eq!(entities.matches(&format!("<{kind}Name>X</{kind}Name>")).count(), 1, "{entities}");
        assert!(account.failed(&format!("Delete{kind}"), &[holder]).starts_with("DeleteConflict 409"));
        account.ok(&operation("Detach", "Policy"), &attached);
        assert_eq!(
            account.failed(&operation("Detach", "Policy"), &attached),
            format!("NoSuchEntity 404: Policy {of_aws} was not found.")
        );
        account.ok(&operation("Delete", "Policy"), &policy[..2]);
        let noun = kind.to_lowercase();
        assert_eq!(
            account.failed(&operation("Get", "Policy"), &policy[..2]),
            format!("NoSuchEntity 404: The {noun} policy with name P cannot be found.")
        );
        let missing = [holder, ("PolicyArn", "arn:aws:iam::111122223333:policy/None")];
        assert!(
            account.failed(&operation("Attach", "Policy"), &missing).contains("does not exist or is not attachable")
        );
        account.ok(&format!("Delete{kind}"), &[holder]);
    }
}

#[test]
fn at_most_ten_policies_are_attached_and_an_attached_one_stays() {
    let account = Account::new();
    account.create_user("Ana");
    let arn = |number: usize| format!("arn:aws:iam::111122223333:policy/P{number}");
    for number in 0..11 {
        account.ok("CreatePolicy", &[("PolicyName", &format!("P{number}")), ("PolicyDocument", ALLOW_ALL)]);
    }
    for number in 0..10 {
        account.ok("AttachUserPolicy", &[("UserName", "Ana"), ("PolicyArn", &arn(number))]);
    }
    assert_eq!(
        account.failed("AttachUserPolicy", &[("UserName", "Ana"), ("PolicyArn", &arn(10))]),
        "LimitExceeded 409: Cannot exceed quota for PoliciesPerUser: 10"
    );
    assert_eq!(
        account.failed("DeletePolicy", &[("PolicyArn", &arn(3))]),
        "DeleteConflict 409: Cannot delete a policy attached to entities."
    );
    let attached = account.ok("ListPolicies", &[("Scope", "Local"), ("OnlyAttached", "true")]);
    // The declared policy is attached, too.
    assert_eq!(attached.matches("<PolicyName>").count(), 11, "{attached}");
    assert_eq!(account.ok("ListPolicies", &[("Scope", "AWS")]).matches("<PolicyName>").count(), 6);
    let of_aws = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    assert!(account.failed("DeletePolicy", &[("PolicyArn", of_aws)]).starts_with("InvalidInput 400"));
    let version = [("PolicyArn", of_aws), ("VersionId", "v190")];
    assert!(account.ok("GetPolicyVersion", &version).contains("<IsDefaultVersion>true</IsDefaultVersion>"));
}

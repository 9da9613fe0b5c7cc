//! Rows of the identities file beside those of the API.

use super::{ALLOW_ALL, Account, FILE};

#[test]
fn declared_entities_are_listed_and_not_changed() {
    let account = Account::new();
    assert!(account.ok("ListUsers", &[]).contains("<UserName>Mateo</UserName>"));
    assert!(account.ok("ListGroupsForUser", &[("UserName", "Mateo")]).contains("<GroupName>Developers</GroupName>"));
    assert_eq!(account.element("ListAccessKeys", &[("UserName", "Mateo")], "AccessKeyId"), "AKIAMATEO");
    assert_eq!(
        account.element("ListServiceSpecificCredentials", &[("UserName", "Mateo")], "ServiceUserName"),
        "Mateo-at-111122223333"
    );
    assert_eq!(account.element("ListAttachedUserPolicies", &[("UserName", "Mateo")], "PolicyName"), "Declared");
    assert!(account.ok("GetUser", &[("UserName", "Mateo")]).contains("<Key>Team</Key>"));
    let trust = account.element("GetRole", &[("RoleName", "Build")], "AssumeRolePolicyDocument");
    assert!(
        trust.contains("%22Service%22%3A%5B%22codepipeline.amazonaws.com%22%5D%2C%22AWS%22%3A%5B%22444455556666%22%5D"),
        "{trust}"
    );
    let declared = "arn:aws:iam::111122223333:policy/Declared";
    for (operation, form) in [
        ("UpdateUser", vec![("UserName", "Mateo"), ("NewUserName", "Ana")]),
        ("DeleteUser", vec![("UserName", "Mateo")]),
        ("TagUser", vec![("UserName", "Mateo"), ("Tags.member.1.Key", "k")]),
        ("DeleteGroup", vec![("GroupName", "Developers")]),
        ("DeleteRole", vec![("RoleName", "Build")]),
        ("DeletePolicy", vec![("PolicyArn", declared)]),
        ("CreatePolicyVersion", vec![("PolicyArn", declared), ("PolicyDocument", ALLOW_ALL)]),
        ("DetachUserPolicy", vec![("UserName", "Mateo"), ("PolicyArn", declared)]),
        ("DeleteUserPolicy", vec![("UserName", "Mateo"), ("PolicyName", "Own")]),
        ("PutUserPolicy", vec![("UserName", "Mateo"), ("PolicyName", "Own"), ("PolicyDocument", ALLOW_ALL)]),
        ("RemoveUserFromGroup", vec![("UserName", "Mateo"), ("GroupName", "Developers")]),
        ("DeleteAccessKey", vec![("UserName", "Mateo"), ("AccessKeyId", "AKIAMATEO0000000")]),
    ] {
        let refused = account.failed(operation, &form);
        let expected = if operation == "DeleteAccessKey" { "NoSuchEntity" } else { "UnmodifiableEntity 400: The " };
        assert!(refused.starts_with(expected), "{operation}: {refused}");
    }
}

#[test]
fn a_declared_user_gets_policies_and_keys_of_the_api() {
    let account = Account::new();
    let mateo = account.world.caller("AKIAMATEO");
    assert_ne!(mateo.message("cloudtrail:LookupEvents", "*"), "");
    account.ok("AttachUserPolicy", &[("UserName", "Mateo"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]);
    let mateo = mateo.again();
    assert_eq!(mateo.message("cloudtrail:LookupEvents", "*"), "");
    assert_eq!(account.key_of("Mateo").caller.arn, mateo.caller.arn);
    // What the API gave stays after a reload of the file.
    account.world.reload(&FILE.replace("Blue", "Red"));
    assert_eq!(mateo.again().message("cloudtrail:LookupEvents", "*"), "");
    assert_eq!(account.ok("ListAccessKeys", &[("UserName", "Mateo")]).matches("<AccessKeyId>").count(), 2);
    // It ends with the user.
    account.world.reload(&FILE.replace("\"Mateo\"", "\"Other\""));
    account.world.reload(FILE);
    assert_eq!(account.ok("ListAccessKeys", &[("UserName", "Mateo")]).matches("<AccessKeyId>").count(), 1);
    assert_ne!(account.world.caller("AKIAMATEO").message("cloudtrail:LookupEvents", "*"), "");
}

#[test]
fn the_file_takes_a_name_from_the_api() {
    let account = Account::new();
    account.create_user("Ana");
    let key = account.element("CreateAccessKey", &[("UserName", "Ana")], "AccessKeyId");
    account.ok("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "P"), ("PolicyDocument", ALLOW_ALL)]);
    account.world.reload(&FILE.replace("\"Mateo\"", "\"Ana\""));
    assert!(
        account
            .ok("ListUserPolicies", &[("UserName", "Ana")])
            .contains("<PolicyNames><member>Own</member></PolicyNames>")
    );
    assert_ne!(account.world.caller(&key).caller.user_name.as_deref(), Some("Ana"));
    assert!(account.failed("DeleteUser", &[("UserName", "Ana")]).starts_with("UnmodifiableEntity"));
}

#[test]
fn a_reset_keeps_the_declared_rows_only() {
    let account = Account::new();
    account.create_user("Ana");
    let key = account.element("CreateAccessKey", &[("UserName", "Ana")], "AccessKeyId");
    account.ok("CreatePolicy", &[("PolicyName", "P"), ("PolicyDocument", ALLOW_ALL)]);
    account.ok("AttachUserPolicy", &[("UserName", "Mateo"), ("PolicyArn", "arn:aws:iam::111122223333:policy/P")]);
    account.world.reset();
    let users = account.ok("ListUsers", &[]);
    assert!(users.contains("Mateo") && !users.contains("Ana"), "{users}");
    assert_eq!(account.ok("ListPolicies", &[("Scope", "Local")]).matches("<PolicyName>").count(), 1);
    assert_eq!(account.ok("ListAttachedUserPolicies", &[("UserName", "Mateo")]).matches("<PolicyName>").count(), 1);
    assert_ne!(account.world.caller(&key).caller.user_name.as_deref(), Some("Ana"));
}

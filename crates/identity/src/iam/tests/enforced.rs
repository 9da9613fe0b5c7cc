//! Permissions for the operations of IAM.

use super::Account;
use crate::iam::Iam;
use crate::permissions::tests::world::Actor;

fn with_policy(account: &Account, policy: &str) -> Actor {
    account.create_user("Ana");
    account.ok("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "P"), ("PolicyDocument", policy)]);
    account.key_of("Ana")
}

/// The members of the inputs of all operations.
const FORM: super::Form<'_> = &[
    ("UserName", "Mateo"),
    ("GroupName", "Developers"),
    ("RoleName", "Build"),
    ("PolicyArn", "arn:aws:iam::111122223333:policy/Declared"),
    ("PolicyName", "Own"),
    ("PolicyDocument", super::ALLOW_ALL),
    ("AssumeRolePolicyDocument", super::TRUST_ALL),
    ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
    ("VersionId", "v1"),
    ("ServiceName", "codecommit.amazonaws.com"),
    ("ServiceSpecificCredentialId", "ACCA0000000000000000"),
    ("SSHPublicKeyId", "APKA0000000000000000"),
    ("SSHPublicKeyBody", "ssh-rsa AAAA"),
    ("AccessKeyId", "AKIA0000000000000000"),
    ("Status", "Active"),
    ("Encoding", "SSH"),
    ("PolicySourceArn", "arn:aws:iam::111122223333:user/Mateo"),
    ("PolicyInputList.member.1", super::ALLOW_ALL),
    ("ActionNames.member.1", "codecommit:GitPull"),
];

#[test]
fn every_operation_needs_exactly_its_action_on_its_resource() {
    let account = Account::new();
    account.create_user("Ana");
    let ana = account.key_of("Ana");
    for operation in Iam::operations() {
        let name = operation.name;
        let denied = account.world.iam(&ana, name, FORM).expect_err("nothing is allowed");
        let expected = format!("is not authorized to perform: iam:{name} ");
        assert!(denied.name == "AccessDenied" && denied.message.contains(&expected), "{name}: {denied:?}");
        let resource = denied.message.split_once(" on resource: ").map_or("*", |(_, rest)| rest);
        let resource = resource.split(' ').next().unwrap_or_default();
        let allow = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:{name}","Resource":"{resource}"}}}}"#
        );
        let policy = [("UserName", "Ana"), ("PolicyName", "Exact"), ("PolicyDocument", allow.as_str())];
        account.ok("PutUserPolicy", &policy);
        if let Err(failure) = account.world.iam(&account.world.caller_again(&ana), name, FORM) {
            assert_ne!(failure.name, "AccessDenied", "{name}: {failure:?}");
        }
        account.ok("DeleteUserPolicy", &policy[..2]);
    }
}

#[test]
fn a_caller_without_rights_cannot_tell_what_exists() {
    let account = Account::new();
    account.create_user("Ana");
    let ana = account.key_of("Ana");
    let refused =
        |name: &str| account.world.iam(&ana, "GetUser", &[("UserName", name)]).expect_err("it is denied").message;
    assert_eq!(refused("Mateo").replace("Mateo", ""), refused("Nobody").replace("Nobody", ""));
}

#[test]
fn users_manage_their_own_credentials_with_the_managed_policy() {
    let account = Account::new();
    account.create_user("Ana");
    account.ok(
        "AttachUserPolicy",
        &[("UserName", "Ana"), ("PolicyArn", "arn:aws:iam::aws:policy/AWSCodeCommitPowerUser")],
    );
    let ana = account.key_of("Ana");
    let create = |user: &str| {
        let form = [("UserName", user), ("ServiceName", "codecommit.amazonaws.com")];
        account.world.iam(&ana, "CreateServiceSpecificCredential", &form)
    };
    assert!(create("Ana").is_ok());
    assert_eq!(create("Mateo").expect_err("only her own").name, "AccessDenied");
    assert!(account.world.iam(&ana, "ListUsers", &[]).is_ok());
    assert!(account.world.iam(&ana, "ListAccessKeys", &[]).is_ok());
    assert_eq!(account.world.iam(&ana, "CreateAccessKey", &[]).expect_err("not with this policy").name, "AccessDenied");
}

#[test]
fn policies_ask_for_policy_arns_boundaries_and_tags() {
    let account = Account::new();
    let ana = with_policy(
        &account,
        r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*",
             "Condition":{"ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AWSCodeCommitReadOnly"}}},
            {"Effect":"Allow","Action":["iam:CreateUser","iam:TagUser"],"Resource":"arn:aws:iam::111122223333:user/team/*",
             "Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::aws:policy/ReadOnlyAccess","aws:RequestTag/Team":"Red"}}},
            {"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"Blue"}}}]}"#,
    );
    let run = |operation: &str, form: super::Form<'_>| {
        account.world.iam(&ana, operation, form).map(drop).map_err(|failure| failure.name)
    };
    let denied = || Err("AccessDenied".to_owned());
    let attach = |policy: &str| {
        run("AttachUserPolicy", &[("UserName", "Mateo"), ("PolicyArn", &format!("arn:aws:iam::aws:policy/{policy}"))])
    };
    assert_eq!((attach("AWSCodeCommitReadOnly"), attach("AdministratorAccess")), (Ok(()), denied()));
    let boundary = ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let (key, value) = (("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "Red"));
    assert_eq!(run("CreateUser", &[("UserName", "a"), ("Path", "/team/"), boundary, key, value]), Ok(()));
    assert_eq!(run("CreateUser", &[("UserName", "b"), ("Path", "/other/"), boundary, key, value]), denied());
    assert_eq!(run("CreateUser", &[("UserName", "c"), ("Path", "/team/"), key, value]), denied());
    assert_eq!(run("CreateUser", &[("UserName", "d"), ("Path", "/team/"), boundary]), denied());
    assert_eq!((run("GetUser", &[("UserName", "Mateo")]), run("GetUser", &[("UserName", "a")])), (Ok(()), denied()));
}

#[test]
fn tags_of_a_new_entity_need_the_permission_to_tag() {
    let account = Account::new();
    let create = super::ALLOW_ALL.replace("\"Action\":\"*\"", "\"Action\":\"iam:Create*\"");
    let ana = with_policy(&account, &create);
    let run = |actor: &Actor, form: super::Form<'_>| {
        account.world.iam(actor, "CreateUser", form).map(drop).map_err(|failure| failure.message)
    };
    let tagged = [("UserName", "Eva"), ("Tags.member.1.Key", "Team")];
    assert_eq!(run(&ana, &[("UserName", "Ida")]), Ok(()));
    assert!(
        run(&ana, &tagged).is_err_and(|message| message.contains("perform: iam:TagUser on resource: arn:aws:iam::"))
    );
    let both = create.replace("\"iam:Create*\"", "[\"iam:Create*\",\"iam:Tag*\"]");
    account.ok("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "P"), ("PolicyDocument", &both)]);
    assert_eq!(run(&ana.again(), &tagged), Ok(()));
}

#[test]
fn a_change_of_policies_takes_effect_for_the_next_call() {
    let account = Account::new();
    let ana = with_policy(&account, super::ALLOW_ALL);
    assert_eq!(ana.message("codecommit:GitPush", "*"), "");
    account.ok("DeleteUserPolicy", &[("UserName", "Ana"), ("PolicyName", "P")]);
    assert_eq!(ana.message("codecommit:GitPush", "*"), "", "a call that runs keeps its permissions");
    let ana = ana.again();
    assert_ne!(ana.message("codecommit:GitPush", "*"), "");
    account.ok("AddUserToGroup", &[("UserName", "Ana"), ("GroupName", "Developers")]);
    let ana = ana.again();
    assert_eq!(ana.message("codecommit:GitPush", "*"), "");
    account.ok("CreateGroup", &[("GroupName", "None")]);
    let deny = super::ALLOW_ALL.replace("Allow", "Deny");
    account.ok("PutGroupPolicy", &[("GroupName", "None"), ("PolicyName", "P"), ("PolicyDocument", &deny)]);
    account.ok("AddUserToGroup", &[("UserName", "Ana"), ("GroupName", "None")]);
    assert!(
        ana.again().message("codecommit:GitPush", "*").ends_with("with an explicit deny in an identity-based policy")
    );
}

//! Users, groups and roles.

use serde_json::json;

use super::{ALLOW_ALL, Account, TRUST_ALL, text};

#[test]
fn a_user_is_created_found_renamed_and_deleted() {
    let account = Account::new();
    let created = account.ok(
        "CreateUser",
        &[("UserName", "Ana"), ("Path", "/division/"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "Red")],
    );
    assert!(created.contains("<Arn>arn:aws:iam::111122223333:user/division/Ana</Arn>"), "{created}");
    assert!(created.contains("<Tags><member><Key>Team</Key><Value>Red</Value></member></Tags>"), "{created}");
    let id = aws::xml::read(&created, "UserId").expect("a user has an id");
    assert!(id.starts_with("AIDA") && id.len() == 21, "{id}");
    assert_eq!(account.element("GetUser", &[("UserName", "aNa")], "UserId"), id);
    assert_eq!(
        account.failed("CreateUser", &[("UserName", "ANA")]),
        "EntityAlreadyExists 409: User with name ANA already exists."
    );
    account.ok("UpdateUser", &[("UserName", "Ana"), ("NewUserName", "Eva"), ("NewPath", "/")]);
    assert_eq!(account.element("GetUser", &[("UserName", "Eva")], "Arn"), "arn:aws:iam::111122223333:user/Eva");
    assert_eq!(
        account.failed("GetUser", &[("UserName", "Ana")]),
        "NoSuchEntity 404: The user with name Ana cannot be found."
    );
    let deleted = account.ok("DeleteUser", &[("UserName", "Eva")]);
    assert!(!deleted.contains("Result"), "{deleted}");
    assert!(account.failed("DeleteUser", &[("UserName", "Eva")]).starts_with("NoSuchEntity"));
}

#[test]
fn records_have_the_names_and_times_of_records_and_no_secret() {
    let account = Account::new();
    account.create_user("Ana");
    let reply = account.reply("CreateAccessKey", &[("UserName", "Ana")]).expect("the user exists");
    let key = reply.response_elements["accessKey"].clone();
    assert_eq!(key["userName"], "Ana");
    assert_eq!(key["status"], "Active");
    let created = key["createDate"].as_str().expect("a key has a date");
    assert!(created.ends_with("AM") || created.ends_with("PM"), "{created}");
    assert_eq!(key.as_object().map(serde_json::Map::len), Some(4));
    let body = text(reply);
    assert_eq!(aws::xml::read(&body, "SecretAccessKey").expect("the reply has the secret").len(), 40);
    let form = [("UserName", "Ana"), ("ServiceName", "codecommit.amazonaws.com")];
    let reply = account.reply("CreateServiceSpecificCredential", &form).expect("the user exists");
    let recorded = &reply.response_elements["serviceSpecificCredential"];
    assert_eq!(
        (&recorded["serviceUserName"], &recorded["servicePassword"]),
        (&json!("Ana-at-111122223333"), &json!(null))
    );
    assert_eq!(account.reply("ListUsers", &[]).expect("users are listed").response_elements, json!(null));
    let refused = account.reply("GetUser", &[("UserName", "Nobody")]).expect_err("the user does not exist");
    assert_eq!((refused.name.as_str(), refused.error_code()), ("NoSuchEntity", "NoSuchEntityException"));
}

#[test]
fn invalid_members_are_refused_in_the_words_of_aws() {
    let account = Account::new();
    assert_eq!(
        account.failed("CreateUser", &[("UserName", "a b")]),
        "ValidationError 400: 1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: [\\w+=,.@-]+"
    );
    assert!(account.failed("CreateUser", &[]).contains("Value null at 'userName'"));
    assert!(account.failed("CreateUser", &[("UserName", &"a".repeat(65))]).contains("less than or equal to 64"));
    for path in ["division", "/division", "/a b/"] {
        assert!(
            account.failed("CreateUser", &[("UserName", "a"), ("Path", path)]).contains("value for path is invalid")
        );
    }
    assert!(account.failed("ListUsers", &[("MaxItems", "0")]).contains("greater than or equal to 1"));
    assert!(account.failed("ListUsers", &[("Marker", "%")]).contains("Invalid Marker"));
    assert!(account.failed("UpdateAccessKey", &[("Status", "Expired")]).contains("enum value set: [Active, Inactive]"));
    let twice = [("UserName", "a"), ("Tags.member.1.Key", "k"), ("Tags.member.2.Key", "K")];
    assert!(account.failed("CreateUser", &twice).starts_with("InvalidInput 400: Duplicate tag keys"));
}

#[test]
fn lists_have_pages() {
    let account = Account::of("[[account]]\nid = \"111122223333\"\n[account.root]\naccess_keys = [\"AKIAROOT\"]");
    for number in 0..5 {
        account.create_user(&format!("user-{number}"));
    }
    let (mut names, mut marker) = (Vec::new(), String::new());
    loop {
        let page = account.ok("ListUsers", &[("MaxItems", "2"), ("Marker", &marker)]);
        names.extend(page.split("<UserName>").skip(1).map(|rest| rest[..6].to_owned()));
        match aws::xml::read(&page, "Marker") {
            Some(next) => marker = next,
            None => break assert!(page.contains("<IsTruncated>false</IsTruncated>"), "{page}"),
        }
    }
    assert_eq!(names, ["user-0", "user-1", "user-2", "user-3", "user-4"]);
    assert!(account.ok("ListUsers", &[("PathPrefix", "/none/")]).contains("<Users></Users>"));
}

#[test]
fn groups_have_members() {
    let account = Account::new();
    account.create_user("Ana");
    for number in 0..11 {
        account.ok("CreateGroup", &[("GroupName", &format!("group-{number}"))]);
    }
    for number in 0..10 {
        account.ok("AddUserToGroup", &[("GroupName", &format!("group-{number}")), ("UserName", "Ana")]);
    }
    account.ok("AddUserToGroup", &[("GroupName", "group-0"), ("UserName", "Ana")]);
    assert_eq!(
        account.failed("AddUserToGroup", &[("GroupName", "group-10"), ("UserName", "Ana")]),
        "LimitExceeded 409: Cannot exceed quota for GroupsPerUser: 10"
    );
    assert_eq!(account.ok("ListGroupsForUser", &[("UserName", "Ana")]).matches("<GroupName>").count(), 10);
    assert!(account.ok("GetGroup", &[("GroupName", "group-3")]).contains("<UserName>Ana</UserName>"));
    assert_eq!(
        account.failed("DeleteGroup", &[("GroupName", "group-3")]),
        "DeleteConflict 409: Cannot delete entity, must remove users from group first."
    );
    account.ok("RemoveUserFromGroup", &[("GroupName", "group-3"), ("UserName", "Ana")]);
    assert!(
        account
            .failed("RemoveUserFromGroup", &[("GroupName", "group-3"), ("UserName", "Ana")])
            .contains("NoSuchEntity")
    );
    account.ok("UpdateGroup", &[("GroupName", "group-3"), ("NewGroupName", "third")]);
    account.ok("DeleteGroup", &[("GroupName", "third")]);
    assert!(account.failed("DeleteUser", &[("UserName", "Ana")]).contains("must remove users from group first"));
}

#[test]
fn a_role_has_a_trust_policy_and_is_assumed() {
    let account = Account::new();
    let form = [("RoleName", "Deploy"), ("AssumeRolePolicyDocument", TRUST_ALL), ("MaxSessionDuration", "7200")];
    let created = account.ok("CreateRole", &form);
    assert!(created.contains("<AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22"), "{created}");
    assert_eq!(account.element("GetRole", &[("RoleName", "deploy")], "MaxSessionDuration"), "7200");
    assert!(
        account
            .ok("ListInstanceProfilesForRole", &[("RoleName", "Deploy")])
            .contains("<InstanceProfiles></InstanceProfiles>")
    );
    account.create_user("Ana");
    account.ok("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let ana = account.key_of("Ana");
    let assume = [("RoleArn", "arn:aws:iam::111122223333:role/Deploy"), ("RoleSessionName", "s1")];
    let session = account.world.session(&ana, "AssumeRole", &assume).expect("the role trusts everyone");
    account.ok("AttachRolePolicy", &[("RoleName", "Deploy"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]);
    assert_eq!(session.again().message("codecommit:GetBranch", "*"), "");
    assert_eq!(
        account.failed("CreateRole", &[("RoleName", "Bad"), ("AssumeRolePolicyDocument", "{}")]),
        "MalformedPolicyDocument 400: Could not parse the policy: Statement is empty!"
    );
    let nobody = TRUST_ALL.replace("Allow", "Deny");
    account.ok("UpdateAssumeRolePolicy", &[("RoleName", "Deploy"), ("PolicyDocument", &nobody)]);
    assert!(account.world.session(&ana, "AssumeRole", &assume).is_err());
    account.ok("UpdateRole", &[("RoleName", "Deploy"), ("Description", "Deploys"), ("MaxSessionDuration", "3600")]);
    assert_eq!(account.element("GetRole", &[("RoleName", "Deploy")], "Description"), "Deploys");
    assert!(account.failed("DeleteRole", &[("RoleName", "Deploy")]).contains("must detach all policies first"));
    account.ok("DetachRolePolicy", &[("RoleName", "Deploy"), ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]);
    account.ok("DeleteRole", &[("RoleName", "Deploy")]);
}

#[test]
fn the_walkthrough_across_accounts_works() {
    let roots = "[[account]]\nid = \"111122223333\"\n[account.root]\naccess_keys = [\"AKIAROOT\"]\n\
                 [[account]]\nid = \"444455556666\"\n[account.root]\naccess_keys = [\"AKIAOTHER\"]";
    let account = Account::of(roots);
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:Get*",
        "Resource":"arn:aws:codecommit:us-east-2:111122223333:MySharedDemoRepo"}}"#;
    let arn = account.element("CreatePolicy", &[("PolicyName", "Shared"), ("PolicyDocument", policy)], "Arn");
    let trust = TRUST_ALL.replace("\"*\"", "\"arn:aws:iam::444455556666:root\"");
    account.ok("CreateRole", &[("RoleName", "CrossAccount"), ("AssumeRolePolicyDocument", &trust)]);
    account.ok("AttachRolePolicy", &[("RoleName", "CrossAccount"), ("PolicyArn", &arn)]);
    let other = account.world.caller("AKIAOTHER");
    let run = |operation: &str, form: super::Form<'_>| {
        text(account.world.iam(&other, operation, form).expect("the root may do everything in its account"))
    };
    let role = "arn:aws:iam::111122223333:role/CrossAccount";
    run("CreateGroup", &[("GroupName", "Readers")]);
    run("CreateUser", &[("UserName", "Li_Juan")]);
    let key = run("CreateAccessKey", &[("UserName", "Li_Juan")]);
    let li_juan = || account.world.caller(&aws::xml::read(&key, "AccessKeyId").expect("a key has an id"));
    let assume = [("RoleArn", role), ("RoleSessionName", "s1")];
    assert!(account.world.session(&li_juan(), "AssumeRole", &assume).is_err(), "her policies do not allow it");
    let allow = ALLOW_ALL.replace("\"*\",\"Resource\":\"*\"", &format!("\"sts:AssumeRole\",\"Resource\":\"{role}\""));
    run("PutGroupPolicy", &[("GroupName", "Readers"), ("PolicyName", "Assume"), ("PolicyDocument", &allow)]);
    run("AddUserToGroup", &[("GroupName", "Readers"), ("UserName", "Li_Juan")]);
    let session = account.world.session(&li_juan(), "AssumeRole", &assume).expect("both accounts allow it");
    let shared = "arn:aws:codecommit:us-east-2:111122223333:MySharedDemoRepo";
    assert_eq!(session.message("codecommit:GetBranch", shared), "");
    assert_ne!(session.message("codecommit:PutFile", shared), "");
    assert!(
        account.failed("GetUser", &[("UserName", "Li_Juan")]).starts_with("NoSuchEntity"),
        "she is in the other account"
    );
}

#[test]
fn a_renamed_group_keeps_its_members_and_their_permissions() {
    let account = Account::new();
    account.create_user("Ana");
    account.ok("CreateGroup", &[("GroupName", "First")]);
    account.ok("AddUserToGroup", &[("GroupName", "First"), ("UserName", "Ana")]);
    account.ok("PutGroupPolicy", &[("GroupName", "First"), ("PolicyName", "P"), ("PolicyDocument", ALLOW_ALL)]);
    let ana = account.key_of("Ana");
    account.ok("UpdateGroup", &[("GroupName", "First"), ("NewGroupName", "Second")]);
    let ana = ana.again();
    assert_eq!(ana.message("codecommit:GitPush", "*"), "");
    account.ok("DeleteGroupPolicy", &[("GroupName", "Second"), ("PolicyName", "P")]);
    assert_ne!(ana.again().message("codecommit:GitPush", "*"), "");
}

#[test]
fn tags_and_boundaries_are_put_and_removed() {
    let account = Account::new();
    account.create_user("Ana");
    account.ok("TagUser", &[("UserName", "Ana"), ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "Red")]);
    account.ok("TagUser", &[("UserName", "Ana"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "Blue")]);
    let tags = account.ok("ListUserTags", &[("UserName", "Ana")]);
    assert!(tags.contains("<Tags><member><Key>team</Key><Value>Blue</Value></member></Tags>"), "{tags}");
    account.ok("UntagUser", &[("UserName", "Ana"), ("TagKeys.member.1", "Team")]);
    assert!(account.ok("ListUserTags", &[("UserName", "Ana")]).contains("<Tags></Tags>"));
    let boundary = "arn:aws:iam::aws:policy/AWSCodeCommitReadOnly";
    account.ok("PutUserPolicy", &[("UserName", "Ana"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    account.ok("PutUserPermissionsBoundary", &[("UserName", "Ana"), ("PermissionsBoundary", boundary)]);
    assert_eq!(account.element("GetUser", &[("UserName", "Ana")], "PermissionsBoundaryArn"), boundary);
    let ana = account.key_of("Ana");
    assert!(
        ana.message("codecommit:CreateBranch", "*")
            .ends_with("because no permissions boundary allows the codecommit:CreateBranch action")
    );
    account.ok("DeleteUserPermissionsBoundary", &[("UserName", "Ana")]);
    assert_eq!(ana.again().message("codecommit:CreateBranch", "*"), "");
    assert!(account.failed("DeleteUserPermissionsBoundary", &[("UserName", "Ana")]).starts_with("NoSuchEntity"));
    let missing = [("UserName", "Ana"), ("PermissionsBoundary", "arn:aws:iam::111122223333:policy/None")];
    assert!(account.failed("PutUserPermissionsBoundary", &missing).starts_with("NoSuchEntity"));
}

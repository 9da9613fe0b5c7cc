mod file;
mod sessions;
mod tokens;
mod trust;
pub(crate) mod world;

use self::world::{REPOSITORY, World};

/// The example of the user guide that limits pushes and merges to branches.
const LIMIT_BRANCHES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["codecommit:GitPush","codecommit:DeleteBranch",
    "codecommit:PutFile","codecommit:MergeBranchesByFastForward","codecommit:MergeBranchesBySquash","codecommit:MergeBranchesByThreeWay",
    "codecommit:MergePullRequestByFastForward","codecommit:MergePullRequestBySquash","codecommit:MergePullRequestByThreeWay"],
    "Resource":"arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo",
    "Condition":{"StringEqualsIfExists":{"codecommit:References":["refs/heads/main","refs/heads/prod"]},
    "Null":{"codecommit:References":"false"}}}]}"#;

/// Returns a world whose accounts have users of many kinds.
fn world() -> World {
    World::new(&format!(
        r#"
        [[account]]
        id = "111122223333"
        [account.root]
        access_keys = ["AKIAROOT"]

        [[account.policy]]
        name = "LimitBranches"
        path = "/guide/"
        document = '''{LIMIT_BRANCHES}'''

        [[account.policy]]
        name = "OnlyReads"
        document = '''{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":["codecommit:Get*","codecommit:GitPull"],"Resource":"*"}}}}'''

        [[account.group]]
        name = "Developers"
        policies = ["AWSCodeCommitPowerUser", "LimitBranches"]

        [[account.user]]
        name = "Nobody"

        [[account.user]]
        name = "Dev"
        path = "/division/"
        groups = ["developers"]

        [[account.user]]
        name = "Bounded"
        policies = ["arn:aws:iam::aws:policy/AWSCodeCommitFullAccess"]
        boundary = "OnlyReads"

        [[account.user]]
        name = "Tagged"
        tags = {{ Team = "Blue", Cost = "1" }}
        policies = [{{ name = "own", document = '''{{"Version":"2012-10-17","Statement":[
            {{"Effect":"Allow","Action":"codecommit:*","Resource":"*","Condition":{{"StringEquals":{{"aws:ResourceTag/Team":"${{aws:PrincipalTag/Team}}"}}}}}},
            {{"Effect":"Allow","Action":"sts:*","Resource":"*"}}]}}''' }}]

        [[account.role]]
        name = "Build"
        policies = ["AWSCodeCommitPowerUser"]
        tags = {{ Team = "Red" }}

        [[account]]
        id = "444455556666"
        [[account.user]]
        name = "Foreign"
        policies = ["AdministratorAccess"]
        "#
    ))
}

#[test]
fn policies_of_users_and_groups_decide() {
    let world = world();
    let cases = [
        // The user, the action, the reference, and what denies it.
        (
            "Nobody",
            "codecommit:GetBranch",
            "",
            "because no identity-based policy allows the codecommit:GetBranch action",
        ),
        ("Dev", "codecommit:GitPush", "", ""),
        ("Dev", "codecommit:GitPush", "refs/heads/dev", ""),
        ("Dev", "codecommit:GitPush", "refs/heads/main", "with an explicit deny in an identity-based policy"),
        ("Dev", "codecommit:PutFile", "refs/heads/prod", "with an explicit deny in an identity-based policy"),
        ("Dev", "codecommit:CreateCommit", "refs/heads/main", ""),
        (
            "Dev",
            "codecommit:DeleteRepository",
            "",
            "because no identity-based policy allows the codecommit:DeleteRepository action",
        ),
        ("Bounded", "codecommit:GetBranch", "", ""),
        ("Bounded", "codecommit:PutFile", "", "because no permissions boundary allows the codecommit:PutFile action"),
    ];
    for (user, action, reference, reason) in cases {
        assert_eq!(world.user(user).reason(action, REPOSITORY, reference), reason, "{user} {action} {reference}");
    }
}

#[test]
fn the_message_of_a_denial_is_that_of_aws() {
    let message = world().user("Dev").message("codecommit:DeleteRepository", REPOSITORY);
    let expected = "User: arn:aws:iam::111122223333:user/division/Dev is not authorized to perform: codecommit:DeleteRepository on resource: \
                    arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo because no identity-based policy allows the \
                    codecommit:DeleteRepository action";
    assert_eq!(message, expected);
    let message = world().user("Nobody").message("codecommit:ListRepositories", "*");
    let expected = "User: arn:aws:iam::111122223333:user/Nobody is not authorized to perform: codecommit:ListRepositories because no \
                    identity-based policy allows the codecommit:ListRepositories action";
    assert_eq!(message, expected);
}

#[test]
fn the_root_may_do_everything_in_its_account() {
    let world = world();
    let root = world.caller("AKIAROOT");
    assert_eq!(root.reason("codecommit:DeleteRepository", REPOSITORY, ""), "");
    assert_eq!(root.reason("iam:CreateUser", "*", ""), "");
    let other = "arn:aws:codecommit:us-east-2:444455556666:MyDemoRepo";
    let reason = "because no resource-based policy allows the codecommit:GetBranch action";
    assert_eq!(root.reason("codecommit:GetBranch", other, ""), reason);
}

#[test]
fn services_may_do_everything() {
    let service = world().caller("codepipeline.amazonaws.com");
    assert_eq!(service.reason("codecommit:GetBranch", "arn:aws:codecommit:us-east-2:444455556666:MyDemoRepo", ""), "");
}

#[test]
fn callers_of_other_accounts_are_denied() {
    let world = world();
    let reason = "because no resource-based policy allows the codecommit:GetBranch action";
    assert_eq!(world.user_of("444455556666", "Foreign").reason("codecommit:GetBranch", REPOSITORY, ""), reason);
}

#[test]
fn an_action_without_a_name_is_denied() {
    let message = world().user_of("444455556666", "Foreign").message("", "*");
    assert_eq!(message, "User: arn:aws:iam::444455556666:user/Foreign is not authorized to perform: ");
}

#[test]
fn tags_are_looked_up_only_if_a_policy_mentions_them() {
    let world = world();
    assert!(world.user("Tagged").call().mentions("aws:ResourceTag/"));
    assert!(!world.user("Dev").call().mentions("aws:ResourceTag/"));
    assert!(world.user("Dev").call().mentions("codecommit:References"));
}

#[test]
fn tags_of_users_are_principal_tags() {
    let world = world();
    let tagged = world.user("Tagged");
    assert_eq!(tagged.reason_with_tag("codecommit:GetBranch", "Blue"), "");
    let reason = "because no identity-based policy allows the codecommit:GetBranch action";
    assert_eq!(tagged.reason_with_tag("codecommit:GetBranch", "Red"), reason);
}

#[test]
fn permissions_are_combined_once_and_again_after_a_reload() {
    let world = world();
    let dev = world.user("Dev");
    assert!(dev.is_same_authority(&world.user("Dev")), "a caller has one combination");
    world.reload(
        r#"
        [[account]]
        id = "111122223333"
        [[account.user]]
        name = "Dev"
        path = "/division/"
        policies = ["AWSCodeCommitReadOnly"]
    "#,
    );
    let reloaded = world.user("Dev");
    assert!(!dev.is_same_authority(&reloaded));
    assert_eq!(
        dev.reason("codecommit:PutFile", REPOSITORY, ""),
        "",
        "a call keeps the permissions with which it began"
    );
    let reason = "because no identity-based policy allows the codecommit:PutFile action";
    assert_eq!(reloaded.reason("codecommit:PutFile", REPOSITORY, ""), reason);
}

#[test]
fn only_the_enforced_mode_has_policies() {
    let world = world();
    for access in [crate::Access::Open, crate::Access::Signed] {
        let nobody = world.user("Nobody").in_mode(access);
        assert_eq!(nobody.reason("codecommit:DeleteRepository", REPOSITORY, ""), "");
    }
}

#[test]
fn an_operation_on_no_particular_resource_needs_a_permission() {
    let world = world();
    let key = [("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")];
    let denied = world.run(&world.user("Nobody"), "GetAccessKeyInfo", &key).expect_err("the user has no permission");
    assert!(denied.ends_with("because no identity-based policy allows the sts:GetAccessKeyInfo action"), "{denied}");
    assert!(world.run(&world.user("Tagged"), "GetAccessKeyInfo", &key).is_ok());
}

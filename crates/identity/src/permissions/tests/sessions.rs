//! Permissions of sessions that AWS STS issues.

use super::world;
use super::world::{Actor, REPOSITORY, World};

pub(super) const READS: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:Get*","Resource":"*"}}"#;
const DENIES: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"codecommit:PutFile","Resource":"*"}]}"#;
pub(super) const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const BUILD: &str = "arn:aws:iam::111122223333:role/Build";

pub(super) const NO_SESSION_POLICY: &str = "because no session policy allows the codecommit:PutFile action";

/// Returns the reason why a session of the role may not put a file.
fn put_file_by_role(world: &World, form: &[(&str, &str)]) -> String {
    let form = [&[("RoleArn", BUILD), ("RoleSessionName", "one")], form].concat();
    let session = world.session(&world.user("Tagged"), "AssumeRole", &form).expect("the role can be assumed");
    session.reason("codecommit:PutFile", REPOSITORY, "")
}

#[test]
fn session_policies_restrict_the_session_of_a_role() {
    let world = world();
    assert_eq!(put_file_by_role(&world, &[]), "");
    assert_eq!(put_file_by_role(&world, &[("Policy", EVERYTHING)]), "");
    assert_eq!(put_file_by_role(&world, &[("Policy", READS)]), NO_SESSION_POLICY);
    assert_eq!(put_file_by_role(&world, &[("Policy", DENIES)]), "with an explicit deny in a session policy");
    let arn = |name| ("PolicyArns.member.1.arn", name);
    assert_eq!(put_file_by_role(&world, &[arn("arn:aws:iam::aws:policy/AWSCodeCommitFullAccess")]), "");
    assert_eq!(put_file_by_role(&world, &[arn("arn:aws:iam::111122223333:policy/OnlyReads")]), NO_SESSION_POLICY);
    let both = [arn("arn:aws:iam::111122223333:policy/OnlyReads"), ("Policy", EVERYTHING)];
    assert_eq!(put_file_by_role(&world, &both), "", "session policies allow together");
    let unknown = [arn("arn:aws:iam::aws:policy/Unknown")];
    assert_eq!(put_file_by_role(&world, &unknown), NO_SESSION_POLICY, "an unknown policy allows nothing");
}

#[test]
fn a_malformed_session_policy_is_refused() {
    let world = world();
    let form = [("RoleArn", BUILD), ("RoleSessionName", "one"), ("Policy", r#"{"Statement":{"Effect":"Allow"}}"#)];
    let refused = world.session(&world.user("Tagged"), "AssumeRole", &form).err();
    assert_eq!(refused.as_deref(), Some("Policy statement must contain actions."));
}

#[test]
fn a_session_policy_adds_nothing_to_a_role() {
    let world = world();
    let form = [("RoleArn", BUILD), ("RoleSessionName", "one"), ("Policy", EVERYTHING)];
    let session = world.session(&world.user("Tagged"), "AssumeRole", &form).expect("the role can be assumed");
    let reason = "because no identity-based policy allows the codecommit:DeleteRepository action";
    assert_eq!(session.reason("codecommit:DeleteRepository", REPOSITORY, ""), reason);
}

#[test]
fn session_tags_replace_the_tags_of_the_role() {
    let world = world();
    let form = [("RoleArn", BUILD), ("RoleSessionName", "one")];
    let tags = |session: &Actor| session.call().authority().principal_tags().clone();
    let plain = world.session(&world.user("Tagged"), "AssumeRole", &form).expect("the role can be assumed");
    assert_eq!(tags(&plain)["Team"], "Red");
    let tagged = [&form[..], &[("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "Green")]].concat();
    let tagged = world.session(&world.user("Tagged"), "AssumeRole", &tagged).expect("the role can be assumed");
    assert_eq!(tags(&tagged).into_iter().collect::<Vec<_>>(), [("team".to_owned(), "Green".to_owned())]);
}

#[test]
fn scoped_credentials_restrict_the_session_further() {
    let world = world();
    let form = [("RoleArn", BUILD), ("RoleSessionName", "one"), ("Policy", EVERYTHING)];
    let session = world.session(&world.user("Tagged"), "AssumeRole", &form).expect("the role can be assumed");
    let scoped = |actor: &Actor, policy| {
        world.session(actor, "GetScopedCredentials", &[("Policy", policy)]).expect("a session may restrict itself")
    };
    let denies = scoped(&session, DENIES);
    assert_eq!(denies.reason("codecommit:GetFile", REPOSITORY, ""), "");
    assert_eq!(denies.reason("codecommit:PutFile", REPOSITORY, ""), "with an explicit deny in a session policy");
    let both = scoped(&denies, READS);
    assert_eq!(both.reason("codecommit:GetFile", REPOSITORY, ""), "");
    assert_eq!(
        both.reason("codecommit:GitPull", REPOSITORY, ""),
        "because no session policy allows the codecommit:GitPull action"
    );
    assert_eq!(both.reason("codecommit:PutFile", REPOSITORY, ""), "with an explicit deny in a session policy");
}

#[test]
fn the_root_of_another_account_may_only_do_its_task() {
    let world = world();
    let form = [
        ("TargetPrincipal", "444455556666"),
        ("TaskPolicyArn.arn", "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"),
    ];
    let denied = world.run(&world.user("Dev"), "AssumeRoot", &form).expect_err("the user has no permission");
    assert!(
        denied.ends_with("is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::444455556666:root"),
        "{denied}"
    );
    let root = world.session(&world.user("Tagged"), "AssumeRoot", &form).expect("the user may call AWS STS");
    let repository = "arn:aws:codecommit:us-east-2:444455556666:MyDemoRepo";
    assert_eq!(root.reason("codecommit:PutFile", repository, ""), NO_SESSION_POLICY);
}

#[test]
fn a_session_that_was_stored_without_its_policies_may_do_nothing() {
    let world = world();
    let form = [("RoleArn", BUILD), ("RoleSessionName", "one")];
    let user = world.user("Tagged");
    let reply = world.run(&user, "AssumeRole", &form).expect("the role can be assumed");
    world.forget_session_policies();
    let member = |name: &str| aws::xml::read(&reply, name).expect("the reply has credentials");
    let session = world.session_of(&member("AccessKeyId"), &member("SessionToken"));
    assert_eq!(session.reason("codecommit:PutFile", REPOSITORY, ""), NO_SESSION_POLICY);
}

#[test]
fn a_reset_ends_the_permissions_of_sessions() {
    let world = world();
    let form = [("RoleArn", BUILD), ("RoleSessionName", "one")];
    let session = world.session(&world.user("Tagged"), "AssumeRole", &form).expect("the role can be assumed");
    world.reset();
    assert_eq!(session.again().reason("codecommit:PutFile", REPOSITORY, ""), NO_SESSION_POLICY);
}

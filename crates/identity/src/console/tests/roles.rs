//! Switching to roles.

use std::sync::Arc;

use aws::Caller;

use super::{ACCOUNT, FILE, cookie, later, now, session, user, world};
use crate::Exception;
use crate::console::{RoleName, SESSION_SECONDS};
use crate::permissions::tests::world::{REPOSITORY, World};

fn role(name: &str) -> RoleName {
    let account = ACCOUNT.parse().expect("an account id has twelve digits");
    RoleName { account, name: name.to_owned(), display_name: String::new() }
}

/// Switches the session of a cookie to a role, and returns the caller of the role's session.
fn switch(world: &World, cookie: &str, name: &str) -> Result<Caller, String> {
    let from = session(world, cookie).expect("the session has begun");
    let call = Arc::new(world.actor_of(from.signed_in.clone()).call());
    let switch = world.sts().switch_role(&call, &from, role(name)).map_err(|exception| exception.to_string())?;
    world.store().write(move |transaction| switch.store(transaction)).map_err(|error: Exception| error.to_string())
}

#[test]
fn a_session_switches_to_a_role_and_back() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ana"));
    let before = session(&world, &cookie).expect("the session has begun");
    let caller = switch(&world, &cookie, "ci/Build").expect("the role trusts the account");
    assert_eq!(caller.arn, "arn:aws:sts::111122223333:assumed-role/Build/Ana");
    let with_role = session(&world, &cookie).expect("the session lasts");
    assert_eq!(with_role.caller, caller);
    assert_eq!(with_role.signed_in, before.signed_in);
    assert_ne!(with_role.form_token, before.form_token);
    assert_eq!(with_role.role.as_ref().map(|role| role.display_name.as_str()), Some("ci/Build @ 111122223333"));
    assert_eq!(world.actor_of(caller.clone()).message("codecommit:PutFile", REPOSITORY), "");
    let issuer = caller.session.and_then(|session| session.issuer).expect("the session is that of a role");
    assert_eq!(issuer.arn, "arn:aws:iam::111122223333:role/ci/Build");
    world.store().write(move |transaction| with_role.exit_role(transaction)).expect("the store can be written");
    let after = session(&world, &cookie).expect("the session lasts");
    assert_eq!((after.caller, after.role, after.form_token), (before.caller, None, before.form_token));
}

#[test]
fn the_session_of_a_role_lasts_an_hour_and_then_the_user_is_back() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ana"));
    switch(&world, &cookie, "Deploy").expect("the role trusts the account");
    let at = |seconds| world.sts().console_session(&cookie, later(seconds)).expect("the store can be read");
    assert!(at(3500).is_some_and(|session| session.role.is_some()));
    let after = at(3700).expect("the session of the user lasts longer");
    assert_eq!((after.role, after.caller.user_name.as_deref()), (None, Some("Ana")));
    assert!(at(SESSION_SECONDS).is_none());
}

#[test]
fn a_switch_from_a_role_is_that_of_the_user_and_ends_the_first_role() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ana"));
    let first = switch(&world, &cookie, "ci/Build").expect("the role trusts the account");
    let second = switch(&world, &cookie, "Deploy").expect("the policies of Ana allow it, those of Build do not");
    assert_eq!(second.arn, "arn:aws:sts::111122223333:assumed-role/Deploy/Ana");
    let key = first.access_key_id.expect("a session has an access key");
    assert!(world.sts().session(&key).expect("the store can be read").is_none());
    world.sts().sign_out(&cookie, now()).expect("the store can be written");
    let key = second.access_key_id.expect("a session has an access key");
    assert!(world.sts().session(&key).expect("the store can be read").is_none(), "the role ends with the session");
}

#[test]
fn a_denied_switch_has_the_sentence_of_aws_and_changes_nothing() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ben"));
    for name in ["ci/Build", "Absent"] {
        let denied = switch(&world, &cookie, name).expect_err("Ben has no permissions");
        let expected = format!(
            "User: arn:aws:iam::111122223333:user/Ben is not authorized to perform: sts:AssumeRole on resource: \
             arn:aws:iam::111122223333:role/{name}"
        );
        assert_eq!(denied, expected);
    }
    assert_eq!(switch(&world, &cookie, "a b").expect_err("no role"), "arn:aws:iam::111122223333:role/a b is invalid");
    assert!(session(&world, &cookie).is_some_and(|session| session.role.is_none()));
    let root = world.sts().identity_of_arn("arn:aws:iam::111122223333:root", now()).expect("the ARN is that of a root");
    let root = self::cookie(&world, root);
    assert_eq!(switch(&world, &root, "Deploy").expect_err("a root"), "Roles may not be assumed by root accounts.");
}

#[test]
fn a_role_survives_a_restart_and_ends_with_its_deletion() {
    let world = world();
    let admin = world.actor_of(world.caller(ACCOUNT).caller);
    let trust = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#;
    let form = [("RoleName", "Temp"), ("AssumeRolePolicyDocument", trust)];
    world.iam(&admin, "CreateRole", &form).expect("the root may create roles");
    let cookie = cookie(&world, user(&world, "Ana"));
    switch(&world, &cookie, "Temp").expect("the role trusts the account");
    let again = world.restarted(FILE).console_session(&cookie, now()).expect("the store can be read");
    assert!(again.is_some_and(|session| session.role.is_some()));
    world.iam(&admin, "DeleteRole", &[("RoleName", "Temp")]).expect("the root may delete roles");
    assert!(session(&world, &cookie).is_some_and(|session| session.role.is_none()));
}

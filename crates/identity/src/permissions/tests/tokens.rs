//! Permissions of federated users and of session tokens, and operations that need none.

use super::sessions::{EVERYTHING, NO_SESSION_POLICY, READS};
use super::world;
use super::world::REPOSITORY;

const NO_IDENTITY_POLICY: &str = "because no identity-based policy allows the codecommit:PutFile action";

#[test]
fn a_federated_user_has_the_permissions_that_its_user_and_its_policies_share() {
    let world = world();
    let federated = |user: &str, form: &[(&str, &str)]| {
        let form = [&[("Name", "ana")], form].concat();
        let session = world.session(&world.caller(user), "GetFederationToken", &form);
        session.expect("the token is issued").reason("codecommit:PutFile", REPOSITORY, "")
    };
    assert_eq!(federated("AKIAROOT", &[]), NO_SESSION_POLICY, "without a policy nothing is allowed");
    assert_eq!(federated("AKIAROOT", &[("Policy", EVERYTHING)]), "");
    assert_eq!(federated("AKIAROOT", &[("Policy", READS)]), NO_SESSION_POLICY);
    let tagged = world.user("Tagged");
    let session = world.session(&tagged, "GetFederationToken", &[("Name", "ana"), ("Policy", EVERYTHING)]);
    let session = session.expect("the user may call AWS STS");
    assert_eq!(
        session.reason_with_tag("codecommit:PutFile", "Blue"),
        "",
        "the tags of the user are those of the session"
    );
    assert_eq!(session.reason("codecommit:PutFile", REPOSITORY, ""), NO_IDENTITY_POLICY);
}

#[test]
fn a_federation_token_needs_a_permission() {
    let denied = world().run(&world().user("Dev"), "GetFederationToken", &[("Name", "ana")]);
    let expected = "User: arn:aws:iam::111122223333:user/division/Dev is not authorized to perform: sts:GetFederationToken on resource: \
                    arn:aws:sts::111122223333:federated-user/ana because no identity-based policy allows the sts:GetFederationToken action";
    assert_eq!(denied.expect_err("the user has no permission"), expected);
}

#[test]
fn a_session_token_has_the_permissions_of_its_user_and_needs_none() {
    let world = world();
    let nobody = world.session(&world.user("Nobody"), "GetSessionToken", &[]).expect("no permission is needed");
    assert_eq!(nobody.reason("codecommit:PutFile", REPOSITORY, ""), NO_IDENTITY_POLICY);
    let dev = world.session(&world.user("Dev"), "GetSessionToken", &[]).expect("no permission is needed");
    assert_eq!(dev.reason("codecommit:PutFile", REPOSITORY, ""), "");
    let root = world.session(&world.caller("AKIAROOT"), "GetSessionToken", &[]).expect("no permission is needed");
    assert_eq!(root.reason("codecommit:PutFile", REPOSITORY, ""), "");
}

#[test]
fn everyone_may_ask_for_the_own_identity() {
    let world = world();
    for user in ["Nobody", "Dev"] {
        assert!(world.run(&world.user(user), "GetCallerIdentity", &[]).is_ok(), "{user}");
    }
}

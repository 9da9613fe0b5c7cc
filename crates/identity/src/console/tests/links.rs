//! Sign-in tokens: those of users, and those of temporary credentials.

use std::time::Duration;

use aws::AccountId;
use aws::caller::Kind;
use serde_json::json;

use super::{ACCOUNT, FILE, cookie, later, now, session, world};
use crate::Access;
use crate::console::{FederatedCredentials, SignInTokenError};
use crate::permissions::tests::world::{REPOSITORY, World};

const HOUR: Duration = Duration::from_hours(1);

fn account() -> AccountId {
    ACCOUNT.parse().expect("an account id has twelve digits")
}

fn user_token(world: &World, access: Access, name: &str) -> Option<String> {
    world.sts().user_sign_in_token(access, &account(), name, HOUR, now())
}

/// Signs in by a token, and returns the ARN of the caller.
fn sign_in(world: &World, access: Access, token: &str) -> Result<String, String> {
    let identity = world.sts().identity_of_sign_in_token(access, token, now());
    identity.map(|identity| identity.caller.arn).map_err(|error| error.to_string())
}

#[test]
fn a_link_signs_a_user_in_until_it_ends() {
    let world = world();
    let token = user_token(&world, Access::Enforced, "Ana").expect("the user is declared");
    for _ in 0..2 {
        let arn = sign_in(&world, Access::Enforced, &token);
        assert_eq!(arn.as_deref(), Ok("arn:aws:iam::111122223333:user/class/Ana"));
    }
    let at = |seconds| world.sts().identity_of_sign_in_token(Access::Enforced, &token, later(seconds));
    assert!(at(3500).is_ok());
    assert!(matches!(at(3700), Err(SignInTokenError::Expired)));
    let restarted = world.restarted(FILE);
    assert!(restarted.identity_of_sign_in_token(Access::Enforced, &token, now()).is_ok(), "a restart keeps links");
}

#[test]
fn links_are_for_known_users_unless_access_is_open() {
    let world = world();
    for access in [Access::Signed, Access::Enforced] {
        assert!(user_token(&world, access, "Absent").is_none());
        assert!(user_token(&world, access, "Mary_Major").is_none(), "the default user is nobody then");
    }
    let token = user_token(&world, Access::Open, "Absent").expect("everyone may be anyone");
    assert!(sign_in(&world, Access::Open, &token).is_ok());
    assert!(sign_in(&world, Access::Enforced, &token).is_err(), "the server may have been started again since");
    for name in ["", "a b", "<script>", "x/y", &"x".repeat(65)] {
        assert!(user_token(&world, Access::Open, name).is_none(), "{name}");
    }
}

#[test]
fn a_link_ends_with_its_user() {
    let world = world();
    let admin = world.actor_of(world.caller(ACCOUNT).caller);
    let create = || world.iam(&admin, "CreateUser", &[("UserName", "Temp")]).expect("the root may create users");
    create();
    let token = user_token(&world, Access::Signed, "Temp").expect("the user exists");
    world.iam(&admin, "DeleteUser", &[("UserName", "Temp")]).expect("the root may delete users");
    assert!(sign_in(&world, Access::Signed, &token).is_err());
    create();
    assert!(sign_in(&world, Access::Signed, &token).is_err(), "the new user has another unique id");
}

#[test]
fn other_texts_are_no_sign_in_tokens() {
    let (world, other) = (world(), world());
    let token = user_token(&world, Access::Open, "Ana").expect("everyone may be anyone");
    let (payload, code) = token.split_once('.').expect("a token has a payload and a code");
    let second = user_token(&world, Access::Open, "Ben").expect("everyone may be anyone");
    let (_, other_code) = second.split_once('.').expect("a token has a payload and a code");
    let mut texts = vec![
        String::new(),
        ".".to_owned(),
        payload.to_owned(),
        format!("{payload}."),
        format!(".{code}"),
        format!("{payload}.{other_code}"),
        format!("{payload}.{code}="),
        format!("{payload}=.{code}"),
        format!("{}.{code}", payload.to_lowercase()),
        format!("{payload}.{code}.{code}"),
        "x".repeat(1 << 20),
        "\u{e9}.\u{e9}".to_owned(),
        user_token(&other, Access::Open, "Ana").expect("everyone may be anyone"),
    ];
    // The last letter of the code has two unused bits, which no other letter may have.
    texts.extend((0..token.len()).map(|index| {
        let mut bytes = token.clone().into_bytes();
        bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("the text is ASCII")
    }));
    for text in texts {
        assert!(sign_in(&world, Access::Open, &text).is_err(), "{text}");
    }
    assert!(sign_in(&world, Access::Open, &token).is_ok());
}

/// Returns the credentials of a reply of STS in the form of the federation endpoint, with a change.
fn federated(reply: &str, change: impl Fn(&mut serde_json::Value)) -> FederatedCredentials {
    let member = |name: &str| aws::xml::read(reply, name).expect("the reply has credentials");
    let mut credentials = json!({
        "sessionId": member("AccessKeyId"),
        "sessionKey": member("SecretAccessKey"),
        "sessionToken": member("SessionToken"),
    });
    change(&mut credentials);
    serde_json::from_value(credentials).expect("the members are texts")
}

fn assume(world: &World, form: &[(&str, &str)]) -> String {
    let role = [("RoleArn", "arn:aws:iam::111122223333:role/ci/Build"), ("RoleSessionName", "student")];
    let form = [&role[..], form].concat();
    world.run(&world.user("Ana"), "AssumeRole", &form).expect("the role trusts the account")
}

#[test]
fn temporary_credentials_give_a_token_for_a_quarter_of_an_hour() {
    let world = world();
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:Get*","Resource":"*"}}"#;
    let credentials = federated(&assume(&world, &[("DurationSeconds", "900"), ("Policy", policy)]), |_| ());
    let (_, token) = world.sts().federated_sign_in_token(&credentials, None, now()).expect("the credentials are right");
    let identity = world.sts().identity_of_sign_in_token(Access::Enforced, &token, now()).expect("the token is new");
    assert!(identity.expires <= later(901), "without SessionDuration the session ends with the credentials");
    let caller = session(&world, &cookie(&world, identity)).expect("the session has begun").caller;
    assert_eq!((caller.kind, caller.name()), (Kind::AssumedRole, Some("student")));
    let actor = world.actor_of(caller);
    assert_eq!(actor.message("codecommit:GetBranch", REPOSITORY), "");
    let denied = actor.message("codecommit:PutFile", REPOSITORY);
    assert!(denied.ends_with("because no session policy allows the codecommit:PutFile action"), "{denied}");
    let at = |seconds| world.sts().identity_of_sign_in_token(Access::Enforced, &token, later(seconds));
    assert!(matches!(at(900), Err(SignInTokenError::Expired)));
    let (_, token) = world.sts().federated_sign_in_token(&credentials, Some(3600), now()).expect("the role allows it");
    let identity = world.sts().identity_of_sign_in_token(Access::Open, &token, now()).expect("the token is new");
    assert!(identity.expires > later(3500), "the session may outlive the credentials");
    world.reset();
    let result = world.sts().identity_of_sign_in_token(Access::Open, &token, now());
    assert!(matches!(result, Err(SignInTokenError::Invalid)), "a reset ends the credentials, and so the token");
}

#[test]
fn other_credentials_give_no_token() {
    let world = world();
    let refused = |reply: &str, seconds, change: &dyn Fn(&mut serde_json::Value)| {
        let token = world.sts().federated_sign_in_token(&federated(reply, change), seconds, now());
        token.map(drop).expect_err("the credentials give no token").to_string()
    };
    let role = assume(&world, &[]);
    let nothing: &dyn Fn(&mut serde_json::Value) = &|_| ();
    assert_eq!(refused(&role, None, &|json| json["sessionKey"] = "x".into()), "wrong secret access key");
    refused(&role, None, &|json| json["sessionToken"] = "x".into());
    refused(&role, None, &|json| json["sessionId"] = "AKIAI44QH8DHBEXAMPLE".into());
    for seconds in [i64::MIN, -1, 0, 899, 43_201, i64::MAX] {
        assert_eq!(
            refused(&role, Some(seconds), nothing),
            "SessionDuration must be between 900 and 43200 seconds",
            "{seconds}"
        );
    }
    assert!(refused(&role, Some(3601), nothing).contains("longer than the maximum"));
    let user = world.run(&world.user("Ana"), "GetSessionToken", &[]).expect("a user may have a session");
    assert!(refused(&user, None, nothing).contains("not those of a role or a federated user"));
    let root = world.actor_of(world.caller(ACCOUNT).caller);
    let federation = world.run(&root, "GetFederationToken", &[("Name", "ana")]).expect("a root may federate");
    assert!(refused(&federation, Some(900), nothing).contains("GetFederationToken"));
    assert!(world.sts().federated_sign_in_token(&federated(&federation, nothing), None, now()).is_ok());
}

//! Sessions of browsers, and who signs in.

use aws::caller::Kind;

use super::{ACCOUNT, FILE, cookie, later, now, session, user, world};
use crate::Sts;
use crate::console::{KeyPair, KnownKind, SESSION_SECONDS};
use crate::permissions::tests::world::REPOSITORY;

#[test]
fn a_cookie_names_the_session_of_a_user_for_eight_hours() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ana"));
    let session = session(&world, &cookie).expect("the session has begun");
    let caller = &session.caller;
    assert_eq!((caller.kind, caller.arn.as_str()), (Kind::IamUser, "arn:aws:iam::111122223333:user/class/Ana"));
    let key = caller.access_key_id.as_deref().expect("a session has an access key");
    assert!(key.starts_with("ASIA") && cookie.starts_with(key), "{key}");
    let context = caller.session.as_ref().expect("the credentials are temporary");
    assert!(!context.mfa_authenticated && context.issuer.is_none());
    assert_eq!((session.caller.clone(), None), (session.signed_in.clone(), session.role.clone()));
    let seconds = (session.expires.millis() - context.created.millis()) / 1000;
    assert!((SESSION_SECONDS - 5..=SESSION_SECONDS + 5).contains(&seconds), "{seconds}");
    let at = |seconds| world.sts().console_session(&cookie, later(seconds)).expect("the store can be read");
    assert!(at(SESSION_SECONDS - 60).is_some());
    assert!(at(SESSION_SECONDS).is_none());
}

#[test]
fn other_texts_are_no_cookies() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ana"));
    let (key, secret) = cookie.split_once('.').expect("a cookie has a key and a secret");
    let other = super::cookie(&world, user(&world, "Ben"));
    let (_, other_secret) = other.split_once('.').expect("a cookie has a key and a secret");
    let mut changed = cookie.clone().into_bytes();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let hostile = [
        String::new(),
        ".".to_owned(),
        key.to_owned(),
        format!("{key}."),
        format!(".{secret}"),
        format!("{key}.{other_secret}"),
        format!("{key}.{secret}="),
        format!("{key}.{secret}.{secret}"),
        format!("{}.{secret}", key.to_lowercase()),
        format!("{key} .{secret}"),
        format!("ASIA' OR 1=1 --00000.{secret}"),
        "ASIA\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}.".to_owned() + secret,
        "x".repeat(1 << 20),
        String::from_utf8(changed).expect("the text is ASCII"),
    ];
    for text in hostile {
        assert!(session(&world, &text).is_none(), "{text}");
    }
    assert!(session(&world, &cookie).is_some());
}

#[test]
fn temporary_credentials_of_sts_are_no_cookies() {
    let world = world();
    let reply = world.run(&world.user("Ana"), "GetSessionToken", &[]).expect("a user may have a session");
    let member = |name: &str| aws::xml::read(&reply, name).expect("the reply has credentials");
    let (key, token) = (member("AccessKeyId"), member("SessionToken"));
    assert!(session(&world, &format!("{key}.{token}")).is_none());
    assert!(session(&world, &format!("{key}.{}", &token[..43])).is_none());
}

#[test]
fn a_session_has_the_permissions_of_its_user() {
    let world = world();
    let caller = session(&world, &cookie(&world, user(&world, "Ana"))).expect("the session has begun").caller;
    let actor = world.actor_of(caller);
    assert_eq!(actor.message("codecommit:GetBranch", REPOSITORY), "");
    assert_eq!(actor.message("iam:ListUsers", "*"), "");
    let expected = "User: arn:aws:iam::111122223333:user/class/Ana is not authorized to perform: codecommit:PutFile on resource: \
                    arn:aws:codecommit:us-east-2:111122223333:MyDemoRepo because no identity-based policy allows the codecommit:PutFile action";
    assert_eq!(actor.message("codecommit:PutFile", REPOSITORY), expected);
    assert!(world.iam(&actor, "GetUser", &[]).is_ok(), "a session without a second factor may call IAM");
    let root = world.sts().identity_of_arn("arn:aws:iam::111122223333:root", now()).expect("the ARN is that of a root");
    let root = session(&world, &cookie(&world, root)).expect("the session has begun").caller;
    assert_eq!(root.kind, Kind::Root);
    assert_eq!(world.actor_of(root).message("codecommit:PutFile", REPOSITORY), "");
}

#[test]
fn a_session_ends_when_it_signs_out_and_with_its_user() {
    let world = world();
    let [first, second] = [(); 2].map(|()| cookie(&world, user(&world, "Ana")));
    world.sts().sign_out(&first, now()).expect("the store can be written");
    world.sts().sign_out("no cookie", now()).expect("nothing is written");
    assert!(session(&world, &first).is_none());
    assert!(session(&world, &second).is_some(), "other browsers stay signed in");
    let admin =
        world.sts().identity_of_arn("arn:aws:iam::111122223333:root", now()).expect("the ARN is that of a root");
    let admin = world.actor_of(session(&world, &cookie(&world, admin)).expect("the session has begun").caller);
    world.iam(&admin, "CreateUser", &[("UserName", "Temp")]).expect("the root may create users");
    let cookie = cookie(&world, user(&world, "Temp"));
    assert!(session(&world, &cookie).is_some());
    world.iam(&admin, "DeleteUser", &[("UserName", "Temp")]).expect("the root may delete users");
    assert!(session(&world, &cookie).is_none());
}

#[test]
fn a_restart_keeps_sessions_and_a_reset_ends_them() {
    let world = world();
    let cookie = cookie(&world, user(&world, "Ana"));
    let sts: Sts = world.restarted(FILE);
    assert!(sts.console_session(&cookie, now()).expect("the store can be read").is_some());
    let form_token = session(&world, &cookie).expect("the session has begun").form_token;
    let again = sts.console_session(&cookie, now()).expect("the store can be read").expect("the session has begun");
    assert_eq!(again.form_token, form_token);
    world.reset();
    assert!(session(&world, &cookie).is_none());
}

#[test]
fn form_tokens_differ_between_sessions_and_before_signing_in() {
    let world = world();
    let cookies = [(); 2].map(|()| cookie(&world, user(&world, "Ana")));
    let tokens = cookies.clone().map(|cookie| session(&world, &cookie).expect("the session has begun").form_token);
    assert_ne!(tokens[0], tokens[1]);
    assert_ne!(world.sts().form_token(&cookies[0]), tokens[0]);
    assert_ne!(world.sts().form_token("a"), world.sts().form_token("b"));
    assert_eq!(world.sts().form_token("a"), world.sts().form_token("a"));
}

#[test]
fn open_access_offers_the_identities_that_are_known() {
    let world = world();
    let admin = world.actor_of(world.caller(ACCOUNT).caller);
    world.iam(&admin, "CreateUser", &[("UserName", "Cleo"), ("Path", "/new/")]).expect("the root may create users");
    let known = world.sts().known_identities(100).expect("the store can be read");
    let names: Vec<_> = known.iter().map(|known| (known.kind, known.arn.as_str(), known.is_default)).collect();
    assert_eq!(
        names,
        [
            (KnownKind::User, "arn:aws:iam::111122223333:user/Mary_Major", true),
            (KnownKind::User, "arn:aws:iam::111122223333:user/class/Ana", false),
            (KnownKind::User, "arn:aws:iam::111122223333:user/Ben", false),
            (KnownKind::User, "arn:aws:iam::111122223333:user/new/Cleo", false),
            (KnownKind::Role, "arn:aws:iam::111122223333:role/ci/Build", false),
            (KnownKind::Role, "arn:aws:iam::111122223333:role/Deploy", false),
        ]
    );
    for known in &known {
        let identity = world.sts().identity_of_arn(&known.arn, now()).expect("each known identity can sign in");
        if known.kind == KnownKind::User {
            assert_eq!(identity.caller.arn, known.arn);
        }
    }
    assert_eq!(world.sts().known_identities(1).expect("the store can be read").len(), 2);
}

#[test]
fn open_access_lets_everyone_be_anyone() {
    let world = world();
    let arn = |text: &str| world.sts().identity_of_arn(text, now()).map(|identity| identity.caller.arn);
    let free = "arn:aws:iam::444455556666:user/Free.Name+1@example";
    assert_eq!(arn(free).as_deref(), Some(free));
    assert_eq!(arn("arn:aws:iam::444455556666:root").as_deref(), Some("arn:aws:iam::444455556666:root"));
    let build = arn("arn:aws:iam::111122223333:role/ci/Build");
    assert_eq!(build.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/Build/Mary_Major"));
    let long = format!("arn:aws:iam::444455556666:user/{}", "x".repeat(65));
    for text in [
        "",
        "Ana",
        "arn:aws:iam::1:user/Ana",
        "arn:aws:iam::444455556666:user/",
        "arn:aws:iam::444455556666:user/a b",
        "arn:aws:iam::444455556666:user/<script>",
        "arn:aws:iam::444455556666:group/Ana",
        "arn:aws:iam::111122223333:role/Absent",
        "arn:aws:sts::111122223333:assumed-role/Build/one",
        "arn:aws:iam:::root",
        &long,
    ] {
        assert_eq!(arn(text), None, "{text}");
    }
}

#[test]
fn keys_sign_in_with_their_secret_only() {
    let world = world();
    let secret = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY";
    let by_keys = |id: &str, secret: &str, token: Option<&str>| {
        let keys = KeyPair { access_key_id: id, secret_access_key: secret, session_token: token };
        world.sts().identity_of_keys(keys, now()).map(|identity| identity.caller).map_err(|error| error.to_string())
    };
    let caller = by_keys("AKIAI44QH8DHBEXAMPLE", secret, None).expect("the secret is right");
    assert_eq!((caller.user_name.as_deref(), caller.access_key_id), (Some("Ana"), None));
    for (id, wrong, token) in [
        ("AKIAI44QH8DHBEXAMPLE", "", None),
        ("AKIAI44QH8DHBEXAMPLE", &secret[1..], None),
        ("AKIAI44QH8DHBEXAMPLE", secret, Some("token")),
        ("AKIAIOSFODNN7EXAMPLE", secret, None),
        ("Ana", secret, None),
        ("", "", None),
    ] {
        assert!(by_keys(id, wrong, token).is_err(), "{id} {wrong} {token:?}");
    }
    let reply = world.run(&world.user("Ana"), "GetSessionToken", &[("DurationSeconds", "900")]).expect("a user may");
    let member = |name: &str| aws::xml::read(&reply, name).expect("the reply has credentials");
    let (key, secret, token) = (member("AccessKeyId"), member("SecretAccessKey"), member("SessionToken"));
    assert!(by_keys(&key, &secret, None).is_err());
    let keys = KeyPair { access_key_id: &key, secret_access_key: &secret, session_token: Some(&token) };
    let identity = world.sts().identity_of_keys(keys, now()).expect("the secret is right");
    assert!(identity.expires <= later(901), "the session ends with the credentials");
    let caller = session(&world, &cookie(&world, identity)).expect("the session has begun").caller;
    assert_ne!(caller.access_key_id.as_deref(), Some(&*key), "the session has credentials of its own");
    assert_eq!(world.actor_of(caller).message("codecommit:GetBranch", REPOSITORY), "");
}

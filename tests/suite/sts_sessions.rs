//! AWS STS: sizes of tokens, scoped-down sessions, sessions of roots, and forms that are too large.

use serde_json::{Value, json};
use tests::sts::{Session, element, query, query_as};
use tests::{Reply, World};

const ROLE: &str = "RoleArn=arn:aws:iam::111122223333:role/Developer&RoleSessionName=b1";
const MARY: &str = "AKIAIOSFODNN7EXAMPLE";

fn last(world: &World) -> Value {
    world.events().pop().expect("the call has a record")
}

fn number(reply: &Reply, name: &str) -> usize {
    element(reply, name).parse().expect("the text is a number")
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, element(reply, "Code"))
}

/// Returns the parameters of a list.
fn numbered(numbers: std::ops::RangeInclusive<usize>, parameter: impl Fn(usize) -> String) -> String {
    numbers.map(parameter).collect::<Vec<_>>().concat()
}

/// Returns a policy of a number of characters.
fn policy(characters: usize) -> String {
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"*"}]}"#;
    policy.to_owned() + &" ".repeat(characters - policy.len())
}

#[test]
fn a_token_has_the_reported_size_and_grows_with_policies_and_tags() {
    let world = World::new();
    let sizes = |form: &str| {
        let reply = query(&world, Some(MARY), form);
        let size = number(&reply, "SessionTokenSize");
        assert_eq!(element(&reply, "SessionToken").len(), size, "{form}");
        assert_eq!(number(&reply, "SessionTokenUtilization"), (size * 100).div_ceil(4096), "{form}");
        (size, reply)
    };
    let (plain, reply) = sizes(&format!("AssumeRole&{ROLE}"));
    assert!(!reply.text().contains("PackedPolicySize"));
    let record = last(&world);
    assert_eq!(record["responseElements"]["sessionTokenSize"], plain);
    let (with_policy, reply) = sizes(&format!("AssumeRole&{ROLE}&Policy={}", policy(1000)));
    assert!((plain + 1000..plain + 1004).contains(&with_policy), "{with_policy}");
    assert_eq!(element(&reply, "PackedPolicySize"), "25");
    for operation in [&*format!("AssumeRole&{ROLE}"), "GetSessionToken", "GetFederationToken&Name=Saanvi"] {
        assert_eq!(sizes(&format!("{operation}&MinimumSessionTokenSize=4093")).0, 4096, "{operation}");
        assert_eq!(sizes(&format!("{operation}&MinimumSessionTokenSize=0")).0, plain, "{operation}");
        assert_eq!(last(&world)["requestParameters"]["minimumSessionTokenSize"], 0);
    }
    // A token of the maximum size works like any other, for Git too.
    let session = Session::of(&query(&world, Some(MARY), &format!("AssumeRole&{ROLE}&MinimumSessionTokenSize=4096")));
    assert_eq!(session.call(&world, "CreateRepository", &json!({ "repositoryName": "demo" })).status, 200);
    let refs = "/v1/repos/demo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", refs, &[("authorization", &session.git())], b"").status, 200);
    let arns = numbered(1..=10, |n| format!("&PolicyArns.member.{n}.arn=arn:aws:iam::aws:policy/{}", "p".repeat(300)));
    let too_large = query(&world, Some(MARY), &format!("AssumeRole&{ROLE}&Policy={}{arns}", policy(2000)));
    assert_eq!(code(&too_large), (400, "PackedPolicyTooLarge".to_owned()));
}

#[test]
fn a_source_identity_has_up_to_256_characters() {
    let world = World::new();
    let name = "a".repeat(256);
    let reply = query(&world, Some(MARY), &format!("AssumeRole&{ROLE}&SourceIdentity={name}"));
    assert_eq!(element(&reply, "SourceIdentity"), name);
    let reply = query_as(&world, &Session::of(&reply), &format!("AssumeRole&{ROLE}"));
    assert_eq!(element(&reply, "SourceIdentity"), name);
}

#[test]
fn scoped_credentials_are_the_same_session_for_a_shorter_time() {
    let world = World::new();
    let form = format!("AssumeRole&{ROLE}&SourceIdentity=Ana&DurationSeconds=900");
    let assumed = query(&world, Some(MARY), &form);
    let session = Session::of(&assumed);
    let scope = |session: &Session, more: &str| query_as(&world, session, &format!("GetScopedCredentials{more}"));
    let scoped = scope(&session, "&DurationSeconds=60&ScopedSessionDescription=one task");
    let arn = "arn:aws:sts::111122223333:assumed-role/Developer/b1";
    assert_eq!(element(&scoped, "Arn"), arn);
    assert_eq!(element(&scoped, "ScopedSessionId"), element(&assumed, "AssumedRoleId"));
    assert_eq!((element(&scoped, "SourceIdentity"), number(&scoped, "ScopedPoliciesCount")), ("Ana".to_owned(), 0));
    assert!(element(&scoped, "Expiration") < element(&assumed, "Expiration"));
    let record = last(&world);
    assert_eq!(
        (&record["eventSource"], &record["eventName"], &record["readOnly"]),
        (&json!("sts.amazonaws.com"), &json!("GetScopedCredentials"), &json!(true))
    );
    let asked = json!({ "durationSeconds": 60, "scopedSessionDescription": "one task" });
    assert_eq!(record["requestParameters"], asked);
    assert_eq!(record["responseElements"]["sessionInfo"]["arn"], arn);
    assert_ne!(record["responseElements"]["credentials"]["sessionToken"], element(&scoped, "SessionToken"));
    assert_eq!(Session::of(&scoped).call(&world, "ListRepositories", &json!({})).status, 200);
    assert_eq!(last(&world)["userIdentity"]["arn"], arn);

    // Without a duration the credentials end with the session; each policy adds a layer, and three are allowed.
    let mut layer = session.clone();
    for count in 1..=3 {
        let reply = scope(&layer, &format!("&Policy={}", policy(60)));
        assert_eq!(number(&reply, "ScopedPoliciesCount"), count);
        assert_eq!(element(&reply, "Expiration"), element(&assumed, "Expiration"));
        layer = Session::of(&reply);
    }
    assert_eq!(code(&scope(&layer, &format!("&Policy={}", policy(60)))), (403, "AccessDenied".to_owned()));
    assert_eq!(number(&scope(&layer, "&DurationSeconds=1"), "ScopedPoliciesCount"), 3);

    for (more, expected) in [
        ("", "ValidationError"),
        ("&DurationSeconds=0", "ValidationError"),
        ("&DurationSeconds=129601", "ValidationError"),
        ("&DurationSeconds=901", "InsufficientSessionLifetime"),
        ("&Policy={}", "MalformedPolicyDocument"),
        ("&DurationSeconds=1&ScopedSessionDescription=x", "ValidationError"),
        ("&DurationSeconds=1&ScopedSessionDescription=a%C2%A0b", "ValidationError"),
    ] {
        assert_eq!(code(&scope(&session, more)), (400, expected.to_owned()), "{more}");
    }
    let keys = query(&world, Some(MARY), "GetScopedCredentials&DurationSeconds=60");
    assert_eq!(code(&keys), (400, "InvalidSubjectCredentials".to_owned()));
    let own = Session::of(&query(&world, Some(MARY), "GetSessionToken"));
    let scoped = scope(&own, "&DurationSeconds=60");
    assert_eq!(element(&scoped, "Arn"), "arn:aws:iam::111122223333:user/Mary_Major");
}

#[test]
fn the_account_of_a_key_is_returned() {
    let world = crate::callers::sample();
    let account = |key: &str| element(&query(&world, None, &format!("GetAccessKeyInfo&AccessKeyId={key}")), "Account");
    let session = Session::of(&query(&world, None, &format!("AssumeRole&{ROLE}")));
    for key in [MARY, "AKIAEXAMPLEUNKNOWN01", &session.key] {
        assert_eq!(account(key), "111122223333", "{key}");
    }
    assert_eq!(last(&world)["requestParameters"], json!({ "accessKeyId": session.key }));
    let other_account = "AssumeRole&RoleArn=arn:aws:iam::555555555555:role/Any&RoleSessionName=b1";
    assert_eq!(account(&Session::of(&query(&world, None, other_account)).key), "555555555555");
    for wrong in ["", "AKIASHORT", "AKIAIOSFODNN7-EXAMPLE"] {
        let refused = query(&world, None, &format!("GetAccessKeyInfo&AccessKeyId={wrong}"));
        assert_eq!(code(&refused), (400, "ValidationError".to_owned()), "{wrong}");
    }
}

#[test]
fn a_session_of_another_accounts_root_is_for_one_task() {
    let world = crate::callers::sample();
    let form = |target: &str, task: &str| {
        format!("AssumeRoot&TargetPrincipal={target}&TaskPolicyArn.arn=arn:aws:iam::aws:policy/root-task/{task}")
    };
    let task = "S3UnlockBucketPolicy";
    for target in ["555555555555", "arn:aws:iam::555555555555:root"] {
        let reply = query(&world, Some(MARY), &form(target, task));
        let records = world.events();
        // The account of the root has a copy of the record.
        let [record, copy] = &records[records.len() - 2..] else { panic!("there are two") };
        assert_eq!(copy["recipientAccountId"], "555555555555");
        assert_eq!(record["requestParameters"]["targetPrincipal"], target);
        let policy = json!({ "arn": format!("arn:aws:iam::aws:policy/root-task/{task}") });
        assert_eq!(record["requestParameters"]["taskPolicyArn"], policy);
        let session = Session::of(&reply);
        assert_eq!(session.call(&world, "ListRepositories", &json!({})).status, 200);
        let identity = last(&world)["userIdentity"].clone();
        assert_eq!(
            (&identity["type"], &identity["arn"], &identity["sessionContext"]["assumedRoot"]),
            (&json!("Root"), &json!("arn:aws:iam::555555555555:root"), &json!("true"))
        );
        assert_eq!(last(&world)["recipientAccountId"], "555555555555");
    }
    for (form, expected) in [
        (form("555555555555", "AdministratorAccess"), (400, "ValidationError")),
        (form("arn:aws-cn:iam::555555555555:root", task), (400, "ValidationError")),
        (form("arn:aws:iam::555555555555:user/x", task), (400, "ValidationError")),
        (form("1", task), (400, "ValidationError")),
        (form("555555555555", task) + "&DurationSeconds=901", (400, "ValidationError")),
    ] {
        let (status, name) = expected;
        assert_eq!(code(&query(&world, Some(MARY), &form)), (status, name.to_owned()), "{form}");
    }
    let root = query(&world, Some("AKIAEXAMPLEROOT00001"), &form("555555555555", task));
    assert_eq!(code(&root), (403, "AccessDenied".to_owned()));
}

#[test]
fn unknown_messages_and_trade_in_tokens_are_refused() {
    let world = World::new();
    for (form, expected) in [
        ("DecodeAuthorizationMessage&EncodedMessage=confidential", "InvalidAuthorizationMessageException"),
        ("DecodeAuthorizationMessage", "ValidationError"),
        ("GetDelegatedAccessToken&TradeInToken=confidential", "ExpiredTradeInTokenException"),
        ("GetDelegatedAccessToken", "ValidationError"),
    ] {
        assert_eq!(code(&query(&world, None, form)), (400, expected.to_owned()), "{form}");
        assert_eq!(last(&world)["errorCode"], expected);
        let parameters = last(&world)["requestParameters"].to_string();
        assert!(!form.contains("TradeIn") || !parameters.contains("confidential"), "{parameters}");
    }
}

#[test]
fn a_form_that_is_too_large_is_refused_early() {
    let world = World::new();
    let members = numbered(1..=60_000, |n| format!("&Tags.member.{n}.Key=a"));
    let before = world.events().len();
    let reply = query(&world, Some(MARY), &format!("AssumeRole&{ROLE}{members}"));
    assert_eq!(code(&reply), (413, "RequestEntityTooLargeException".to_owned()));
    assert_eq!(world.events().len(), before, "what it asks for is not known");
    let members = numbered(1..=1_000, |n| format!("&Tags.member.{n}.Key=a"));
    let reply = query(&world, Some(MARY), &format!("AssumeRole&{ROLE}{members}"));
    assert_eq!(code(&reply), (400, "MalformedInput".to_owned()));
    assert_eq!(last(&world)["errorCode"], "MalformedInput");
}

//! Session tags from inputs, tokens and assertions: their records, and their inheritance in role chains.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::World;
use tests::sts::{Session, element, query, query_as};

const ROLE: &str = "RoleArn=arn:aws:iam::111122223333:role/Developer";

fn last(world: &World) -> Value {
    world.events().pop().expect("the call has a record")
}

/// Returns the request parameters of the last call.
fn last_parameters(world: &World) -> Value {
    last(world)["requestParameters"].clone()
}

/// Assumes a role with the credentials of a session or without any.
fn assume(world: &World, session: Option<&Session>, more: &str) -> tests::Reply {
    let form = format!("AssumeRole&{ROLE}&RoleSessionName=b1{more}");
    session.map_or_else(|| query(world, None, &form), |session| query_as(world, session, &form))
}

#[test]
fn role_chains_inherit_transitive_tags_only() {
    let world = World::new();
    let tags = "&Tags.member.1.Key=Team&Tags.member.1.Value=Blue&Tags.member.2.Key=Mood&Tags.member.2.Value=Good";
    let first = Session::of(&assume(&world, None, &format!("{tags}&TransitiveTagKeys.member.1=team")));
    assert_eq!(last_parameters(&world)["incomingTransitiveTags"], Value::Null);
    assert_eq!(last_parameters(&world)["transitiveTagKeys"], json!(["team"]));

    let own = "&Tags.member.1.Key=mood&Tags.member.1.Value=Bad&TransitiveTagKeys.member.1=mood";
    let second = Session::of(&assume(&world, Some(&first), own));
    assert_eq!(last_parameters(&world)["incomingTransitiveTags"], json!({ "Team": "Blue" }));
    let third = Session::of(&assume(&world, Some(&second), ""));
    assert_eq!(last_parameters(&world)["incomingTransitiveTags"], json!({ "Team": "Blue", "mood": "Bad" }));

    let refused = assume(&world, Some(&third), "&Tags.member.1.Key=TEAM&Tags.member.1.Value=Red");
    assert_eq!(element(&refused, "Code"), "InvalidParameterValue");
    assert!(element(&refused, "Message").contains("conflicts with a transitive tag key from the calling session"));
    assert_eq!(last_parameters(&world)["incomingTransitiveTags"]["Team"], "Blue");
}

#[test]
fn a_tag_can_contain_any_space_of_unicode() {
    let world = World::new();
    let tag = |value: &str| format!("&Tags.member.1.Key=k%C2%A0ey&Tags.member.1.Value={value}");
    for space in ["%C2%A0", "%E2%80%83", "%E3%80%80"] {
        let reply = assume(&world, None, &tag(&format!("a{space}b")));
        assert_eq!(reply.status, 200, "{space}: {}", reply.text());
    }
    let refused = assume(&world, None, &tag("a%09b"));
    assert_eq!((refused.status, element(&refused, "Code")), (400, "ValidationError".to_owned()));
}

#[test]
fn a_web_identity_token_gives_tags() {
    let world = World::new();
    let assume = |tags: &Value| {
        let claims = json!({
            "iss": "https://token.example.com", "sub": "ana", "aud": "build", "exp": 4_000_000_000_u64,
            "https://aws.amazon.com/tags": tags,
        });
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        query(&world, None, &format!("AssumeRoleWithWebIdentity&{ROLE}&RoleSessionName=b1&WebIdentityToken={token}"))
    };
    let tags = json!({ "principal_tags": { "Team": ["Blue"], "Mood": ["Good"] }, "transitive_tag_keys": ["Team"] });
    let reply = assume(&tags);
    assert_eq!(element(&reply, "PackedPolicySize"), "1");
    assert_eq!(
        last_parameters(&world),
        json!({
            "principalTags": { "Mood": "Good", "Team": "Blue" }, "roleArn": &ROLE["RoleArn=".len()..],
            "roleSessionName": "b1", "transitiveTagKeys": ["Team"],
        })
    );
    self::assume(&world, Some(&Session::of(&reply)), "");
    assert_eq!(last_parameters(&world)["incomingTransitiveTags"], json!({ "Team": "Blue" }));

    for (tags, code) in [
        (json!({ "principal_tags": { "Team": ["<>"] } }), "ValidationError"),
        (json!({ "transitive_tag_keys": ["Team"] }), "InvalidParameterValue"),
        (json!({ "principal_tags": "Team" }), "InvalidIdentityToken"),
    ] {
        assert_eq!(element(&assume(&tags), "Code"), code, "{tags}");
        assert_eq!(last(&world)["errorCode"], code);
    }
}

#[test]
fn an_assertion_gives_tags() {
    let world = crate::callers::sample();
    let tags = [("PrincipalTag:CostCenter", "987654"), ("TransitiveTagKeys", "CostCenter")];
    let assertion = crate::callers::assertion(&tags).replace('+', "%2B");
    let principal = format!("PrincipalArn={}", crate::callers::PROVIDER);
    let reply = query(&world, None, &format!("AssumeRoleWithSAML&{ROLE}&{principal}&SAMLAssertion={assertion}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(last_parameters(&world)["principalTags"], json!({ "CostCenter": "987654" }));
    assert_eq!(last_parameters(&world)["transitiveTagKeys"], json!(["CostCenter"]));
}

#[test]
fn contexts_are_checked_and_recorded_without_their_assertions() {
    let world = World::new();
    let context = |number: usize, assertion: &str| {
        let member = format!("ProvidedContexts.member.{number}");
        format!(
            "&{member}.ProviderArn=arn:aws:iam::aws:contextProvider/IdentityCenter&{member}.ContextAssertion={assertion}"
        )
    };
    Session::of(&assume(&world, None, &context(1, "confidential")));
    assert_eq!(
        last_parameters(&world)["providedContexts"],
        json!([{ "providerArn": "arn:aws:iam::aws:contextProvider/IdentityCenter" }])
    );
    let many: String = (1..=6).map(|number| context(number, "confidential")).collect();
    assert_eq!(element(&assume(&world, None, &many), "Code"), "ValidationError");

    // A context of an unknown provider, a missing assertion, and an expired one.
    let jwt = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(json!({ "exp": 1 }).to_string()));
    let unknown_provider = context(1, "confidential").replace("contextProvider/", "provider/");
    for wrong in [unknown_provider, context(1, ""), context(1, &jwt)] {
        assert_eq!(element(&assume(&world, None, &wrong), "Code"), "InvalidContextAssertion", "{wrong}");
    }
    Session::of(&assume(&world, None, &context(1, &"confidential".repeat(256))));

    let secret = "confidential".repeat(2000);
    let web = format!("AssumeRoleWithWebIdentity&{ROLE}&RoleSessionName=b1&WebIdentityToken={secret}");
    for refused in [assume(&world, None, &context(1, &secret)), query(&world, None, &web)] {
        assert_eq!(element(&refused, "Code"), "ValidationError");
        assert!(element(&refused, "Message").contains("error detected: Value at "), "{}", refused.text());
    }
    let kept = world.events();
    assert!(!json!(kept).to_string().contains("confidential"));
}

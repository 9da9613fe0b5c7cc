//! `GetWebIdentityToken`: signed tokens, their public keys, and propagated claims.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Value, json};
use tests::sts::{Session, element, query, query_as};
use tests::{Reply, World};

const MARY: &str = "AKIAIOSFODNN7EXAMPLE";

fn last(world: &World) -> Value {
    world.events().pop().expect("the call has a record")
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("the text is base64")
}

fn get(world: &World, path: &str) -> Value {
    let reply = world.send("GET", path, &[], b"");
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}

/// Verifies a token with the published keys of its issuer, as an OIDC client does, and returns its claims.
fn checked(world: &World, token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts.as_slice() else { panic!("a token has three parts: {token}") };
    let read = |part: &str| -> Value { serde_json::from_slice(&decoded(part)).expect("the text is JSON") };
    let (head, claims) = (read(head), read(claims));
    let issuer = claims["iss"].as_str().expect("the token names its issuer");
    let path = |url: &str| url.strip_prefix(&world.endpoint()).expect("the URL is that of this server").to_owned();
    let configuration = get(world, &(path(issuer) + "/.well-known/openid-configuration"));
    assert_eq!(configuration["issuer"], issuer);
    let keys = get(world, &path(configuration["jwks_uri"].as_str().expect("the member is a string")));
    let key = keys["keys"].as_array().expect("the value is a list").iter().find(|key| key["kid"] == head["kid"]);
    let key = key.expect("the key is published");
    assert!(["d", "p", "q"].iter().all(|secret| key[secret].is_null()));
    let member = |name: &str| decoded(key[name].as_str().expect("the member is a string"));
    let signed = token.rsplit_once('.').expect("a token has three parts").0.as_bytes();
    let result = match head["alg"].as_str() {
        Some("RS256") => RsaPublicKeyComponents { n: member("n"), e: member("e") }.verify(
            &RSA_PKCS1_2048_8192_SHA256,
            signed,
            &decoded(signature),
        ),
        _ => UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, [vec![4], member("x"), member("y")].concat())
            .verify(signed, &decoded(signature)),
    };
    result.expect("the signature is right");
    claims
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status, element(reply, "Code"))
}

#[test]
fn a_token_identifies_the_caller_and_can_be_verified() {
    let mut world = World::with(|settings| settings.allow_reset = true);
    let assumed = "AssumeRole&RoleArn=arn:aws:iam::111122223333:role/ci/Build&RoleSessionName=b1&SourceIdentity=Ana";
    let session = Session::of(&query(&world, Some(MARY), assumed));
    let form =
        "GetWebIdentityToken&Audience.member.1=https://api.example.com&Tags.member.1.Key=job&Tags.member.1.Value=7";
    for algorithm in ["RS256", "ES384"] {
        let reply = query_as(&world, &session, &format!("{form}&SigningAlgorithm={algorithm}"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let token = element(&reply, "WebIdentityToken");
        let claims = checked(&world, &token);
        assert_eq!(claims["aud"], "https://api.example.com");
        assert_eq!(claims["sub"], "arn:aws:iam::111122223333:role/ci/Build");
        let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, begin)| end - begin);
        assert_eq!(lifetime, Some(300));
        let own = &claims["https://sts.amazonaws.com/"];
        assert_eq!(own["aws_account"], "111122223333");
        assert_eq!((&own["principal_id"], &own["source_region"]), (&claims["sub"], &json!("us-east-1")));
        assert_eq!(own["request_tags"], json!({ "job": "7" }));
        let record = last(&world);
        assert_eq!((&record["eventName"], &record["readOnly"]), (&json!("GetWebIdentityToken"), &json!(true)));
        assert_eq!(record["requestParameters"]["audience"], json!(["https://api.example.com"]));
        assert!(record["responseElements"]["expiration"].is_string());
        assert!(!record.to_string().contains(&token), "no token is in a record");
    }
    let user =
        query(&world, Some(MARY), "GetWebIdentityToken&Audience.member.1=a&Audience.member.2=b&SigningAlgorithm=ES384");
    let claims = checked(&world, &element(&user, "WebIdentityToken"));
    assert_eq!(
        (&claims["aud"], &claims["sub"]),
        (&json!(["a", "b"]), &json!("arn:aws:iam::111122223333:user/Mary_Major"))
    );
    let keys = get(&world, "/_local/tokens/111122223333/keys");
    assert_eq!(keys["keys"].as_array().map(Vec::len), Some(2));
    world.restart();
    assert_eq!(get(&world, "/_local/tokens/111122223333/keys"), keys, "the keys stay");
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    assert_eq!(get(&world, "/_local/tokens/111122223333/keys"), keys, "a reset keeps them");
}

#[test]
fn invalid_requests_for_a_token_are_refused() {
    let world = World::new();
    let session = Session::of(&query(&world, Some(MARY), "GetSessionToken&DurationSeconds=900"));
    let tags: Vec<String> =
        (1..=50).map(|n| format!("&Tags.member.{n}.Key=k{n}&Tags.member.{n}.Value={}", "v".repeat(256))).collect();
    let tags = tags.concat();
    let good = "&Audience.member.1=a&SigningAlgorithm=ES384";
    for (more, status, expected) in [
        ("&SigningAlgorithm=ES384".to_owned(), 400, "ValidationError"),
        ("&Audience.member.1=a".to_owned(), 400, "ValidationError"),
        ("&Audience.member.1=a&SigningAlgorithm=HS256".to_owned(), 400, "ValidationError"),
        (format!("{good}&DurationSeconds=59"), 400, "ValidationError"),
        (format!("{good}&SubjectMode=Nobody"), 400, "ValidationError"),
        (format!("{good}&SubjectMode=OriginIdentity"), 400, "ValidationError"),
        (format!("{good}&Scope=read"), 400, "ValidationError"),
        (format!("{good}&Scope=read%20read"), 400, "ValidationError"),
        (format!("{good}&Scope=a,b"), 400, "ValidationError"),
        (format!("{good}&DurationSeconds=901"), 403, "SessionDurationEscalationException"),
        (format!("{good}{tags}"), 400, "JWTPayloadSizeExceededException"),
    ] {
        let reply = query_as(&world, &session, &format!("GetWebIdentityToken{more}"));
        assert_eq!(code(&reply), (status, expected.to_owned()), "{more}");
        assert_eq!(last(&world)["errorCode"], expected);
    }
}

/// A provider with propagated claims.
const IDENTITIES: &str = r#"
    [[account]]
    id = "111122223333"

    [[account.oidc_provider]]
    url = "https://idp.example.com"
    context = { subject = "email", transaction = ["department", "none"] }
"#;

#[test]
fn the_end_user_of_a_token_is_propagated_to_the_next() {
    let world = World::with_identities(IDENTITIES);
    let claims = json!({
        "iss": "https://idp.example.com", "sub": "42", "aud": "app", "exp": 4_000_000_000_u64,
        "email": "ana@example.com", "department": "Research",
    });
    let role = "RoleArn=arn:aws:iam::111122223333:role/Build&RoleSessionName=b1";
    let assume = |claims: &Value| {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        query(&world, None, &format!("AssumeRoleWithWebIdentity&{role}&WebIdentityToken={token}"))
    };
    let assumed = assume(&claims);
    let context = element(&assumed, "TrustedIdentityPropagationContext");
    for part in [
        "<Subject>ana@example.com</Subject><SubjectType>user</SubjectType><Issuer>idp.example.com</Issuer>",
        "<FederatedProviderArn>arn:aws:iam::111122223333:oidc-provider/idp.example.com</FederatedProviderArn>",
        "<IdentityProvider><entry><key>department</key><value>Research</value></entry></IdentityProvider>",
    ] {
        assert!(context.contains(part), "{context}");
    }
    assert!(!last(&world).to_string().contains("ana@example.com"), "the end user is in no record");
    let form =
        "GetWebIdentityToken&Audience.member.1=a&SigningAlgorithm=ES384&SubjectMode=OriginIdentity&Scope=read write";
    let token = query_as(&world, &Session::of(&assumed), form);
    let issued = checked(&world, &element(&token, "WebIdentityToken"));
    assert_eq!(
        (&issued["sub"], &issued["scope"], &issued["subject_mode"]),
        (&json!("ana@example.com"), &json!("read write"), &json!("OriginIdentity"))
    );
    let own = &issued["https://sts.amazonaws.com/"];
    assert_eq!(own["principal_id"], "arn:aws:iam::111122223333:role/Build");
    assert_eq!(own["federated_provider"], "arn:aws:iam::111122223333:oidc-provider/idp.example.com");
    // A subject in the form of an ARN is refused.
    let mut false_one = claims.clone();
    false_one["email"] = "ARN:aws:iam::111122223333:root".into();
    let refused = query_as(&world, &Session::of(&assume(&false_one)), form);
    assert_eq!(code(&refused), (403, "AccessDenied".to_owned()));
    false_one.as_object_mut().expect("the value is an object").remove("email");
    assert_eq!(code(&assume(&false_one)), (400, "InvalidIdentityToken".to_owned()));
}

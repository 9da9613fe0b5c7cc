//! AWS STS with raw requests: temporary credentials, their callers, and failures.

use serde_json::{Value, json};
use tests::sts::{Session, element, query, query_as};
use tests::{Reply, World};

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/Pipeline";

fn assume(world: &World, key: Option<&str>, more: &str) -> Reply {
    query(world, key, &format!("AssumeRole&RoleArn={ROLE}&RoleSessionName=build-1{more}"))
}

fn last(world: &World) -> Value {
    world.events().pop().expect("the call has a record")
}

#[test]
fn a_session_of_a_role_names_itself_in_api_and_git_calls() {
    let world = World::new();
    world.call("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    let reply = assume(&world, Some("AKIAIOSFODNN7EXAMPLE"), "&DurationSeconds=900&SourceIdentity=Ana");
    let session = Session::of(&reply);
    let assumed = last(&world);
    assert_eq!(assumed["eventSource"], "sts.amazonaws.com");
    assert_eq!(assumed["readOnly"], true);
    assert_eq!(
        assumed["requestParameters"],
        json!({ "durationSeconds": 900, "roleArn": ROLE, "roleSessionName": "build-1", "sourceIdentity": "Ana" })
    );
    let role = json!([{ "ARN": ROLE, "accountId": "111122223333", "type": "AWS::IAM::Role" }]);
    assert_eq!(assumed["resources"], role);
    let answered = &assumed["responseElements"];
    assert_eq!(answered["credentials"]["accessKeyId"], session.key);
    assert_eq!(answered["assumedRoleUser"]["arn"], element(&reply, "Arn"));

    assert_eq!(session.call(&world, "ListRepositories", &json!({})).status, 200);
    let identity = last(&world)["userIdentity"].clone();
    let role_id =
        identity["sessionContext"]["sessionIssuer"]["principalId"].as_str().expect("the member is a string").to_owned();
    assert!(role_id.starts_with("AROA") && role_id.len() == 21);
    assert_eq!(
        identity,
        json!({
            "type": "AssumedRole", "principalId": format!("{role_id}:build-1"),
            "arn": "arn:aws:sts::111122223333:assumed-role/Pipeline/build-1", "accountId": "111122223333",
            "accessKeyId": session.key,
            "sessionContext": {
                "attributes": { "creationDate": assumed["eventTime"], "mfaAuthenticated": "false" },
                "sessionIssuer": {
                    "type": "Role", "principalId": role_id, "arn": ROLE, "accountId": "111122223333", "userName": "Pipeline",
                },
                "sourceIdentity": "Ana",
            },
        })
    );
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", refs, &[("authorization", &session.git())], b"").status, 200);
    assert_eq!(last(&world)["eventName"], "GitPull");
    assert_eq!(last(&world)["userIdentity"], identity);
}

#[test]
fn the_session_of_a_service_is_invoked_by_the_service() {
    let world = World::new();
    let session = Session::of(&assume(&world, Some("codepipeline.amazonaws.com"), ""));
    let assumed = last(&world);
    assert_eq!(assumed["userIdentity"], json!({ "type": "AWSService", "invokedBy": "codepipeline.amazonaws.com" }));
    session.call(&world, "ListRepositories", &json!({}));
    let listed = last(&world);
    assert_eq!(listed["userIdentity"]["type"], "AssumedRole");
    for record in [&assumed, &listed] {
        assert_eq!(record["sourceIPAddress"], "codepipeline.amazonaws.com");
        assert_eq!(record["userAgent"], "codepipeline.amazonaws.com");
    }
    assert_eq!(listed["userIdentity"]["invokedBy"], "codepipeline.amazonaws.com");
}

#[test]
fn invalid_and_expired_credentials_are_refused_without_a_record() {
    let world = World::new();
    let session = Session::of(&assume(&world, None, "&DurationSeconds=900"));
    let before = world.events().len();
    let forged = Session { key: session.key.clone(), token: format!("{}x", session.token) };
    let refused = forged.call(&world, "ListRepositories", &json!({}));
    assert_eq!(
        refused.failure(),
        json!({
            "status": 400, "__type": "UnrecognizedClientException",
            "message": "The security token included in the request is invalid.",
        })
    );
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", refs, &[("authorization", &forged.git())], b"").status, 403);
    let refused = query(&world, Some(&session.key), "GetCallerIdentity");
    assert_eq!((refused.status, element(&refused, "Code")), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(world.events().len(), before);
}

#[test]
fn a_session_survives_restarts_until_its_expiry() {
    let mut world = World::new();
    let session = Session::of(&assume(&world, None, "&DurationSeconds=900"));
    world.restart();
    assert_eq!(session.call(&world, "ListRepositories", &json!({})).status, 200);
    // The clock advances by a second with each reading of the server.
    let refused =
        (0..900).map(|_| session.call(&world, "ListRepositories", &json!({}))).find(|reply| reply.status != 200);
    let expected = json!({
        "status": 400, "__type": "ExpiredTokenException",
        "message": "The security token included in the request is expired",
    });
    assert_eq!(refused.expect("the process ends").failure(), expected);
    let refused = query_as(&world, &session, "GetCallerIdentity");
    assert_eq!((refused.status, element(&refused, "Code")), (403, "ExpiredToken".to_owned()));
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    assert_eq!(world.send("GET", refs, &[("authorization", &session.git())], b"").status, 403);
}

#[test]
fn a_reset_deletes_sessions() {
    let world = World::with(|settings| settings.allow_reset = true);
    let session = Session::of(&assume(&world, None, ""));
    assert_eq!(world.send("POST", "/_local/reset", &[], b"").status, 200);
    session.call(&world, "ListRepositories", &json!({}));
    assert_eq!(last(&world)["userIdentity"]["type"], "IAMUser");
}

#[test]
fn a_role_that_a_role_assumes_lasts_an_hour_and_keeps_the_source_identity() {
    let world = World::new();
    let first = Session::of(&assume(&world, None, "&SourceIdentity=Ana&DurationSeconds=43200"));
    let chained = |more: &str| {
        query_as(
            &world,
            &first,
            &format!("AssumeRole&RoleArn=arn:aws:iam::444455556666:role/Next&RoleSessionName=b2{more}"),
        )
    };
    let too_long = chained("&DurationSeconds=3601");
    assert_eq!(element(&too_long, "Code"), "ValidationError");
    assert!(element(&too_long, "Message").ends_with("1 hour session limit for roles assumed by role chaining."));
    assert_eq!(element(&chained("&SourceIdentity=Eve"), "Code"), "AccessDenied");
    let next = chained("");
    assert_eq!(element(&next, "SourceIdentity"), "Ana");
    let [callers, owners] = &world.events()[world.events().len() - 2..] else { panic!("there are two") };
    assert_eq!(callers["sharedEventID"], owners["sharedEventID"]);
    assert_eq!(
        (&callers["recipientAccountId"], &owners["recipientAccountId"]),
        (&json!("111122223333"), &json!("444455556666"))
    );
    assert_eq!(owners["userIdentity"]["type"], "AWSAccount");
    Session::of(&next).call(&world, "ListRepositories", &json!({}));
    assert_eq!(last(&world)["userIdentity"]["sessionContext"]["sourceIdentity"], "Ana");
}

#[test]
fn invalid_inputs_are_refused_with_the_messages_of_aws() {
    let world = crate::callers::sample();
    let role = "RoleArn=arn:aws:iam::111122223333:role/Developer&RoleSessionName=b1";
    let no_arn = "not-an-arn-but-long-enough";
    let long = "x".repeat(2049);
    let value = "v".repeat(90);
    let tags: Vec<String> =
        (1..=50).map(|n| format!("&Tags.member.{n}.Key=k{n}&Tags.member.{n}.Value={value}")).collect();
    let many: Vec<String> = (1..=51).map(|n| format!("&Tags.member.{n}.Key=k{n}")).collect();
    let (tags, many) = (tags.concat(), many.concat());
    let cases = [
        (
            "AssumeRole&RoleSessionName=b1".to_owned(),
            "ValidationError",
            "'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        ("AssumeRole&RoleArn=x&RoleSessionName=b1".to_owned(), "ValidationError", "length greater than or equal to 20"),
        (format!("AssumeRole&RoleArn={no_arn}&RoleSessionName=b1"), "ValidationError", "long-enough is invalid"),
        (
            format!("AssumeRole&RoleArn={no_arn}&RoleSessionName=a b"),
            "ValidationError",
            "regular expression pattern: [\\w+=,.@-]*",
        ),
        (
            format!("AssumeRole&RoleArn={no_arn}&RoleSessionName=a"),
            "ValidationError",
            "length greater than or equal to 2",
        ),
        (
            format!("AssumeRole&{role}&SourceIdentity={}", "a".repeat(257)),
            "ValidationError",
            "less than or equal to 256",
        ),
        (format!("AssumeRole&{role}&Policy=%E4%B8%AD"), "ValidationError", r"[\u0009\u000A\u000D\u0020-\u00FF]+"),
        (format!("AssumeRole&{role}&ExternalId=a b"), "ValidationError", "'externalId' failed"),
        (
            format!("AssumeRole&{role}&MinimumSessionTokenSize=4097"),
            "ValidationError",
            "'minimumSessionTokenSize' failed",
        ),
        (format!("AssumeRole&{role}&DurationSeconds=899"), "ValidationError", "value greater than or equal to 900"),
        (format!("AssumeRole&{role}&DurationSeconds=43201"), "ValidationError", "value less than or equal to 43200"),
        (
            format!("AssumeRole&{role}&DurationSeconds=7201"),
            "ValidationError",
            "exceeds the MaxSessionDuration set for this role.",
        ),
        (format!("AssumeRole&{role}&DurationSeconds=soon"), "MalformedInput", "'soon' is not an integer"),
        (format!("AssumeRole&{role}&Tags=x"), "MalformedInput", "invalid type"),
        (
            format!("AssumeRole&{role}&TokenCode=123456"),
            "AccessDenied",
            "must provide both MFA serial number and one time pass code.",
        ),
        (format!("AssumeRole&{role}&SerialNumber=123456789&TokenCode=12345a"), "ValidationError", "'tokenCode'"),
        (format!("AssumeRole&{role}&Policy={long}"), "ValidationError", "'policy' failed"),
        (format!("AssumeRole&{role}&Policy={{}}"), "MalformedPolicyDocument", "Syntax errors in policy."),
        (format!("AssumeRole&{role}{tags}"), "PackedPolicyTooLarge", "please use smaller policy."),
        (format!("AssumeRole&{role}{many}"), "ValidationError", "'tags' failed"),
        (
            format!("AssumeRole&{role}&Tags.member.1.Key=a&Tags.member.2.Key=A"),
            "InvalidParameterValue",
            "Duplicate tag keys",
        ),
        (format!("AssumeRole&{role}&TransitiveTagKeys.member.1=a"), "InvalidParameterValue", "transitive tag key"),
        (
            "AssumeRole&RoleArn=arn:aws:iam::111122223333:role/Other&RoleSessionName=b1".to_owned(),
            "AccessDenied",
            "User: arn:aws:iam::111122223333:user/Mary_Major is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/Other",
        ),
        (
            "AssumeRole&RoleArn=arn:aws:iam::111122223333:role/service-role/Pipeline&RoleSessionName=b1".to_owned(),
            "AccessDenied",
            "is not authorized",
        ),
        ("GetSessionToken&DurationSeconds=129601".to_owned(), "ValidationError", "value less than or equal to 129600"),
        ("GetFederationToken&Name=x".to_owned(), "ValidationError", "'name' failed"),
        (
            format!("AssumeRoleWithWebIdentity&{role}&WebIdentityToken=token"),
            "InvalidIdentityToken",
            "is not a valid JWT.",
        ),
        (
            format!("AssumeRoleWithSAML&{role}&PrincipalArn={}&SAMLAssertion=PGEvPg==", crate::callers::PROVIDER),
            "InvalidIdentityToken",
            "Assertion",
        ),
        ("NoSuchOperation".to_owned(), "InvalidAction", "NoSuchOperation"),
        (String::new(), "MissingAction", "no Action"),
    ];
    for (form, code, message) in cases {
        let reply = query(&world, None, &form);
        assert_eq!(element(&reply, "Code"), code, "{form}");
        assert!(element(&reply, "Message").replace("&apos;", "'").contains(message), "{form}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("text/xml"));
        if !["MissingAction", "InvalidAction"].contains(&code) {
            assert_eq!(last(&world)["errorCode"], code, "{form}");
        }
    }
    let root = query(&world, Some("AKIAEXAMPLEROOT00001"), &format!("AssumeRole&{role}"));
    assert_eq!(element(&root, "Message"), "Roles may not be assumed by root accounts.");
}

#[test]
fn a_malformed_arn_of_a_role_is_refused_before_the_token_is_read() {
    let world = crate::callers::sample();
    let no_arn = "not-an-arn-but-long-enough";
    let cases = [
        (
            "AssumeRole&RoleArn=arn:aws:iam::111122223333:role/demo:bad&RoleSessionName=b1".to_owned(),
            "ValidationError",
            "role/demo:bad is invalid",
        ),
        (
            "AssumeRole&RoleArn=arn:aws-cn:iam::111122223333:role/Developer&RoleSessionName=b1".to_owned(),
            "AccessDenied",
            "is not authorized",
        ),
        (
            format!("AssumeRoleWithWebIdentity&RoleArn={no_arn}&RoleSessionName=b1&WebIdentityToken=dummy.jwt.token"),
            "ValidationError",
            "long-enough is invalid",
        ),
        (
            format!(
                "AssumeRoleWithSAML&RoleArn={no_arn}&PrincipalArn={}&SAMLAssertion=PGEvPg==",
                crate::callers::PROVIDER
            ),
            "ValidationError",
            "long-enough is invalid",
        ),
    ];
    for (form, code, message) in cases {
        let reply = query(&world, None, &form);
        assert_eq!(element(&reply, "Code"), code, "{form}");
        assert!(element(&reply, "Message").contains(message), "{form}: {}", reply.text());
        assert_eq!(last(&world)["errorCode"], code, "{form}");
    }
}

#[test]
fn old_clients_use_get() {
    let world = World::new();
    let reply = world.send("GET", "/?Action=GetCallerIdentity&Version=2011-06-15", &[], b"");
    assert_eq!(element(&reply, "Arn"), "arn:aws:iam::111122223333:user/Mary_Major");
    assert_eq!(last(&world)["eventName"], "GetCallerIdentity");
}

#[test]
fn neither_the_trail_nor_the_database_contains_credentials() {
    let world = crate::callers::sample();
    let role = "RoleArn=arn:aws:iam::111122223333:role/Developer";
    let jwt = "e30.eyJpc3MiOiJodHRwczovL3Rva2VuLmV4YW1wbGUuY29tIn0.c2lnbmF0dXJl";
    let assertion = crate::callers::assertion(&[]);
    let form = format!("AssumeRole&{role}&RoleSessionName=b1&SerialNumber=123456789&TokenCode=987654");
    let reply = query(&world, None, &form);
    let (secret, token) = (element(&reply, "SecretAccessKey"), element(&reply, "SessionToken"));
    query(&world, None, &format!("AssumeRoleWithWebIdentity&{role}&RoleSessionName=b1&WebIdentityToken={jwt}"));
    let saml = format!("AssumeRoleWithSAML&{role}&PrincipalArn={}", crate::callers::PROVIDER);
    query(&world, None, &format!("{saml}&SAMLAssertion={}", assertion.replace('+', "%2B")));
    let mut kept = Vec::new();
    for file in tests::files(world.folder()) {
        kept.extend(std::fs::read(file).expect("the file was listed"));
    }
    let kept = String::from_utf8_lossy(&kept);
    assert!(kept.contains("AssumeRoleWithSAML"), "the records are looked at");
    for text in [&*secret, &token, "987654", jwt, &assertion] {
        assert!(!kept.contains(text), "{text}");
    }
}

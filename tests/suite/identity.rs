//! The caller in records, and that no secret is kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::World;
use tests::wire::signed;

const IDENTITIES: &str = r#"
    [[account]]
    id = "111122223333"

    [[account.user]]
    name = "Mateo_Jackson"
    access_keys = ["AKIAEXAMPLEMATEO0001", "AKIAEXAMPLEMATEO0002"]

    [[account]]
    id = "444455556666"

    [[account.user]]
    name = "Li_Juan"
    principal_id = "AIDAEXAMPLELIJUAN0000"
    access_keys = ["AKIAI44QH8DHBEXAMPLE"]
    git_user_names = ["lijuan"]
"#;

fn world() -> World {
    World::with_identities(IDENTITIES)
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:password-of-the-test")))
}

/// Returns the `userIdentity` of a call with a value of `Authorization`.
fn caller(world: &World, authorization: Option<&str>) -> Value {
    let headers: Vec<_> = authorization.map(|text| ("authorization", text)).into_iter().collect();
    world.call_as("ListRepositories", &json!({}), &headers);
    world.events().last().expect("the call has a record")["userIdentity"].clone()
}

#[test]
fn a_declared_key_names_its_user_and_account() {
    let world = world();
    assert_eq!(
        caller(&world, Some(&signed("AKIAI44QH8DHBEXAMPLE", "us-east-1"))),
        json!({
            "type": "IAMUser", "principalId": "AIDAEXAMPLELIJUAN0000", "arn": "arn:aws:iam::444455556666:user/Li_Juan",
            "accountId": "444455556666", "accessKeyId": "AKIAI44QH8DHBEXAMPLE", "userName": "Li_Juan",
        })
    );
    assert_eq!(world.events()[0]["recipientAccountId"], "444455556666");
}

#[test]
fn two_keys_of_a_user_have_one_principal() {
    let world = world();
    let [one, two] =
        ["AKIAEXAMPLEMATEO0001", "AKIAEXAMPLEMATEO0002"].map(|key| caller(&world, Some(&signed(key, "us-east-1"))));
    assert_eq!((&one["userName"], &one["principalId"]), (&two["userName"], &two["principalId"]));
    assert_eq!(one["accessKeyId"], "AKIAEXAMPLEMATEO0001");
    assert_eq!(two["accessKeyId"], "AKIAEXAMPLEMATEO0002");
    assert!(one["principalId"].as_str().is_some_and(|id| id.starts_with("AIDA") && id.len() == 21));
}

#[test]
fn an_unknown_key_always_names_the_same_user_of_the_default_account() {
    let mut world = world();
    let first = caller(&world, Some(&signed("AKIAEXAMPLEUNKNOWN01", "us-east-1")));
    assert_eq!(first["arn"], "arn:aws:iam::111122223333:user/AKIAEXAMPLEUNKNOWN01");
    assert_eq!(first["accessKeyId"], "AKIAEXAMPLEUNKNOWN01");
    world.restart();
    assert_eq!(caller(&world, Some(&signed("AKIAEXAMPLEUNKNOWN01", "us-east-1"))), first);
    let other = caller(&world, Some(&signed("test", "us-east-1")));
    assert_eq!(other["arn"], "arn:aws:iam::111122223333:user/test");
    assert_ne!(other["principalId"], first["principalId"]);
}

#[test]
fn without_readable_credentials_the_example_user_calls() {
    let world = world();
    for authorization in [None, Some(""), Some("Bearer x"), Some("Basic %%%"), Some("AWS4-HMAC-SHA256 Credential=x")] {
        let caller = caller(&world, authorization);
        assert_eq!(caller["arn"], "arn:aws:iam::111122223333:user/Mary_Major", "{authorization:?}");
        assert_eq!(caller["accessKeyId"], "AKIAIOSFODNN7EXAMPLE");
    }
}

#[test]
fn the_default_user_can_be_one_of_the_file() {
    let identities = IDENTITIES.replace("name = \"Li_Juan\"", "name = \"Li_Juan\"\n    default = true");
    let world = World::with_identities(&identities);
    assert_eq!(caller(&world, None)["arn"], "arn:aws:iam::444455556666:user/Li_Juan");
    let created = world.ok("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }));
    assert_eq!(created["repositoryMetadata"]["accountId"], "444455556666");
}

#[test]
fn each_form_of_a_git_user_name_names_its_user() {
    let world = world();
    for (name, arn, key) in [
        ("lijuan", "arn:aws:iam::444455556666:user/Li_Juan", Value::Null),
        ("Li_Juan-at-444455556666", "arn:aws:iam::444455556666:user/Li_Juan", Value::Null),
        ("AKIAI44QH8DHBEXAMPLE", "arn:aws:iam::444455556666:user/Li_Juan", json!("AKIAI44QH8DHBEXAMPLE")),
        (
            "AKIAI44QH8DHBEXAMPLE%session/token==",
            "arn:aws:iam::444455556666:user/Li_Juan",
            json!("AKIAI44QH8DHBEXAMPLE"),
        ),
        ("Someone-at-444455556666+1", "arn:aws:iam::444455556666:user/Someone", Value::Null),
        ("someone", "arn:aws:iam::111122223333:user/someone", Value::Null),
    ] {
        let headers = [("authorization", basic(name))];
        let headers = headers.each_ref().map(|(header, value)| (*header, value.as_str()));
        world.send("GET", "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack", &headers, b"");
        let record = world.events().pop().expect("the call has a record");
        assert_eq!(record["eventName"], "GitPull");
        let identity = &record["userIdentity"];
        assert_eq!((&identity["arn"], &identity["accessKeyId"]), (&json!(arn), &key), "{name}");
        assert_eq!(record["recipientAccountId"], identity["accountId"], "{name}");
    }
}

#[test]
fn git_with_a_user_name_finds_and_records_its_account() {
    let world = world();
    let signature = signed("AKIAI44QH8DHBEXAMPLE", "us-east-1");
    let name = json!({ "repositoryName": "MyDemoRepo" });
    world.call_as("CreateRepository", &name, &[("authorization", &signature)]);
    world.git_repository("work");
    let header = format!("http.extraHeader=Authorization: {}", basic("Li_Juan-at-444455556666"));
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["-c", &header, "push", "--quiet", &url, "HEAD:refs/heads/main"]).ok();
    for event in world.events().iter().skip(1) {
        assert_eq!(event["eventName"], "GitPush");
        assert_eq!(event["userIdentity"]["arn"], "arn:aws:iam::444455556666:user/Li_Juan");
        assert_eq!(event["recipientAccountId"], "444455556666");
    }
    // The default account does not have the repository.
    world.git("work", &["ls-remote", &url]).failed();
    let record = world.events().pop().expect("the call has a record");
    assert_eq!(record["errorCode"], "RepositoryDoesNotExistException");
}

#[test]
fn the_trail_contains_no_secrets() {
    let world = world();
    let secrets = [
        "SIGNATURE0123456789abcdef",
        "SESSION-TOKEN-of-the-test",
        "password-of-the-test",
        "TOKEN-in-a-user-name",
        "URL-password",
    ];
    let scope = "AKIAI44QH8DHBEXAMPLE/20161214/us-east-1/codecommit/aws4_request";
    let signature = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={}", secrets[0]);
    let headers = [("authorization", signature.as_str()), ("x-amz-security-token", secrets[1])];
    world.call_as("CreateRepository", &json!({ "repositoryName": "MyDemoRepo" }), &headers);
    let refs = "/v1/repos/MyDemoRepo/info/refs?service=git-upload-pack";
    for user in ["Li_Juan-at-444455556666", "AKIAI44QH8DHBEXAMPLE%TOKEN-in-a-user-name"] {
        world.send("GET", refs, &[("authorization", &basic(user))], b"");
    }
    // Git sends credentials in a URL only after a 401, so the header is set explicitly.
    let header = format!("http.extraHeader=Authorization: Basic {}", STANDARD.encode("lijuan:URL-password"));
    world.git_repository("work");
    let url = world.repository_url("MyDemoRepo");
    world.git("work", &["-c", &header, "push", "--quiet", &url, "HEAD:refs/heads/main"]).ok();
    world.send("POST", "/_local/flush", &[], b"");
    let mut text = std::fs::read_to_string(world.trail_folder().join("events.ndjson")).expect("the file exists");
    text.push_str(&json!(tests::read_log_files(&world.trail_folder())).to_string());
    for secret in secrets.iter().copied().chain([&STANDARD.encode("lijuan:URL-password")[..], &signature, scope]) {
        assert!(!text.contains(secret), "{secret}");
    }
}

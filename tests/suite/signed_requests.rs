//! Raw requests with signed access: bodies that cannot be verified, and passwords of Git that become too old within a push.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use ring::hmac::{HMAC_SHA256, Key, sign};
use serde_json::{Value, json};
use tests::World;

use crate::signed::{IDENTITIES, MARY_MAJOR, world_with};

const REGION: &str = "us-east-1";

/// Life of a password of Git, in seconds.
const LIFE: i64 = 15 * 60;

fn world(change: impl FnOnce(&mut server::Settings)) -> World {
    let world = world_with(IDENTITIES, change);
    world.aws(&["codecommit", "create-repository", "--repository-name", "MyDemoRepo"]).ok();
    world
}

/// Returns the password that git's helper makes at the time of the last event, with the user name, as a header.
fn git_password(world: &World, path: &str) -> String {
    let event = world.events().pop().expect("the repository was created");
    let time = event["eventTime"].as_str().expect("an event has a time").replace(['-', ':', 'Z'], "");
    let host = world.endpoint().replace("http://", "");
    let canonical = format!("GIT\n{path}\n\nhost:{host}\n\nhost\n");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let hash = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{}/{REGION}/codecommit/aws4_request\n{hash}", &time[..8]);
    let mac = |key: &[u8], text: &str| sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec();
    let key = [&time[..8], REGION, "codecommit", "aws4_request"]
        .into_iter()
        .fold(format!("AWS4{}", MARY_MAJOR.1).into_bytes(), |key, text| mac(&key, text));
    let password = format!("{time}Z{}", hex(&mac(&key, &to_sign)));
    format!("Basic {}", STANDARD.encode(format!("{}:{password}", MARY_MAJOR.0)))
}

#[test]
fn a_body_that_is_too_large_is_refused_without_a_record() {
    let world = world(|settings| settings.body_bytes_max = 1_000);
    let records = world.events().len();
    let large = "x".repeat(2_000);
    let scope = format!("{}/20161214/{REGION}/codecommit/aws4_request", MARY_MAJOR.0);
    let forged = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00");
    let authorization = [("authorization", forged.as_str()), ("x-amz-date", "20161214T181914Z")];
    let input = json!({ "repositoryName": "MyDemoRepo", "repositoryDescription": large });
    for headers in [&authorization[..], &[]] {
        let reply = world.call_as("UpdateRepositoryDescription", &input, headers);
        assert_eq!(reply.status, 413, "{}", reply.text());
        assert!(reply.message().as_str().is_some_and(|message| message.contains("1000 bytes")), "{}", reply.text());
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let query = format!("Action=GetCallerIdentity&Version=2011-06-15&Large={large}");
    let reply = world.send("POST", "/", &form, query.as_bytes());
    assert!(reply.status >= 400, "{}", reply.text());
    // The SDK for Python signs such a call correctly; nothing can verify it.
    let refused = world.python(&format!(
        "import boto3\nboto3.client('codecommit').update_repository_description(repositoryName='MyDemoRepo', \
         repositoryDescription='{}')",
        "x".repeat(990)
    ));
    let refused = refused.failed();
    assert!(refused.contains("(RequestEntityTooLargeException)"), "{refused}");
    assert_eq!(world.events().len(), records);
    let metadata = world.aws(&["codecommit", "get-repository", "--repository-name", "MyDemoRepo"]).ok();
    let metadata: Value = serde_json::from_str(&metadata).expect("the CLI prints JSON");
    assert_eq!(metadata["repositoryMetadata"].get("repositoryDescription"), None);
}

#[test]
fn a_password_of_git_that_has_become_too_old_is_asked_for_again() {
    let path = "/v1/repos/MyDemoRepo";
    for service in ["upload-pack", "receive-pack"] {
        // The AWS CLI signs with the time of the system.
        let mut world = world(|_| ());
        world.restart_with(|settings| settings.max_clock_skew = Some(Duration::from_mins(15)));
        let password = git_password(&world, path);
        world.move_clock(LIFE - 60);
        let authorization = ("authorization", password.as_str());
        let advertisement = format!("{path}/info/refs?service=git-{service}");
        let content_type = format!("application/x-git-{service}-request");
        let request = [authorization, ("content-type", content_type.as_str())];
        let post = || world.send("POST", &format!("{path}/git-{service}"), &request, b"0000");
        assert_eq!(world.send("GET", &advertisement, &[authorization], b"").status, 200);
        assert_eq!(post().status, 200);
        world.move_clock(120);
        let records = world.events().len();
        let reply = post();
        assert_eq!(reply.status, 401, "{}", reply.text());
        assert_eq!(reply.header("www-authenticate"), Some("Basic realm=\"AWS CodeCommit\""));
        // Before the advertisement git shows the message of a 403.
        let reply = world.send("GET", &advertisement, &[authorization], b"");
        assert_eq!(reply.status, 403);
        assert!(reply.text().starts_with("Signature expired: "), "{}", reply.text());
        assert_eq!(world.events().len(), records);
    }
}
